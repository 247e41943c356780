import { silentLogger } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import {
  createAddressMatcher,
  httpDetector,
  jsonDetector,
  type OpenOptions,
  type OpenResult,
  openConnection,
} from '@headframe/transport';
import { createMemoryPair, RecordingHandler } from '@headframe/transport/testing';
import { describe, expect, it } from 'vitest';
import { ascii, HTTP, LINE, PROXY_V1_TCP4, PROXY_V2_TCP4, proxyV2 } from './proxy-bytes.js';

const LOOPBACK = createAddressMatcher(['127.0.0.0/8']);
const NOBODY = createAddressMatcher([]);

interface Outcome {
  readonly result: OpenResult | undefined;
  readonly text: string;
  readonly calls: number;
  readonly closed: boolean;
}

/** Feeds chunks to openConnection over memory; starts a recording handler when it succeeds. */
async function open(
  chunks: readonly Uint8Array[],
  options: Partial<OpenOptions> & { late?: boolean; advanceMs?: number; end?: boolean; chunkBytes?: number } = {},
): Promise<Outcome & { client: RecordingHandler; clock: FakeClock }> {
  const clock = new FakeClock();
  const { client, server } = createMemoryPair({
    clock,
    ...(options.chunkBytes === undefined ? {} : { chunkBytes: options.chunkBytes }),
  });
  const clientHandler = new RecordingHandler();
  const handler = new RecordingHandler();
  client.start(clientHandler);
  let result: OpenResult | undefined;
  let calls = 0;
  openConnection(
    server,
    { clock, log: silentLogger, detectors: [jsonDetector, httpDetector], timeoutMs: 10_000, ...options },
    (outcome) => {
      result = outcome;
      calls++;
      if (outcome.ok && options.late !== true) outcome.connection.start(handler);
    },
  );
  for (const chunk of chunks) {
    client.write(chunk);
    await Promise.resolve();
    await Promise.resolve();
  }
  if (options.end === true) client.end();
  await settle();
  clock.advance(options.advanceMs ?? 0);
  await settle();
  if (options.late === true && result?.ok === true) result.connection.start(handler);
  await settle();
  return { result, text: handler.text, calls, closed: server.closed, client: clientHandler, clock };
}

describe('openConnection over memory', () => {
  it.each([
    ['json', LINE],
    ['json', `\r\n ${LINE}`],
    ['json', `\xef\xbb\xbf${LINE}`],
    ['http', HTTP],
  ])('finds %s at every split and loses no byte', async (protocol, text) => {
    const bytes = ascii(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)];
      const outcome = await open(chunks, { late: cut % 3 === 0 });
      expect(outcome.result, `cut at ${cut}`).toMatchObject({
        ok: true,
        protocol,
        remoteAddress: '127.0.0.1',
        remotePort: 50_000,
      });
      expect(outcome.text, `cut at ${cut}`).toBe(text);
      expect(outcome.calls).toBe(1);
      expect(outcome.clock.pending, 'timers left').toBe(0);
    }
    const byteByByte = await open([bytes], { chunkBytes: 1 });
    expect(byteByByte.text).toBe(text);
  });

  it.each([
    ['v1', PROXY_V1_TCP4],
    ['v2', PROXY_V2_TCP4],
  ])('PROXY %s glued to the first line, at every split, optional and required', async (_, header) => {
    const bytes = Buffer.concat([header, ascii(LINE)]);
    for (const mode of ['optional', 'required'] as const) {
      for (let cut = 0; cut <= bytes.length; cut++) {
        const outcome = await open([bytes.subarray(0, cut), bytes.subarray(cut)], {
          proxy: { mode, trusted: LOOPBACK },
        });
        expect(outcome.result, `${mode}, cut at ${cut}`).toMatchObject({
          ok: true,
          protocol: 'json',
          remoteAddress: '192.0.2.7',
          remotePort: 56_324,
        });
        expect(outcome.text).toBe(LINE);
      }
      const byteByByte = await open([bytes], { chunkBytes: 1, proxy: { mode, trusted: LOOPBACK } });
      expect(byteByByte.text).toBe(LINE);
      expect(byteByByte.result).toMatchObject({ ok: true, remoteAddress: '192.0.2.7' });
    }
  });

  it('keeps the address of the socket when the proxy speaks for itself', async () => {
    for (const header of [ascii('PROXY UNKNOWN\r\n'), proxyV2({ command: 0x20, family: 0, body: [] })]) {
      const outcome = await open([Buffer.concat([header, ascii(LINE)])], {
        proxy: { mode: 'required', trusted: LOOPBACK },
      });
      expect(outcome.result).toMatchObject({ ok: true, remoteAddress: '127.0.0.1', remotePort: 50_000 });
      expect(outcome.text).toBe(LINE);
    }
  });

  it('optional: lines and requests without a header pass, from anybody', async () => {
    for (const trusted of [LOOPBACK, NOBODY]) {
      for (const text of [LINE, HTTP, `\r\n\r\n${LINE}`]) {
        const outcome = await open([ascii(text)], { proxy: { mode: 'optional', trusted } });
        expect(outcome.result).toMatchObject({ ok: true, remoteAddress: '127.0.0.1' });
        expect(outcome.text).toBe(text);
      }
    }
  });

  it.each([
    ['optional, untrusted', 'optional', NOBODY, PROXY_V1_TCP4],
    ['optional, untrusted, v2', 'optional', NOBODY, PROXY_V2_TCP4],
    ['required, untrusted', 'required', NOBODY, PROXY_V1_TCP4],
    ['required, none', 'required', LOOPBACK, ascii(LINE)],
    ['broken', 'optional', LOOPBACK, ascii('PROXY TCP4 1.2.3.4\r\n')],
    ['broken v2', 'required', LOOPBACK, Uint8Array.from(PROXY_V2_TCP4).fill(0x31, 12, 13)],
  ] as const)('bad-proxy-header: %s', async (_, mode, trusted, bytes) => {
    const outcome = await open([bytes], { proxy: { mode, trusted } });
    expect(outcome.result).toMatchObject({ ok: false, reason: 'bad-proxy-header' });
    expect(outcome.calls).toBe(1);
    expect(outcome.closed).toBe(true);
    expect(outcome.client.closes).toBe(1);
  });

  it('a header where none is configured is an unknown protocol', async () => {
    const off = await open([PROXY_V1_TCP4], { proxy: { mode: 'off', trusted: LOOPBACK } });
    expect(off.result).toMatchObject({ ok: false, reason: 'unknown-protocol' });
    const absent = await open([PROXY_V2_TCP4]);
    expect(absent.result).toMatchObject({ ok: false, reason: 'unknown-protocol' });
  });

  it('a required header has 5 s, and then the miner has its own time', async () => {
    const proxy = { mode: 'required', trusted: LOOPBACK } as const;
    expect((await open([], { proxy, advanceMs: 4999 })).result).toBeUndefined();
    expect((await open([], { proxy, advanceMs: 5000 })).result).toMatchObject({ ok: false, reason: 'detect-timeout' });
    expect((await open([PROXY_V1_TCP4.subarray(0, 20)], { proxy, advanceMs: 5000 })).closed).toBe(true);
    expect((await open([PROXY_V1_TCP4], { proxy, advanceMs: 9999 })).result).toBeUndefined();
    expect((await open([PROXY_V1_TCP4], { proxy, advanceMs: 10_000 })).result).toMatchObject({
      reason: 'detect-timeout',
    });
  });

  it('who says nothing, or too little to tell, is closed in time', async () => {
    for (const text of ['', '{', '\n\n', 'GE', '\r\n\r\n']) {
      expect((await open([ascii(text)], { advanceMs: 9999 })).closed, JSON.stringify(text)).toBe(false);
      const outcome = await open([ascii(text)], { advanceMs: 10_000 });
      expect(outcome.result, JSON.stringify(text)).toMatchObject({ ok: false, reason: 'detect-timeout' });
      expect(outcome.closed).toBe(true);
      expect(outcome.clock.pending).toBe(0);
    }
  });

  it.each(['\x00\x01\x02', '\x16\x03\x01\x02\x00\x01', 'SSH-2.0-x\r\n', '[{"id":1}]', '\x7f\x00', ' '.repeat(512)])(
    'unknown-protocol: %j',
    async (text) => {
      const outcome = await open([ascii(text)]);
      expect(outcome.result).toMatchObject({ ok: false, reason: 'unknown-protocol' });
      expect(outcome.closed).toBe(true);
    },
  );

  it('client-closed when the peer goes before it is known', async () => {
    const outcome = await open([ascii('{')], { end: true });
    expect(outcome.result).toMatchObject({ ok: false, reason: 'client-closed' });
    expect(outcome.calls).toBe(1);
  });

  it('who sends everything and ends at once is served', async () => {
    const outcome = await open([ascii(LINE)], { end: true });
    expect(outcome.result).toMatchObject({ ok: true });
    expect(outcome.text).toBe(LINE);
  });

  it('a detector that wants more holds back those after it', async () => {
    const patient = {
      name: 'patient',
      detect: (_: Uint8Array, length: number) => (length < 20 ? 'more' : 'no'),
    } as const;
    const detectors = [patient, jsonDetector];
    expect((await open([ascii(LINE.slice(0, 19))], { detectors })).result).toBeUndefined();
    expect((await open([ascii(LINE.slice(0, 20))], { detectors })).result).toMatchObject({ protocol: 'json' });
  });

  it('survives a callback that throws, also from a timer', async () => {
    for (const bytes of [ascii(LINE), ascii('{')]) {
      const clock = new FakeClock();
      const { client, server } = createMemoryPair({ clock });
      openConnection(server, { clock, log: silentLogger, detectors: [jsonDetector] }, () => {
        throw new Error('callback threw');
      });
      client.start(new RecordingHandler());
      client.write(bytes);
      await settle();
      clock.advance(10_000);
      await settle();
      expect(server.closed).toBe(true);
    }
  });
});
