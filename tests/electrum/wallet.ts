import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, type TrackedProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';

/** Chains the wallet is used on: it knows Bitcoin's regtest, whose constants are swapped for another coin. */
export type WalletChain = 'bitcoin' | 'litecoin';

/** Litecoin's regtest in the place of Bitcoin's, then the wallet as it is installed. */
const LITECOIN_LAUNCHER = `import runpy, sys
from electrum.constants import BitcoinRegtest as net
net.GENESIS = '530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9'
net.SEGWIT_HRP = 'rltc'
net.ADDRTYPE_P2SH = 58
sys.argv[0] = '/usr/bin/electrum'
runpy.run_path('/usr/bin/electrum', run_name='__main__')
`;

export interface Balance {
  readonly confirmed?: string;
  readonly unconfirmed?: string;
  readonly unmatured?: string;
}

/** Debian's Electrum, driven by its command line, with a wallet and a folder of its own. */
export interface Wallet {
  /** Runs one command and answers its output, parsed where it is JSON. */
  run(...args: readonly string[]): Promise<unknown>;
  /** Starts its daemon against a server (`host:port:t` or `:s`) and waits until the wallet is synchronised. */
  connect(server: string): Promise<void>;
  /** Ends the daemon. */
  disconnect(): Promise<void>;
  balance(): Promise<Balance>;
  address(): Promise<string>;
  height(): Promise<number>;
  /** Output of its daemon. */
  output(): string;
  close(): Promise<void>;
}

/** Makes a new wallet. */
export async function createWallet(chain: WalletChain): Promise<Wallet> {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-electrum-'));
  let program = ['/usr/bin/electrum'];
  if (chain === 'litecoin') {
    const launcher = join(folder, 'launcher.py');
    writeFileSync(launcher, LITECOIN_LAUNCHER);
    program = ['/usr/bin/python3', launcher];
  }
  const [command = '', ...first] = program;
  const base = [...first, '--regtest', '-D', join(folder, 'data')];
  const env = { HOME: folder };
  let daemon: TrackedProcess | undefined;

  const run = (...args: readonly string[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      execFile(
        command,
        [...base, ...args],
        { env: { ...process.env, ...env }, timeout: 30_000 },
        (error, stdout, stderr) => {
          if (error) {
            reject(new Error(`electrum ${args[0]}: ${stderr || stdout || error.message}`));
            return;
          }
          const text = stdout.trim();
          try {
            resolve(JSON.parse(text));
          } catch {
            resolve(text);
          }
        },
      );
    });

  const disconnect = async (): Promise<void> => {
    if (daemon === undefined) return;
    await run('stop').catch(() => {});
    await daemon.stop();
    daemon = undefined;
  };

  await run('--offline', 'create');
  await run('--offline', 'setconfig', 'check_updates', 'false');
  return {
    run,
    disconnect,
    connect: async (server) => {
      const started = startProcess(command, [...base, 'daemon', '--oneserver', '-s', server], { env });
      daemon = started;
      await waitFor('the wallet daemon to answer', async () => {
        if (started.child.exitCode !== null) throw new Error(`electrum ended: ${started.output()}`);
        return (await run('load_wallet')) === true;
      });
      await waitFor('the wallet to be synchronised', async () => (await run('is_synchronized')) === true);
    },
    balance: async () => (await run('getbalance')) as Balance,
    address: async () => String(await run('getunusedaddress')),
    height: async () => {
      const info = (await run('getinfo')) as { readonly blockchain_height?: unknown };
      return Number(info.blockchain_height);
    },
    output: () => daemon?.output() ?? '',
    close: async () => {
      await disconnect();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
