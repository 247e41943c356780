import { sha256d } from '@headframe/mining';
import {
  ByteReader,
  bytesToHex,
  concatBytes,
  hexToBytes,
  isPoolError,
  PoolError,
  toDisplayHex,
} from '@headframe/primitives';
import type { SignedTransaction, TransactionOutput, WalletOutput } from '../types.js';

/** A coin that a transaction spends. */
export interface Outpoint {
  /** Display hex. */
  readonly txid: string;
  readonly index: number;
}

/** What matters of a transaction to whoever pays by it. */
export interface RawTransaction {
  /** Display hex. */
  readonly txid: string;
  readonly inputs: readonly Outpoint[];
  readonly outputs: readonly TransactionOutput[];
}

/** No transaction can be larger: it would not fit a block. */
const MAX_HEX_LENGTH = 2 * 4_000_000;
const VERSION_BYTES = 4;

/** Reads a transaction, with or without witness (BIP 144). @throws PoolError `invalid_data`. */
export function parseRawTransaction(hex: string): RawTransaction {
  if (hex.length > MAX_HEX_LENGTH) throw new PoolError('invalid_data', 'a transaction of more than 4 MB');
  try {
    return read(hexToBytes(hex));
  } catch (error) {
    if (isPoolError(error, 'invalid_data')) throw error;
    throw new PoolError('invalid_data', 'not a transaction', { cause: error });
  }
}

function read(bytes: Uint8Array): RawTransaction {
  const reader = new ByteReader(bytes);
  const version = reader.view(VERSION_BYTES);
  const hasWitness = bytes[reader.offset] === 0;
  if (hasWitness) {
    reader.u8();
    const flags = reader.u8();
    // Bit 3 is Litecoin's MWEB part; coins there are not what a pool pays from.
    if (flags !== 1) throw new PoolError('invalid_data', `a transaction with flags ${flags}, which are not known here`);
  }
  const start = reader.offset;
  const inputs: Outpoint[] = [];
  for (let left = reader.compactSize(); left > 0; left--) {
    inputs.push({ txid: toDisplayHex(reader.view(32)), index: reader.u32le() });
    reader.view(reader.compactSize());
    reader.u32le();
  }
  const outputs: TransactionOutput[] = [];
  for (let left = reader.compactSize(); left > 0; left--) {
    const amount = reader.u64le();
    outputs.push({ script: reader.copy(reader.compactSize()), amount });
  }
  const body = bytes.subarray(start, reader.offset);
  if (hasWitness) {
    for (const _ of inputs) for (let left = reader.compactSize(); left > 0; left--) reader.view(reader.compactSize());
  }
  const lockTime = reader.view(4);
  if (reader.remaining > 0) throw new PoolError('invalid_data', `${reader.remaining} bytes after a transaction`);
  return { txid: toDisplayHex(sha256d(concatBytes(version, body, lockTime))), inputs, outputs };
}

/**
 * Checks that a wallet signed what it was asked to: these outputs, and at most one more, its change.
 * @throws PoolError `invalid_data` naming the difference.
 */
export function checkSigned(hex: string, asked: readonly WalletOutput[]): RawTransaction {
  const parsed = parseRawTransaction(hex);
  const left = new Map<string, number>();
  const keyOf = ({ script, amount }: TransactionOutput): string => `${bytesToHex(script)}:${amount}`;
  for (const output of parsed.outputs) left.set(keyOf(output), (left.get(keyOf(output)) ?? 0) + 1);
  for (const output of asked) {
    const count = left.get(keyOf(output)) ?? 0;
    if (count === 0) {
      throw new PoolError(
        'invalid_data',
        `the wallet's transaction does not pay ${output.amount} to ${output.address}`,
      );
    }
    left.set(keyOf(output), count - 1);
  }
  const extra = parsed.outputs.length - asked.length;
  if (extra > 1)
    throw new PoolError('invalid_data', `the wallet's transaction has ${extra} outputs beside those asked for`);
  if (parsed.inputs.length === 0) throw new PoolError('invalid_data', "the wallet's transaction spends nothing");
  return parsed;
}

/** True when both spend the same coins and pay the same outputs: one is the other with changed signatures. */
export function isSamePayment(a: RawTransaction, b: RawTransaction): boolean {
  const shape = ({ inputs, outputs }: RawTransaction): string =>
    JSON.stringify([
      inputs.map(({ txid, index }) => `${txid}:${index}`),
      outputs.map(({ script, amount }) => `${bytesToHex(script)}:${amount}`),
    ]);
  return shape(a) === shape(b);
}

/** Coins of transactions. */
export function inputsOf(transactions: readonly SignedTransaction[]): Outpoint[] {
  return transactions.flatMap(({ transaction }) => parseRawTransaction(transaction).inputs);
}
