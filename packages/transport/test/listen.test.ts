import { spawn } from 'node:child_process';
import { connect as netConnect, Server, type Socket } from 'node:net';
import { type Logger, silentLogger } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { type Connection, connectTcp, type Listener, type ListenOptions, listenTcp } from '@headframe/transport';
import { HalfOpenHandler, RecordingHandler } from '@headframe/transport/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';

const listeners: Listener[] = [];
const sockets: Socket[] = [];
const connections: Connection[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.destroy();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const listener of listeners.splice(0)) await listener.close();
});

async function listen(
  onConnection: (connection: Connection) => void,
  options: Partial<ListenOptions> = {},
): Promise<Listener> {
  const listener = await listenTcp({ host: '127.0.0.1', port: 0, ...options }, (connection) => {
    connections.push(connection);
    onConnection(connection);
  });
  listeners.push(listener);
  return listener;
}

function dial(listener: Listener): Socket {
  const socket = netConnect({ ...listener.address, noDelay: true });
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

const event = (socket: Socket, name: string): Promise<unknown> => new Promise((resolve) => socket.once(name, resolve));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}

describe('listenTcp', () => {
  it('says where it listens and counts its connections', async () => {
    const listener = await listen((connection) => connection.start(new RecordingHandler()));
    expect(listener.address.host).toBe('127.0.0.1');
    expect(listener.address.port).toBeGreaterThan(0);
    const clients = [dial(listener), dial(listener), dial(listener)];
    await until(() => listener.connections === 3);
    clients[0]?.destroy();
    clients[1]?.end();
    await until(() => listener.connections === 1);
    connections.at(-1)?.destroy();
    connections[0]?.destroy();
    connections[1]?.destroy();
    await until(() => listener.connections === 0);
  });

  it.each([
    [
      'an address in use',
      async (): Promise<[string, number]> => ['127.0.0.1', (await listen(() => {})).address.port],
      /another program uses this port/,
    ],
    ['an address of another machine', async (): Promise<[string, number]> => ['203.0.113.1', 0], /no such address/],
    [
      'a name that does not exist',
      async (): Promise<[string, number]> => ['does-not-exist.invalid', 0],
      /no such host|cannot listen/,
    ],
  ])('rejects with what is wrong: %s', async (_, where, message) => {
    const [host, port] = await where();
    await expect(listenTcp({ host, port }, () => {})).rejects.toMatchObject({
      code: 'listen_failed',
      message: expect.stringMatching(message) as unknown,
      details: { host, port },
    });
  });

  it('close stops accepting, leaves connections alone, frees the port, and may be called twice', async () => {
    const handler = new RecordingHandler();
    const listener = await listen((connection) => connection.start(handler));
    const client = dial(listener);
    await until(() => listener.connections === 1);
    await listener.close();
    await listener.close();
    await expect(connectTcp(listener.address)).rejects.toMatchObject({ code: 'connection_refused' });
    client.write('still here');
    await handler.until(() => handler.text === 'still here');
    await listen(() => {}, { port: listener.address.port });
  });

  it('asks for admission before anything is made of a socket', async () => {
    const asked: string[] = [];
    let seen = 0;
    const listener = await listen(() => seen++, {
      accept: (address) => {
        asked.push(address);
        return asked.length > 2;
      },
    });
    for (let i = 0; i < 2; i++) await event(dial(listener), 'close');
    dial(listener);
    await until(() => seen === 1);
    expect(asked).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
    expect(listener.connections).toBe(1);
  });

  it('writes IPv4 peers of a dual-stack listener as IPv4', async () => {
    let dual: Listener;
    try {
      dual = await listen(() => {}, { host: '::' });
    } catch {
      // A machine without IPv6 has no such listener.
      return;
    }
    sockets.push(netConnect({ host: '127.0.0.1', port: dual.address.port }).on('error', () => {}));
    await until(() => connections.length === 1);
    expect(connections[0]?.remoteAddress).toBe('127.0.0.1');
  });

  it('an admission check or a connection callback that throws costs one connection', async () => {
    let mood: 'accept' | 'callback' | 'good' = 'accept';
    const listener = await listen(
      () => {
        if (mood === 'callback') throw new Error('callback threw');
      },
      {
        accept: () => {
          if (mood === 'accept') throw new Error('accept threw');
          return true;
        },
      },
    );
    await event(dial(listener), 'close');
    mood = 'callback';
    await event(dial(listener), 'close');
    mood = 'good';
    dial(listener);
    await until(() => listener.connections === 1);
  });

  it('survives a flood of connections, refused, reset and served', async () => {
    const texts = new Map<Connection, RecordingHandler>();
    let admitted = 0;
    const listener = await listen(
      (connection) => {
        const handler = new RecordingHandler();
        texts.set(connection, handler);
        connection.start(handler);
        connection.write('hello');
      },
      { accept: () => ++admitted % 3 !== 0 },
    );
    const clients: Socket[] = [];
    for (let i = 0; i < 600; i++) {
      const client = dial(listener);
      client.write(`client ${i}`);
      if (i % 5 === 0) client.once('connect', () => client.resetAndDestroy());
      if (i % 5 === 1) client.destroy();
      clients.push(client);
    }
    await until(() => clients.every((client) => client.bytesRead === 5 || client.closed));
    for (const client of clients) client.destroy();
    await until(() => listener.connections === 0);
    for (const handler of texts.values()) expect(handler.closes).toBe(1);
    const last = dial(listener);
    const another = dial(listener);
    await Promise.race([event(last, 'data'), event(another, 'data')]);
  });
});

describe('a TCP connection', () => {
  it('answers a client that sends everything, ends, and waits', async () => {
    const handler = new HalfOpenHandler();
    const listener = await listen((connection) => connection.start(handler));
    const client = dial(listener);
    let answer = '';
    client.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    client.end('question\n');
    await handler.until(() => handler.ends === 1);
    // Later, as an answer that waits for a database.
    await settle();
    connections[0]?.write('answer\n');
    connections[0]?.end();
    await event(client, 'close');
    expect(answer).toBe('answer\n');
    await handler.until(() => handler.closes === 1);
    expect(handler.error).toBeUndefined();
  });

  it('a reset by the peer is an end with an error, once', async () => {
    const handler = new RecordingHandler();
    const listener = await listen((connection) => connection.start(handler));
    const client = dial(listener);
    client.write('x');
    await handler.until(() => handler.bytes === 1);
    client.resetAndDestroy();
    await handler.until(() => handler.closes === 1);
    expect(handler.error).toMatchObject({ code: 'ECONNRESET' });
    connections[0]?.write('into the void');
    connections[0]?.end();
    await settle();
    expect(handler.closes).toBe(1);
    expect(listener.connections).toBe(0);
  });

  it('sends at once and as one segment what is written at once', async () => {
    const listener = await listen((connection) => {
      connection.start(new RecordingHandler());
      connection.write('set_difficulty\nnotify\n');
    });
    const chunk = (await event(dial(listener), 'data')) as Buffer;
    expect(chunk.toString()).toBe('set_difficulty\nnotify\n');
    expect(connections[0]?.unsentBytes).toBe(0);
  });

  it('a frozen reader is felt as unsent bytes, and drain comes when it wakes', async () => {
    const handler = new RecordingHandler();
    const listener = await listen((connection) => connection.start(handler));
    const client = dial(listener);
    await until(() => connections.length === 1);
    const [server] = connections;
    if (server === undefined) throw new Error('no connection');
    client.pause();
    // Small writes: drain must come for a single notify that is stuck, too.
    while (server.unsentBytes === 0) server.write('x'.repeat(1000));
    expect(server.unsentBytes).toBeLessThanOrEqual(1000);
    client.on('data', () => {});
    client.resume();
    await handler.until(() => handler.drains === 1);
    expect(server.unsentBytes).toBe(0);
  });
});

/** A server in a process of its own, which runs the build and greets. */
const SERVER = `
  const { listenTcp } = await import(process.argv[1]);
  const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (connection) => {
    connection.start({ data() {}, drain() {}, closed() {} });
    connection.write('hello');
  });
  console.log(listener.address.port);
`;

describe('when the system cannot accept', () => {
  it('accepting goes on after file descriptors ran out', async () => {
    const built = new URL('../dist/index.js', import.meta.url).href;
    const shell = 'ulimit -n 60; exec "$0" --input-type=module -e "$1" "$2"';
    const child = spawn('/bin/sh', ['-c', shell, process.execPath, SERVER, built], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
      const crowd = Array.from({ length: 80 }, () => netConnect({ host: '127.0.0.1', port }).on('error', () => {}));
      sockets.push(...crowd);
      await until(() => crowd.every((socket) => socket.bytesRead > 0 || socket.closed));
      // Some were turned away: the descriptors did run out.
      expect(crowd.filter((socket) => socket.bytesRead === 0).length).toBeGreaterThan(0);
      for (const socket of crowd) socket.destroy();
      // Who comes while the descriptors are being freed may still be turned away.
      for (let greeted = false; !greeted; ) {
        const socket = netConnect({ host: '127.0.0.1', port }).on('error', () => {});
        sockets.push(socket);
        socket.once('data', () => {
          greeted = true;
        });
        await Promise.race([event(socket, 'data'), event(socket, 'close')]);
      }
    } finally {
      child.kill();
    }
  });

  it('is told of each failure, logs one in ten seconds, and goes on', async () => {
    // Node seldom says so (its loop turns newcomers away itself), so the failure is made here.
    const spy = vi.spyOn(Server.prototype, 'listen');
    const clock = new FakeClock();
    const logged: unknown[] = [];
    const log: Logger = { ...silentLogger, error: (details) => logged.push(details) };
    const failures: Error[] = [];
    const listener = await listen(() => {}, {
      clock,
      log,
      acceptFailed: (error) => {
        failures.push(error);
        if (failures.length === 3) throw new Error('callback threw');
      },
    });
    const [server] = spy.mock.contexts;
    spy.mockRestore();
    if (!(server instanceof Server)) throw new Error('no server');
    for (let i = 0; i < 2; i++) server.emit('error', new Error('accept EMFILE'));
    clock.advance(10_000);
    server.emit('error', new Error('accept EMFILE'));
    expect(failures.length).toBe(3);
    expect(logged).toEqual([
      { error: 'accept EMFILE', failures: 1, connections: 0 },
      { error: 'accept EMFILE', failures: 2, connections: 0 },
      { error: 'callback threw' },
    ]);
    dial(listener);
    await until(() => listener.connections === 1);
  });
});
