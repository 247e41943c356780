import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BCOIN_SEGWIT_HEIGHT, startBcoin, type TestNode } from '../nodes/bcoin.js';
import { startBlackHole } from '../support/black-hole.js';
import { type Chain, chainOf } from '../support/chain.js';
import { poolConfig } from '../support/pool-config.js';
import { saysBlock, saysCandidate, saysOrphaned } from '../support/pool-logs.js';
import { type PoolProcess, poolFolder, startPool } from '../support/pool-process.js';
import { requireService } from '../support/require.js';
import { ANYONE_SCRIPT } from '../support/script.js';
import { ScriptedMiner } from '../support/scripted-miner.js';
import { waitFor } from '../support/wait.js';

/** True when a file in the folder, shares aside, holds the text. */
function filesContain(folder: string, text: string): boolean {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('shares'))
    .some((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').includes(text));
}

const COMMITMENT = /^6a24aa21a9ed/;

describe.runIf(requireService('bcoin', 'pool binary'))('pool on bcoin', { timeout: 120_000 }, () => {
  let node: TestNode;
  let chain: Chain;
  let pool: PoolProcess | undefined;
  const miners: ScriptedMiner[] = [];

  async function run(extra: Readonly<Record<string, unknown>> = {}): Promise<PoolProcess> {
    pool = await startPool({ config: poolConfig('bitcoin', [node], extra) });
    return pool;
  }
  async function miner(port: number): Promise<ScriptedMiner> {
    const started = await ScriptedMiner.start({ port });
    miners.push(started);
    return started;
  }
  /** Solves the job of the moment and waits until the node has the block as its tip. */
  async function mineBlock(with_: ScriptedMiner): Promise<string> {
    const solution = with_.solve(with_.job, { want: 'block' });
    expect(await with_.submit(solution)).toEqual({ result: true, error: null });
    await chain.waitForTip(solution.hash);
    return solution.hash;
  }

  afterEach(async () => {
    for (const each of miners.splice(0)) each.close();
    await pool?.stop();
    pool = undefined;
  });

  describe('from genesis, before segwit', () => {
    beforeAll(async () => {
      node = await startBcoin();
      chain = chainOf(node, 'bcoin');
    });
    afterAll(() => node.close());

    it('mines heights 1 to 17, where the height push changes its form', async () => {
      const { port } = await run();
      const rig = await miner(port);
      for (let height = 1; height <= 17; height++) {
        const hash = await mineBlock(rig);
        const block = await chain.block(hash);
        expect(block.height).toBe(height);
        const [coinbase] = block.tx;
        expect(coinbase?.vin[0]?.coinbase).toMatch(
          height <= 16 ? new RegExp(`^${(0x50 + height).toString(16)}`) : /^0111/,
        );
        expect(coinbase?.vout).toHaveLength(1); // no witness commitment while its rules are not active
        expect(coinbase?.vout[0]).toMatchObject({ value: 50, scriptPubKey: { hex: ANYONE_SCRIPT } });
        await rig.jobOn(hash);
      }
    });
  });

  describe('with segwit', () => {
    beforeAll(async () => {
      node = await startBcoin();
      chain = chainOf(node, 'bcoin');
      await chain.mine(BCOIN_SEGWIT_HEIGHT + 8);
    });
    afterAll(() => node.close());

    it.each(['inline', 'threads', 'auto'])(
      'judges shares and lands a block with a transaction in it (validation: %s)',
      async (validation) => {
        // bcoin takes a transaction only into a template that is not built yet. The first block ends what the last pool
        // still waits for, which builds one; the second throws that away.
        await chain.mine(1);
        await node.rpc('getblocktemplate', { rules: ['segwit'] });
        await chain.mine(1);
        const height = (await chain.height()) + 1;
        const txid = await chain.spendCoinbase(height - 300, 12_345n);
        const { port, waitForLog } = await run({ validation });
        const rig = await miner(port);
        expect(rig.job.branch).toHaveLength(1);

        const share = rig.solve(rig.job, { want: 'share' });
        expect(await rig.submit(share)).toEqual({ result: true, error: null });
        expect(await rig.submit(share)).toMatchObject({ error: [22, expect.any(String), null] });
        const miss = rig.solve(rig.job, { want: 'miss' });
        expect(await rig.submit(miss)).toMatchObject({ error: [23, expect.any(String), null] });

        const hash = await mineBlock(rig);
        const block = await chain.block(hash);
        expect(block.tx.map((tx) => tx.txid)).toContain(txid);
        const outputs = block.tx[0]?.vout ?? [];
        const subsidy = 50 / 2 ** Math.floor(height / 150);
        expect(outputs[0]?.scriptPubKey.hex).toBe(ANYONE_SCRIPT);
        expect(outputs[0]?.value).toBeCloseTo(subsidy + 0.00012345, 8);
        expect(outputs.filter(({ scriptPubKey }) => COMMITMENT.test(scriptPubKey.hex))).toHaveLength(1);
        await waitForLog('the block is in the chain', saysBlock(hash));
        expect((await rig.jobOn(hash)).clean).toBe(true);
      },
    );

    it('rolls version bits within the mask only', async () => {
      const { port } = await run();
      const rig = await ScriptedMiner.open({ port });
      miners.push(rig);
      const configured = await rig.request('mining.configure', [
        ['version-rolling'],
        { 'version-rolling.mask': 'ffffffff' },
      ]);
      expect(configured.result).toEqual({ 'version-rolling': true, 'version-rolling.mask': '1fffe000' });
      await rig.subscribe();
      expect(await rig.request('mining.authorize', [rig.worker, 'x'])).toMatchObject({ result: true });
      const job = await rig.nextJob('the first job', 0);
      const rolled = rig.solve(job, { want: 'block', versionBits: { bits: 0x0badc000, mask: 0x1fffe000 } });
      expect(await rig.submit(rolled)).toEqual({ result: true, error: null });
      await chain.waitForTip(rolled.hash);
      const outside = rig.solve(await rig.jobOn(rolled.hash), {
        want: 'block',
        versionBits: { bits: 0x00000001, mask: 0xffffffff },
      });
      expect(await rig.submit(outside)).toMatchObject({ error: [20, expect.any(String), null] });
    });

    it('answers stale after a competing block, and sends a stale block all the same', async () => {
      const { port, logs, waitForLog } = await run();
      const rig = await miner(port);
      const old = rig.job;
      const share = rig.solve(old, { want: 'share' });
      const lost = rig.solve(old, { want: 'block' });
      const [theirs = ''] = await chain.mine(1);
      expect((await rig.jobOn(theirs)).clean).toBe(true);

      expect(await rig.submit(share)).toMatchObject({ error: [21, expect.any(String), null] });
      await rig.submit(lost); // whatever it is told, the node has to get it
      await waitForLog('the stale block was sent', saysCandidate(lost.hash));
      await waitFor('the node to know the sibling', async () => (await chain.confirmations(lost.hash)) === -1);
      expect(await chain.tip()).toBe(theirs);

      // The sibling loses for good when its rival is built on: never a block.
      await mineBlock(rig);
      expect(logs.some(saysBlock(lost.hash))).toBe(false);
    });

    it('says orphaned when a block of the pool leaves the chain', async () => {
      const { port, waitForLog } = await run();
      const rig = await miner(port);
      const hash = await mineBlock(rig);
      await waitForLog('the block is in the chain', saysBlock(hash));
      await node.rpc('invalidateblock', hash);
      // Only under six blocks it counts as lost: until then it might come back.
      const rivals = await chain.mine(7);
      await rig.jobOn(rivals.at(-1) ?? '');
      await waitForLog('the block was orphaned', saysOrphaned(hash));
      await mineBlock(rig);
    });

    it('keeps its miners while the node is away, and lands the block found meanwhile', async () => {
      const { port, waitForLog } = await run();
      const rig = await miner(port);
      await node.halt();
      expect(await rig.submit(rig.solve(rig.job, { want: 'share' }))).toEqual({ result: true, error: null });
      const found = rig.solve(rig.job, { want: 'block' });
      expect(await rig.submit(found)).toEqual({ result: true, error: null });
      expect(rig.closed).toBe(false);
      await node.resume();
      await waitForLog('the block is in the chain', saysBlock(found.hash), { timeoutMs: 60_000 });
      expect(await chain.tip()).toBe(found.hash);
      await rig.jobOn(found.hash);
      await mineBlock(rig);
      expect(rig.closed).toBe(false);
    });

    it('lands a block at once while another node hangs', async () => {
      const hole = await startBlackHole();
      try {
        const hanging = { url: hole.url, user: 'u', password: 'p' };
        pool = await startPool({ config: poolConfig('bitcoin', [hanging, node]) });
        const rig = await miner(pool.port);
        const before = hole.connections;
        const started = performance.now();
        await mineBlock(rig);
        expect(performance.now() - started).toBeLessThan(2_000);
        expect(before).toBeGreaterThan(0);
      } finally {
        await hole.close();
      }
    });

    it('replays a block from the journal after kill -9', async () => {
      const folder = poolFolder();
      const first = await startPool({ config: poolConfig('bitcoin', [node]), folder: folder.path });
      const rig = await miner(first.port);
      await node.halt();
      const found = rig.solve(rig.job, { want: 'block' });
      expect(await rig.submit(found)).toEqual({ result: true, error: null });
      await waitFor('the journal', () => filesContain(join(first.folder, 'data'), found.hash));
      await first.kill();
      await node.resume();
      expect(await chain.tip()).not.toBe(found.hash);

      pool = await startPool({ config: poolConfig('bitcoin', [node]), folder: folder.path });
      await chain.waitForTip(found.hash);
      await pool.waitForLog('the block is in the chain', saysBlock(found.hash));
      const again = await miner(pool.port);
      await again.jobOn(found.hash);
      await mineBlock(again);
      await pool.stop();
      folder.remove();
    });

    it('takes 200 submits in one packet and answers each, in order', async () => {
      const { port } = await run();
      const rig = await miner(port);
      const { job } = rig;
      const shares = Array.from({ length: 200 }, () => rig.solve(job, { want: 'share' }));
      const seen = rig.messages.length;
      rig.send(
        shares.map(({ params }, i) => JSON.stringify({ id: 1_000 + i, method: 'mining.submit', params })).join('\n'),
      );
      const replies = await waitFor('200 replies', () => {
        const found = rig.messages.slice(seen).filter(({ method }) => method === undefined);
        return found.length >= 200 ? found : undefined;
      });
      expect(replies.map(({ id }) => id)).toEqual(shares.map((_, i) => 1_000 + i));
      expect(replies.every(({ result, error }) => result === true && error === null)).toBe(true);
    });
  });
});
