import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBcoin, type TestNode } from '../nodes/bcoin.js';
import { type LitecoinNode, startLitecoind } from '../nodes/litecoind.js';
import { NodeRpcError } from '../support/node-rpc.js';
import { requireService } from '../support/require.js';
import { anyoneAddress, spendAnyone } from '../support/script.js';
import { waitFor } from '../support/wait.js';

// The ground that the other suites stand on.

interface Template {
  readonly height: number;
  readonly rules: readonly string[];
  readonly transactions: readonly { readonly txid: string; readonly hash: string }[];
}
interface BlockJson {
  readonly tx: readonly string[];
}

describe.runIf(requireService('bcoin'))('bcoin', { timeout: 120_000 }, () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startBcoin();
  });
  afterAll(() => node.close());

  it('mines, takes a spend of its coinbase and keeps its chain over a restart', async () => {
    const hashes = await node.rpc<string[]>('generatetoaddress', 440, anyoneAddress('rb'));
    const block = await node.rpc<BlockJson>('getblock', hashes[0], true);
    const spend = spendAnyone({ txid: block.tx[0] ?? '', index: 0, value: 49_99990000n });
    expect(await node.rpc('sendrawtransaction', spend.hex)).toBe(spend.txid);
    await waitFor('the mempool', async () => (await node.rpc<string[]>('getrawmempool')).includes(spend.txid));
    const template = await node.rpc<Template>('getblocktemplate', { rules: ['segwit'] });
    expect(template.rules).toContain('!segwit');
    expect(template.transactions).toMatchObject([{ txid: spend.txid }]);
    expect(template.transactions[0]?.hash).not.toBe(spend.txid);
    await node.halt();
    await expect(node.rpc('getblockcount')).rejects.toThrow(/ECONNREFUSED/);
    await node.resume();
    expect(await node.rpc('getblockcount')).toBe(440);
  });
});

describe.runIf(requireService('litecoind'))('litecoind', { timeout: 120_000 }, () => {
  let node: LitecoinNode;
  beforeAll(async () => {
    node = await startLitecoind();
  });
  afterAll(() => node.close());

  it('mines, takes a spend, and wants a peer for templates', async () => {
    const hashes = await node.rpc<string[]>('generatetoaddress', 101, anyoneAddress('rltc'));
    const block = await node.rpc<BlockJson>('getblock', hashes[0]);
    const spend = spendAnyone({ txid: block.tx[0] ?? '', index: 0, value: 49_99990000n });
    expect(await node.rpc('sendrawtransaction', spend.hex)).toBe(spend.txid);
    const request = { rules: ['mweb', 'segwit'] };
    expect(await node.rpc<Template>('getblocktemplate', request)).toMatchObject({
      transactions: [{ txid: spend.txid }],
    });
    await node.disconnectPeer();
    const refused = await node.rpc('getblocktemplate', request).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(NodeRpcError);
    expect(refused).toMatchObject({ code: -9 });
    await node.connectPeer();
    expect(await node.rpc<Template>('getblocktemplate', request)).toMatchObject({ height: 102 });
  });
});
