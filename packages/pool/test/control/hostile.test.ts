import { afterEach, beforeEach, expect, it } from 'vitest';
import { CONTROL_LIMITS } from '../../src/control/limits.js';
import { createHarness, type Harness, post, settle, TOKEN, until } from './support.js';

const call = (method: string, params: unknown = [], id = 1) => ({ jsonrpc: '2.0', id, method, params });

let harness: Harness;
beforeEach(() => {
  harness = createHarness();
});
afterEach(() => harness.close());

it('a connection that says nothing is closed', async () => {
  const silent = harness.connect();
  const half = harness.connect();
  half.raw('{"jsonrpc":"2.0","id":1,');
  const slow = harness.connect();
  slow.raw('POST / HTTP/1.1\r\n');
  for (let second = 0; second < CONTROL_LIMITS.authorizeTimeoutMs / 1000 + 2; second++) {
    slow.raw(`X-${second}: x\r\n`);
    await harness.clock.advanceAsync(1000);
  }
  await settle();
  for (const peer of [silent, half, slow]) expect(peer.closed).toBe(true);
  expect(harness.server.connections).toBe(0);
});

it('a peer that is in but sends no whole request is closed after the idle time', async () => {
  const peer = harness.connect({ clientAddress: '' });
  peer.send(call('echo'));
  await peer.answers(1);
  for (let at = 0; at < CONTROL_LIMITS.idleTimeoutMs + 10_000; at += 5000) {
    peer.raw(' ');
    await harness.clock.advanceAsync(5000);
  }
  expect(peer.closed).toBe(true);
});

it('an endless request is cut off at the bound, over both wires', async () => {
  const bare = harness.connect({ clientAddress: '' });
  const chunk = 'x'.repeat(8192);
  bare.raw('{"jsonrpc":"2.0","id":1,"method":"');
  for (let i = 0; i < 20 && !bare.closed; i++) {
    bare.raw(chunk);
    await settle();
  }
  expect(bare.closed).toBe(true);
  expect(bare.lines()).toMatchObject([{ error: { code: -32700, message: 'a request has at most 65536 bytes' } }]);
  const http = harness.connect();
  http.raw(`POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n`);
  await until('the end', () => http.closed);
  expect(http.text).toContain('413 ');
});

it('a reader that does not read is cut off and holds no more than the bound', async () => {
  const big = 'x'.repeat(60_000);
  harness.methods.expose('big', undefined, () => Array.from({ length: 60 }, () => big));
  const peer = harness.connect({ clientAddress: '' });
  peer.freeze();
  for (let i = 0; i < 50; i++) peer.send(call('big', [], i));
  for (let i = 0; i < 60 && harness.server.connections > 0; i++) await harness.clock.advanceAsync(1000);
  expect(harness.server.connections).toBe(0);
});

it('an answer above the bound becomes an error', async () => {
  harness.methods.expose('huge', undefined, () => 'x'.repeat(CONTROL_LIMITS.replyBytes + 1));
  const peer = harness.connect({ clientAddress: '' });
  peer.send(call('huge'));
  expect(await peer.answers(1)).toMatchObject([{ error: { code: -32005, data: { code: 'queue_full' } } }]);
});

it('a flood is worked off at the rate and not faster, one call at a time', async () => {
  let running = 0;
  let most = 0;
  let calls = 0;
  harness.methods.expose('work', undefined, async () => {
    running++;
    calls++;
    most = Math.max(most, running);
    await Promise.resolve();
    running--;
  });
  const peer = harness.connect({ clientAddress: '' });
  peer.raw(`${JSON.stringify(call('work'))}\n`.repeat(1000));
  await until('the burst to be used up', () => calls >= CONTROL_LIMITS.requestBurst - 1);
  await settle();
  const burst = calls;
  expect(burst).toBeLessThanOrEqual(CONTROL_LIMITS.requestBurst + 1);
  await harness.clock.advanceAsync(2000);
  expect(calls - burst).toBeGreaterThan(0);
  expect(calls - burst).toBeLessThanOrEqual(3 * CONTROL_LIMITS.requestsPerSecond);
  expect(most).toBe(1);
});

it('so many connections of one address and no more, while another gets in', async () => {
  const many = Array.from({ length: 60 }, () => harness.connect({ clientAddress: '192.0.2.1' }));
  await settle();
  expect(many.filter((peer) => peer.closed)).toHaveLength(60 - CONTROL_LIMITS.connectionsPerAddress);
  const other = harness.connect({ clientAddress: '192.0.2.2' });
  other.raw(post(call('echo', ['in']), { Authorization: `Bearer ${TOKEN}` }));
  await until('an answer', () => other.text.includes('"result":["in"]'));
});

it('bytes of another protocol are closed without an answer', async () => {
  const tls = harness.connect();
  tls.raw('\x16\x03\x01\x02\x00\x01');
  const text = harness.connect();
  text.raw('hello\n');
  await until('the end', () => tls.closed && text.closed);
  expect(tls.text + text.text).toBe('');
});

it('a storm of wrong secrets costs no hashing and leaves the calls of others alone', async () => {
  const operator = harness.connect({ clientAddress: '192.0.2.9' });
  operator.send(call('control.login', [TOKEN]));
  await operator.answers(1);
  let wrong = 0;
  for (let i = 0; i < 40; i++) {
    const peer = harness.connect({ clientAddress: '192.0.2.1' });
    peer.raw(`${JSON.stringify(call('control.login', [`guess ${i}`]))}\n`.repeat(5));
    wrong++;
    operator.send(call('echo', [i], i));
  }
  const answers = await operator.answers(41);
  expect(answers.slice(1).map(({ result }) => result)).toEqual(Array.from({ length: 40 }, (_, i) => [i]));
  expect(wrong).toBe(40);
  expect(harness.server.passwordHashes).toBe(0);
});
