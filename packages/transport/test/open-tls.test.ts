import { connect as netConnect } from 'node:net';
import { Duplex } from 'node:stream';
import { createSecureContext, connect as tlsConnect } from 'node:tls';
import { silentLogger } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import {
  type Connection,
  createAddressMatcher,
  httpDetector,
  jsonDetector,
  type Listener,
  listenTcp,
  type OpenOptions,
  type OpenResult,
  openConnection,
} from '@headframe/transport';
import { RecordingHandler, TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ascii, HTTP, LINE, PROXY_V1_TCP4, PROXY_V2_TCP4 } from './proxy-bytes.js';

const LOOPBACK = createAddressMatcher(['127.0.0.0/8']);

/** A stream whose written bytes go to `send`. */
function createMemoryDuplex(send: (bytes: Uint8Array) => Promise<void>): Duplex {
  return new Duplex({
    read() {},
    write(chunk: Uint8Array, _encoding, done) {
      send(chunk).then(() => done(), done);
    },
  });
}

describe('openConnection over TCP, with TLS', () => {
  const context = createSecureContext(TEST_CERTIFICATE);
  const listeners: Listener[] = [];
  const connections: Connection[] = [];
  let outcomes: OpenResult[];
  let handler: RecordingHandler;
  let onOutcome: () => void;

  beforeEach(() => {
    outcomes = [];
    handler = new RecordingHandler();
    onOutcome = () => {};
  });
  afterEach(async () => {
    for (const connection of connections.splice(0)) connection.destroy();
    for (const listener of listeners.splice(0)) await listener.close();
  });

  async function listen(options: Partial<OpenOptions>): Promise<number> {
    const clock = options.clock ?? new FakeClock();
    const listener = await listenTcp({ host: '127.0.0.1', port: 0, clock }, (connection) => {
      connections.push(connection);
      openConnection(
        connection,
        { clock, log: silentLogger, detectors: [jsonDetector, httpDetector], ...options },
        (outcome) => {
          outcomes.push(outcome);
          if (outcome.ok) {
            outcome.connection.start(handler);
            outcome.connection.write('hello\n');
          }
          onOutcome();
        },
      );
    });
    listeners.push(listener);
    return listener.address.port;
  }

  const outcome = (): Promise<void> =>
    new Promise((resolve) => {
      if (outcomes.length > 0) resolve();
      else onOutcome = resolve;
    });

  it.each([
    ['no PROXY header', undefined],
    ['PROXY v1', PROXY_V1_TCP4],
    ['PROXY v2', PROXY_V2_TCP4],
  ])('TLS with the hello glued to %s', async (_, header) => {
    const port = await listen({
      tls: { mode: 'required', context },
      proxy: { mode: header === undefined ? 'off' : 'required', trusted: LOOPBACK },
    });
    const outer = netConnect({ host: '127.0.0.1', port });
    // The hello is caught on its way, to leave in one write with the header.
    let front = header ?? new Uint8Array(0);
    const inner = createMemoryDuplex(async (bytes) => {
      outer.write(Buffer.concat([front, bytes]));
      front = new Uint8Array(0);
    });
    outer.on('data', (chunk) => inner.push(chunk));
    const secured = tlsConnect({ socket: inner, ca: TEST_CERTIFICATE.cert, servername: 'localhost' });
    secured.write(LINE);
    const reply = await new Promise<Buffer>((resolve, reject) => {
      secured.once('data', resolve);
      secured.once('error', reject);
    });
    await handler.until(() => handler.bytes === LINE.length);
    expect(reply.toString()).toBe('hello\n');
    expect(handler.text).toBe(LINE);
    expect(outcomes).toMatchObject([
      { ok: true, protocol: 'json', remoteAddress: header === undefined ? '127.0.0.1' : '192.0.2.7' },
    ]);
    expect(connections[0]).toMatchObject({ kind: 'tls', secure: true });
    outer.destroy();
    await handler.until(() => handler.closes === 1);
  });

  it('TLS whose hello comes byte by byte after a PROXY header', async () => {
    const port = await listen({ tls: { mode: 'auto', context }, proxy: { mode: 'optional', trusted: LOOPBACK } });
    const outer = netConnect({ host: '127.0.0.1', port, noDelay: true });
    const inner = createMemoryDuplex(async (bytes) => {
      for (const byte of bytes) {
        outer.write(Uint8Array.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    outer.on('data', (chunk) => inner.push(chunk));
    for (const byte of PROXY_V2_TCP4) outer.write(Uint8Array.of(byte));
    const secured = tlsConnect({ socket: inner, ca: TEST_CERTIFICATE.cert, servername: 'localhost' });
    secured.write(LINE);
    await handler.until(() => handler.bytes === LINE.length);
    expect(outcomes).toMatchObject([{ ok: true, remoteAddress: '192.0.2.7' }]);
    outer.destroy();
    await handler.until(() => handler.closes === 1);
  });

  it('auto: plain and TLS on one port', async () => {
    const port = await listen({ tls: { mode: 'auto', context: () => context } });
    const plain = netConnect({ host: '127.0.0.1', port });
    plain.write(LINE);
    await handler.until(() => handler.bytes === LINE.length);
    expect(connections[0]).toMatchObject({ kind: 'tcp', secure: false });
    const secured = tlsConnect({ host: '127.0.0.1', port, ca: TEST_CERTIFICATE.cert });
    secured.write(HTTP);
    await handler.until(() => handler.bytes === LINE.length + HTTP.length);
    expect(outcomes).toMatchObject([{ protocol: 'json' }, { protocol: 'http' }]);
    expect(connections[1]).toMatchObject({ kind: 'tls', secure: true });
    plain.destroy();
    secured.destroy();
  });

  it('required: plain is refused', async () => {
    const port = await listen({ tls: { mode: 'required', context } });
    const plain = netConnect({ host: '127.0.0.1', port });
    plain.on('error', () => {});
    plain.write(LINE);
    await outcome();
    expect(outcomes).toMatchObject([{ ok: false, reason: 'unknown-protocol', detail: 'no TLS hello' }]);
  });

  it('a handshake that fails, or never ends, or is cut: closed, and nothing is thrown', async () => {
    const clock = new FakeClock();
    const port = await listen({ clock, tls: { mode: 'required', context } });
    const broken = netConnect({ host: '127.0.0.1', port });
    broken.on('error', () => {});
    broken.write(Buffer.concat([ascii('\x16\x03\x01\x02\x00\x01'), new Uint8Array(600).fill(0xff)]));
    await outcome();
    expect(outcomes[0]?.ok).toBe(false);

    outcomes.length = 0;
    const slow = netConnect({ host: '127.0.0.1', port });
    slow.on('error', () => {});
    slow.write('\x16\x03\x01\x02\x00\x01\x00', 'latin1');
    while (connections.length < 2 || connections[1]?.secure !== true) await settle();
    clock.advance(10_000);
    await outcome();
    expect(outcomes).toMatchObject([{ ok: false, reason: 'detect-timeout' }]);

    outcomes.length = 0;
    const cut = netConnect({ host: '127.0.0.1', port });
    cut.on('error', () => {});
    cut.write('\x16\x03\x01\x02\x00\x01\x00', 'latin1');
    while (connections.length < 3 || connections[2]?.secure !== true) await settle();
    cut.resetAndDestroy();
    await outcome();
    expect(outcomes[0]).toMatchObject({ ok: false });
  });

  it('a certificate that cannot be had closes the connection only', async () => {
    const port = await listen({
      tls: {
        mode: 'auto',
        context: () => {
          throw new Error('no certificate');
        },
      },
    });
    const secured = tlsConnect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    secured.on('error', () => {});
    await outcome();
    expect(outcomes).toMatchObject([{ ok: false, reason: 'internal-error', detail: 'no certificate' }]);
  });
});
