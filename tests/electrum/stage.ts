import { decodeAddress, resolveCoin } from '@headframe/coins';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { scripthashOf } from '@headframe/electrum';
import { createElectrumServer, type ElectrumConfigInput, type ElectrumServer } from '@headframe/electrum-server';
import { waitFor } from '../support/wait.js';

/** Bitcoin's regtest. */
export const coin = resolveCoin('bitcoin', 'regtest');

/** A development chain of 120 blocks with a server on it. */
export interface Stage {
  readonly node: DevNode;
  readonly server: ElectrumServer;
  readonly port: number;
  /** The wallet of the node, and what the protocol calls it. */
  readonly address: string;
  readonly scripthash: string;
  /** Configuration of another server on the same node. */
  configFor(extra?: Partial<ElectrumConfigInput>): ElectrumConfigInput;
  /** The server has seen what the node has. */
  level(): Promise<void>;
  close(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  const node = createDevNode({ coin: 'bitcoin' });
  await node.start();
  node.mineBlocks(120);
  const address = node.walletAddress;
  const configFor = (extra: Partial<ElectrumConfigInput> = {}): ElectrumConfigInput => ({
    coin: 'bitcoin',
    network: 'regtest',
    dataFile: ':memory:',
    daemons: [{ url: node.url, user: node.user, password: node.password }],
    listeners: [{ host: '127.0.0.1', port: 0 }],
    pollMs: 50,
    banner: 'dig deeper',
    ...extra,
  });
  const server = await createElectrumServer(configFor());
  const [listener] = await server.listen();
  return {
    node,
    server,
    port: listener?.port ?? 0,
    address,
    scripthash: scripthashOf(decodeAddress(coin, address).script),
    configFor,
    level: async () => {
      await waitFor('the index to follow', () => server.tip.height === node.height);
    },
    close: async () => {
      await server.close();
      await node.close();
    },
  };
}
