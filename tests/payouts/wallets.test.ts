import { randomBytes } from 'node:crypto';
import { decodeAddress, resolveCoin } from '@headframe/coins';
import { createDevNode } from '@headframe/devnode';
import { coreWallet } from '@headframe/payouts';
import { describeWallet, type WalletHarness } from '@headframe/payouts/compliance';
import { describe } from 'vitest';
import { Process } from '../../packages/payouts/test/support/faults.js';
import { requireService } from '../support/require.js';
import { segwitAddress } from '../support/script.js';
import { type Backend, bcoinBackend, litecoinBackend } from './backends.js';

async function harnessOf(start: () => Promise<Backend>): Promise<WalletHarness> {
  const backend = await start();
  const wallet = backend.wallet(new Process());
  return {
    wallet,
    output: (amount) => {
      const address = segwitAddress(backend.prefix, randomBytes(20));
      return { address, script: decodeAddress(backend.coin, address).script, amount };
    },
    mine: (count) => backend.mine(count),
    invalidateTip: async () => backend.invalidate(await backend.chain.tip()),
    close: async () => {
      wallet.close();
      await backend.close();
    },
  };
}

async function devNodeHarness(): Promise<WalletHarness> {
  const node = createDevNode();
  await node.start();
  const coin = resolveCoin('bitcoin', 'regtest');
  node.mineBlocks(10);
  const somebody = (): Uint8Array => Uint8Array.of(0, 20, ...randomBytes(20));
  node.mineBlocks(101, { script: somebody() });
  const wallet = coreWallet({ url: node.url, user: node.user, password: node.password, coin });
  return {
    wallet,
    output: (amount) => {
      const address = segwitAddress('bcrt', randomBytes(20));
      return { address, script: decodeAddress(coin, address).script, amount };
    },
    mine: async (count) => {
      node.mineBlocks(count, { script: somebody() });
    },
    invalidateTip: async () => {
      node.invalidateBlock(node.tipHash);
    },
    close: async () => {
      wallet.close();
      await node.close();
    },
  };
}

describeWallet('coreWallet on the development node', devNodeHarness);
describe.runIf(requireService('litecoind'))('on litecoind', () => {
  describeWallet('coreWallet', () => harnessOf(litecoinBackend));
});
describe.runIf(requireService('bcoin'))('on bcoin', () => {
  describeWallet('bcoinWallet', () => harnessOf(bcoinBackend));
});
