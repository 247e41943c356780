import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.js';
import { nodeRpc } from '../support/node-rpc.js';
import { startProcess, type TrackedProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';
import type { TestNode } from './bcoin.js';

/** Debian's daemon itself; /usr/bin/litecoind is a wrapper that writes into the home folder. */
export const LITECOIND_PATH = '/usr/lib/litecoin/litecoind';

export interface LitecoinNode extends TestNode {
  /** Opens the idle connection that counts as a peer; without one getblocktemplate is refused with -9. */
  connectPeer(): Promise<void>;
  /** Closes it. */
  disconnectPeer(): Promise<void>;
}

export interface LitecoindOptions {
  /** Let MWEB activate at height 432. Default false: never. */
  readonly mweb?: boolean;
  /** More arguments. */
  readonly args?: readonly string[];
}

/** Starts litecoind (scrypt, regtest) in a folder of its own, with a peer and without the initial-download check. */
export async function startLitecoind(options: LitecoindOptions = {}): Promise<LitecoinNode> {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-litecoind-'));
  const [port, peerPort] = [await freePort(), await freePort()];
  const [user, password] = ['u', 'p'];
  const rpc = nodeRpc({ port, user, password });
  let running: TrackedProcess | undefined;
  let peer: Socket | undefined;

  const connectPeer = async (): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      const socket = createConnection(peerPort, '127.0.0.1');
      peer = socket;
      socket.on('error', reject); // after the connection is made this does nothing
      socket.once('connect', () => resolve());
      socket.resume();
    });
    await waitFor('the peer to count', async () => (await rpc<number>('getconnectioncount')) > 0);
  };
  const disconnectPeer = async (): Promise<void> => {
    peer?.destroy();
    peer = undefined;
    await waitFor('the peer to be gone', async () => (await rpc<number>('getconnectioncount')) === 0);
  };
  const start = async (): Promise<void> => {
    const node = startProcess(LITECOIND_PATH, [
      '-regtest',
      `-datadir=${folder}`,
      '-server',
      '-listen=1',
      `-bind=127.0.0.1:${peerPort}`,
      '-dnsseed=0',
      '-upnp=0',
      `-rpcuser=${user}`,
      `-rpcpassword=${password}`,
      `-rpcport=${port}`,
      '-fallbackfee=0.001',
      '-txindex=1',
      '-printtoconsole=0',
      '-peertimeout=86400', // the idle connection never shakes hands
      '-maxtipage=2000000000', // a tip of any age ends the initial download
      ...(options.mweb === true ? [] : ['-vbparams=mweb:-2:0']),
      ...(options.args ?? []),
    ]);
    running = node;
    await waitFor('litecoind to answer', () => {
      if (node.child.exitCode !== null) throw new Error(`litecoind ended: ${node.output()}`);
      return rpc<number>('getblockcount').then((height) => height >= 0);
    });
    await connectPeer();
  };
  const halt = async (): Promise<void> => {
    peer?.destroy();
    peer = undefined;
    running?.child.kill('SIGCONT');
    await running?.stop();
    running = undefined;
  };
  await start();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    user,
    password,
    rpc,
    connectPeer,
    disconnectPeer,
    halt,
    resume: start,
    freeze: (frozen) => {
      running?.child.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
    },
    close: async () => {
      await halt();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
