import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBcoin, type TestNode } from '../nodes/bcoin.js';
import { startLitecoind } from '../nodes/litecoind.js';
import { type Chain, chainOf } from '../support/chain.js';
import { poolConfig } from '../support/pool-config.js';
import { saysBlock, saysCandidate } from '../support/pool-logs.js';
import { type PoolProcess, startPool } from '../support/pool-process.js';
import { startProcess } from '../support/process.js';
import { requireService } from '../support/require.js';
import { ScriptedMiner } from '../support/scripted-miner.js';
import { waitFor } from '../support/wait.js';
import { HEADFRAME_PROXY, type ProxyProcess, startProxy, writeProxyConfig } from './proxy-process.js';

const COINS = {
  bcoin: { coin: 'bitcoin', algorithm: 'sha256d', difficulty: 2.5e-10 },
  litecoind: { coin: 'litecoin', algorithm: 'scrypt', difficulty: 2e-5 },
} as const;

for (const service of ['bcoin', 'litecoind'] as const) {
  const { coin, algorithm, difficulty } = COINS[service];
  describe.runIf(requireService(service, 'pool binary'))(
    `miners on a proxy on a pool on ${service}`,
    { timeout: 120_000 },
    () => {
      let node: TestNode & { close(): Promise<void> };
      let chain: Chain;
      let pools: PoolProcess[] = [];
      let proxy: ProxyProcess | undefined;
      let miners: ScriptedMiner[] = [];

      beforeAll(async () => {
        node = service === 'bcoin' ? await startBcoin() : await startLitecoind();
        chain = chainOf(node, service);
        await chain.mine(service === 'bcoin' ? 20 : 105);
      });
      afterAll(() => node.close());
      afterEach(async () => {
        for (const miner of miners) miner.close();
        await proxy?.stop();
        for (const pool of pools) await pool.stop();
        [miners, pools, proxy] = [[], [], undefined];
      });

      async function pool(): Promise<PoolProcess> {
        const started = await startPool({ config: poolConfig(coin, [node]) });
        pools.push(started);
        return started;
      }
      async function proxyOf(extra: Readonly<Record<string, unknown>> = {}): Promise<ProxyProcess> {
        proxy = await startProxy({
          algorithm,
          upstreams: pools.map(({ port }, i) => ({ name: `pool${i}`, url: `127.0.0.1:${port}`, user: 'farm' })),
          listeners: [{ host: '127.0.0.1', port: 0, difficulty }],
          ...extra,
        });
        return proxy;
      }
      async function miner(worker: string): Promise<ScriptedMiner> {
        const started = await ScriptedMiner.start({ port: proxy?.port ?? 0, algorithm, worker });
        miners.push(started);
        return started;
      }
      async function mineBlock(rig: ScriptedMiner): Promise<string> {
        const solution = rig.solve(rig.job, { want: 'block' });
        expect(await rig.submit(solution)).toEqual({ result: true, error: null });
        await chain.waitForTip(solution.hash);
        return solution.hash;
      }

      it('a block that a miner finds through the proxy is in the chain, and credited to its worker', async () => {
        const { waitForLog } = await pool();
        const { status } = await proxyOf();
        const rig = await miner('me.left');
        const other = await miner('me.right');
        const share = rig.solve(rig.job, { want: 'share' });
        expect(await rig.submit(share)).toEqual({ result: true, error: null });
        expect(await rig.submit(share)).toMatchObject({ error: [22, expect.any(String), null] });
        const hash = await mineBlock(rig);
        const line = await waitForLog('the candidate', saysCandidate(hash));
        await waitForLog('the block is in the chain', saysBlock(hash));
        expect(JSON.stringify(line)).toContain('farm.left');
        expect((await other.jobOn(hash)).clean).toBe(true);
        await mineBlock(other);
        await waitFor('the pool to have answered both', async () => (await status()).total.blocks === 2);
      });

      it('one-to-one: what the pool says reaches the miner, and a block the chain', async () => {
        await pool();
        await proxyOf({ mode: 'one-to-one' });
        const rig = await miner('me.single');
        expect(rig.extranonce2Size).toBe(8);
        const share = rig.solve(rig.job, { want: 'share' });
        expect(await rig.submit(share)).toEqual({ result: true, error: null });
        expect(await rig.submit(share)).toMatchObject({ error: [22, expect.any(String), null] });
        expect(await rig.request('mining.get_version', [])).toMatchObject({ result: 'headframe' });
        await mineBlock(rig);
      });

      if (service === 'bcoin') {
        it('when the pool dies, miners go on at the next one without noticing, and no accepted share is lost', async () => {
          await pool();
          await pool();
          const { status } = await proxyOf({ submit: { wait: true }, failover: { returnAfterSeconds: 3600 } });
          const rig = await miner('me.rig');
          let accepted = 0;
          for (let i = 0; i < 8; i++) {
            if (i === 3) await pools[0]?.kill();
            const seen = rig.jobs.length;
            const { result, error } = await rig.submit(rig.solve(rig.job, { want: 'share' }));
            if (result === true) accepted++;
            // Only the share that the dying pool may have had can be refused: it was for that pool alone.
            else expect({ i, error }).toEqual({ i: 3, error: [expect.any(Number), expect.any(String), null] });
            if (i !== 3) continue;
            await waitFor('the next pool', async () => (await status()).upstream === 'pool1');
            // Told to the miner before the status was asked for, but on a connection of its own.
            await rig.nextJob('a job of the next pool', seen, ({ clean }) => clean);
          }
          expect(rig.closed).toBe(false);
          expect(accepted).toBeGreaterThanOrEqual(7);
          expect((await status()).total.accepted).toBe(accepted);
          await mineBlock(rig);
        });
      }

      it('stops in order on SIGTERM, and checks its configuration', async () => {
        await pool();
        const started = await proxyOf();
        await miner('me.rig');

        const { file, remove } = writeProxyConfig({
          algorithm,
          upstreams: pools.map(({ port }) => ({ url: `127.0.0.1:${port}`, user: 'farm' })),
          listeners: [{ port: started.port }],
        });
        const check = startProcess(process.execPath, [HEADFRAME_PROXY, 'check', '--config', file]);
        expect(await check.exited).toEqual({ code: 0, signal: null });
        expect(check.output()).toMatch(/upstream .*: gives jobs at difficulty .*; miners get 2 \+ 4 bytes/);
        remove();
        expect(await started.stop()).toEqual({ code: 0, signal: null });
      });
    },
  );
}
