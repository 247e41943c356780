import { settle } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BlockSubmitter } from '../src/index.js';
import { type FakeChainNode, OUR_HASH, SubmitBench, until } from './fake-chain.js';

let bench: SubmitBench;
beforeEach(async () => {
  bench = await SubmitBench.open();
});
afterEach(() => bench.close());

describe('confirmation', () => {
  async function confirmed(): Promise<{ node: FakeChainNode; made: BlockSubmitter }> {
    const node = await bench.chainNode();
    node.on('submitblock', () => {
      node.extend(OUR_HASH);
      return { result: null };
    });
    const made = bench.submitter(bench.nodePool(node));
    made.submit(bench.found());
    await until(() => bench.statuses().includes('confirmed'), 'confirmed');
    return { node, made };
  }

  async function look(made: BlockSubmitter, node: FakeChainNode): Promise<void> {
    const before = node.count('getblockcount');
    made.tipChanged();
    await until(() => node.count('getblockcount') > before, 'asked for the chain');
    for (let i = 0; i < 5; i++) await settle();
  }

  test('matures after the confirmations of the coin, on the node and on the timer', async () => {
    const { node, made } = await confirmed();
    node.bury(98);
    await look(made, node);
    expect(bench.statuses()).toEqual(['candidate', 'confirmed']);
    node.bury(1);
    bench.clock.advance(10_000);
    await until(() => bench.statuses().includes('matured'), 'matured');
    expect(bench.outcomes.at(-1)).toMatchObject({ status: 'matured', confirmations: 100, height: 11, hash: OUR_HASH });
    expect(made.stats).toMatchObject({ matured: 1, open: 0 });
    const asked = node.count('getblockcount');
    bench.clock.advance(60_000);
    await settle();
    expect(node.count('getblockcount')).toBe(asked);
  });

  test('regression: a sibling that lost is never counted as won, though submitblock said null', async () => {
    const node = await bench.chainNode();
    // bcoin answers null for a valid block beside its chain.
    node.on('submitblock', () => {
      node.extend('the other one');
      return { result: null };
    });
    const made = bench.submitter(bench.nodePool(node));
    made.submit(bench.found());
    await until(() => node.count('getblockhash') > 0, 'asked for the chain');
    for (let i = 0; i < 5; i++) {
      node.bury(1);
      await look(made, node);
    }
    expect(bench.statuses()).toEqual(['candidate']);
    node.bury(1);
    await look(made, node);
    expect(bench.statuses()).toEqual(['candidate', 'orphaned']);
    expect(bench.outcomes.at(-1)?.nodes).toEqual({ n0: 'accepted' });
    node.bury(200);
    await look(made, node);
    expect(bench.statuses()).toEqual(['candidate', 'orphaned']);
    expect(made.stats.open).toBe(0);
  });

  test('"inconclusive" waits for the chain as well', async () => {
    const node = await bench.chainNode();
    node.extend('the other one');
    node.on('submitblock', { result: 'inconclusive' });
    const made = bench.submitter(bench.nodePool(node));
    made.submit(bench.found());
    await until(() => node.count('getblockhash') > 0, 'asked for the chain');
    expect(bench.statuses()).toEqual(['candidate']);
    node.reorganise(11, OUR_HASH, 'on top of ours');
    await look(made, node);
    expect(bench.statuses()).toEqual(['candidate', 'confirmed']);
    expect(bench.outcomes.at(-1)).toMatchObject({ confirmations: 2, nodes: { n0: 'inconclusive' } });
  });

  test('reorganised away and back before it is deep: said once', async () => {
    const { node, made } = await confirmed();
    node.reorganise(11, 'other 11', 'other 12');
    await look(made, node);
    node.reorganise(11, OUR_HASH, 'ours 12', 'ours 13');
    await look(made, node);
    expect(bench.statuses()).toEqual(['candidate', 'confirmed']);
  });

  test('reorganised away for good, then back after all', async () => {
    const { node, made } = await confirmed();
    node.reorganise(11, 'other 11').bury(6);
    await look(made, node);
    expect(bench.statuses()).toEqual(['candidate', 'confirmed', 'orphaned']);
    node.reorganise(11, OUR_HASH).bury(20);
    await look(made, node);
    expect(bench.statuses()).toEqual(['candidate', 'confirmed', 'orphaned', 'confirmed']);
    expect(bench.outcomes.at(-1)?.confirmations).toBe(21);
  });

  test('refused by every node: rejected, with what each one said', async () => {
    const [a, b] = [await bench.chainNode(), await bench.chainNode()];
    a.on('submitblock', { result: 'rejected: bad-cb-amount' });
    b.on('submitblock', { error: { code: -22, message: 'Block decode failed' } });
    const made = bench.submitter(bench.nodePool(a, b));
    made.submit(bench.found());
    await until(() => bench.statuses().includes('rejected'), 'rejected');
    expect(bench.outcomes.at(-1)?.nodes).toEqual({ n0: 'bad-cb-amount', n1: 'error -22: Block decode failed' });
    expect(bench.statuses()).toEqual(['candidate', 'rejected']);
    expect(made.stats.open).toBe(0);
  });

  test('refused by one node, but in the chain of another: confirmed', async () => {
    const [a, b] = [await bench.chainNode(), await bench.chainNode()];
    a.on('submitblock', { result: 'bad-txnmrklroot' });
    b.on('submitblock', () => {
      b.extend(OUR_HASH);
      return { result: 'duplicate' };
    });
    bench.submitter(bench.nodePool(a, b)).submit(bench.found());
    await until(() => bench.statuses().includes('confirmed'), 'confirmed');
    await settle();
    expect(bench.statuses()).toEqual(['candidate', 'confirmed']);
  });

  test('a node that lags keeps a block open; one that is down has no say', async () => {
    const [ahead, lagging] = [await bench.chainNode(), await bench.chainNode()];
    ahead.extend('other').bury(10);
    const pool = bench.nodePool(ahead, lagging);
    const made = bench.submitter(pool);
    made.submit(bench.found());
    await until(() => ahead.count('getblockhash') > 0 && lagging.count('getblockcount') > 0, 'both asked');
    await look(made, ahead);
    expect(bench.statuses()).toEqual(['candidate']);
    await lagging.kill();
    await pool.nodes[1]?.call('getblockcount').catch(() => {});
    await look(made, ahead);
    await until(() => bench.statuses().includes('orphaned'), 'orphaned');
    await lagging.listen();
  });

  test('a node on another chain has no say', async () => {
    const foreign = await bench.chainNode(500);
    foreign.on('getblockchaininfo', { result: { chain: 'main' } });
    foreign.on('submitblock', { result: 'rejected: prev-blk-not-found' });
    const pool = bench.nodePool(foreign);
    await pool.start();
    const made = bench.submitter(pool);
    made.submit(bench.found());
    await look(made, foreign);
    expect(bench.statuses()).toEqual(['candidate']);
  });

  test('many open blocks are asked for in batches', async () => {
    const node = await bench.chainNode();
    const made = bench.submitter(bench.nodePool(node));
    for (let i = 0; i < 250; i++) made.submit(bench.found(`block of ours ${i}`, 11 + i));
    for (let i = 0; i < 250; i++) node.extend(`block of ours ${i}`);
    await until(() => node.count('submitblock') === 250, 'all sent');
    await look(made, node);
    await until(() => made.stats.confirmed === 250, 'all confirmed');
  });

  test('the number of open blocks is bounded', async () => {
    const node = await bench.chainNode();
    const made = bench.submitter(bench.nodePool(node), { maxOpenBlocks: 3 });
    for (let i = 0; i < 5; i++) made.submit(bench.found(`block ${i}`));
    expect(made.stats.open).toBe(3);
    expect(bench.log.messages('error')).toEqual(Array(2).fill('too many open blocks: no longer followed'));
    await until(() => node.count('submitblock') === 5, 'all were sent all the same');
  });
});
