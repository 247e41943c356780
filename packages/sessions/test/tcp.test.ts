import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { HarnessOptions } from './harness.js';
import { createHarness, defer } from './harness.js';

const open: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function serve(options: HarnessOptions) {
  const harness = createHarness(options);
  const listeners = await harness.server.listen();
  open.push({ close: () => harness.server.destroy() });
  return { ...harness, listeners, port: listeners[0]?.port ?? 0 };
}

/** What a socket received until it was closed or had `lines` complete lines. */
function receive(socket: Socket, lines = Number.POSITIVE_INFINITY): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = (): void => resolve(text);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.split('\n').length > lines) done();
    });
    socket.on('error', () => {});
    socket.on('close', done);
  });
}

function dial(port: number, allowHalfOpen = false): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen });
  socket.on('error', () => {});
  open.push({ close: () => void socket.destroy() });
  return socket;
}

const listeners = [{ host: '127.0.0.1', port: 0 }];

describe('over TCP', () => {
  it('listens where the system puts it and answers 200 pipelined requests of one packet in order', async () => {
    const { port, server } = await serve({ listeners });
    const socket = dial(port);
    const ids = Array.from({ length: 200 }, (_, id) => id);
    socket.write(ids.map((id) => `{"id":${id},"method":"echo","params":[]}\n`).join(''));
    const text = await receive(socket, 200);
    expect(text.match(/"id":\d+/g)).toEqual(ids.map((id) => `"id":${id}`));
    expect(server.stats()).toMatchObject({ sessions: 1, connected: 1 });
  });

  it('answers what a half-closed peer still waits for, then ends', async () => {
    const { port, methods, events } = await serve({ listeners });
    const ended = defer<string>();
    events.on('closed', ({ reason }) => ended.resolve(reason));
    const slow = defer<string>();
    const asked = defer<undefined>();
    methods.register('slow', {
      handler: () => {
        asked.resolve(undefined);
        return slow.promise;
      },
    });
    const socket = dial(port, true);
    socket.end('{"id":1,"method":"slow"}\n');
    const text = receive(socket);
    await asked.promise;
    setImmediate(() => slow.resolve('answer'));
    expect(await text).toBe('{"id":1,"result":"answer","error":null}\n');
    socket.destroy();
    expect(await ended.promise).toBe('client-closed');
  });

  it('notices a reset', async () => {
    const { port, events } = await serve({ listeners });
    const ended = defer<string>();
    events.on('closed', ({ reason }) => ended.resolve(reason));
    const socket = dial(port);
    socket.write('{"id":1,"method":"echo"}\n');
    await receive(socket, 1);
    socket.resetAndDestroy();
    expect(await ended.promise).toBe('socket-error');
  });

  it('points HTTP clients to the Stratum port and closes', async () => {
    const { port, server } = await serve({ listeners });
    const probe = async (to: number): Promise<string> => {
      const socket = dial(to);
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Mining-Extensions: longpoll\r\n\r\n');
      return receive(socket);
    };
    expect(await probe(port)).toContain(`X-Stratum: stratum+tcp://127.0.0.1:${port}\r\n`);
    expect(server.stats()).toMatchObject({ sessions: 0, opening: 0, addresses: 0, closed: { 'http-probe': 1 } });
    const named = await serve({
      listeners: [
        { host: '127.0.0.1', port: 0, stratumUrl: 'stratum+tcp://pool.example:3333' },
        { host: '0.0.0.0', port: 0 },
      ],
    });
    expect(await probe(named.port)).toContain('X-Stratum: stratum+tcp://pool.example:3333\r\n');
    expect(await probe(named.listeners[1]?.port ?? 0)).toContain(`X-Stratum: stratum+tcp://${hostname()}:`);
  });

  it('closes on bytes that are no protocol it speaks', async () => {
    const { port, server } = await serve({ listeners });
    const socket = dial(port);
    socket.write(Buffer.from('00112233445566778899aabbccddeeff', 'hex'));
    expect(await receive(socket)).toBe('');
    expect(server.stats().closed['unknown-protocol']).toBe(1);
  });

  it('speaks TLS and plain text on one port, and TLS only where it is required', async () => {
    const { listeners: ports, events } = await serve({
      listeners: [
        { host: '127.0.0.1', port: 0, tls: TEST_CERTIFICATE },
        { host: '127.0.0.1', port: 0, tls: { ...TEST_CERTIFICATE, required: true } },
      ],
    });
    const secure: boolean[] = [];
    events.on('connected', ({ session }) => secure.push(session.secure));
    const [both, tlsOnly] = ports;
    expect([both?.tls, tlsOnly?.tls]).toEqual([true, true]);
    for (const port of [both?.port ?? 0, tlsOnly?.port ?? 0]) {
      const socket = connectTls({ host: '127.0.0.1', port, ca: TEST_CERTIFICATE.cert, servername: 'localhost' });
      open.push({ close: () => void socket.destroy() });
      socket.write('{"id":1,"method":"echo"}\n');
      expect(await receive(socket, 1)).toBe('{"id":1,"result":[],"error":null}\n');
    }
    const plain = dial(both?.port ?? 0);
    plain.write('{"id":2,"method":"echo"}\n');
    expect(await receive(plain, 1)).toContain('"id":2');
    const refused = dial(tlsOnly?.port ?? 0);
    refused.write('{"id":3,"method":"echo"}\n');
    expect(await receive(refused)).toBe('');
    expect(secure).toEqual([true, true, false]);
  });

  it('opens nothing when one listener cannot be opened', async () => {
    const { port } = await serve({ listeners });
    const second = createHarness({ listeners: [...listeners, { host: '127.0.0.1', port }] });
    await expect(second.server.listen()).rejects.toMatchObject({ code: 'listen_failed' });
    second.server.destroy();
    const twice = await serve({ listeners });
    await expect(twice.server.listen()).rejects.toMatchObject({ code: 'invalid_argument' });
    const third = createHarness({ listeners: [{ port: 0, tls: { key: 'no', cert: 'no' } }] });
    await expect(third.server.listen()).rejects.toMatchObject({ code: 'invalid_config' });
    third.server.destroy();
    const fourth = createHarness({ listeners: [{ port: 0, protocols: ['gopher'] }] });
    await expect(fourth.server.listen()).rejects.toMatchObject({ code: 'invalid_config' });
    fourth.server.destroy();
  });

  it('close() stops listening and ends idle sessions at once', async () => {
    const { port, server } = await serve({ listeners });
    const socket = dial(port);
    socket.write('{"id":1,"method":"echo"}\n');
    await receive(socket, 1);
    const gone = once(socket, 'close');
    await server.close();
    await gone;
    const refused = dial(port);
    const [error] = await once(refused, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('behind a proxy', () => {
  const proxied = [
    { host: '127.0.0.1', port: 0, proxyProtocol: { mode: 'optional' as const, trusted: ['127.0.0.0/8'] } },
    { host: '127.0.0.1', port: 0, proxyProtocol: { mode: 'required' as const, trusted: ['127.0.0.1'] } },
    { host: '127.0.0.1', port: 0, proxyProtocol: { mode: 'optional' as const, trusted: ['192.0.2.1'] } },
  ];
  const via = (address: string, id: number): string =>
    `PROXY TCP4 ${address} 192.0.2.9 ${40_000 + id} 3333\r\n{"id":${id},"method":"echo"}\n`;

  it('sessions have the address in the header, if the sender is trusted', async () => {
    const { listeners: ports, server, events } = await serve({ listeners: proxied });
    const seen: string[] = [];
    events.on('connected', ({ session }) => seen.push(`${session.remoteAddress}:${session.remotePort}`));
    const say = (at: number, text: string): Promise<string> => {
      const socket = dial(ports[at]?.port ?? 0);
      socket.write(text);
      return receive(socket, 1);
    };
    expect(await say(0, via('198.51.100.1', 1))).toContain('"id":1');
    expect(await say(0, '{"id":2,"method":"echo"}\n')).toContain('"id":2');
    expect(await say(1, via('198.51.100.3', 3))).toContain('"id":3');
    expect(await say(1, '{"id":4,"method":"echo"}\n')).toBe('');
    expect(await say(2, via('198.51.100.5', 5))).toBe('');
    expect(await say(2, '{"id":6,"method":"echo"}\n')).toContain('"id":6');
    expect(seen.map((one) => one.split(':')[0])).toEqual(['198.51.100.1', '127.0.0.1', '198.51.100.3', '127.0.0.1']);
    expect(seen[0]).toBe('198.51.100.1:40001');
    expect(server.stats().closed['bad-proxy-header']).toBe(2);
  });

  it('limits and bans count by that address', async () => {
    const { port, server } = await serve({ listeners: proxied, limits: { connectionsPerAddress: 1 } });
    const say = (text: string): Promise<string> => {
      const socket = dial(port);
      socket.write(text);
      return receive(socket, 1);
    };
    expect(await say(via('198.51.100.1', 1))).toContain('"id":1');
    expect(await say(via('198.51.100.1', 2))).toBe('');
    expect(await say(via('198.51.100.2', 3))).toContain('"id":3');
    server.bans.add('address', '198.51.100.7', { reason: 'test' });
    expect(await say(via('198.51.100.7', 4))).toBe('');
    expect(await say(via('198.51.100.8', 5))).toContain('"id":5');
    // The proxy itself (its health checks) is not limited.
    expect(await say('{"id":6,"method":"echo"}\n')).toContain('"id":6');
    expect(await say('{"id":7,"method":"echo"}\n')).toContain('"id":7');
    expect(server.stats().closed).toMatchObject({ 'too-many-connections': 1, banned: 1 });
  });
});
