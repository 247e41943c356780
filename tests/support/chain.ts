import type { TestNode } from '../nodes/bcoin.js';
import { anyoneAddress, spendAnyone } from './script.js';
import { waitFor } from './wait.js';

export interface OutputJson {
  readonly value: number;
  readonly scriptPubKey: { readonly hex: string };
}
export interface BlockJson {
  readonly hash: string;
  readonly height: number;
  readonly previousblockhash: string;
  readonly confirmations: number;
  readonly tx: readonly {
    readonly txid: string;
    readonly vin: readonly { readonly coinbase?: string }[];
    readonly vout: readonly OutputJson[];
  }[];
}

/** A node and how to speak to it: bcoin and litecoind differ in a few arguments. */
export interface Chain {
  readonly node: TestNode;
  mine(count: number): Promise<string[]>;
  tip(): Promise<string>;
  height(): Promise<number>;
  block(hash: string): Promise<BlockJson>;
  /** -1 when the block is known but not in the active chain; undefined when it is unknown. */
  confirmations(hash: string): Promise<number | undefined>;
  waitForTip(hash: string): Promise<void>;
  /** Puts a transaction that spends the coinbase of block `height` into the mempool; its txid. */
  spendCoinbase(height: number, fee: bigint): Promise<string>;
}

export function chainOf(node: TestNode, kind: 'bcoin' | 'litecoind'): Chain {
  const { rpc } = node;
  const tip = (): Promise<string> => rpc('getbestblockhash');
  const block = (hash: string): Promise<BlockJson> =>
    kind === 'bcoin' ? rpc('getblock', hash, true, true) : rpc('getblock', hash, 2);
  return {
    node,
    tip,
    block,
    mine: (count) => rpc('generatetoaddress', count, anyoneAddress(kind === 'bcoin' ? 'rb' : 'rltc')),
    height: () => rpc('getblockcount'),
    confirmations: async (hash) => {
      const header = await rpc<{ height: number } | null>('getblockheader', hash).catch(() => null);
      if (header === null) return undefined;
      // Not by the header's own count: bcoin gives blocks beside the active chain one too.
      const active = await rpc<string>('getblockhash', header.height).catch(() => undefined);
      return active === hash ? (await rpc<number>('getblockcount')) - header.height + 1 : -1;
    },
    waitForTip: async (hash) => {
      await waitFor(`the tip to be ${hash}`, async () => (await tip()) === hash);
    },
    spendCoinbase: async (height, fee) => {
      const source = await block(await rpc<string>('getblockhash', height));
      const [coinbase] = source.tx;
      const value = BigInt(Math.round((coinbase?.vout[0]?.value ?? 0) * 1e8));
      const spend = spendAnyone({ txid: coinbase?.txid ?? '', index: 0, value: value - fee });
      await rpc('sendrawtransaction', spend.hex);
      await waitFor('the mempool', async () => (await rpc<string[]>('getrawmempool')).includes(spend.txid));
      return spend.txid;
    },
  };
}
