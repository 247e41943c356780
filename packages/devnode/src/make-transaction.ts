import { PoolError } from '@headframe/primitives';
import type { Chain } from './chain.js';
import { buildTransaction, type Transaction } from './transaction.js';
import { txidBytes, type Wallet, type WalletCoin } from './wallet.js';

export interface MakeTransactionOptions {
  /** Base units. Default 1,000. */
  readonly fee?: bigint;
  /** Where `value` goes; by default back to the built-in wallet. */
  readonly script?: Uint8Array;
  /** Base units paid to `script`. Default 10,000. */
  readonly value?: bigint;
  /** Bytes of an OP_RETURN output that makes it larger. Default 0. */
  readonly padding?: number;
}

/**
 * A signed transaction that spends one coin of the wallet and returns the change to its first address.
 * @throws PoolError `insufficient_funds` when no mature coin is large enough.
 */
export function makeTransaction(chain: Chain, wallet: Wallet, options: MakeTransactionOptions = {}): Transaction {
  const { fee = 1_000n, value = 10_000n, script = wallet.script, padding = 0 } = options;
  let source: WalletCoin | undefined;
  for (const coin of wallet.coins()) {
    const isMature = !coin.coinbase || coin.confirmations >= chain.params.coinbaseMaturity;
    if (!isMature || coin.value < fee + value || wallet.locked.has(coin.key)) continue;
    source = coin;
    break;
  }
  if (source === undefined) {
    const mined = chain.params.coinbaseMaturity + 1;
    throw new PoolError(
      'insufficient_funds',
      `the wallet has no mature coin; mine ${mined} blocks without a payee first`,
    );
  }
  const outputs = [{ value, script }];
  const change = source.value - value - fee;
  if (change > 0n) outputs.push({ value: change, script: wallet.script });
  if (padding > 0) outputs.push({ value: 0n, script: opReturn(padding) });
  const input = {
    previousTxid: txidBytes(source.txid),
    previousIndex: source.index,
    scriptSig: new Uint8Array(),
    sequence: 0xfffffffd,
    witness: [],
  };
  return buildTransaction(wallet.sign({ version: 2, inputs: [input], outputs, lockTime: 0 }));
}

function opReturn(length: number): Uint8Array {
  const script = new Uint8Array(1 + 5 + length);
  script.set([0x6a, 0x4e], 0);
  new DataView(script.buffer).setUint32(2, length, true);
  return script;
}
