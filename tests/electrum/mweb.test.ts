import { openChainIndex } from '@headframe/electrum-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LitecoinNode, startLitecoind } from '../nodes/litecoind.js';
import { requireService } from '../support/require.js';
import { waitFor } from '../support/wait.js';

/** MWEB is active from here on. */
const MWEB_HEIGHT = 432;

describe.runIf(requireService('litecoind'))('the index on a chain with extension blocks', { timeout: 60_000 }, () => {
  let node: LitecoinNode;
  beforeAll(async () => {
    node = await startLitecoind({ mweb: true });
  });
  afterAll(() => node.close());

  it('indexes pegged-in coins, HogEx transactions and what is pegged out', async () => {
    const { rpc } = node;
    await rpc('createwallet', 'w');
    const own = await rpc<string>('getnewaddress');
    await rpc('generatetoaddress', MWEB_HEIGHT - 1, own);
    const hidden = await rpc<string>('getnewaddress', '', 'mweb');
    const pegIn = await rpc<string>('sendtoaddress', hidden, 10);
    const index = await openChainIndex({
      path: ':memory:',
      chain: 'litecoin/regtest',
      nodes: [{ url: node.url, user: node.user, password: node.password }],
      pollMs: 50,
      mode: 'inline',
    });
    const troubles: string[] = [];
    index.on('news', (news) => {
      if (news.kind === 'trouble') troubles.push(news.message);
    });
    try {
      const level = (): Promise<unknown> =>
        waitFor('the index to follow', async () => {
          const { height, live } = await index.call('stats');
          return live && height === (await rpc<number>('getblockcount'));
        });
      await level();
      await waitFor('the peg-in', async () => (await index.call('stats')).mempool > 0);
      await rpc('generatetoaddress', 2, own);
      await level();
      expect(await index.call('transaction', pegIn)).toBeDefined();

      const pegOut = await rpc<string>('sendtoaddress', await rpc('getnewaddress'), 5);
      expect(pegOut).toMatch(/^[0-9a-f]{64}$/);
      await rpc('generatetoaddress', 3, own);
      await level();
      const height = await rpc<number>('getblockcount');
      let hogExes = 0;
      for (let at = MWEB_HEIGHT; at <= height; at++) {
        const block = await rpc<{ tx: { txid: string; hex: string }[] }>(
          'getblock',
          await rpc<string>('getblockhash', at),
          2,
        );
        for (const [pos, { txid, hex }] of block.tx.entries()) {
          expect((await index.call('transactionAt', at, pos))?.txid).toBe(txid);
          expect((await index.call('transaction', txid))?.raw).toBe(hex);
          if (hex.slice(8, 12) === '0008' || hex.slice(8, 12) === '0009') hogExes++;
        }
      }
      expect(hogExes).toBeGreaterThan(0);
      expect(troubles).toEqual([]);
    } finally {
      await index.close();
    }
  });
});
