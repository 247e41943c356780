import { builtinCoins } from '@headframe/coins';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { freePort } from '../support/free-port.js';
import { type NodeCall, nodeRpc } from '../support/node-rpc.js';

/** Finds a share in about forty hashes, so that one process can be hundreds of miners. */
const SHARE_DIFFICULTY = 1e-8;
/** One share in some 600 is a block. */
const BLOCK_BITS = 0x1f028000;
/** Blocks until a coinbase may be spent, so that a run of a minute has payments. */
const MATURITY = 3;
const FIRST_BLOCKS = 101;
/** Workers of one account. */
const WORKERS = 5;

/** A chain and what a pool on it is told; the pool may be started again and again on the same port. */
export interface Stage {
  readonly node: DevNode;
  readonly rpc: NodeCall;
  readonly port: number;
  readonly config: Readonly<Record<string, unknown>>;
  /** Names for so many miners, a few on one address each. Nobody pays these addresses but the pool. */
  workers(count: number): Promise<string[]>;
  close(): Promise<void>;
}

function rpcOf(node: DevNode): NodeCall {
  return nodeRpc({ port: Number(new URL(node.url).port), user: node.user, password: node.password });
}

/**
 * Makes a chain on which coins are mature, and the configuration of a PPLNS pool that stores in `storageUrl` and pays
 * from the wallet of the chain's node.
 */
export async function makeStage(storageUrl: string, extra: Readonly<Record<string, unknown>> = {}): Promise<Stage> {
  const node = createDevNode({ bits: BLOCK_BITS, bitsFromHeight: FIRST_BLOCKS + 1, coinbaseMaturity: MATURITY });
  await node.start();
  node.mineBlocks(FIRST_BLOCKS);
  // Its chain is not looked at: it makes addresses of another wallet.
  const miners = createDevNode({ wallet: { seed: 'the miners' } });
  const port = await freePort();
  const { bitcoin } = builtinCoins;
  const regtest = { ...bitcoin?.networks.regtest, coinbaseMaturity: MATURITY };
  return {
    node,
    rpc: rpcOf(node),
    port,
    config: {
      coin: { ...bitcoin, networks: { regtest } },
      network: 'regtest',
      daemons: [{ url: node.url, user: node.user, password: node.password }],
      payout: {
        scheme: 'pplns',
        address: node.walletAddress,
        payments: { every: 5, minimum: '0.01', confirmations: 2 },
      },
      listeners: [{ host: '127.0.0.1', port, difficulty: SHARE_DIFFICULTY }],
      storage: { url: storageUrl },
      log: { level: 'info', format: 'json' },
      ...extra,
    },
    workers: async (count) => {
      await miners.start();
      const newAddress = rpcOf(miners);
      const names: string[] = [];
      for (let account = ''; names.length < count; ) {
        if (names.length % WORKERS === 0) account = await newAddress<string>('getnewaddress');
        names.push(`${account}.rig${names.length}`);
      }
      await miners.close();
      return names;
    },
    close: () => node.close(),
  };
}
