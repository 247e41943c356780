import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAnswers, type IndexCalls } from '../src/chain/calls.js';
import { Mempool } from '../src/chain/mempool.js';
import { ChainStore } from '../src/chain/store.js';
import { ChainSync, type IndexChange } from '../src/chain/sync.js';
import { byOutpoint, hashOf, ModelChain, modelTransaction, scriptOf } from './model-chain.js';

const SCRIPTS = 5;

interface Rig {
  readonly store: ChainStore;
  readonly sync: ChainSync;
  readonly answers: IndexCalls;
  readonly changes: IndexChange[];
  settle(): Promise<void>;
}

async function rigOn(chain: ModelChain, path = ':memory:'): Promise<Rig> {
  const store = await ChainStore.open(path, 'model/test');
  const mempool = new Mempool();
  const changes: IndexChange[] = [];
  const sync = new ChainSync({
    node: chain,
    store,
    mempool,
    settings: { maxMempool: 1000 },
    onProgress: () => {},
    onChange: (change) => changes.push(change),
    signal: new AbortController().signal,
  });
  const answers = createAnswers({ store, mempool, maxHistory: 10_000, live: () => sync.live });
  const settle = async (): Promise<void> => {
    for (let round = 0; await sync.step(); round++) expect(round, 'the index comes to rest').toBeLessThan(50);
  };
  return { store, sync, answers, changes, settle };
}

function answersOf({ answers }: Rig, script: number): Record<string, unknown> {
  const hash = hashOf(script);
  return {
    status: answers.statuses([hash])[0],
    history: answers.history(hash),
    balance: answers.balance(hash),
    unspent: [...answers.unspent(hash)].sort(byOutpoint),
  };
}

function expectSame(rig: Rig, chain: ModelChain): void {
  expect(rig.store.tipHash).toBe(chain.tip?.hash);
  for (let script = 0; script < SCRIPTS; script++) {
    expect(answersOf(rig, script)).toEqual(chain.answers(scriptOf(script)));
  }
}

type Step =
  | {
      readonly kind: 'pay';
      readonly picks: readonly number[];
      readonly to: readonly number[];
      readonly witness: boolean;
    }
  | { readonly kind: 'mine'; readonly take: number; readonly script: number }
  | { readonly kind: 'reorganise'; readonly depth: number; readonly more: number; readonly restore: boolean }
  | { readonly kind: 'evict'; readonly at: number }
  | { readonly kind: 'reopen' };

const small = fc.nat(50);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('pay' as const),
      picks: fc.array(small, { minLength: 1, maxLength: 3 }),
      to: fc.array(fc.nat(SCRIPTS), { minLength: 1, maxLength: 4 }),
      witness: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('mine' as const), take: fc.nat(8), script: fc.nat(SCRIPTS - 1) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('reorganise' as const),
      depth: fc.integer({ min: 1, max: 4 }),
      more: fc.integer({ min: 0, max: 3 }),
      restore: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('evict' as const), at: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

function play(chain: ModelChain, each: Exclude<Step, { kind: 'reopen' }>): void {
  switch (each.kind) {
    case 'pay': {
      const coins = chain.coins();
      const inputs = [...new Set(each.picks.map((pick) => pick % Math.max(1, coins.length)))].flatMap(
        (at) => coins[at] ?? [],
      );
      if (inputs.length === 0) return;
      const total = inputs.reduce((sum, { value }) => sum + value, 0n);
      const part = total / BigInt(each.to.length + 1);
      // The number past the last script is data that nobody can spend.
      const outputs = each.to.map((to) => ({
        value: part,
        script: to === SCRIPTS ? Uint8Array.of(0x6a, 1, 7) : scriptOf(to),
      }));
      chain.mempool.push(modelTransaction({ inputs, outputs, stamp: chain.stamp(), witness: each.witness }));
      return;
    }
    case 'mine':
      chain.mine(chain.mempool.slice(0, each.take), scriptOf(each.script));
      return;
    case 'reorganise': {
      const depth = Math.min(each.depth, chain.blocks.length - 1);
      chain.disconnect(depth, each.restore);
      for (let i = 0; i < depth + each.more; i++) chain.mine(chain.mempool.slice(0, i), scriptOf(i % SCRIPTS));
      return;
    }
    case 'evict': {
      const at = each.at % Math.max(1, chain.mempool.length);
      const gone = new Set([chain.mempool[at]?.txid]);
      // With everything that stands on it.
      chain.mempool = chain.mempool.filter(({ txid, inputs }) => {
        if (!gone.has(txid) && !inputs.some((coin) => gone.has(coin.txid))) return true;
        gone.add(txid);
        return false;
      });
    }
  }
}

describe('the index against a model that looks through the whole chain', () => {
  it('answers the same over random chains with mempools, reorganisations and restarts (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const folder = mkdtempSync(join(tmpdir(), 'headframe-index-'));
        const chain = new ModelChain();
        chain.mine([], scriptOf(0));
        let rig = await rigOn(chain, join(folder, 'index.db'));
        try {
          for (const each of steps) {
            if (each.kind === 'reopen') {
              rig.store.close();
              rig = await rigOn(chain, join(folder, 'index.db'));
            } else play(chain, each);
            await rig.settle();
            expectSame(rig, chain);
          }
          const fresh = await rigOn(chain);
          await fresh.settle();
          expectSame(fresh, chain);
          fresh.store.close();
        } finally {
          rig.store.close();
          rmSync(folder, { recursive: true, force: true });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('names every script whose status changed, before anybody asks (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const chain = new ModelChain();
        chain.mine([], scriptOf(0));
        const rig = await rigOn(chain);
        await rig.settle();
        const hashes = Array.from({ length: SCRIPTS }, (_, i) => hashOf(i));
        let before = rig.answers.statuses(hashes);
        for (const each of steps) {
          if (each.kind === 'reopen') continue;
          play(chain, each);
          rig.changes.length = 0;
          await rig.settle();
          const after = rig.answers.statuses(hashes);
          const told = new Set(rig.changes.flatMap(({ touched }) => [...(touched ?? hashes)]));
          for (const [i, hash] of hashes.entries()) {
            if (before[i] !== after[i]) expect(told.has(hash), `script ${i} was named`).toBe(true);
          }
          before = after;
        }
        rig.store.close();
      }),
      { numRuns: 60 },
    );
  });

  it('turns -1 into 0 and tells so when the parent is mined', async () => {
    const chain = new ModelChain();
    chain.mine([], scriptOf(0));
    const rig = await rigOn(chain);
    const pay = (to: number): void => play(chain, { kind: 'pay', picks: [0], to: [to], witness: false });
    pay(1);
    const [coin] = chain.coins().filter(({ script }) => script[2] === 2);
    const inputs = coin === undefined ? [] : [coin];
    chain.mempool.push(modelTransaction({ inputs, outputs: [{ value: 1n, script: scriptOf(2) }], stamp: 9 }));
    await rig.settle();
    expect(rig.answers.history(hashOf(2))).toMatchObject([{ height: -1 }]);
    chain.mine(chain.mempool.slice(0, 1), scriptOf(4));
    rig.changes.length = 0;
    await rig.settle();
    expect(rig.answers.history(hashOf(2))).toMatchObject([{ height: 0 }]);
    expect(rig.changes.some(({ touched }) => touched?.has(hashOf(2)))).toBe(true);
    rig.store.close();
  });

  it('goes on after a node that failed at any call, and stays right', async () => {
    const chain = new ModelChain();
    chain.mine([], scriptOf(0));
    const rig = await rigOn(chain);
    for (let failAt = 0; failAt < 25; failAt++) {
      play(chain, { kind: 'pay', picks: [failAt], to: [failAt % SCRIPTS, 1], witness: true });
      play(
        chain,
        failAt % 3 === 0
          ? { kind: 'reorganise', depth: 2, more: 1, restore: true }
          : { kind: 'mine', take: 1, script: 2 },
      );
      let calls = 0;
      chain.before = () => {
        if (calls++ === failAt) throw new Error('the node is gone');
      };
      await rig.settle().catch(() => {});
      chain.before = () => {};
      await rig.settle();
      expectSame(rig, chain);
    }
    rig.store.close();
  });

  it('turns 0 into -1 and tells so when the block of the parent is lost', async () => {
    const chain = new ModelChain();
    chain.mine([], scriptOf(0));
    const rig = await rigOn(chain);
    play(chain, { kind: 'pay', picks: [0], to: [1], witness: false });
    chain.mine(chain.mempool, scriptOf(4));
    const inputs = chain.coins().filter(({ script }) => script[2] === 2);
    chain.mempool.push(modelTransaction({ inputs, outputs: [{ value: 1n, script: scriptOf(2) }], stamp: 9 }));
    await rig.settle();
    expect(rig.answers.history(hashOf(2))).toMatchObject([{ height: 0 }]);
    rig.changes.length = 0;
    chain.disconnect(1, true);
    chain.mine([], scriptOf(3));
    await rig.settle();
    expect(rig.answers.history(hashOf(2))).toMatchObject([{ height: -1 }]);
    expect(rig.changes.some(({ touched }) => touched?.has(hashOf(2)))).toBe(true);
    rig.store.close();
  });

  it('does not lose a transaction that is mined while the mempool is listed', async () => {
    const chain = new ModelChain();
    chain.mine([], scriptOf(0));
    const rig = await rigOn(chain);
    play(chain, { kind: 'pay', picks: [0], to: [1], witness: false });
    await rig.settle();
    const [{ tx_hash: txid } = { tx_hash: '' }] = rig.answers.history(hashOf(1));
    let listed = 0;
    chain.before = (method) => {
      if (method === 'getrawmempool' && listed++ === 0) chain.mine(chain.mempool, scriptOf(0));
    };
    for (let more = true, round = 0; more; round++) {
      more = await rig.sync.step();
      expect(rig.answers.history(hashOf(1)), `round ${round}`).toMatchObject([{ tx_hash: txid }]);
    }
    await rig.settle();
    expect(rig.answers.history(hashOf(1))).toEqual([{ tx_hash: txid, height: 1 }]);
    rig.store.close();
  });

  it('drops what a block makes impossible before it tells of the block', async () => {
    const chain = new ModelChain();
    chain.mine([], scriptOf(0));
    const rig = await rigOn(chain);
    const inputs = chain.coins();
    play(chain, { kind: 'pay', picks: [0], to: [1], witness: false });
    await rig.settle();
    expect(rig.answers.history(hashOf(1))).toHaveLength(1);
    chain.mine([modelTransaction({ inputs, outputs: [{ value: 1n, script: scriptOf(2) }], stamp: 77 })], scriptOf(3));
    const seen: unknown[] = [];
    rig.changes.push = (...changes) => {
      seen.push(rig.answers.history(hashOf(1)));
      return changes.length;
    };
    await rig.settle();
    expect(seen[0]).toEqual([]);
    rig.store.close();
  });

  it('refuses a file of another chain', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headframe-index-'));
    const path = join(folder, 'index.db');
    (await ChainStore.open(path, 'bitcoin/main')).close();
    await expect(ChainStore.open(path, 'litecoin/main')).rejects.toMatchObject({ code: 'invalid_config' });
    rmSync(folder, { recursive: true, force: true });
  });
});
