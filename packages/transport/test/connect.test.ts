import { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { type Connection, type ConnectOptions, connectTcp, listenTcp } from '@headframe/transport';
import { RecordingHandler, TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { EXPIRED_CERTIFICATE } from './expired-certificate.js';

const servers: Server[] = [];
const connections: Connection[] = [];

afterEach(() => {
  for (const connection of connections.splice(0)) connection.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function serve(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function serveTls(options: TlsOptions = {}): Promise<number> {
  const server = createTlsServer({ ...TEST_CERTIFICATE, ...options }, (socket) => {
    socket.on('error', () => {});
    socket.end('hello');
  });
  server.on('tlsClientError', () => {});
  return serve(server);
}

async function connect(options: ConnectOptions): Promise<RecordingHandler> {
  const connection = await connectTcp(options);
  connections.push(connection);
  const handler = new RecordingHandler();
  connection.start(handler);
  return handler;
}

/** A server that accepts and says nothing. */
const serveSilent = (): Promise<number> => serve(createServer((socket) => socket.on('error', () => {})));

describe('connectTcp', () => {
  it('connects', async () => {
    const port = await serve(createServer((socket) => socket.end('hello')));
    const handler = await connect({ host: '127.0.0.1', port });
    await handler.until(() => handler.closes === 1);
    expect(handler.text).toBe('hello');
    expect(connections[0]).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: port, kind: 'tcp', secure: false });
  });

  it('does not lose what came before start', async () => {
    const port = await serve(createServer((socket) => socket.end('early')));
    const connection = await connectTcp({ host: '127.0.0.1', port });
    connections.push(connection);
    for (let i = 0; i < 5; i++) await settle();
    const handler = new RecordingHandler();
    connection.start(handler);
    await handler.until(() => handler.closes === 1);
    expect(handler.text).toBe('early');
  });

  it('connection_refused when nobody listens, or the name does not exist', async () => {
    const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, () => {});
    await listener.close();
    await expect(connectTcp(listener.address)).rejects.toMatchObject({
      code: 'connection_refused',
      message: expect.stringContaining('ECONNREFUSED') as unknown,
    });
    await expect(connectTcp({ host: 'does-not-exist.invalid', port: 1 })).rejects.toMatchObject({
      code: 'connection_refused',
    });
  });

  it.each([
    ['', 3333],
    ['127.0.0.1', 0],
    ['127.0.0.1', 65_536],
    ['127.0.0.1', 1.5],
    ['127.0.0.1', Number.NaN],
  ])('invalid_argument: %j %j', async (host, port) => {
    await expect(connectTcp({ host, port })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('request_timeout when the handshake does not end', async () => {
    const clock = new FakeClock();
    const port = await serveSilent();
    const promise = connectTcp({ host: '127.0.0.1', port, clock, tls: {}, timeoutMs: 3000 });
    const outcome = expect(promise).rejects.toMatchObject({ code: 'request_timeout' });
    await settle();
    clock.advance(3000);
    await outcome;
    expect(clock.pending).toBe(0);
  });

  it('aborted by its signal, before and while', async () => {
    const port = await serveSilent();
    await expect(connectTcp({ host: '127.0.0.1', port, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    const controller = new AbortController();
    const promise = connectTcp({ host: '127.0.0.1', port, tls: {}, signal: controller.signal });
    const outcome = expect(promise).rejects.toMatchObject({ code: 'aborted' });
    await settle();
    controller.abort();
    await outcome;
  });

  it('lets go of the signal when connected', async () => {
    const port = await serveSilent();
    const controller = new AbortController();
    const handler = await connect({ host: '127.0.0.1', port, signal: controller.signal });
    controller.abort();
    await settle();
    expect(handler.closes).toBe(0);
  });

  it('connection_refused when the server closes during the handshake', async () => {
    const port = await serve(createServer((socket) => socket.destroy()));
    await expect(connectTcp({ host: '127.0.0.1', port, tls: {} })).rejects.toMatchObject({
      code: 'connection_refused',
    });
  });
});

describe('connectTcp with TLS', () => {
  const { fingerprint256 } = new X509Certificate(TEST_CERTIFICATE.cert);

  it.each<[string, ConnectOptions['tls'] & object]>([
    ['its authority', { ca: TEST_CERTIFICATE.cert }],
    ['one of several authorities and a name', { ca: [TEST_CERTIFICATE.cert], servername: 'localhost' }],
    ['its fingerprint', { fingerprint256 }],
    ['its fingerprint in plain lower-case hex', { fingerprint256: fingerprint256.replaceAll(':', '').toLowerCase() }],
    ['leave for self-signed ones', { allowSelfSigned: true }],
  ])('trusts a certificate by %s', async (_, tls) => {
    const handler = await connect({ host: '127.0.0.1', port: await serveTls(), tls });
    await handler.until(() => handler.closes === 1);
    expect(handler.text).toBe('hello');
    expect(connections[0]).toMatchObject({ kind: 'tls', secure: true });
  });

  it.each<[string, ConnectOptions['tls'] & object, RegExp]>([
    ['nobody vouches for', {}, /self-signed/],
    ['is for another name', { ca: TEST_CERTIFICATE.cert, servername: 'pool.example' }, /altnames/],
    ['has another fingerprint', { fingerprint256: `00${fingerprint256.slice(2)}` }, /fingerprint/],
    ['has another fingerprint, whoever signed it', { ca: TEST_CERTIFICATE.cert, fingerprint256: '' }, /fingerprint/],
  ])('refuses a certificate that %s', async (_, tls, message) => {
    await expect(connectTcp({ host: '127.0.0.1', port: await serveTls(), tls })).rejects.toMatchObject({
      code: 'connection_refused',
      message: expect.stringMatching(message) as unknown,
    });
  });

  it('leave for self-signed ones is no leave for expired ones', async () => {
    const port = await serveTls(EXPIRED_CERTIFICATE);
    await expect(connectTcp({ host: '127.0.0.1', port, tls: { allowSelfSigned: true } })).rejects.toMatchObject({
      code: 'connection_refused',
      message: expect.stringMatching(/expired/i) as unknown,
    });
  });

  it('a server that speaks no TLS is refused', async () => {
    const port = await serve(createServer((socket) => socket.on('error', () => {}).end('{"id":1}\n')));
    await expect(connectTcp({ host: '127.0.0.1', port, tls: { allowSelfSigned: true } })).rejects.toMatchObject({
      code: 'connection_refused',
    });
  });
});
