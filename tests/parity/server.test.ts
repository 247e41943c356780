import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { connectStratum, type StratumClient } from '@headframe/client';
import { coinNames, resolveCoin } from '@headframe/coins';
import { BoundedQueue, type Logger } from '@headframe/primitives';
import { FakeClock } from '@headframe/primitives/testing';
import {
  createServer,
  type DefaultAccount,
  MiningServer,
  type MiningServerModules,
  type MiningServerOptions,
} from '@headframe/server';
import type { LoopDelayMonitor, Session } from '@headframe/sessions';
import { createMemoryPair, RecordingHandler } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(
  options: MiningServerOptions<DefaultAccount> = {},
  modules: MiningServerModules<DefaultAccount> = {},
): Promise<{ readonly server: MiningServer; readonly url: string }> {
  const server = createServer({ listeners: [{ host: '127.0.0.1', port: 0 }], ...options }, modules);
  closing.push(() => server.destroy());
  const [listener] = await server.listen();
  return { server, url: `stratum+tcp://127.0.0.1:${listener?.port}` };
}

async function miner(url: string, username: string): Promise<StratumClient> {
  const client = await connectStratum({ url });
  closing.push(() => client.destroy());
  await client.request('mining.subscribe', ['test/1']);
  await client.request('mining.authorize', [username, 'x']);
  return client;
}

/** Notifications of a method, each once, in order; `next()` waits for one. */
function inbox(client: StratumClient, method: string): { next(): Promise<unknown>; readonly size: number } {
  const queue = new BoundedQueue<unknown>(16);
  let wake: ((params: unknown) => void) | undefined;
  client.on('message', (message) => {
    if (message.method !== method) return;
    if (wake === undefined) queue.push(message.params);
    else wake(message.params);
    wake = undefined;
  });
  return {
    get size() {
      return queue.size;
    },
    next: () =>
      queue.size > 0
        ? Promise.resolve(queue.shift())
        : new Promise((resolve) => {
            wake = resolve;
          }),
  };
}

function sessionOf(server: MiningServer, name: string): Session {
  for (const session of server.sessions) {
    if (server.channelOf(session).workers.first?.name === name) return session;
  }
  throw new Error(`${name} is not there`);
}

describe('messages to some or all', () => {
  it('one session by its id, all, and all that pass a filter: each with the number that were told', async () => {
    const { server, url } = await listen();
    const clients = [await miner(url, 'a.1'), await miner(url, 'b.1'), await miner(url, 'b.2')];
    const inboxes = clients.map((client) => inbox(client, 'client.show_message'));
    const { id } = sessionOf(server, 'b.1');
    expect(server.notifyAll('client.show_message', ['one'], (session) => session.id === id)).toBe(1);
    const isB = (session: Session) => server.channelOf(session).workers.first?.account.id === 'b';
    expect(server.notifyAll('client.show_message', ['some'], isB)).toBe(2);
    expect(server.notifyAll('client.show_message', ['all'])).toBe(3);
    const [a, b1, b2] = inboxes;
    expect(await a?.next()).toEqual(['all']);
    expect([await b1?.next(), await b1?.next(), await b1?.next()]).toEqual([['one'], ['some'], ['all']]);
    expect([await b2?.next(), await b2?.next()]).toEqual([['some'], ['all']]);
    // The id of a message never is the session's: a notification has none.
    expect(inboxes.map(({ size }) => size)).toEqual([0, 0, 0]);
  });

  it('a question to one session is answered by that one', async () => {
    const { server, url } = await listen();
    const [first, second] = [await miner(url, 'a.1'), await miner(url, 'b.1')];
    first.handle('client.get_version', () => 'first/1');
    second.handle('client.get_version', () => 'second/2');
    expect(await sessionOf(server, 'b.1').request('client.get_version', [])).toBe('second/2');
    expect(await sessionOf(server, 'a.1').request('client.get_version', [])).toBe('first/1');
  });
});

describe('a session', () => {
  it('has what a program needs to know of a connection', async () => {
    const { server, url } = await listen();
    const client = await connectStratum({ url });
    closing.push(() => client.destroy());
    await client.request('mining.subscribe', ['cgminer/4.11.1']);
    const [session] = [...server.sessions];
    if (session === undefined) throw new Error('no session');
    const channel = server.channelOf(session);
    expect(session).toMatchObject({
      remoteAddress: '127.0.0.1',
      secure: false,
      protocol: 'stratum-v1',
      agent: 'cgminer/4.11.1',
      closed: false,
      listener: { index: 0 },
    });
    expect(channel.workers.size).toBe(0);
    await client.request('mining.authorize', ['alice.rig1', 'x']);
    await client.request('mining.authorize', ['alice.rig2', 'x']);
    expect([...channel.workers].map(({ name, account }) => [name, account.id])).toEqual([
      ['alice.rig1', 'alice'],
      ['alice.rig2', 'alice'],
    ]);
    // Three names for three things: the socket, what resumes it, and its part of the work.
    const subscription = (await client.request('mining.subscribe', [])) as [[string, string][], string, number];
    expect(subscription[0][0]?.[1]).toBe(channel.token);
    expect(subscription[1]).toBe(Buffer.from(channel.prefix ?? []).toString('hex'));
    expect(String(session.id)).not.toBe(channel.token);
  });
});

describe('extension', () => {
  it('by a class of its own: a subclass has methods, events and state of its own', async () => {
    class CountingServer extends MiningServer {
      shares = 0;
      constructor(options: MiningServerOptions<DefaultAccount>, modules: MiningServerModules<DefaultAccount> = {}) {
        super(options, modules);
        this.method('count.get', { handler: () => this.shares });
        this.on('authorized', () => {
          this.shares += 10;
        });
      }
      override kick(session: Session): void {
        this.shares = -1;
        super.kick(session, 'kicked');
      }
    }
    const server = new CountingServer({ listeners: [{ host: '127.0.0.1', port: 0 }] });
    closing.push(() => server.destroy());
    const [listener] = await server.listen();
    const client = await miner(`127.0.0.1:${listener?.port}`, 'a.1');
    expect(await client.request('count.get', [])).toBe(10);
    const closed = new Promise((resolve) => client.on('closed', resolve));
    server.kick(sessionOf(server, 'a.1'));
    await closed;
    expect(server.shares).toBe(-1);
  });
});

describe('several servers in one process', () => {
  /** An event loop as late as the test says. */
  const late = (delayMs: number): LoopDelayMonitor => ({ sample: () => delayMs, close: () => {} });

  it('each has its own bound for a late event loop, and its own defaults', async () => {
    const clock = new FakeClock();
    const make = (overloadDelayMs: number) => {
      const server = createServer({ limits: { overloadDelayMs } }, { clock, loopDelay: late(300) });
      closing.push(() => server.destroy());
      return server;
    };
    const [strict, patient] = [make(100), make(1000)];
    const connect = (server: MiningServer): RecordingHandler => {
      const { client, server: end } = createMemoryPair({ clock });
      const handler = new RecordingHandler();
      client.start(handler);
      server.attach(end);
      client.write('{"id":1,"method":"mining.ping","params":[]}\n');
      return handler;
    };
    connect(strict);
    connect(patient);
    await clock.advanceAsync(2000, 500);
    expect([strict.stats().sessions.busy, patient.stats().sessions.busy]).toEqual([true, false]);
    connect(strict);
    connect(patient);
    await clock.advanceAsync(1);
    expect(strict.stats().sessions.refused).toMatchObject({ overloaded: 1 });
    expect(patient.stats().sessions.refused).toEqual({});
    expect(strict.sessionCount).toBe(1);
    expect(patient.sessionCount).toBe(2);
  });

  it('options given in part leave the other defaults in force', async () => {
    const { server, url } = await listen({ limits: { connections: 1 } });
    await miner(url, 'a.1');
    const second = await connectStratum({ url });
    closing.push(() => second.destroy());
    await expect(second.request('mining.subscribe', [])).rejects.toMatchObject({ code: 'connection_closed' });
    expect(server.stats().sessions.refused).toMatchObject({ 'too-many-connections': 1 });
    expect(server.limits.leases).toBe(50_000);
  });
});

describe('starting', () => {
  it('listen rejects when the port is taken, and the server can be closed then', async () => {
    const taken: Server = createTcpServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => taken.close(resolve)));
    const { port } = taken.address() as AddressInfo;
    const server = createServer({ listeners: [{ host: '127.0.0.1', port }] });
    await expect(server.listen()).rejects.toMatchObject({ code: 'listen_failed' });
    await server.close();
  });

  it('connecting to nobody rejects', async () => {
    const free: Server = createTcpServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    await expect(connectStratum({ url: `127.0.0.1:${port}` })).rejects.toMatchObject({ code: 'connection_refused' });
  });

  it('close ends the clients that are connected, with the message it was given', async () => {
    const { server, url } = await listen();
    const client = await miner(url, 'a.1');
    const told: string[] = [];
    client.on('client.show_message', ({ text }) => told.push(text));
    const closed = new Promise((resolve) => client.on('closed', resolve));
    await server.close({ message: 'back in five minutes' });
    await closed;
    expect(server.sessionCount).toBe(0);
    expect(told).toEqual(['back in five minutes']);
  });
});

/** A logger of somebody else's: what Headframe asks of one is all it has. */
function ownLogger(lines: object[], bindings: object = {}): Logger {
  const write =
    (level: string) =>
    (details: object, message: string): void =>
      void lines.push({ level, message, ...bindings, ...details });
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    child: (more) => ownLogger(lines, { ...bindings, ...more }),
  };
}

describe('a logger of your own', () => {
  it('gets every line, those of a session with its id and address', async () => {
    const lines: object[] = [];
    const { server, url } = await listen({}, { log: ownLogger(lines) });
    server.method('noisy', {
      handler: ({ session }) => {
        session.log.info({ n: 1 }, 'called');
        return true;
      },
    });
    const client = await miner(url, 'a.1');
    await client.request('noisy', []);
    const { id } = sessionOf(server, 'a.1');
    expect(lines).toContainEqual({ level: 'info', message: 'called', n: 1, session: id, address: '127.0.0.1' });
  });
});

describe('coins as data', () => {
  it.each([
    ['bitcoin', 8332],
    ['litecoin', 9332],
    ['dogecoin', 22555],
    ['namecoin', 8336],
  ])('%s is there by name, with its RPC port %i', (name, port) => {
    expect(coinNames()).toContain(name);
    expect(resolveCoin(name, 'main').rpcPort).toBe(port);
  });
});
