import { PoolError } from '@headframe/primitives';
import type { RawTransaction } from './raw-transaction.js';
import { serializeTransaction, type TransactionInput, type TransactionOutput } from './transaction.js';
import { txidBytes, type WalletCoin } from './wallet.js';

/** P2WPKH outputs below this are not relayed (Core's dust rule at 3,000 base units per 1,000 virtual bytes). */
const DUST = 294n;
/** Weight of an input whose witness holds a signature of full length and a key. */
const INPUT_WEIGHT = 41 * 4 + 1 + 1 + 72 + 1 + 33;
const WITNESS_MARKER_WEIGHT = 2;
const MAX_STANDARD_WEIGHT = 400_000;

export interface FundingOptions {
  /** Coins that may be added, best first. */
  readonly coins: readonly WalletCoin[];
  /** Base units of the inputs that the transaction has already. */
  readonly valueIn: bigint;
  /** Base units per 1,000 virtual bytes. */
  readonly feeRate: bigint;
  /** Where the change goes; asked for only when there is some. */
  changeScript(): Uint8Array;
  /** Place of the change among the outputs; undefined is the wallet's choice. */
  readonly changePosition: number | undefined;
  /** Of the inputs that are added. */
  readonly sequence: number;
  /** Outputs that pay the fee in equal parts. Empty: the sender pays. */
  readonly subtractFeeFrom: readonly number[];
}

export interface Funded {
  readonly transaction: RawTransaction;
  readonly fee: bigint;
  /** -1 without change. */
  readonly changePosition: number;
}

function feeOf(weight: number, feeRate: bigint): bigint {
  const size = BigInt(Math.ceil(weight / 4));
  return (size * feeRate + 999n) / 1000n;
}

function inputOf(coin: WalletCoin, sequence: number): TransactionInput {
  return {
    previousTxid: txidBytes(coin.txid),
    previousIndex: coin.index,
    scriptSig: new Uint8Array(),
    sequence,
    witness: [],
  };
}

function afterFee(outputs: readonly TransactionOutput[], payers: readonly number[], fee: bigint): TransactionOutput[] {
  const share = payers.length === 0 ? 0n : fee / BigInt(payers.length);
  const rest = fee - share * BigInt(payers.length);
  return outputs.map((output, i) => {
    if (!payers.includes(i)) return output;
    const value = output.value - share - (i === payers[0] ? rest : 0n); // the first pays what does not divide
    if (value < DUST) {
      throw new PoolError(
        'invalid_argument',
        'The transaction amount is too small to send after the fee has been deducted',
      );
    }
    return { ...output, value };
  });
}

/**
 * Adds inputs until they cover outputs and fee, and an output for the change.
 * @throws PoolError `insufficient_funds`, or `invalid_argument` in Core's words.
 */
export function fundTransaction(transaction: RawTransaction, options: FundingOptions): Funded {
  const { feeRate, subtractFeeFrom, coins } = options;
  const target = transaction.outputs.reduce((sum, { value }) => sum + value, 0n);
  const chosen: TransactionInput[] = [...transaction.inputs];
  const bare = serializeTransaction({ ...transaction, inputs: [] }).length * 4 + WITNESS_MARKER_WEIGHT;
  // A compact size takes three bytes from 253 inputs on.
  const weight = (): number => bare + chosen.length * INPUT_WEIGHT + (chosen.length > 252 ? 8 : 0);
  const needed = (): bigint => target + (subtractFeeFrom.length > 0 ? 0n : feeOf(weight(), feeRate));
  let valueIn = options.valueIn;
  for (const coin of coins) {
    if (chosen.length > 0 && valueIn >= needed()) break;
    chosen.push(inputOf(coin, options.sequence));
    valueIn += coin.value;
  }
  if (chosen.length === 0 || valueIn < needed()) throw new PoolError('insufficient_funds', 'Insufficient funds');
  if (weight() > MAX_STANDARD_WEIGHT) {
    throw new PoolError(
      'invalid_argument',
      "The inputs size exceeds the maximum weight. Please try sending a smaller amount or manually consolidating your wallet's UTXOs",
    );
  }
  const changeWeight = 31 * 4;
  const feeWithChange = feeOf(weight() + changeWeight, feeRate);
  const change = valueIn - target - (subtractFeeFrom.length > 0 ? 0n : feeWithChange);
  const withChange = change >= DUST;
  const fee = withChange ? feeWithChange : subtractFeeFrom.length > 0 ? feeOf(weight(), feeRate) : valueIn - target;
  const outputs = afterFee(transaction.outputs, subtractFeeFrom, fee);
  if (!withChange) {
    const paid = valueIn - outputs.reduce((sum, { value }) => sum + value, 0n); // change too small to be one is fee
    return { transaction: { ...transaction, inputs: chosen, outputs }, fee: paid, changePosition: -1 };
  }
  // Any place, but the same for the same coins: callers must not rely on it being the last.
  const place = options.changePosition ?? (chosen[0]?.previousTxid[0] ?? 0) % (outputs.length + 1);
  outputs.splice(place, 0, { value: change, script: options.changeScript() });
  return { transaction: { ...transaction, inputs: chosen, outputs }, fee, changePosition: place };
}
