import { decodeAddress, encodeAddress } from '@headframe/coins';
import { COINBASE_SIZE_CLASSES, type StoredBatch } from '@headframe/ledger';
import { type BlockTemplate, buildCoinbase, buildJob, hashableJob } from '@headframe/mining';
import { PoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import { createSplitPlanner, outputSetsFor, type SplitPlanner } from '../src/index.js';
import { RecentWindow } from '../src/split-window.js';
import { coin, POOL, World } from './accountant-world.js';

const POOL_SCRIPT = decodeAddress(coin, POOL).script;
/** Of difficulty 256. */
const target = (): Uint8Array => {
  const bytes = new Uint8Array(32);
  const value = 0xffffn << 200n;
  for (let i = 0; i < 32; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 255n);
  return bytes;
};
const miner = (i: number): string => {
  const hash = new Uint8Array(20);
  new DataView(hash.buffer).setUint32(16, i + 1);
  return encodeAddress(coin, Uint8Array.of(0x00, 0x14, ...hash)) ?? '';
};

function template(change: Partial<BlockTemplate> = {}): BlockTemplate {
  return {
    height: 101,
    previousHash: new Uint8Array(32),
    version: 0x20000000,
    nbits: 0x1c00ffff,
    networkTarget: target(),
    currentTime: 1_700_000_000,
    minTime: 1_700_000_000,
    coinbaseValue: 5_000_000_000n,
    transactions: [],
    coinbaseAux: new Uint8Array(0),
    witnessCommitment: new Uint8Array(38),
    requiredOutputs: [],
    coinbasePayload: undefined,
    mweb: undefined,
    weightLimit: 4_000_000,
    longPollId: undefined,
    workId: undefined,
    rules: [],
    ...change,
  };
}

const poolTag = Buffer.from('/headframe/');
function planner(world: World, extranonceLengths = [12]): SplitPlanner {
  return createSplitPlanner(
    { coin, poolAccount: POOL, poolScript: POOL_SCRIPT, extranonceLengths, poolTag },
    { ledger: world.ledger, accounting: world.books, clock: world.clock },
  );
}

/** Amounts by address of each variant's coinbase. */
function amounts(
  made: ReturnType<SplitPlanner['variants']>,
  at: BlockTemplate,
): Record<string, Record<string, bigint>> {
  return Object.fromEntries(
    made.map(({ key = '', extranonceLength, outputs }) => {
      const built = buildCoinbase({ template: at, outputs, poolTag, stamp: 0, extranonceLength });
      const paid = built.outputs.filter(({ amount }) => amount > 0n);
      expect(paid.reduce((sum, { amount }) => sum + amount, 0n)).toBe(at.coinbaseValue);
      return [key, Object.fromEntries(paid.map(({ script, amount }) => [encodeAddress(coin, script) ?? '', amount]))];
    }),
  );
}

describe('the planner', () => {
  it('pays the pool while nobody has shares, and the miners from the next refresh on', async () => {
    const world = new World();
    const plan = planner(world);
    await plan.start();
    const at = template();
    expect(amounts(plan.variants(at.coinbaseValue, at), at)).toEqual({ '12/main': { [POOL]: 5_000_000_000n } });
    await world.shares(`${miner(1)} 96`, `${miner(2)} 32`);
    expect(Object.keys(amounts(plan.variants(at.coinbaseValue, at), at)['12/main'] ?? {})).toEqual([POOL]);
    await world.clock.advanceAsync(10_000);
    // Everybody fits everywhere: one set, named after the smallest class.
    expect(amounts(plan.variants(at.coinbaseValue, at), at)).toEqual({
      '12/tiny': { [miner(1)]: 3_750_000_000n, [miner(2)]: 1_250_000_000n },
    });
    expect(plan.status()).toMatchObject({ accounts: 2, sets: [{ name: 'tiny', outputs: 2 }], lastError: undefined });
    await plan.close();
  });

  it('after a restart the first job is planned', async () => {
    const world = new World();
    await world.shares(`${miner(1)} 96`);
    const plan = planner(world);
    await plan.start();
    const at = template();
    expect(amounts(plan.variants(at.coinbaseValue, at), at)).toEqual({ '12/tiny': { [miner(1)]: 5_000_000_000n } });
    await plan.close();
  });

  it('makes a set for each class that is paid otherwise, the same for all extranonces', async () => {
    const world = new World();
    for (let i = 0; i < 100; i++) await world.shares(`${miner(i)} ${1 + i / 100}`);
    const plan = planner(world, [8, 12]);
    await plan.start();
    const at = template();
    const made = plan.variants(at.coinbaseValue, at);
    expect(made.map(({ key }) => key)).toEqual([
      '8/tiny',
      '8/main',
      '8/medium',
      '8/large',
      '12/tiny',
      '12/main',
      '12/medium',
      '12/large',
    ]);
    const paid = amounts(made, at);
    expect(paid['8/main']).toEqual(paid['12/main']);
    const counts = ['tiny', 'main', 'medium', 'large'].map((name) => Object.keys(paid[`12/${name}`] ?? {}).length);
    expect(counts).toEqual([12, 20, 68, 100]);
    for (const { name, maxBytes } of COINBASE_SIZE_CLASSES) {
      const variant = made.find(({ key }) => key === `12/${name}`);
      if (variant === undefined) continue;
      const job = buildJob(at, { id: 1, coin, variants: [variant], poolTag, nowMs: 0, clean: true });
      const { coinbase1, coinbase2 } = hashableJob(job, `12/${name}`);
      expect(coinbase1.length + 12 + coinbase2.length).toBeLessThanOrEqual(maxBytes);
    }
    await plan.close();
  });

  it('pays first who was owed, and less to who was paid in advance', async () => {
    const world = new World();
    await world.shares(`${miner(1)} 64`, `${miner(2)} 64`);
    await world.books.book({
      key: 'block:before',
      state: 'immature',
      timeMs: 0,
      entries: [
        { account: miner(1), kind: 'coinbase', amount: -1_000_000_000n },
        { account: miner(3), kind: 'reward', amount: 1_000_000_000n },
      ],
    });
    const plan = planner(world);
    await plan.start();
    const at = template();
    expect(amounts(plan.variants(at.coinbaseValue, at), at)['12/tiny']).toEqual({
      [miner(1)]: 1_500_000_000n,
      [miner(2)]: 2_500_000_000n,
      [miner(3)]: 1_000_000_000n,
    });
    await plan.close();
  });

  it('what was paid by other ways came out of the pocket of the pool, which gets it back', async () => {
    const world = new World();
    await world.shares(`${miner(1)} 64`);
    await world.books.book({
      key: 'adjustment:by-hand',
      state: 'final',
      timeMs: 0,
      entries: [{ account: miner(1), kind: 'adjustment', amount: -1_000_000_000n }],
    });
    const plan = planner(world);
    await plan.start();
    const at = template();
    expect(amounts(plan.variants(at.coinbaseValue, at), at)['12/tiny']).toEqual({
      [miner(1)]: 4_000_000_000n,
      [POOL]: 1_000_000_000n,
    });
    await plan.close();
  });

  it('looks at 600 accounts of 5,000 for a job, and keeps what it worked out for a reward', async () => {
    const world = new World();
    const names = Array.from({ length: 5000 }, (_, i) => `${miner(i)} ${1 + (i % 977) / 1000}`);
    world.books.recorded.clear();
    world.recordHeight(100, { networkTarget: (0xffffn << 190n).toString(16).padStart(64, '0') });
    await world.shares(...names);
    const plan = planner(world);
    await plan.start();
    const at = template({ networkTarget: Uint8Array.from(target().map((_, i) => (i === 24 ? 1 : 0))) });
    const made = plan.variants(at.coinbaseValue, at);
    expect(plan.status()).toMatchObject({ accounts: 5000 });
    expect(plan.status().sets.map(({ outputs }) => outputs)).toEqual([12, 20, 68, 205, 524]);
    expect(plan.variants(at.coinbaseValue, at).map(({ outputs }) => outputs)).toEqual(
      made.map(({ outputs }) => outputs),
    );
    const paid = amounts(made, at);
    // Among the largest workers, whatever the class.
    for (const set of Object.values(paid)) {
      for (const amount of Object.values(set)) expect(amount).toBeGreaterThan(0n);
    }
    await plan.close();
  });

  it('keeps its plan when the ledger fails, and says so', async () => {
    const world = new World();
    await world.shares(`${miner(1)} 64`);
    const plan = planner(world);
    await plan.start();
    world.ledger.shareLog = () => Promise.reject(new PoolError('storage_failed', 'no disk'));
    await world.clock.advanceAsync(20_000);
    expect(plan.status().lastError).toBe('no disk');
    const at = template();
    expect(Object.keys(amounts(plan.variants(at.coinbaseValue, at), at)['12/tiny'] ?? {})).toEqual([miner(1)]);
    await plan.close();
  });

  it('accounts without an address wait', async () => {
    const world = new World();
    await world.shares('somebody 64', `${miner(1)} 64`);
    const plan = planner(world);
    await plan.start();
    const at = template();
    expect(amounts(plan.variants(at.coinbaseValue, at), at)['12/tiny']).toEqual({ [miner(1)]: 5_000_000_000n });
    world.books.set.set('somebody', { address: miner(2) });
    await plan.refresh();
    expect(amounts(plan.variants(at.coinbaseValue, at), at)['12/tiny']).toEqual({
      [miner(1)]: 2_500_000_000n,
      [miner(2)]: 2_500_000_000n,
    });
    await plan.close();
  });

  it('is made with lengths and classes', () => {
    expect(() => planner(new World(), [])).toThrow(PoolError);
  });
});

describe('the window up to now', () => {
  const batch = (id: number, account: string, difficulty: number): StoredBatch => ({
    id,
    epoch: 'e',
    sequence: id,
    shares: [
      {
        timeMs: 0,
        account,
        worker: '',
        address: '',
        jobId: 1,
        height: 1,
        result: 'accepted',
        difficulty,
        achieved: 1,
        blockHash: undefined,
      },
    ],
  });
  const log = (batches: StoredBatch[]) => {
    let reads = 0;
    return {
      batches,
      reads: () => reads,
      shareLog: async (after = 0) => {
        reads++;
        return batches.filter(({ id }) => id > after).slice(0, 64);
      },
    };
  };
  const units = (difficulty: number): bigint => BigInt(difficulty) * 10n ** 15n;
  const { signal } = new AbortController();

  it.each([
    ['dense ids', 1, 0],
    ['ids with gaps', 7, 0],
    ['a log whose beginning was pruned', 1, 1_000_000],
  ])('is read from the end: %s', async (_, stride, offset) => {
    const source = log(Array.from({ length: 3000 }, (__, i) => batch(offset + (i + 1) * stride, `a${i % 3}`, 1)));
    const window = new RecentWindow(source);
    await window.follow(units(300), signal);
    const first = window.work;
    expect(first).toBeGreaterThanOrEqual(units(300));
    expect(first).toBeLessThanOrEqual(units(300 + 5));
    expect(window.accounts().map(({ account }) => account)).toEqual(['a0', 'a1', 'a2']);
    expect(source.reads()).toBeLessThan(200);
    // It follows, and lets go at the other end.
    for (let i = 0; i < 300; i++) source.batches.push(batch(offset + 3001 * stride + i, 'new', 1));
    expect(await window.follow(units(300), signal)).toBe(true);
    expect(window.work).toBeLessThanOrEqual(units(305));
    const [one, two, three, fresh] = ['a0', 'a1', 'a2', 'new'].map(
      (name) => window.accounts().find(({ account }) => account === name)?.work ?? 0n,
    );
    expect(fresh).toBe(units(300));
    expect((one ?? 0n) + (two ?? 0n) + (three ?? 0n)).toBeLessThanOrEqual(units(5));
    expect(await window.follow(units(300), signal)).toBe(false);
  });

  it('grows with the difficulty of the network', async () => {
    const source = log(Array.from({ length: 1000 }, (_, i) => batch(i + 1, 'a', 1)));
    const window = new RecentWindow(source);
    await window.follow(units(100), signal);
    await window.follow(units(400), signal);
    expect(window.work).toBeGreaterThanOrEqual(units(400));
    await window.follow(units(50), signal);
    expect(window.work).toBeLessThanOrEqual(units(60));
    await window.follow(units(5000), signal);
    expect(window.work).toBe(units(1000));
  });

  it('of an empty log is empty, and of shares that were refused', async () => {
    const source = log([]);
    const window = new RecentWindow(source);
    await window.follow(units(10), signal);
    const refused = batch(1, 'a', 1);
    source.batches.push({
      ...refused,
      shares: refused.shares.map((share) => ({ ...share, result: 'stale' as const })),
    });
    await window.follow(units(10), signal);
    expect([window.work, window.accounts()]).toEqual([0n, []]);
  });
});

describe('output sets of firmware', () => {
  it.each([
    ['NiceHash/1.0', ['tiny', 'main', 'medium', 'large', 'huge']],
    ['cgminer/4.11', ['main', 'tiny', 'medium', 'large', 'huge']],
    ['bitaxe/BM1370/v2.9', ['large', 'medium', 'main', 'tiny', 'huge']],
    ['', ['main', 'tiny', 'medium', 'large', 'huge']],
  ])('%s', (agent, sets) => {
    expect(outputSetsFor(agent)).toEqual(sets);
    expect(outputSetsFor(agent)).toBe(outputSetsFor(agent));
  });
});
