import { asciiToBytes, hexToBytes, PoolError } from '@headframe/primitives';
import type { Chain } from './chain.js';
import { sha256d } from './hashes.js';
import type { Mempool } from './mempool.js';
import { buildTransaction, outpointKey, type Transaction } from './transaction.js';

/** Script of the built-in wallet. Nobody holds its key; none is needed, since this chain does not run scripts. */
export const WALLET_SCRIPT: Uint8Array = Uint8Array.of(
  0x00,
  20,
  ...sha256d(asciiToBytes('headframe development chain')).subarray(0, 20),
);

export interface MakeTransactionOptions {
  /** Base units. Default 1,000. */
  readonly fee?: bigint;
  /** Where `value` goes; by default back to the built-in wallet. */
  readonly script?: Uint8Array;
  /** Base units paid to `script`. Default 10,000. */
  readonly value?: bigint;
  /** False for a transaction without witness data, whose wtxid is its txid. Default true. */
  readonly witness?: boolean;
  /** Bytes of an OP_RETURN output that makes it larger. Default 0. */
  readonly padding?: number;
}

interface Spendable {
  readonly key: string;
  readonly value: bigint;
}

function findSpendable(chain: Chain, mempool: Mempool, needed: bigint): Spendable | undefined {
  const { coinbaseMaturity } = chain.params;
  for (const [key, coin] of chain.coins.watched()) {
    const mature = !coin.coinbase || chain.height + 1 - coin.height >= coinbaseMaturity;
    if (mature && coin.value >= needed && !mempool.isSpent(key)) return { key, value: coin.value };
  }
  const script = WALLET_SCRIPT.join();
  for (const { transaction } of mempool.entries()) {
    for (const [index, output] of transaction.outputs.entries()) {
      const key = outpointKey(transaction.id, index);
      if (output.value >= needed && !mempool.isSpent(key) && output.script.join() === script) {
        return { key, value: output.value };
      }
    }
  }
  return undefined;
}

/**
 * A transaction that spends from the built-in wallet (blocks mined without a payee pay it) and returns the change.
 * @throws PoolError `invalid_argument` when no mature coin is large enough.
 */
export function makeTransaction(chain: Chain, mempool: Mempool, options: MakeTransactionOptions = {}): Transaction {
  const { fee = 1_000n, value = 10_000n, script = WALLET_SCRIPT, witness = true, padding = 0 } = options;
  const source = findSpendable(chain, mempool, fee + value);
  if (source === undefined) {
    const mined = chain.params.coinbaseMaturity + 1;
    throw new PoolError(
      'invalid_argument',
      `the wallet has no mature coin; mine ${mined} blocks without a payee first`,
    );
  }
  const [txid = '', index] = source.key.split(':');
  const outputs = [{ value, script }];
  const change = source.value - value - fee;
  if (change > 0n) outputs.push({ value: change, script: WALLET_SCRIPT });
  if (padding > 0) outputs.push({ value: 0n, script: opReturn(padding) });
  return buildTransaction({
    inputs: [
      {
        previousTxid: hexToBytes(txid).reverse(),
        previousIndex: Number(index),
        scriptSig: new Uint8Array(),
        sequence: 0xfffffffd,
        // As long as a signature and a key, so that weights look real.
        witness: witness ? [new Uint8Array(71).fill(0x30), new Uint8Array(33).fill(0x02)] : [],
      },
    ],
    outputs,
  });
}

function opReturn(length: number): Uint8Array {
  const script = new Uint8Array(1 + 5 + length);
  script.set([0x6a, 0x4e], 0);
  new DataView(script.buffer).setUint32(2, length, true);
  return script;
}
