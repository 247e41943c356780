import { createHash } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hashPassword, isPassword, parsePasswordHash } from '../../src/control/password.js';
import { createHarness, type Harness, post, settle, TOKEN, until } from './support.js';

const call = (method: string, params: unknown = [], id = 1) => ({ jsonrpc: '2.0', id, method, params });
const login = (secret: string) => call('control.login', { secret }, 100);

let harness: Harness;
let passwordHash = '';
beforeAll(async () => {
  passwordHash = await hashPassword('correct horse');
});
afterEach(() => harness.close());

describe('a token', () => {
  it('opens a bare connection by control.login, once for all calls after it', async () => {
    harness = createHarness();
    const peer = harness.connect();
    peer.send(call('echo', ['x'], 1), login(TOKEN), call('echo', ['y'], 2));
    expect(await peer.answers(3)).toEqual([
      { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Unauthorized', data: { code: 'unauthorized' } } },
      { jsonrpc: '2.0', id: 100, result: true },
      { jsonrpc: '2.0', id: 2, result: ['y'] },
    ]);
  });

  it.each([
    ['Bearer', `Bearer ${TOKEN}`],
    ['Basic', `Basic ${Buffer.from(`anybody:${TOKEN}`).toString('base64')}`],
  ])('opens HTTP by %s, each request anew', async (_scheme, authorization) => {
    harness = createHarness();
    const peer = harness.connect();
    peer.raw(post(call('echo', ['x']), { Authorization: authorization }));
    await until('an answer', () => peer.text.includes('"result"'));
    expect(peer.text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\{"jsonrpc":"2.0","id":1,"result":\["x"\]\}\n$/);
    peer.text = '';
    peer.raw(post(call('echo', ['x'])));
    await until('the end', () => peer.closed);
    expect(peer.text).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\nWWW-Authenticate: Bearer/);
    expect(peer.text).not.toContain('result');
  });

  it('is refused when it is wrong, over both wires', async () => {
    harness = createHarness();
    const bare = harness.connect();
    bare.send(login(`${TOKEN}x`), call('echo'));
    expect((await bare.answers(2)).map(({ error }) => error)).toMatchObject([{ code: -32001 }, { code: -32001 }]);
    const http = harness.connect();
    http.raw(post(call('echo'), { Authorization: `Bearer ${TOKEN.slice(1)}` }));
    await until('the end', () => http.closed);
    expect(http.text).toContain('401 Unauthorized');
  });
});

describe('a password', () => {
  it('is kept as scrypt, in a format that says its cost', async () => {
    harness = createHarness();
    const hash = parsePasswordHash(passwordHash);
    expect(passwordHash).toMatch(/^scrypt:15:8:1:[A-Za-z0-9_-]{22}:[A-Za-z0-9_-]{43}$/);
    expect(await isPassword('correct horse', hash)).toBe(true);
    expect(await isPassword('correct horsf', hash)).toBe(false);
    expect(await hashPassword('correct horse')).not.toBe(passwordHash);
  });

  // RFC 7914, section 12: N = 16384, r = 8, p = 1.
  it('agrees with the vector of RFC 7914', async () => {
    harness = createHarness();
    const derived =
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887';
    const text = `scrypt:14:8:1:${Buffer.from('SodiumChloride').toString('base64url')}:${Buffer.from(derived, 'hex').toString('base64url')}`;
    expect(await isPassword('pleaseletmein', parsePasswordHash(text))).toBe(true);
  });

  it.each([
    '',
    'scrypt:9:8:1:c2FsdHNhbHQ:',
    'scrypt:30:8:1:c2FsdHNhbHRzYWx0:aGFzaA',
    'plain',
    'scrypt:20:99:1:c2FsdHNhbHRzYWx0:x',
  ])('refuses %j as a hash', (text) => {
    harness = createHarness();
    expect(() => parsePasswordHash(text)).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });

  it('opens both wires, and is hashed once for many calls', async () => {
    harness = createHarness({ password: parsePasswordHash(passwordHash) });
    const authorization = `Basic ${Buffer.from('operator:correct horse').toString('base64')}`;
    for (let i = 1; i <= 3; i++) {
      const peer = harness.connect();
      peer.raw(post(call('echo', [i]), { Authorization: authorization, Connection: 'close' }));
      await until('an answer', () => peer.closed);
      expect(peer.text).toContain(`"result":[${i}]`);
    }
    const bare = harness.connect();
    bare.send(login('correct horse'), call('echo', ['x']));
    expect((await bare.answers(2))[1]).toMatchObject({ result: ['x'] });
    expect(harness.server.passwordHashes).toBe(1);
  });
});

describe('legacy mode', () => {
  // node-stratum 0.2: the configuration has sha256('password') in hex, each call base64('password') as first parameter.
  const VECTOR = {
    parameter: 'cGFzc3dvcmQ=',
    sha256: '5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8',
  };

  it('takes calls of scripts for node-stratum as they are: with the password first, and no newline', async () => {
    harness = createHarness({ legacySha256: VECTOR.sha256 });
    expect(createHash('sha256').update(Buffer.from(VECTOR.parameter, 'base64')).digest('hex')).toBe(VECTOR.sha256);
    const peer = harness.connect();
    peer.raw(`{"jsonrpc":"2.0","method":"echo","params":["${VECTOR.parameter}","00000000abc"],"id":0}`);
    expect(await peer.answers(1)).toEqual([{ jsonrpc: '2.0', id: 0, result: ['00000000abc'] }]);
  });

  it('does the same over HTTP without a header', async () => {
    harness = createHarness({ legacySha256: VECTOR.sha256 });
    const peer = harness.connect();
    peer.raw(post(call('echo', [VECTOR.parameter, 1])));
    await until('an answer', () => peer.text.includes('result'));
    expect(peer.text).toContain('"result":[1]');
  });

  it('asks for the password in every call, and takes no other', async () => {
    harness = createHarness({ legacySha256: VECTOR.sha256 });
    const peer = harness.connect();
    const wrong = Buffer.from('passwort').toString('base64');
    peer.send(
      call('echo', [VECTOR.parameter], 1),
      call('echo', [], 2),
      call('echo', [wrong], 3),
      call('echo', { a: 1 }, 4),
    );
    const answers = await peer.answers(4);
    expect(answers[0]).toMatchObject({ result: [] });
    for (const answer of answers.slice(1)) expect(answer).toMatchObject({ error: { code: -32001 } });
  });

  it('does not exist unless it is switched on', async () => {
    harness = createHarness({ token: 'password' });
    const peer = harness.connect();
    peer.send(call('echo', [VECTOR.parameter]));
    expect((await peer.answers(1))[0]).toMatchObject({ error: { code: -32001 } });
  });
});

describe('guessing', () => {
  it('ends after ten wrong secrets a minute from one address, the right one included; others are not concerned', async () => {
    harness = createHarness();
    const guess = async (secret: string, clientAddress: string) => {
      const peer = harness.connect({ clientAddress });
      peer.send(login(secret));
      const [answer] = await peer.answers(1);
      return answer;
    };
    for (let i = 0; i < 10; i++)
      expect(await guess(`wrong ${i}`, '192.0.2.1')).toMatchObject({ error: { code: -32001 } });
    expect(await guess(TOKEN, '192.0.2.1')).toMatchObject({ error: { code: -32002 } });
    expect(await guess(TOKEN, '192.0.2.2')).toMatchObject({ result: true });
    await harness.clock.advanceAsync(61_000);
    expect(await guess(TOKEN, '192.0.2.1')).toMatchObject({ result: true });
  });

  it('with many at once hashes no more passwords than the bound', async () => {
    harness = createHarness({ password: parsePasswordHash(passwordHash) });
    const peers = Array.from({ length: 40 }, (_, i) => {
      const peer = harness.connect({ clientAddress: `192.0.2.${i % 4}` });
      peer.send(login(`guess ${i}`));
      return peer;
    });
    await until('all answers', () => peers.every((peer) => peer.text.includes('\n')));
    const codes = peers.map((peer) => (peer.lines()[0]?.error as { code: number } | undefined)?.code);
    // One runs, eight wait: the rest is told to ask again.
    expect(harness.server.passwordHashes).toBeLessThanOrEqual(8);
    expect(codes.filter((code) => code === -32004).length).toBeGreaterThanOrEqual(40 - 8);
    await settle();
  });
});

it('a peer of the UNIX socket needs no secret', async () => {
  harness = createHarness();
  const peer = harness.connect({ clientAddress: '' });
  peer.send(call('who'));
  expect(await peer.answers(1)).toMatchObject([{ result: '' }]);
});
