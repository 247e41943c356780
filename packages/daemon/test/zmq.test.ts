import { createHash } from 'node:crypto';
import { resolveCoin } from '@headframe/coins';
import { PoolError } from '@headframe/primitives';
import { FakeClock, RecordingLogger, settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { createTemplateFeed, type TemplateEvent, type ZmqSocket } from '../src/index.js';
import { subscribeZmq } from '../src/zmq-subscriber.js';
import { until } from './fake-chain.js';
import { blockHash, ScriptedNode } from './scripted-node.js';

const zeromq = await import('zeromq').catch(() => undefined);
const coin = resolveCoin('bitcoin', 'regtest');
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A SUB socket without a library: the test pushes the frames. */
class FakeSocket implements ZmqSocket {
  readonly endpoints: string[] = [];
  readonly topics: string[] = [];
  closed = false;
  #queue: (readonly Uint8Array[])[] = [];
  #wake: () => void = () => {};

  connect(endpoint: string): void {
    if (endpoint === 'bad') throw new Error('Invalid argument');
    this.endpoints.push(endpoint);
  }
  subscribe(...topics: string[]): void {
    this.topics.push(...topics);
  }
  close(): void {
    this.closed = true;
    this.#wake();
  }
  push(topic: string, body: Uint8Array, sequence = 0): void {
    const count = Buffer.alloc(4);
    count.writeUInt32LE(sequence);
    this.#queue.push([Buffer.from(topic), body, count]);
    this.#wake();
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Uint8Array[]> {
    while (!this.closed) {
      const next = this.#queue.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

describe('subscriber', () => {
  test('hashblock and rawblock, anything else ignored', async () => {
    const socket = new FakeSocket();
    const seen: string[] = [];
    const endpoints = { hashblock: 'tcp://127.0.0.1:1', rawblock: 'tcp://127.0.0.1:2' };
    const subscriber = await subscribeZmq(endpoints, (hash) => seen.push(hash), { load: async () => socket });
    expect(socket.endpoints).toEqual(['tcp://127.0.0.1:1', 'tcp://127.0.0.1:2']);
    expect(socket.topics).toEqual(['hashblock', 'rawblock']);
    socket.push('hashblock', Buffer.from(blockHash('a'), 'hex'));
    // The genesis block's header, and a transaction count.
    const genesis = Buffer.from(
      '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c01',
      'hex',
    );
    socket.push('rawblock', genesis);
    socket.push('hashblock', Buffer.alloc(31));
    socket.push('rawblock', Buffer.alloc(80));
    socket.push('hashtx', Buffer.alloc(32));
    await settle();
    expect(seen).toEqual([blockHash('a'), '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f']);
    subscriber.close();
    subscriber.close();
    expect(socket.closed).toBe(true);
  });

  test('lost messages are counted; a node that restarted begins anew', async () => {
    const socket = new FakeSocket();
    const subscriber = await subscribeZmq({ hashblock: 'x' }, () => {}, { load: async () => socket });
    for (const sequence of [7, 8, 11, 0, 1]) socket.push('hashblock', Buffer.alloc(32), sequence);
    await settle();
    expect(subscriber.missed).toBe(2);
    subscriber.close();
  });

  test('a bad endpoint is an error, and the socket is closed', async () => {
    const socket = new FakeSocket();
    await expect(subscribeZmq({ hashblock: 'bad' }, () => {}, { load: async () => socket })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(socket.closed).toBe(true);
  });

  test('a subscription that breaks is reported', async () => {
    const log = new RecordingLogger();
    const socket = new FakeSocket();
    socket[Symbol.asyncIterator] = async function* () {
      yield await Promise.reject(new Error('context terminated'));
    };
    await subscribeZmq({ hashblock: 'x' }, () => {}, { load: async () => socket, log });
    await settle();
    expect(log.messages('error').length).toBe(1);
  });
});

describe('feed', () => {
  test('a block announced by ZMQ is fetched before polling or a long poll know of it', async () => {
    const socket = new FakeSocket();
    const node = new ScriptedNode('a');
    node.zmq = { hashblock: 'tcp://127.0.0.1:1' };
    node.longPolling = false;
    const events: TemplateEvent[] = [];
    const clock = new FakeClock();
    const feed = createTemplateFeed({ nodes: [node], coin }, { clock, loadZmq: async () => socket });
    cleanups.push(() => feed.close());
    feed.on('template', (event) => events.push(event));
    await feed.start(() => {}, new AbortController().signal);
    node.setTip(101);
    socket.push('hashblock', Buffer.from(blockHash(101), 'hex'));
    await settle();
    expect(events.at(-1)).toMatchObject({ trigger: 'zmq', newBlock: true });
    await clock.advanceAsync(5000);
    expect(events.length).toBe(2);
    await feed.close();
    expect(socket.closed).toBe(true);
  });

  test('blocks in quick succession do not pile up requests in the node', async () => {
    const socket = new FakeSocket();
    const node = new ScriptedNode('a');
    node.zmq = { hashblock: 'tcp://127.0.0.1:1' };
    node.longPolling = false;
    const heights: number[] = [];
    const feed = createTemplateFeed({ nodes: [node], coin }, { clock: new FakeClock(), loadZmq: async () => socket });
    cleanups.push(() => feed.close());
    await feed.start(({ height }) => heights.push(height), new AbortController().signal);
    let [running, most] = [0, 0];
    const call = node.call.bind(node);
    node.call = async (method, params, options) => {
      most = Math.max(most, ++running);
      try {
        await settle();
        return await call(method, params, options);
      } finally {
        running--;
      }
    };
    for (let height = 101; height <= 200; height++) {
      node.setTip(height);
      socket.push('hashblock', Buffer.from(blockHash(height), 'hex'));
    }
    for (let i = 0; i < 10; i++) await settle();
    expect(heights.at(-1)).toBe(201);
    expect(most).toBe(1);
    expect(heights.length).toBeLessThan(10);
  });

  test('configured, but not installed: start fails and says what to install', async () => {
    const node = new ScriptedNode('a');
    node.zmq = { hashblock: 'tcp://127.0.0.1:1' };
    const clock = new FakeClock();
    const loadZmq = () => Promise.reject(new PoolError('not_supported', 'run: npm install zeromq'));
    const feed = createTemplateFeed({ nodes: [node], coin }, { clock, loadZmq });
    await expect(feed.start(() => {}, new AbortController().signal)).rejects.toMatchObject({ code: 'not_supported' });
    expect(clock.pending).toBe(0);
  });
});

describe.skipIf(zeromq === undefined)('with the real zeromq (skipped where the optional package is missing)', () => {
  async function publisher(endpoint: string): Promise<InstanceType<NonNullable<typeof zeromq>['Publisher']>> {
    if (zeromq === undefined) throw new Error('skipped');
    const deadline = performance.now() + 10_000;
    for (;;) {
      const socket = new zeromq.Publisher({ linger: 0 });
      try {
        await socket.bind(endpoint);
        cleanups.push(() => socket.close());
        return socket;
      } catch (error) {
        // The library closes in another thread: the port of the one before may still be taken.
        socket.close();
        if (performance.now() > deadline) throw error;
        await settle();
      }
    }
  }

  test('announcements arrive, also after the publisher was restarted', async () => {
    const first = await publisher('tcp://127.0.0.1:*');
    const endpoint = first.lastEndpoint ?? '';
    const seen: string[] = [];
    const subscriber = await subscribeZmq({ hashblock: endpoint, rawblock: endpoint }, (hash) => seen.push(hash));
    cleanups.push(() => subscriber.close());
    const send = async (socket: Awaited<ReturnType<typeof publisher>>, name: string): Promise<void> => {
      const body = Buffer.from(blockHash(name), 'hex');
      // A subscription takes a moment to reach the publisher, which drops everything before it.
      const deadline = performance.now() + 10_000;
      for (let sequence = 0; !seen.includes(blockHash(name)); sequence++) {
        if (performance.now() > deadline) throw new Error(`announcement ${name} did not arrive`);
        const count = Buffer.alloc(4);
        count.writeUInt32LE(sequence);
        await socket.send(['hashblock', body, count]);
        await settle();
      }
    };
    await send(first, 'one');
    const raw = Buffer.alloc(200, 7);
    await first.send(['rawblock', raw, Buffer.alloc(4)]);
    const twice = createHash('sha256')
      .update(createHash('sha256').update(raw.subarray(0, 80)).digest())
      .digest();
    await until(() => seen.includes(twice.reverse().toString('hex')), 'raw block');
    first.close();
    await send(await publisher(endpoint), 'two');
  });
});
