import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LitecoinNode, startLitecoind } from '../nodes/litecoind.js';
import { type Chain, chainOf } from '../support/chain.js';
import { poolConfig } from '../support/pool-config.js';
import { saysBlock, saysNotReady } from '../support/pool-logs.js';
import { type PoolProcess, startPool } from '../support/pool-process.js';
import { requireService } from '../support/require.js';
import { ANYONE_SCRIPT } from '../support/script.js';
import { ScriptedMiner } from '../support/scripted-miner.js';
import { waitFor } from '../support/wait.js';

describe.runIf(requireService('litecoind', 'pool binary'))('pool on litecoind', { timeout: 120_000 }, () => {
  let node: LitecoinNode;
  let chain: Chain;
  let pool: PoolProcess | undefined;
  const miners: ScriptedMiner[] = [];

  async function run(extra: Readonly<Record<string, unknown>> = {}): Promise<PoolProcess> {
    pool = await startPool({ config: poolConfig('litecoin', [node], extra) });
    return pool;
  }
  async function miner(port: number): Promise<ScriptedMiner> {
    const started = await ScriptedMiner.start({ port, algorithm: 'scrypt' });
    miners.push(started);
    return started;
  }
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

  describe('without MWEB', () => {
    beforeAll(async () => {
      node = await startLitecoind();
      chain = chainOf(node, 'litecoind');
      await chain.mine(105);
    });
    afterAll(() => node.close());

    it('judges scrypt shares in threads and lands a block with transactions', async () => {
      const txids = [await chain.spendCoinbase(1, 10_000n), await chain.spendCoinbase(2, 20_000n)];
      const { port, waitForLog } = await run({ validation: 'threads' });
      const rig = await miner(port);
      const share = rig.solve(rig.job, { want: 'share' });
      expect(await rig.submit(share)).toEqual({ result: true, error: null });
      expect(await rig.submit(share)).toMatchObject({ error: [22, expect.any(String), null] });
      expect(await rig.submit(rig.solve(rig.job, { want: 'miss' }))).toMatchObject({
        error: [23, expect.any(String), null],
      });
      const hash = await mineBlock(rig);
      const block = await chain.block(hash);
      expect(
        block.tx
          .slice(1)
          .map(({ txid }) => txid)
          .sort(),
      ).toEqual(txids.sort());
      expect(block.tx[0]?.vout[0]?.scriptPubKey.hex).toBe(ANYONE_SCRIPT);
      expect(block.tx[0]?.vout[0]?.value).toBeCloseTo(50.0003, 8);
      await waitForLog('the block is in the chain', saysBlock(hash));
    });

    it('hears of a block by long poll, long before it would ask', async () => {
      const { port } = await run({ jobs: { poll: 3_600 } });
      const rig = await miner(port);
      // The long poll may not have reached the node yet when the first block comes; the second finds it waiting.
      for (let i = 0; i < 2; i++) {
        const started = performance.now();
        const [theirs = ''] = await chain.mine(1);
        expect((await rig.jobOn(theirs)).clean).toBe(true);
        expect(performance.now() - started).toBeLessThan(5_000);
      }
    });

    it('says that the node is not ready while it has no peers, keeps its miners, and recovers', async () => {
      const { port, waitForLog, logs } = await run({ jobs: { poll: 1 } });
      const rig = await miner(port);
      const seen = logs.length;
      await node.disconnectPeer();
      await chain.mine(1); // ends the long poll, so that the next template is asked for without peers
      const line = await waitForLog('the node is not ready', saysNotReady, { from: seen, timeoutMs: 30_000 });
      expect(JSON.stringify(line)).toMatch(/not connected/i); // RPC error -9
      expect(rig.closed).toBe(false);
      await node.connectPeer();
      await rig.jobOn(await chain.tip());
      await mineBlock(rig);
    });
  });

  describe('past the activation of MWEB', () => {
    beforeAll(async () => {
      node = await startLitecoind({ mweb: true });
      chain = chainOf(node, 'litecoind');
      await node.rpc('createwallet', 'w');
      const address = await node.rpc<string>('getnewaddress', '', 'bech32');
      await node.rpc('generatetoaddress', 431, address);
      // The first block with an extension block needs a peg-in.
      await node.rpc('sendtoaddress', await node.rpc<string>('getnewaddress', '', 'mweb'), 10);
    });
    afterAll(() => node.close());

    it('lands blocks with an extension block: the first with its peg-in, and the ones after', async () => {
      const { port, waitForLog } = await run();
      const rig = await miner(port);
      let peggedIn = 0;
      for (const height of [432, 433, 434]) {
        const hash = await mineBlock(rig);
        const block = await chain.block(hash);
        expect(block.height).toBe(height);
        expect(block.tx.length, 'the HogEx is there').toBeGreaterThan(1);
        peggedIn = Math.max(peggedIn, block.tx.at(-1)?.vout[0]?.value ?? 0);
        await waitForLog('the block is in the chain', saysBlock(hash));
        await rig.jobOn(hash);
      }
      expect(peggedIn).toBeGreaterThan(10); // the wallet pegs its change in too
      await waitFor('the wallet to see it', async () => {
        const info = await node.rpc<{ softforks: { mweb?: { active: boolean } } }>('getblockchaininfo');
        return info.softforks.mweb?.active;
      });
    });
  });
});
