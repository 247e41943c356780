import { LineClient } from './line-client.js';

export interface IndexContents {
  readonly height: number;
  readonly headers: unknown;
  readonly history: unknown;
  readonly balance: unknown;
  readonly unspent: unknown;
}

/** What a server says about its chain and one address. */
export async function readIndex(port: number, address: string): Promise<IndexContents> {
  const client = await LineClient.connect(port);
  try {
    const height = Number(await client.get('blockchain.numblocks.subscribe'));
    return {
      height,
      headers: await client.get('blockchain.block.headers', [0, height + 1]),
      history: await client.get('blockchain.address.get_history', [address]),
      balance: await client.get('blockchain.address.get_balance', [address]),
      unspent: await client.get('blockchain.address.listunspent', [address]),
    };
  } finally {
    client.close();
  }
}
