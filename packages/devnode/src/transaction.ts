import { ByteReader, ByteWriter, concatBytes, PoolError, toDisplayHex } from '@headframe/primitives';
import { sha256d } from './hashes.js';

/** Most base units that can exist: 21 million coins; Litecoin's chain uses 84 million. */
export const MAX_MONEY: { readonly bitcoin: bigint; readonly litecoin: bigint } = {
  bitcoin: 21_000_000n * 100_000_000n,
  litecoin: 84_000_000n * 100_000_000n,
};

export interface TransactionInput {
  /** Transaction id of the spent output, 32 bytes in internal order. */
  readonly previousTxid: Uint8Array;
  readonly previousIndex: number;
  readonly scriptSig: Uint8Array;
  readonly sequence: number;
  /** Witness stack; empty where the transaction has none. */
  readonly witness: readonly Uint8Array[];
}

export interface TransactionOutput {
  /** Base units, as the unsigned 64-bit integer that was written. */
  readonly value: bigint;
  readonly script: Uint8Array;
}

/** A parsed transaction. Arrays are copies: they do not keep the block alive. */
export interface Transaction {
  readonly version: number;
  readonly inputs: readonly TransactionInput[];
  readonly outputs: readonly TransactionOutput[];
  readonly lockTime: number;
  /** The serialisation it came in, witness included. */
  readonly bytes: Uint8Array;
  /** Internal order. */
  readonly txid: Uint8Array;
  /** Hash with witness, internal order; equals `txid` without one. */
  readonly wtxid: Uint8Array;
  /** Display hex of `txid`: the key of every map here. */
  readonly id: string;
  readonly hasWitness: boolean;
  /** BIP 141: three times the size without witness plus the whole size. */
  readonly weight: number;
  readonly isCoinbase: boolean;
}

/** Key of an output in the coin set. */
export function outpointKey(txidDisplay: string, index: number): string {
  return `${txidDisplay}:${index}`;
}

/** Key of the output that an input spends. */
export function spentKey(input: TransactionInput): string {
  return outpointKey(toDisplayHex(input.previousTxid), input.previousIndex);
}

const MIN_INPUT_BYTES = 41; // outpoint 36, empty script 1, sequence 4
const MIN_OUTPUT_BYTES = 9; // value 8, empty script 1

function readInputs(reader: ByteReader, count: number): Omit<TransactionInput, 'witness'>[] {
  // A count that cannot fit is refused before anything is allocated for it.
  if (count * MIN_INPUT_BYTES > reader.remaining) throw new PoolError('invalid_data', `${count} inputs cannot fit`);
  return Array.from({ length: count }, () => ({
    previousTxid: reader.copy(32),
    previousIndex: reader.u32le(),
    scriptSig: reader.copy(reader.compactSize()),
    sequence: reader.u32le(),
  }));
}

function readOutputs(reader: ByteReader): TransactionOutput[] {
  const count = reader.compactSize();
  if (count * MIN_OUTPUT_BYTES > reader.remaining) throw new PoolError('invalid_data', `${count} outputs cannot fit`);
  return Array.from({ length: count }, () => ({ value: reader.u64le(), script: reader.copy(reader.compactSize()) }));
}

function readWitness(reader: ByteReader): Uint8Array[] {
  const count = reader.compactSize();
  if (count > reader.remaining) throw new PoolError('invalid_data', `${count} witness items cannot fit`);
  return Array.from({ length: count }, () => reader.copy(reader.compactSize()));
}

function isNullOutpoint(input: Omit<TransactionInput, 'witness'>): boolean {
  return input.previousIndex === 0xffffffff && input.previousTxid.every((byte) => byte === 0);
}

/**
 * Reads one transaction, with or without witness (BIP 144).
 * @throws PoolError `end_of_data` or `invalid_data` on anything that is not one.
 */
export function readTransaction(reader: ByteReader): Transaction {
  const start = reader.offset;
  const version = reader.u32le();
  let bodyStart = reader.offset;
  let count = reader.compactSize();
  let hasWitness = false;
  if (count === 0) {
    // BIP 144 marker: no inputs where the input count belongs, then a flag byte.
    const flag = reader.u8();
    if (flag !== 1) throw new PoolError('invalid_data', `unknown transaction flag ${flag}`);
    hasWitness = true;
    bodyStart = reader.offset;
    count = reader.compactSize();
  }
  const inputsWithoutWitness = readInputs(reader, count);
  const outputs = readOutputs(reader);
  const bodyEnd = reader.offset;
  const witnesses = hasWitness ? inputsWithoutWitness.map(() => readWitness(reader)) : [];
  if (hasWitness && witnesses.every((stack) => stack.length === 0)) {
    throw new PoolError('invalid_data', 'superfluous witness record');
  }
  const lockTimeAt = reader.offset;
  const lockTime = reader.u32le();
  const bytes = reader.bytes.slice(start, reader.offset);
  const stripped = hasWitness
    ? concatBytes(
        reader.bytes.subarray(start, start + 4),
        reader.bytes.subarray(bodyStart, bodyEnd),
        reader.bytes.subarray(lockTimeAt, lockTimeAt + 4),
      )
    : bytes;
  const txid = sha256d(stripped);
  const first = inputsWithoutWitness[0];
  return {
    version,
    inputs: inputsWithoutWitness.map((input, i) => ({ ...input, witness: witnesses[i] ?? [] })),
    outputs,
    lockTime,
    bytes,
    txid,
    wtxid: hasWitness ? sha256d(bytes) : txid,
    id: toDisplayHex(txid),
    hasWitness,
    weight: stripped.length * 3 + bytes.length,
    isCoinbase: inputsWithoutWitness.length === 1 && first !== undefined && isNullOutpoint(first),
  };
}

/** Parses exactly one transaction. @throws PoolError `end_of_data` or `invalid_data`, also on bytes left over. */
export function parseTransaction(bytes: Uint8Array): Transaction {
  const reader = new ByteReader(Uint8Array.from(bytes));
  const transaction = readTransaction(reader);
  if (reader.remaining > 0) throw new PoolError('invalid_data', `${reader.remaining} bytes after the transaction`);
  return transaction;
}

/** What a transaction is made of; under construction it may lack inputs, outputs and signatures. */
export interface TransactionParts {
  /** Default 2. */
  readonly version?: number;
  readonly inputs: readonly TransactionInput[];
  readonly outputs: readonly TransactionOutput[];
  /** Default 0. */
  readonly lockTime?: number;
}

/** Bytes of a transaction, complete or not. */
export function serializeTransaction({ version = 2, inputs, outputs, lockTime = 0 }: TransactionParts): Uint8Array {
  const withWitness = inputs.some((input) => input.witness.length > 0);
  const writer = new ByteWriter(512).u32le(version);
  if (withWitness) writer.u8(0).u8(1);
  writer.compactSize(inputs.length);
  for (const input of inputs) {
    writer.write(input.previousTxid).u32le(input.previousIndex);
    writer.compactSize(input.scriptSig.length).write(input.scriptSig).u32le(input.sequence);
  }
  writer.compactSize(outputs.length);
  for (const { value, script } of outputs) writer.u64le(value).compactSize(script.length).write(script);
  if (withWitness) {
    for (const { witness } of inputs) {
      writer.compactSize(witness.length);
      for (const item of witness) writer.compactSize(item.length).write(item);
    }
  }
  return writer.u32le(lockTime).finish();
}

/** Serialises and parses again: what the chain builds passes through the same reader as what it is sent. */
export function buildTransaction(parts: TransactionParts): Transaction {
  return parseTransaction(serializeTransaction(parts));
}
