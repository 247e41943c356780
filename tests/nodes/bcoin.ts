import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '../support/free-port.js';
import { type NodeCall, nodeRpc } from '../support/node-rpc.js';
import { startProcess, type TrackedProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';

/** Blocks after which bcoin's regtest has segwit: it is signalled in by BIP 9. */
export const BCOIN_SEGWIT_HEIGHT = 432;

export interface TestNode {
  readonly port: number;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly rpc: NodeCall;
  /** Ends the process; chain and port stay. */
  halt(): Promise<void>;
  /** Starts it again after {@link halt}. */
  resume(): Promise<void>;
  /** Freezes the process (true) or lets it go on: sockets stay open, nothing answers. */
  freeze(frozen: boolean): void;
  /** Ends the process and removes its folder. */
  close(): Promise<void>;
}

export interface BcoinOptions {
  /**
   * Port for the server of its wallet, which has the same password. Default: no wallet. With one everything is in
   * memory, and gone after {@link TestNode.halt}: its wallet cannot walk through a database of today's leveldown.
   */
  readonly walletPort?: number;
}

/**
 * Starts bcoin (SHA-256d, regtest) in a folder of its own. Errors of its RPC come with HTTP 200. Addresses have the
 * prefix `rb`, scripts are those of Bitcoin.
 */
export async function startBcoin({ walletPort }: BcoinOptions = {}): Promise<TestNode> {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-bcoin-'));
  const require = createRequire(import.meta.url);
  const binary = join(dirname(require.resolve('bcoin/package.json')), 'bin', 'node');
  const port = await freePort();
  const password = 'secret';
  const rpc = nodeRpc({ port, user: 'bitcoinrpc', password });
  let running: TrackedProcess | undefined;

  const start = async (): Promise<void> => {
    const node = startProcess(
      process.execPath,
      [
        binary,
        '--network=regtest',
        `--memory=${walletPort !== undefined}`,
        `--prefix=${folder}`,
        `--api-key=${password}`,
        '--http-host=127.0.0.1',
        `--http-port=${port}`,
        '--listen=false',
        '--no-dns=true',
        '--workers=false',
        ...(walletPort === undefined
          ? ['--no-wallet=true']
          : ['--wallet-http-host=127.0.0.1', `--wallet-http-port=${walletPort}`]),
        '--log-level=error',
      ],
      { env: { NODE_BACKEND: 'js' } }, // its native modules are not built
    );
    running = node;
    await waitFor('bcoin to answer', () => {
      if (node.child.exitCode !== null) throw new Error(`bcoin ended: ${node.output()}`);
      return rpc<number>('getblockcount').then((height) => height >= 0);
    });
  };
  const halt = async (): Promise<void> => {
    running?.child.kill('SIGCONT');
    // It has no handler for SIGTERM; its database survives that.
    await running?.stop();
    running = undefined;
  };
  await start();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    user: 'bitcoinrpc',
    password,
    rpc,
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
