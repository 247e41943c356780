import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Coin, encodeAddress, resolveCoin } from '@headframe/coins';
import { type Ledger, openLedger } from '@headframe/ledger';
import { coinbaseOutputs } from '@headframe/payouts';
import { createPool, type Pool } from '@headframe/pool';
import { hexToBytes } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBcoin, type TestNode } from '../nodes/bcoin.js';
import { startLitecoind } from '../nodes/litecoind.js';
import { type Chain, chainOf } from '../support/chain.js';
import { requireService } from '../support/require.js';
import { ScriptedMiner } from '../support/scripted-miner.js';
import { waitFor } from '../support/wait.js';

/** The highest target of regtest, as the first job will say. */
const REGTEST_TARGET = `7fffff${'00'.repeat(29)}`;
/** Accounts that worked before: more than a small coinbase can pay. */
const EARLIER = 40;

const KINDS = [
  { kind: 'bcoin', coin: 'bitcoin', algorithm: 'sha256d', start: startBcoin, share: 2.5e-10 },
  { kind: 'litecoind', coin: 'litecoin', algorithm: 'scrypt', start: startLitecoind, share: 2e-5 },
] as const;

/** Address of the i-th miner: nobody has its key. */
function address(coin: Coin, i: number): string {
  const script = Uint8Array.of(0x00, 0x14, ...new Uint8Array(20).fill(0x40 + i));
  return encodeAddress(coin, script) ?? '';
}

describe.each(KINDS)(
  'a split coinbase on $kind',
  { timeout: 120_000 },
  ({ kind, coin: name, algorithm, start, share }) => {
    const coin = resolveCoin(name, 'regtest');
    let folder: string;
    let node: TestNode;
    let chain: Chain;
    let pool: Pool | undefined;
    const miners: ScriptedMiner[] = [];

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'headframe-split-'));
    });
    afterEach(async () => {
      for (const miner of miners.splice(0)) miner.close();
      await pool?.close();
      pool = undefined;
      await node?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Shares of earlier days, and what was written down of the network. */
    async function earlierShares(url: string): Promise<void> {
      const ledger = await openLedger({ url });
      const timeMs = Date.now() - 60_000;
      await ledger.commit({
        epoch: 'earlier',
        sequence: 0,
        shares: Array.from({ length: EARLIER }, (_, i) => ({
          timeMs,
          account: address(coin, i),
          worker: `${address(coin, i)}.rig`,
          address: address(coin, i),
          jobId: 1,
          height: 1,
          result: 'accepted' as const,
          difficulty: share * (i + 1),
          achieved: share * (i + 1),
          blockHash: undefined,
        })),
      });
      await ledger.accounting.recordHeight({
        height: 1,
        networkTarget: REGTEST_TARGET,
        networkDifficulty: 1,
        reward: 5_000_000_000n,
        subsidy: 5_000_000_000n,
        fees: 0n,
        timeMs,
      });
      await ledger.close();
    }

    async function books(): Promise<Ledger['accounting']> {
      if (pool?.ledger === undefined) throw new Error('the pool has no ledger');
      return pool.ledger.accounting;
    }

    /** What the coinbase of a block paid, by address. */
    async function paidBy(hash: string): Promise<Map<string, bigint>> {
      const raw = await node.rpc<string>('getblock', hash, false);
      const paid = new Map<string, bigint>();
      for (const { script, amount } of coinbaseOutputs(hexToBytes(raw), hash)) {
        if (amount > 0n) paid.set(encodeAddress(coin, script) ?? '', amount);
      }
      return paid;
    }

    it.runIf(requireService(kind))('pays miners of every firmware, and the books equal the chain', async () => {
      node = await start();
      chain = chainOf(node, kind);
      await chain.mine(1);
      const url = `sqlite:${folder}/pool.db`;
      await earlierShares(url);
      const fee = address(coin, 100);
      pool = createPool({
        coin: name,
        network: 'regtest',
        daemons: [{ url: node.url, user: node.user, password: node.password }],
        listeners: [{ host: '127.0.0.1', port: 0, difficulty: share }],
        dataFolder: folder,
        storage: { url },
        validation: 'inline',
        log: { level: 'silent' },
        payout: {
          scheme: 'coinbase-split',
          address: address(coin, 101),
          fees: [{ address: fee, percent: 1 }],
          window: 1000,
        },
      });
      await pool.listen();
      const [at] = pool.addresses;
      for (const [i, agent] of ['NiceHash/1.0.0', 'cgminer/4.11.1', 'bitaxe/BM1370/v2.9.0'].entries()) {
        const miner = await ScriptedMiner.start({
          port: at?.port ?? 0,
          algorithm,
          // Capitals are the same account.
          worker: `${i === 1 ? address(coin, i).toUpperCase() : address(coin, i)}.rig`,
          agent,
        });
        miners.push(miner);
      }
      const accounting = await books();
      const counts: number[] = [];
      for (const miner of [...miners, ...miners]) {
        const tip = await chain.tip();
        const solution = miner.solve(await miner.jobOn(tip), { want: 'block' });
        expect(await miner.submit(solution)).toEqual({ result: true, error: null });
        await chain.waitForTip(solution.hash);
        const booking = await waitFor('the block in the books', () => accounting.booking(`block:${solution.hash}`));
        const paid = await paidBy(solution.hash);
        counts.push(paid.size);
        // What the books say was paid is what the chain paid, to the unit, and nothing else.
        const coinbase = booking.entries.filter((entry) => entry.kind === 'coinbase');
        expect(new Map(coinbase.map((entry) => [entry.account, -entry.amount]))).toEqual(paid);
        expect(booking.entries.reduce((sum, { amount }) => sum + amount, 0n)).toBe(0n);
        const credits = booking.entries.filter((entry) => entry.kind !== 'coinbase');
        const reward = [...paid.values()].reduce((sum, amount) => sum + amount, 0n);
        expect(credits.reduce((sum, { amount }) => sum + amount, 0n)).toBe(reward);
        expect(credits.find((entry) => entry.kind === 'fee')).toMatchObject({ account: fee, amount: reward / 100n });
      }
      // The class of each firmware, and more than one set: the smallest pays a dozen, the largest everybody.
      const [tiny = 0, main = 0, large = 0] = counts;
      expect(tiny).toBeLessThan(15);
      expect(main).toBeGreaterThan(tiny);
      expect(large).toBe(EARLIER + 1);
      let open = 0n;
      for (const balance of (await accounting.openBalances()).values()) open += balance;
      expect(open).toBe(0n);
      expect(await accounting.verify()).toEqual([]);
      expect((await accounting.totals()).immature).toBe(0n);
      expect(pool.accountant?.status()).toMatchObject({ scheme: 'coinbase-split', lastError: undefined, alarms: [] });
    });
  },
);
