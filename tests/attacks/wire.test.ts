// Hostile and unlucky bytes against a whole server: whatever comes, the process lives, the other miners are not touched,
// and honest input gets its answer.
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, type BenchOptions, bench } from '../support/bench-server.js';

let b: Bench;
afterEach(() => b.close());

async function begin(setup: BenchOptions<{ readonly id: string }> = {}): Promise<Bench> {
  b = await bench(setup);
  return b;
}

/** Bytes that are the same in every run. */
function noise(length: number, seed: number): Uint8Array {
  let state = seed >>> 0;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

describe('node-stratum: a line split over two packets', () => {
  it('a handshake with a share, cut at every byte, is answered every time', { timeout: 60_000 }, async () => {
    await begin({ options: { limits: { requestBurst: 1e6, leaseMs: 0 } } });
    const first = await b.connect().start();
    const lines = (): string =>
      [
        { id: 1, method: 'mining.configure', params: [['version-rolling'], { 'version-rolling.mask': 'ffffffff' }] },
        { id: 2, method: 'mining.subscribe', params: ['bitaxe/1'] },
        { id: 3, method: 'mining.authorize', params: ['alice.rig1', 'x'] },
      ]
        .map((line) => `${JSON.stringify(line)}\r\n`)
        .join('');
    const handshake = Buffer.from(lines());
    for (let cut = 1; cut < handshake.length; cut++) {
      const miner = b.connect();
      miner.write(handshake.subarray(0, cut));
      await settle();
      miner.write(handshake.subarray(cut));
      expect((await miner.answer(2)).error).toBeNull();
      await miner.answer(3);
      await settle();
      expect(miner.jobs, `cut at ${cut}`).toHaveLength(1);
      if (cut % 7 !== 0) {
        miner.connection.destroy();
        continue;
      }
      // And its share, cut at every byte too, over the life of the loop.
      const line = Buffer.from(miner.submitLine(miner.search(), 9));
      const at = 1 + (cut % (line.length - 1));
      miner.write(line.subarray(0, at));
      await settle();
      miner.write(line.subarray(at));
      expect(await miner.answer(9), `share cut at ${at}`).toMatchObject({ result: true, error: null });
      miner.connection.destroy();
    }
    const line = Buffer.from(first.submitLine(first.search(), 'split'));
    for (let cut = 1; cut < line.length; cut++) {
      const share = first.search();
      const bytes = Buffer.from(first.submitLine(share, `s${cut}`));
      first.write(bytes.subarray(0, cut));
      await settle();
      first.write(bytes.subarray(cut));
      expect((await first.answer(`s${cut}`)).result, `cut at ${cut}`).toBe(true);
    }
  });

  it('byte by byte', async () => {
    await begin();
    const miner = await b.connect({ chunkBytes: 1 }).start();
    expect((await miner.mine()).result).toBe(true);
  });
});

describe('junk', () => {
  const JUNK: readonly (readonly [string, string | Uint8Array])[] = [
    ['a TLS hello', Uint8Array.of(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, ...noise(190, 1))],
    ['an HTTP request', 'GET /api/stats HTTP/1.1\r\nHost: pool\r\n\r\n'],
    ['a PROXY header nobody asked for', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n{"id":1,"method":"mining.subscribe"}\n'],
    ['64 random bytes', noise(64, 2)],
    ['4 KiB of zeros', new Uint8Array(4096)],
    ['a megabyte of noise', noise(1 << 20, 3)],
    ['an SMB probe', Uint8Array.of(0, 0, 0, 133, 255, 83, 77, 66)],
    ['quotes without end', `{"id":1,"method":"${'a'.repeat(100_000)}`],
    ['ten thousand open brackets', '['.repeat(10_000)],
    ['ten thousand open objects', '{"a":'.repeat(10_000)],
    ['deep JSON on one line', `{"id":1,"method":"mining.submit","params":${'['.repeat(8000)}${']'.repeat(8000)}}\n`],
    ['a line of 16 MiB', `{"id":1,"method":"mining.ping","params":["${'x'.repeat(1 << 24)}"]}\n`],
    ['newlines only', '\n'.repeat(200_000)],
    ['spaces without end', ' '.repeat(200_000)],
    ['null lines', 'null\n'.repeat(100)],
    ['arrays for messages', '[1,2,3]\n'.repeat(100)],
    ['a batch', '[{"id":1,"method":"mining.subscribe"},{"id":2,"method":"mining.authorize"}]\n'],
    ['broken UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0xc0, 0x22, 0x3a, 0x31, 0x7d, 0x0a)],
    ['NULs in a line', '{"id":1,\0"method":"mining.subscribe"}\n'],
    ['a BOM on every line', '\ufeff{"id":1,"method":"mining.subscribe","params":[]}\n'.repeat(10)],
    ['numbers that overflow', '{"id":1e999,"method":"mining.suggest_difficulty","params":[1e999]}\n'],
    ['a submit of numbers', '{"id":1,"method":"mining.submit","params":[1,2,3,4,5]}\n'],
    ['a very large id', `{"id":${'9'.repeat(10_000)},"method":"mining.ping"}\n`],
    [
      'keys of the prototype',
      '{"__proto__":{"admin":true},"constructor":{"prototype":1},"id":1,"method":"__proto__"}\n',
    ],
  ];

  it.each(JUNK)('%s harms nobody', async (_name, junk) => {
    await begin();
    const other = await b.connect({ clientAddress: '10.9.9.9' }).start();
    // On a fresh connection, and on one that works.
    const fresh = b.connect();
    fresh.write(junk);
    const working = await b.connect().start();
    working.write(junk);
    await settle();
    fresh.write('{"id":77,"method":"mining.subscribe","params":[]}\n');
    await settle();
    expect((await other.mine()).result).toBe(true);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    const later = await b.connect({ clientAddress: '10.9.9.8' }).start();
    expect((await later.mine()).result).toBe(true);
  });
});

describe('a flood', () => {
  it('of 10,000 lines in one write is answered in order, at the rate of the session, without loss', async () => {
    await begin();
    const other = await b.connect({ clientAddress: '10.9.9.9' }).start();
    // A socket hands over 64 KiB at a time; limits are looked at in between.
    const miner = await b.connect({ chunkBytes: 65_536 }).start();
    miner.send(...Array.from({ length: 10_000 }, (_, i) => ({ id: `f${i}`, method: 'mining.ping', params: [] })));
    await settle();
    const soon = miner.lines.length;
    expect(soon).toBeLessThan(5000);
    expect((await other.mine()).result).toBe(true);
    await b.clock.advanceAsync(60_000);
    const ids = miner.lines.filter(({ id }) => typeof id === 'string' && id.startsWith('f')).map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: 10_000 }, (_, i) => `f${i}`));
  });

  it('of 10,000 lines of garbage closes after the fourth', async () => {
    await begin();
    const miner = await b.connect().start();
    miner.write('garbage\n'.repeat(10_000));
    await miner.until('the end', () => miner.closed);
    expect(miner.lines.filter(({ error }) => error).length).toBeLessThanOrEqual(4);
  });

  it('of connections stops at the limits of one address, and the others get in', async () => {
    await begin({ options: { limits: { connectionsPerAddress: 100, unauthorizedPerAddress: 20 } } });
    const silent = Array.from({ length: 500 }, () => b.connect({ clientAddress: '10.6.6.6' }));
    await settle();
    expect(silent.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(20);
    const miner = await b.connect({ clientAddress: '10.0.0.2' }).start();
    expect((await miner.mine()).result).toBe(true);
    // Who never logs in is gone after the time to do so.
    await b.clock.advanceAsync(45_000);
    expect(silent.every(({ closed }) => closed)).toBe(true);
    expect(b.server.stats().sessions).toMatchObject({ sessions: 1, opening: 0 });
  });

  it('of subscribes that never authorize takes no extranonce for good', async () => {
    await begin({ options: { limits: { extranonces: 50 } } });
    for (let round = 0; round < 5; round++) {
      const many = Array.from({ length: 40 }, (_, i) => b.connect({ clientAddress: `10.7.${round}.${i}` }));
      await Promise.all(many.map((miner) => miner.subscribe()));
      for (const { connection } of many) connection.destroy();
      await settle();
    }
    expect(b.server.stats().extranonces).toBe(0);
  });

  it('of submits for jobs that never were costs no more than the rate', async () => {
    await begin({ options: { bans: { enabled: false } } });
    const miner = await b.connect().start();
    miner.send(
      ...Array.from({ length: 3000 }, (_, i) => ({
        id: `j${i}`,
        method: 'mining.submit',
        params: ['alice.rig1', i.toString(16), '0000000000000000', '6553f100', '00000000'],
      })),
    );
    await b.clock.advanceAsync(10_000);
    const answers = miner.lines.filter(({ id }) => typeof id === 'string' && id.startsWith('j'));
    expect(answers).toHaveLength(3000);
    expect((await miner.mine()).result).toBe(true);
  });
});

describe('handlers of the user that misbehave', () => {
  it('a method that throws, hangs or answers nonsense ends in an error, and the next share counts', async () => {
    await begin();
    const { server } = b;
    server.method('x.throw', {
      handler: () => {
        throw new Error('secret detail');
      },
    });
    server.method('x.reject', { handler: () => Promise.reject(new Error('secret detail')) });
    server.method('x.hang', { handler: () => new Promise(() => {}) });
    server.method('x.bigint', { handler: () => 10n });
    server.method('x.cycle', {
      handler: () => {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        return cycle;
      },
    });
    server.method('x.toJSON', {
      handler: () => ({
        toJSON: () => {
          throw new Error('secret detail');
        },
      }),
    });
    server.method('x.nothing', { handler: () => undefined });
    server.on('share', () => {
      throw new Error('a listener that throws');
    });
    server.hook('onClose', () => {
      throw new Error('a hook that throws');
    });
    const miner = await b.connect().start();
    for (const name of ['x.throw', 'x.reject', 'x.bigint', 'x.cycle', 'x.toJSON']) {
      const { error } = await miner.call(name, []);
      expect(error, name).toMatchObject([20, expect.not.stringContaining('secret'), null]);
    }
    expect((await miner.call('x.nothing', [])).result).toBeNull();
    const hanging = miner.call('x.hang', []);
    await b.clock.advanceAsync(12_000);
    expect((await hanging).error).toMatchObject([20, expect.any(String), null]);
    expect((await miner.mine()).result).toBe(true);
    miner.connection.destroy();
    await settle();
    expect(b.server.sessionCount).toBe(0);
  });

  it('account functions that throw refuse one authorize and nothing else', async () => {
    b = await bench({
      options: {
        authorize: ({ username }) => ({ id: username }),
        accountKey: (account) => {
          if (account.id === 'evil') throw new Error('no key');
          return account.id;
        },
      },
    });
    const miner = b.connect();
    await miner.subscribe();
    expect((await miner.authorize('evil')).error).toMatchObject([20, expect.any(String), null]);
    expect((await miner.authorize('alice.rig1')).result).toBe(true);
    await settle();
    expect((await miner.mine()).result).toBe(true);
  });
});
