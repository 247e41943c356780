import type { Coin } from '@headframe/coins';
import { bytesToHex, toDisplayHex } from '@headframe/primitives';
import { describeScript } from './addresses.js';
import { Amount } from './amount.js';
import { sha256d } from './hashes.js';
import type { RawTransaction } from './raw-transaction.js';
import { serializeTransaction, type Transaction } from './transaction.js';

/** scriptPubKey as nodes print it. */
export function scriptJson(coin: Coin, script: Uint8Array): Record<string, unknown> {
  const { type, address } = describeScript(coin, script);
  return { hex: bytesToHex(script), ...(address === undefined ? {} : { address }), type };
}

/** Inputs and outputs as decoderawtransaction prints them. */
function partsJson(coin: Coin, transaction: RawTransaction, isCoinbase: boolean): Record<string, unknown> {
  return {
    vin: transaction.inputs.map((input) => ({
      ...(isCoinbase
        ? { coinbase: bytesToHex(input.scriptSig) }
        : {
            txid: toDisplayHex(input.previousTxid),
            vout: input.previousIndex,
            scriptSig: { hex: bytesToHex(input.scriptSig) },
          }),
      ...(input.witness.length === 0 ? {} : { txinwitness: input.witness.map(bytesToHex) }),
      sequence: input.sequence,
    })),
    vout: transaction.outputs.map(({ value, script }, n) => ({
      value: new Amount(value),
      n,
      scriptPubKey: scriptJson(coin, script),
    })),
  };
}

/** A whole transaction as decoderawtransaction prints it. */
export function transactionJson(coin: Coin, transaction: Transaction): Record<string, unknown> {
  return {
    txid: transaction.id,
    hash: toDisplayHex(transaction.wtxid),
    version: transaction.version,
    size: transaction.bytes.length,
    vsize: virtualSize(transaction),
    weight: transaction.weight,
    locktime: transaction.lockTime,
    ...partsJson(coin, transaction, transaction.isCoinbase),
  };
}

/** {@link transactionJson} of one that has no inputs yet. */
export function unfundedJson(coin: Coin, transaction: RawTransaction): Record<string, unknown> {
  const bytes = serializeTransaction(transaction);
  const txid = toDisplayHex(sha256d(bytes));
  const { version, lockTime } = transaction;
  const size = { size: bytes.length, vsize: bytes.length, weight: bytes.length * 4 };
  return { txid, hash: txid, version, ...size, locktime: lockTime, ...partsJson(coin, transaction, false) };
}

/** Virtual bytes: a quarter of the weight, rounded up (BIP 141). */
export function virtualSize({ weight }: { readonly weight: number }): number {
  return Math.ceil(weight / 4);
}
