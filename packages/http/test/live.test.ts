import { connect, type Socket } from 'node:net';
import { settle } from '@headframe/primitives/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpOptions, type HttpServer, liveEvents } from '../src/index.js';
import { HTTP_LIMITS } from '../src/limits.js';
import { LiveFeed } from '../src/live/feed.js';
import { ReplayRing } from '../src/live/ring.js';
import { LiveStream } from '../src/live/stream.js';
import { poolInfo } from '../src/schemas/pool.js';
import { FakePool, makeJob, paymentRecord, START_MS } from './fake-pool.js';

const servers: HttpServer[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await server.close();
});

async function startApi(options: HttpOptions = {}): Promise<{ pool: FakePool; server: HttpServer; port: number }> {
  const pool = new FakePool();
  const server = createHttpServer(pool, { port: 0, ...options }, { clock: pool.clock });
  servers.push(server);
  await server.start();
  return { pool, server, port: Number(new URL(server.url ?? '').port) };
}

interface LiveEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** A reader of the feed, as a browser would be. */
function listen(port: number, lastEventId?: string) {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.setEncoding('utf8').on('error', () => {});
  socket.on('data', (part) => {
    text += part;
  });
  const header = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`;
  socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: a\r\nOrigin: https://page.example\r\n${header}\r\n`);
  const events = (): LiveEvent[] =>
    [...text.matchAll(/^id: (\S+)\nevent: (\S+)\ndata: (.*)\n\n/gm)].map(([, id = '', event = '', data = 'null']) => ({
      id,
      event,
      data: JSON.parse(data) as unknown,
    }));
  return {
    socket,
    events,
    names: () => events().map(({ event }) => event),
    text: () => text,
    async until(event: string, count = 1): Promise<LiveEvent[]> {
      const found = () => events().filter((one) => one.event === event);
      await expect.poll(() => found().length, { message: `${event} comes` }).toBeGreaterThanOrEqual(count);
      return found();
    },
  };
}

describe('the live feed', () => {
  it('begins with the state of things, in the schemas of the events', async () => {
    const { port } = await startApi({ cors: ['https://page.example'] });
    const reader = listen(port);
    await reader.until('pool');
    expect(reader.names().sort()).toEqual(['job', 'node', 'pool']);
    for (const { event, data } of reader.events()) {
      const schema = liveEvents[event as keyof typeof liveEvents];
      expect(schema.parse(data)).toEqual(data);
    }
    expect(reader.text()).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(reader.text()).toContain('content-type: text/event-stream');
    expect(reader.text()).toContain('access-control-allow-origin: https://page.example');
    expect(reader.text()).toContain('x-content-type-options: nosniff');
  });

  it('tells blocks, jobs, shares, nodes and payments as they come', async () => {
    const { pool, port } = await startApi();
    const reader = listen(port);
    await reader.until('pool');
    const outcome = { ...pool.blocks[0], hash: 'aa'.repeat(32), timeMs: START_MS };
    pool.events.safeEmit('block', outcome as never);
    const [block] = await reader.until('block');
    expect(liveEvents.block.parse(block?.data)).toMatchObject({ hash: 'aa'.repeat(32), status: 'confirmed' });
    pool.events.safeEmit('job', { job: makeJob(2), clean: true });
    expect((await reader.until('job', 2)).at(-1)?.data).toMatchObject({ jobId: '00000002', isNewBlock: true });

    pool.shares = { accepted: 15, work: 30, rejected: { stale: 4 } };
    pool.nodeReady = false;
    pool.clock.advance(2_500);
    const [share] = await reader.until('share');
    expect(share?.data).toMatchObject({ accepted: 10, rejected: -1 + 0, work: 25 });
    expect((await reader.until('node', 2)).at(-1)?.data).toMatchObject({ ready: false });
    expect(poolInfo.parse((await reader.until('pool', 2)).at(-1)?.data).sharesSinceStart.accepted).toBe(15);

    await pool.clock.advanceAsync(20_000);
    expect(reader.names()).not.toContain('payment');
    pool.payments = [paymentRecord('new'), ...pool.payments];
    await pool.clock.advanceAsync(10_000);
    expect((await reader.until('payment')).map(({ data }) => (data as { id: string }).id)).toEqual(['new']);
    pool.payments = [paymentRecord('new', 'confirmed'), ...pool.payments.slice(1)];
    await pool.clock.advanceAsync(10_000);
    expect((await reader.until('payment', 2))[1]?.data).toMatchObject({ id: 'new', status: 'confirmed' });
  });

  it('says nothing new while nothing changes, but keeps the stream open', async () => {
    const { pool, port } = await startApi();
    const reader = listen(port);
    await reader.until('pool');
    await pool.clock.advanceAsync(60_000);
    await expect.poll(() => reader.text().split(': still here').length).toBe(5);
    expect(reader.names().sort()).toEqual(['job', 'node', 'pool']);
  });

  it('goes on behind the last event that a reader got', async () => {
    const { pool, port } = await startApi();
    const block = (n: number) =>
      ({ ...pool.blocks[0], hash: n.toString().padStart(64, '0'), timeMs: START_MS }) as never;
    const first = listen(port);
    await first.until('pool');
    pool.events.safeEmit('block', block(1));
    const [seen] = await first.until('block');
    first.socket.destroy();
    pool.events.safeEmit('block', block(2));
    pool.events.safeEmit('block', block(3));
    const hashes = (events: LiveEvent[]) => events.map(({ data }) => Number((data as { hash: string }).hash));
    expect(hashes(await listen(port, seen?.id).until('block', 2))).toEqual([2, 3]);
    for (const stranger of ['other-1', `${seen?.id}x`, '']) {
      const reader = listen(port, stranger);
      await reader.until('pool');
      expect(reader.names()).not.toContain('block');
    }
  });

  it('takes so many streams and no more', async () => {
    const { server, port } = await startApi({ limits: { streams: 3, streamsPerAddress: 2 } });
    const [one] = [listen(port), listen(port)];
    await expect.poll(() => server.app.server.listening).toBe(true);
    await one?.until('pool');
    const third = listen(port);
    await expect.poll(() => third.text()).toContain('"code":"too_many_streams"');
    expect(third.text()).toMatch(/^HTTP\/1\.1 429/);
    one?.socket.destroy();
    await expect
      .poll(async () => {
        const again = listen(port);
        await settle();
        await expect.poll(() => again.text()).not.toBe('');
        return again.text().slice(0, 12);
      })
      .toBe('HTTP/1.1 200');
  });

  it('ends with the server', async () => {
    const { server, port } = await startApi();
    const reader = listen(port);
    await reader.until('pool');
    const ended = new Promise((resolve) => reader.socket.once('close', resolve));
    await server.close();
    await ended;
    // The last chunk: a whole answer, not a broken one.
    expect(reader.text().endsWith('0\r\n\r\n')).toBe(true);
  });

  it('cuts a reader over a real socket that does not read, while others go on', async () => {
    const { pool, port } = await startApi();
    const slow = listen(port);
    await slow.until('pool');
    slow.socket.pause();
    const quick = listen(port);
    await quick.until('pool');
    let blocks = 0;
    quick.socket.removeAllListeners('data').on('data', (part: string) => {
      blocks += part.split('event: block').length - 1;
    });
    const block = { ...pool.blocks[0], account: 'x'.repeat(200_000), timeMs: START_MS } as never;
    const closed = new Promise((resolve) => slow.socket.once('close', resolve));
    // More than the kernel holds for a connection, and a full queue on top.
    for (let i = 0; i < 150; i++) {
      pool.events.safeEmit('block', block);
      await expect.poll(() => blocks, { interval: 1, message: 'the quick reader gets it' }).toBeGreaterThanOrEqual(i);
    }
    slow.socket.removeAllListeners('data').resume();
    await closed;
    await expect.poll(() => blocks).toBe(150);
  });
});

class Sink {
  isFull = false;
  isDestroyed = false;
  isEnded = false;
  readonly written: string[] = [];
  write(bytes: Uint8Array | string): boolean {
    this.written.push(Buffer.from(bytes as Uint8Array).toString());
    return !this.isFull;
  }
  end(): void {
    this.isEnded = true;
  }
  destroy(): void {
    this.isDestroyed = true;
  }
}

describe('a slow reader', () => {
  const frame = (sequence: number, event: string, isState: boolean) => ({
    sequence,
    event,
    isState,
    bytes: Buffer.from(`${event}${sequence}`),
  });

  it('gets every block and the newest state, in order', () => {
    const sink = new Sink();
    const stream = new LiveStream(sink, 4);
    sink.isFull = true;
    stream.send(frame(1, 'pool', true), 0);
    for (let i = 2; i < 100; i++) expect(stream.send(frame(i, 'pool', true), 0)).toBe(true);
    stream.send(frame(100, 'block', false), 0);
    stream.send(frame(101, 'pool', true), 0);
    stream.send(frame(102, 'block', false), 0);
    expect(sink.written).toEqual(['pool1']);
    sink.isFull = false;
    stream.drained(0);
    expect(sink.written).toEqual(['pool1', 'block100', 'pool101', 'block102']);
    expect(stream.waiting).toBe(0);
  });

  it('is cut when its queue is full, or when it does not drain in time', () => {
    const sink = new Sink();
    const stream = new LiveStream(sink, 2);
    sink.isFull = true;
    expect([1, 2, 3].map((i) => stream.send(frame(i, 'block', false), 0))).toEqual([true, true, true]);
    expect(stream.send(frame(4, 'block', false), 0)).toBe(false);
    expect(stream.beat(29_999, 30_000)).toBe(true);
    expect(stream.beat(30_000, 30_000)).toBe(false);
    expect(sink.written).toEqual(['block1']);
  });

  it('never costs more than its queue, whatever comes', () => {
    const action = fc.oneof(
      fc.constantFrom('pool', 'node', 'job').map((event) => ({ kind: 'state' as const, event })),
      fc.constant({ kind: 'block' as const, event: 'block' }),
      fc.constantFrom({ kind: 'fill' as const, event: '' }, { kind: 'drain' as const, event: '' }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const sink = new Sink();
        const stream = new LiveStream(sink, 10);
        const blocks: string[] = [];
        let isCut = false;
        for (const [i, { kind, event }] of actions.entries()) {
          if (kind === 'fill') sink.isFull = true;
          else if (kind === 'drain') {
            sink.isFull = false;
            stream.drained(i);
          } else {
            if (kind === 'block') blocks.push(`block${i}`);
            if (!stream.send(frame(i, event, kind === 'state'), i)) {
              isCut = true;
              break;
            }
          }
          expect(stream.waiting).toBeLessThanOrEqual(10);
        }
        if (isCut) return;
        sink.isFull = false;
        stream.drained(0);
        expect(sink.written.filter((text) => text.startsWith('block'))).toEqual(blocks);
      }),
    );
  });

  it('does not keep the feed from telling the others, also when its socket throws', () => {
    const pool = new FakePool();
    const feed = new LiveFeed({ clock: pool.clock, log: pool.log, limits: HTTP_LIMITS });
    const broken = new Sink();
    broken.write = () => {
      throw new Error('gone');
    };
    const good = new Sink();
    feed.add(broken, 'a', undefined);
    const subscription = feed.add(good, 'a', undefined);
    feed.publish('share', { fromMs: 0, toMs: 1, accepted: 1, rejected: 0, work: 1, hashrate: 1 });
    expect(broken.isDestroyed).toBe(true);
    expect(good.written).toHaveLength(1);
    expect(feed.size).toBe(1);
    subscription.leave();
    subscription.leave();
    expect(feed.size).toBe(0);
    feed.close();
    expect(() => feed.checkRoom('a')).toThrow('closing');
    expect(pool.clock.pending).toBe(0);
  });

  it('finds what it missed as long as it is kept', () => {
    const ring = new ReplayRing('e', 3);
    for (let i = 1; i <= 5; i++) ring.add('block', String(i), false);
    ring.add('pool', '"old"', true);
    ring.add('pool', '"new"', true);
    const since = (id?: string) => ring.since(id).map(({ sequence }) => sequence);
    expect(since()).toEqual([7]);
    expect(since('e-4')).toEqual([5, 7]);
    expect(since('e-1')).toEqual([3, 4, 5, 7]);
    expect(since('f-4')).toEqual([7]);
  });
});
