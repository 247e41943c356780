import type { Coin } from '@headframe/coins';
import type { RpcClient } from '@headframe/daemon';
import { recordOf, stringOf } from './json.js';

/** Names that nodes give to networks, where they differ from ours. */
const NETWORKS: Readonly<Record<string, string>> = { testnet: 'test', mainnet: 'main' };

/**
 * Why a node is none to pay through; undefined when it is on the coin's network and in step with it.
 * @throws PoolError `rpc_*`.
 */
export async function networkProblem(node: RpcClient, coin: Coin): Promise<string | undefined> {
  const info = recordOf(await node.call('getblockchaininfo'), 'chain info');
  const chain = stringOf(info.chain, 'chain name');
  const network = Object.hasOwn(NETWORKS, chain) ? NETWORKS[chain] : chain;
  if (network !== coin.network) return `the wallet's node is on ${chain}, the pool on ${coin.network}`;
  if (info.initialblockdownload === true) return "the wallet's node is still downloading the chain";
  return undefined;
}
