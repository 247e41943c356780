import { FakeClock } from '@headframe/primitives/testing';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Chain } from '../src/chain.js';
import { createDevNode, type DevNode, parseBlock, parseTransaction } from '../src/index.js';
import { makeTransaction } from '../src/make-transaction.js';
import { Mempool } from '../src/mempool.js';
import { mineBlock, selectTransactions } from '../src/miner.js';
import { chainParams } from '../src/params.js';
import { REGTEST_BITS } from '../src/target.js';
import { Wallet } from '../src/wallet.js';
import { blockParts, buildBlock } from './support.js';

let node: DevNode;
let disconnected: readonly string[];

beforeEach(() => {
  node = createDevNode({ clock: new FakeClock() });
  disconnected = [];
  node.on('tip', (tip) => {
    disconnected = tip.disconnected;
  });
});

describe('a sibling of the tip', () => {
  it('is inconclusive, and wins with one block more', () => {
    const [parent = ''] = node.mineBlocks(1);
    const [first = ''] = node.mineBlocks(1);
    const [sibling = ''] = node.mineBlocks(1, { onto: parent });
    expect(node.tipHash).toBe(first);
    const [child = ''] = node.mineBlocks(1, { onto: sibling });
    expect(node.tipHash).toBe(child);
    expect(disconnected).toEqual([first]);
    expect(node.height).toBe(3);
  });

  it('says inconclusive through submitblock', () => {
    const rival = createDevNode({ clock: new FakeClock() });
    const mine = buildBlock(blockParts(node));
    rival.mineBlocks(1);
    const theirs = rival.getBlock(rival.tipHash) ?? new Uint8Array();
    expect(node.submitBlock(mine)).toBeNull();
    expect(node.submitBlock(theirs)).toBe('inconclusive');
    expect(node.tipHash).toBe(parseBlock(mine).header.id);
  });
});

it('leaves an invalidated block and comes back to the best of the rest', () => {
  const hashes = node.mineBlocks(5);
  expect(node.invalidateBlock(hashes[2] ?? '')).toBe(true);
  expect(node.height).toBe(2);
  expect(disconnected).toEqual([hashes[4], hashes[3], hashes[2]]);
  expect(node.submitBlock(buildBlock(blockParts(node)))).toBeNull();
  expect(node.height).toBe(3);
  expect(node.invalidateBlock('ab'.repeat(32))).toBe(false);
});

it('puts the transactions of a lost block back into the mempool and drops what the new chain contradicts', () => {
  node.mineBlocks(102);
  const fork = node.tipHash;
  const [kept = ''] = node.addMempoolTransaction();
  node.mineBlocks(1);
  expect(node.template().transactions).toEqual([]);
  node.mineBlocks(2, { onto: fork });
  expect(node.template().transactions).toMatchObject([{ txid: kept }]);
});

it('rolls back when the better chain turns out to be invalid', () => {
  node.mineBlocks(101);
  const fork = node.tipHash;
  const greedy = createDevNode({ clock: new FakeClock() });
  for (let height = 1; height <= 101; height++) {
    // The same chain, block by block, on another node.
    greedy.submitBlock(node.getBlock(hashAt(node, height)) ?? new Uint8Array());
  }
  expect(greedy.tipHash).toBe(fork);
  const [tip] = node.mineBlocks(1);
  // A side branch whose first block claims too much shows itself only when it gets the most work.
  const parts = blockParts(greedy);
  const claim = parts.outputs[0];
  if (claim !== undefined) parts.outputs[0] = { ...claim, value: claim.value + 1n };
  const bad = buildBlock(parts);
  expect(node.submitBlock(bad)).toBe('inconclusive');
  const next = blockParts(greedy);
  const child = buildBlock({
    ...next,
    previous: parseBlock(bad).header.id,
    height: 103,
    scriptSig: Uint8Array.of(1, 103, 0),
    time: next.time + 1,
  });
  expect(node.submitBlock(child)).toBe('bad-cb-amount');
  expect(node.tipHash).toBe(tip);
  expect(node.submitBlock(bad)).toBe('duplicate-invalid');
});

function hashAt(of: DevNode, height: number): string {
  let hash = of.tipHash;
  for (let h = of.height; h > height; h--) {
    const { previousHash } = parseBlock(of.getBlock(hash) ?? new Uint8Array()).header;
    hash = Buffer.from(previousHash).reverse().toString('hex');
  }
  return hash;
}

type Step = { readonly kind: 'mine' | 'side' | 'invalidate' | 'reconsider' | 'transaction'; readonly at: number };

it('has, after any sequence of blocks and reorganisations, the coins of a fresh replay of its active chain', () => {
  const params = chainParams({
    coin: 'bitcoin',
    coinbaseMaturity: 2,
    bits: REGTEST_BITS,
    bitsFromHeight: 1,
    limitBits: REGTEST_BITS,
  });
  const step = fc.record<Step>({
    kind: fc.constantFrom('mine', 'mine', 'side', 'side', 'invalidate', 'reconsider', 'transaction', 'transaction'),
    at: fc.nat({ max: 1_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const chain: Chain = new Chain(params, new FakeClock(), (change) => {
        wallet.update(change);
        mempool.update(change);
      });
      const mempool = new Mempool(chain);
      const wallet: Wallet = new Wallet(chain, mempool, new FakeClock());
      const ids = [chain.tip.id];
      for (const [extra, { kind, at }] of steps.entries()) {
        const chosen = chain.entry(ids[at % ids.length] ?? '') ?? chain.tip;
        if (kind === 'transaction') {
          if (chain.height < 3) continue;
          const transaction = makeTransaction(chain, wallet, { fee: BigInt(at) });
          expect(mempool.add(transaction)).toBeUndefined();
          wallet.observe(transaction);
        } else if (kind === 'invalidate') chain.invalidate(chosen.id);
        else if (kind === 'reconsider') chain.reconsider(chosen.id);
        else {
          const parent = kind === 'mine' ? chain.tip : chosen;
          const { entries, fees } = selectTransactions(parent === chain.tip ? mempool.entries() : []);
          const transactions = entries.map(({ transaction }) => transaction);
          const block = mineBlock(chain, { parent, script: wallet.script, transactions, fees, extra });
          expect(['bad-prevblk', 'inconclusive', undefined]).toContain(chain.submit(block));
          if (chain.entry(block.header.id) !== undefined) ids.push(block.header.id);
        }
      }
      const best = ids.map((id) => chain.entry(id)).filter((entry) => entry !== undefined && !entry.invalid);
      expect(chain.tip.work).toBe(best.reduce((most, entry) => (entry && entry.work > most ? entry.work : most), 0n));

      const replay = new Chain(params, new FakeClock(), () => {});
      replay.coins.watch(wallet.script);
      for (let height = 1; height <= chain.height; height++) {
        expect(replay.submit(parseBlock(chain.at(height)?.block?.bytes ?? new Uint8Array()))).toBeUndefined();
      }
      expect(chain.coins.size).toBe(replay.coins.size);
      expect(new Set([...chain.coins.watched()].map(String))).toEqual(new Set([...replay.coins.watched()].map(String)));
      for (const { transaction } of mempool.entries()) parseTransaction(transaction.bytes);
      const proposal = selectTransactions(mempool.entries());
      const transactions = proposal.entries.map(({ transaction }) => transaction);
      const last = mineBlock(chain, {
        parent: chain.tip,
        script: wallet.script,
        transactions,
        fees: proposal.fees,
        extra: 99,
      });
      expect(chain.propose(last), 'the mempool makes a valid block').toBeUndefined();
    }),
    { numRuns: 60 },
  );
});
