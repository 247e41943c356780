import { builtinCoins, type CoinDefinition } from '@headframe/coins';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { type Difficulty, targetToNbits } from '@headframe/mining';
import type { PoolConfigInput } from '@headframe/pool';
import { PoolError, uint256FromBytesLe } from '@headframe/primitives';

/** The P2WPKH example address of BIP 173, for regtest: the demo's miner. Nobody can spend regtest coins. */
export const MINER_ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
/** The P2WSH example address of BIP 173, for regtest: gets the demo pool's fee. */
const FEE_ADDRESS = 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry';
const FEE_PERCENT = 1;
/** Blocks the chain begins with, so that there are coins to spend and templates hold transactions. */
const FIRST_BLOCKS = 20;
/** Blocks until a reward may be spent: 100 on a real chain, few here so that payments show soon. */
const MATURITY = 5;
const SHARE_DIFFICULTY = 0.0002;
const PAYMENT_SECONDS = 20;

/** A regtest chain whose rewards mature soon, with a wallet that pays miners. */
export function createDemoNode(blockDifficulty: Difficulty): DevNode {
  return createDevNode({
    user: 'demo',
    password: 'demo',
    bits: targetToNbits(uint256FromBytesLe(blockDifficulty.target)),
    bitsFromHeight: FIRST_BLOCKS + 1,
    coinbaseMaturity: MATURITY,
  });
}

/** Gives the wallet coins to begin with. */
export function mineFirstBlocks(node: DevNode): void {
  node.mineBlocks(FIRST_BLOCKS);
}

/** Bitcoin's regtest with the maturity of the demo's chain. */
function demoCoin(): CoinDefinition {
  const { bitcoin } = builtinCoins;
  const regtest = bitcoin?.networks.regtest;
  if (bitcoin === undefined || regtest === undefined) throw new PoolError('invalid_coin', 'bitcoin has no regtest');
  return { ...bitcoin, networks: { regtest: { ...regtest, coinbaseMaturity: MATURITY } } };
}

export interface DemoPoolOptions {
  readonly port: number;
  readonly webPort: number;
  readonly folder: string;
  readonly blockDifficulty: Difficulty;
}

/** PPLNS with payments every few seconds, a ledger in the folder, and the web page. */
export function demoConfig(
  node: DevNode,
  { port, webPort, folder, blockDifficulty }: DemoPoolOptions,
): PoolConfigInput & { readonly api: object } {
  const difficulty = { start: Math.min(SHARE_DIFFICULTY, blockDifficulty.value), target: 2 };
  return {
    coin: { ...demoCoin() },
    network: 'regtest',
    daemons: [{ url: node.url, user: node.user, password: node.password, name: 'devnode' }],
    payout: {
      scheme: 'pplns',
      address: node.walletAddress,
      fees: [{ address: FEE_ADDRESS, percent: FEE_PERCENT }],
      payments: { every: PAYMENT_SECONDS, minimum: '0.1', confirmations: 2 },
    },
    listeners: [{ host: '127.0.0.1', port, difficulty }],
    dataFolder: folder,
    api: { host: '127.0.0.1', port: webPort, name: 'Headframe demo' },
    shutdownGrace: 3,
  };
}
