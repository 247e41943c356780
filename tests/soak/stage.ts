import { createDevNode, type DevNode } from '@headframe/devnode';
import { freePort } from '../support/free-port.js';

/** Finds a share in about forty hashes, so that one process can be hundreds of miners. */
const SHARE_DIFFICULTY = 1e-8;
/** One share in some 1,500 is a block. */
const BLOCK_BITS = 0x1f00ffff;
const FIRST_BLOCKS = 101;
/** Workers of one account. */
const WORKERS = 5;

/** A chain and what a pool on it is told; the pool may be started again and again on the same port. */
export interface Stage {
  readonly node: DevNode;
  readonly port: number;
  readonly config: Readonly<Record<string, unknown>>;
  /** Names for so many miners, on addresses of the chain's wallet. */
  workers(count: number): Promise<string[]>;
  close(): Promise<void>;
}

async function newAddress(node: DevNode): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${node.user}:${node.password}`).toString('base64')}`;
  const body = JSON.stringify({ method: 'getnewaddress', params: [] });
  const response = await fetch(node.url, { method: 'POST', headers: { authorization }, body });
  const answer = (await response.json()) as { readonly result: string };
  return answer.result;
}

/** Makes a chain on which coins are mature, and the configuration of a PPLNS pool that stores in `storageUrl`. */
export async function makeStage(storageUrl: string, extra: Readonly<Record<string, unknown>> = {}): Promise<Stage> {
  const node = createDevNode({ bits: BLOCK_BITS, bitsFromHeight: FIRST_BLOCKS + 1 });
  await node.start();
  node.mineBlocks(FIRST_BLOCKS);
  const port = await freePort();
  return {
    node,
    port,
    config: {
      coin: 'bitcoin',
      network: 'regtest',
      daemons: [{ url: node.url, user: node.user, password: node.password }],
      payout: { scheme: 'pplns', address: node.walletAddress },
      listeners: [{ host: '127.0.0.1', port, difficulty: SHARE_DIFFICULTY }],
      storage: { url: storageUrl },
      log: { level: 'info', format: 'json' },
      ...extra,
    },
    workers: async (count) => {
      const names: string[] = [];
      for (let account = ''; names.length < count; ) {
        if (names.length % WORKERS === 0) account = await newAddress(node);
        names.push(`${account}.rig${names.length}`);
      }
      return names;
    },
    close: () => node.close(),
  };
}
