import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BCOIN_SEGWIT_HEIGHT, startBcoin, type TestNode } from '../nodes/bcoin.js';
import { startLitecoind } from '../nodes/litecoind.js';
import { type Chain, chainOf } from '../support/chain.js';
import { poolConfig } from '../support/pool-config.js';
import { startPool } from '../support/pool-process.js';
import { requireService } from '../support/require.js';
import { anyoneAddress, segwitAddress } from '../support/script.js';
import { ScriptedMiner } from '../support/scripted-miner.js';
import { waitFor } from '../support/wait.js';
import { type ElectrumProcess, newFolder, startElectrum } from './server-process.js';
import { createWallet, type Wallet } from './wallet.js';

interface Stage {
  readonly coin: 'bitcoin' | 'litecoin';
  readonly kind: 'bcoin' | 'litecoind';
  readonly algorithm: 'sha256d' | 'scrypt';
  readonly prefix: 'bcrt' | 'rltc';
  /** Blocks mined before anything else: witness addresses can be spent from there on. */
  readonly blocks: number;
  start(): Promise<TestNode>;
}

const STAGES: readonly Stage[] = [
  {
    coin: 'bitcoin',
    kind: 'bcoin',
    algorithm: 'sha256d',
    prefix: 'bcrt',
    blocks: BCOIN_SEGWIT_HEIGHT + 8,
    start: () => startBcoin(),
  },
  {
    coin: 'litecoin',
    kind: 'litecoind',
    algorithm: 'scrypt',
    prefix: 'rltc',
    blocks: 110,
    start: () => startLitecoind(),
  },
];

for (const stage of STAGES) {
  const { coin, kind, algorithm, prefix } = stage;

  describe.runIf(requireService(kind, 'electrum', 'pool binary'))(
    `the Electrum wallet on ${kind}`,
    { timeout: 120_000 },
    () => {
      const folder = newFolder();
      let node: TestNode;
      let chain: Chain;
      let server: ElectrumProcess;
      let wallet: Wallet;

      beforeAll(async () => {
        [node, wallet] = await Promise.all([stage.start(), createWallet(coin)]);
        chain = chainOf(node, kind);
        await chain.mine(stage.blocks);
        server = await startElectrum(
          folder.path,
          {
            coin,
            network: 'regtest',
            daemons: [{ url: node.url, user: node.user, password: node.password }],
            listeners: [
              { host: '127.0.0.1', port: 0 },
              { host: '127.0.0.1', port: 0, tls: { ...TEST_CERTIFICATE, only: true } },
            ],
            pollMs: 200,
            banner: 'dig deeper',
          },
          2,
        );
      });
      afterAll(async () => {
        await wallet?.close();
        const exit = await server?.process.stop();
        await node?.close();
        folder.remove();
        expect(exit?.code).toBe(0);
      });

      /** Mines one block through our pool to an address; its hash. */
      async function mineByPool(address: string): Promise<string> {
        const pool = await startPool({
          config: poolConfig(coin, [node], { payout: { scheme: 'solo', address } }),
        });
        try {
          const rig = await ScriptedMiner.start({ port: pool.port, algorithm });
          const solution = rig.solve(rig.job, { want: 'block' });
          expect(await rig.submit(solution)).toEqual({ result: true, error: null });
          await chain.waitForTip(solution.hash);
          rig.close();
          return solution.hash;
        } finally {
          await pool.stop();
        }
      }
      const untilHeight = async (): Promise<void> => {
        const height = await chain.height();
        await waitFor(`the wallet to be at height ${height}`, async () => (await wallet.height()) === height);
      };

      it('connects over TCP, sees a payout of our pool, and sees it vanish in a reorganisation', async () => {
        await wallet.connect(`127.0.0.1:${server.ports[0]}:t`);
        await untilHeight();
        expect(await wallet.balance()).toEqual({ confirmed: '0' });
        const address = await wallet.address();
        const lost = await mineByPool(address);
        await waitFor('the payout', async () => Number((await wallet.balance()).unmatured) > 0);

        await node.rpc('invalidateblock', lost);
        await chain.mine(2);
        await untilHeight();
        await waitFor('the payout to vanish', async () => (await wallet.balance()).unmatured === undefined);
      });

      it('receives a payout of our pool, spends it over TLS and sees it confirm', async () => {
        await mineByPool(await wallet.address());
        await waitFor('the payout', async () => Number((await wallet.balance()).unmatured) > 0);
        await chain.mine(100);
        const matured = await waitFor(
          'the payout to mature',
          async () => (await wallet.balance()).confirmed !== '0' && wallet.balance(),
        );
        expect(Number(matured.confirmed)).toBeGreaterThan(1.5);
        await wallet.disconnect();

        await wallet.connect(`127.0.0.1:${server.ports[1]}:s`);
        const raw = String(await wallet.run('payto', anyoneAddress(prefix), '1.25', '--feerate', '20'));
        const txid = String(await wallet.run('broadcast', raw));
        expect(txid).toMatch(/^[0-9a-f]{64}$/);
        await waitFor('the mempool', async () => (await node.rpc<string[]>('getrawmempool')).includes(txid));
        await waitFor('the spend in the wallet', async () => (await wallet.balance()).unconfirmed !== undefined);
        if (kind === 'litecoind') {
          // bcoin takes whatever it is given and says nothing.
          const forged = await wallet.run('broadcast', `${raw.slice(0, -8)}ffffff7f`).catch((error: unknown) => error);
          expect(String(forged)).toMatch(/non-final/);
        }

        const statusOf = async (): Promise<number> => {
          const status = (await wallet.run('get_tx_status', txid)) as { readonly confirmations?: unknown };
          return Number(status.confirmations);
        };
        const [first = ''] = await chain.mine(1);
        await waitFor('the spend to confirm', async () => (await statusOf()) === 1);
        expect((await chain.block(first)).tx.map((tx) => tx.txid)).toContain(txid);

        // The block is lost, and the transaction comes back in a later one.
        await node.rpc('invalidateblock', first);
        // To somebody else, or the lost block would be mined again.
        const rival = segwitAddress(kind === 'bcoin' ? 'rb' : prefix, new Uint8Array(20).fill(7));
        await node.rpc('generatetoaddress', 3, rival);
        await untilHeight();
        const height = await chain.height();
        await waitFor('the wallet to agree with the node', async () => {
          for (let up = 0; up < 3; up++) {
            const block = await chain.block(await node.rpc<string>('getblockhash', height - up));
            if (block.tx.some((tx) => tx.txid === txid)) return (await statusOf()) === up + 1;
          }
          return (await statusOf()) === 0;
        });
        expect(server.logs.filter(({ level }) => level >= 50)).toEqual([]);
      });
    },
  );
}
