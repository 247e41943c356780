import { FakeClock } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connection, ConnectionHandler } from './connection.js';
import { HalfOpenHandler, RecordingHandler } from './recording-handler.js';

/** Two ends of one connection, neither started. */
export interface TransportPair {
  readonly client: Connection;
  readonly server: Connection;
  /** Frees what the pair needed (a listener). */
  close(): Promise<void>;
}

/** The default linger time that pairs under test must use. */
const LINGER_MS = 5000;

class ThrowingHandler extends RecordingHandler {
  readonly #where: 'data' | 'closed' | 'drain' | 'ended';
  constructor(where: 'data' | 'closed' | 'drain' | 'ended') {
    super();
    this.#where = where;
  }
  override data(chunk: Uint8Array): void {
    super.data(chunk);
    if (this.#where === 'data') throw new Error('data threw');
  }
  override drain(): void {
    super.drain();
    if (this.#where === 'drain') throw new Error('drain threw');
  }
  ended(): void {
    this.noteEnded();
    if (this.#where === 'ended') throw new Error('ended threw');
  }
  override closed(error?: Error): void {
    super.closed(error);
    if (this.#where === 'closed') throw new Error('closed threw');
  }
}

/** Writes until nothing moves any more because the other end does not read; returns the bytes written. */
async function fill(connection: Connection): Promise<number> {
  const block = new Uint8Array(65_536).fill(0x78);
  let written = 0;
  for (;;) {
    while (connection.unsentBytes === 0) {
      if (connection.closing) return written;
      connection.write(block);
      written += block.length;
      if (written > 256 * 1024 * 1024) throw new Error('the connection never filled');
    }
    const before = connection.unsentBytes;
    // Encrypted writes are never done at once: some turns of the event loop tell being busy from being stuck.
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (connection.unsentBytes === before) return written;
  }
}

/**
 * The suite that every kind of connection passes.
 *
 * @param makePair Makes a connected pair that takes its time from `clock` and lingers 5,000 ms.
 */
export function describeTransport(name: string, makePair: (clock: FakeClock) => Promise<TransportPair>): void {
  describe(`transport: ${name}`, () => {
    let clock: FakeClock;
    let pair: TransportPair;

    beforeEach(async () => {
      clock = new FakeClock();
      pair = await makePair(clock);
    });
    afterEach(async () => {
      pair.client.destroy();
      pair.server.destroy();
      await pair.close();
    });

    function start<Client extends ConnectionHandler, Server extends ConnectionHandler>(
      client: Client,
      server: Server,
    ): { client: Client; server: Server } {
      pair.client.start(client);
      pair.server.start(server);
      return { client, server };
    }

    it('tells where it comes from', () => {
      expect(pair.client.id).not.toBe(pair.server.id);
      expect(pair.server.remoteAddress).toBe('127.0.0.1');
      expect(pair.server.remotePort).toBe(pair.client.localPort);
      expect(pair.client.remotePort).toBe(pair.server.localPort);
      expect(pair.client.secure).toBe(pair.client.kind === 'tls');
      expect(pair.server.closing).toBe(false);
    });

    it('carries bytes and text both ways, in order', async () => {
      const { client, server } = start(new RecordingHandler(), new RecordingHandler());
      let sent = '';
      for (let i = 0; i < 500; i++) {
        const text = `${i}:${'x'.repeat((i * 37) % 300)}\n`;
        pair.client.write(i % 2 === 0 ? text : Buffer.from(text));
        sent += text;
      }
      pair.server.write('caf\xe9\n');
      await server.until(() => server.bytes === sent.length);
      await client.until(() => client.bytes === 5);
      expect(server.text).toBe(sent);
      expect(client.text).toBe('caf\xe9\n');
    });

    it('carries a megabyte in one write', async () => {
      const { server } = start(new RecordingHandler(), new RecordingHandler());
      const big = Uint8Array.from({ length: 1_048_576 }, (_, i) => (i * 31 + (i >> 8)) & 255);
      pair.client.write(big);
      await server.until(() => server.bytes === big.length);
      expect(Buffer.compare(Buffer.concat(server.chunks), big)).toBe(0);
    });

    it('an orderly end: all bytes arrive, each side is closed once, without error', async () => {
      const { client, server } = start(new RecordingHandler(), new RecordingHandler());
      const big = 'y'.repeat(3_000_000);
      pair.server.write(big);
      pair.server.end();
      pair.server.end();
      pair.server.write('after the end');
      expect(pair.server.closing).toBe(true);
      await client.until(() => client.closes > 0);
      await server.until(() => server.closes > 0);
      expect(client.text).toBe(big);
      expect([client.closes, server.closes]).toEqual([1, 1]);
      expect([client.error, server.error]).toEqual([undefined, undefined]);
      pair.server.destroy();
      pair.client.destroy(new Error('too late'));
      pair.client.write('too late');
      expect([client.closes, server.closes]).toEqual([1, 1]);
      expect(clock.pending).toBe(0);
    });

    it('destroy: closed once with the error given; the other side is closed too', async () => {
      const { client, server } = start(new RecordingHandler(), new RecordingHandler());
      const error = new Error('enough');
      pair.server.destroy(error);
      pair.server.destroy(new Error('again'));
      await server.until(() => server.closes > 0);
      await client.until(() => client.closes > 0);
      expect([client.closes, server.closes]).toEqual([1, 1]);
      expect(server.error).toBe(error);
    });

    it('half-open: answers may follow after the peer has ended', async () => {
      const { client, server } = start(new RecordingHandler(), new HalfOpenHandler());
      pair.client.write('question');
      pair.client.end();
      await server.until(() => server.ends > 0);
      expect(server.text).toBe('question');
      expect(pair.server.closing).toBe(false);
      pair.server.write('answer');
      pair.server.end();
      await server.until(() => server.closes > 0);
      await client.until(() => client.closes > 0);
      expect([server.ends, server.closes, server.error]).toEqual([1, 1, undefined]);
    });

    it('half-open: a handler that never ends is cut after the linger time', async () => {
      const { server } = start(new HalfOpenHandler(), new HalfOpenHandler());
      pair.client.end();
      await server.until(() => server.ends > 0);
      clock.advance(LINGER_MS);
      await server.until(() => server.closes > 0);
      expect(server.closes).toBe(1);
    });

    it('ended, but the peer never ends: destroyed after the linger time', async () => {
      const { client, server } = start(new HalfOpenHandler(), new HalfOpenHandler());
      pair.server.end();
      await client.until(() => client.ends > 0);
      expect(server.closes).toBe(0);
      clock.advance(LINGER_MS);
      await server.until(() => server.closes > 0);
      expect([server.closes, server.error]).toEqual([1, undefined]);
    });

    it('ended, but the peer does not read: destroyed after the linger time', async () => {
      const { server } = start(new RecordingHandler(), new RecordingHandler());
      pair.client.pause();
      await fill(pair.server);
      pair.server.end();
      clock.advance(LINGER_MS);
      await server.until(() => server.closes > 0);
      expect(server.closes).toBe(1);
    });

    it('paused: nothing arrives, the writer feels it, and nothing is lost', async () => {
      const { client, server } = start(new RecordingHandler(), new RecordingHandler());
      pair.server.write('before');
      await client.until(() => client.bytes === 6);
      pair.client.pause();
      const written = await fill(pair.server);
      expect(pair.server.unsentBytes).toBeGreaterThan(0);
      const seen = client.bytes;
      const { drains } = server;
      // The other direction is not concerned.
      pair.client.write('hello');
      await server.until(() => server.bytes === 5);
      expect(client.bytes).toBe(seen);
      expect(server.drains).toBe(drains);
      pair.client.resume();
      await client.until(() => client.bytes === 6 + written);
      await server.until(() => server.drains > drains);
      expect(pair.server.unsentBytes).toBe(0);
    });

    it('paused, then ended: what still comes is for nobody, and the end of the peer is seen', async () => {
      const { client, server } = start(new RecordingHandler(), new RecordingHandler());
      pair.server.pause();
      pair.client.write('x'.repeat(1000));
      pair.client.end();
      pair.server.end();
      await server.until(() => server.closes > 0);
      await client.until(() => client.closes > 0);
      expect([server.bytes, server.error]).toEqual([0, undefined]);
    });

    it('paused: the end comes after what was sent before it', async () => {
      const { client } = start(new HalfOpenHandler(), new RecordingHandler());
      pair.client.pause();
      pair.server.write('last words');
      pair.server.end();
      pair.client.resume();
      await client.until(() => client.ends > 0);
      expect(client.text).toBe('last words');
    });

    it('hands over to another handler: bytes given back come first, nothing is lost', async () => {
      const second = new RecordingHandler();
      const { server } = pair;
      const first: ConnectionHandler = {
        data(chunk) {
          server.unread(chunk.subarray(3));
          server.unread(chunk.subarray(1, 3));
          server.start(second);
        },
        drain() {},
        closed() {},
      };
      pair.client.start(new RecordingHandler());
      pair.server.start(first);
      pair.client.write('0123456789');
      await second.until(() => second.bytes === 9);
      pair.client.write('abc');
      await second.until(() => second.bytes === 12);
      expect(second.text).toBe('123456789abc');
    });

    it('keeps everything in order until the other handler comes, however late', async () => {
      const second = new HalfOpenHandler();
      let handedBack: () => void = () => {};
      const done = new Promise<void>((resolve) => {
        handedBack = resolve;
      });
      const { server } = pair;
      pair.client.start(new RecordingHandler());
      pair.server.start({
        data(chunk) {
          server.unread(chunk);
          handedBack();
        },
        drain() {},
        closed() {},
      });
      pair.client.write('first ');
      await done;
      pair.client.write('second');
      pair.client.end();
      await new Promise((resolve) => setImmediate(resolve));
      pair.server.start(second);
      await second.until(() => second.ends > 0);
      expect(second.text).toBe('first second');
    });

    it('bounds what piles up until the other handler comes', async () => {
      const second = new RecordingHandler();
      const { server } = pair;
      pair.client.start(new RecordingHandler());
      pair.server.start({ data: (chunk) => server.unread(chunk), drain() {}, closed() {} });
      const written = await fill(pair.client);
      expect(pair.client.unsentBytes).toBeGreaterThan(0);
      server.start(second);
      await second.until(() => second.bytes === written);
    });

    it('says drain only for what was unsent', async () => {
      const { client, server } = start(new RecordingHandler(), new RecordingHandler());
      let wasUnsent = false;
      for (let i = 0; i < 10; i++) {
        pair.server.write('x');
        wasUnsent ||= pair.server.unsentBytes > 0;
        await client.until(() => client.bytes === i + 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(server.drains > 0).toBe(wasUnsent);
    });

    it('what was given back is for the next handler only, whoever pauses and resumes before', async () => {
      const first = new RecordingHandler();
      const second = new RecordingHandler();
      pair.server.start(first);
      pair.server.unread(Buffer.from('given back'));
      pair.server.pause();
      pair.server.resume();
      await new Promise((resolve) => setImmediate(resolve));
      pair.server.start(second);
      await second.until(() => second.bytes === 10);
      expect(first.bytes).toBe(0);
    });

    it('delivers what was given back after resume when paused', async () => {
      const handler = new RecordingHandler();
      pair.server.unread(Buffer.from('given back'));
      pair.server.pause();
      pair.server.start(handler);
      expect(handler.bytes).toBe(0);
      pair.server.resume();
      await handler.until(() => handler.bytes === 10);
      expect(handler.text).toBe('given back');
    });

    it.each(['data', 'ended'] as const)('a handler that throws in %s costs its own connection only', async (where) => {
      const { client, server } = start(new RecordingHandler(), new ThrowingHandler(where));
      pair.client.write('x');
      pair.client.end();
      await server.until(() => server.closes > 0);
      await client.until(() => client.closes > 0);
      expect(server.closes).toBe(1);
      expect(server.error?.message).toBe(`${where} threw`);
    });

    it('a handler that throws in drain costs its own connection only', async () => {
      const { client, server } = start(new RecordingHandler(), new ThrowingHandler('drain'));
      pair.client.pause();
      await fill(pair.server);
      pair.client.resume();
      await server.until(() => server.closes > 0);
      await client.until(() => client.closes > 0);
      expect(server.error?.message).toBe('drain threw');
    });

    it('a handler that throws in closed harms nobody', async () => {
      const { client, server } = start(new RecordingHandler(), new ThrowingHandler('closed'));
      pair.server.destroy();
      await server.until(() => server.closes > 0);
      await client.until(() => client.closes > 0);
      expect(server.closes).toBe(1);
    });

    it('tells a handler that comes too late of the end', async () => {
      const { client } = start(new RecordingHandler(), new RecordingHandler());
      const error = new Error('gone');
      pair.client.destroy(error);
      await client.until(() => client.closes > 0);
      const late = new RecordingHandler();
      pair.client.start(late);
      expect(late.closes).toBe(1);
      pair.client.write('x');
      pair.client.unread(Buffer.from('x'));
      pair.client.end();
    });
  });
}
