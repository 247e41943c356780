import { ByteWriter } from '@headframe/primitives';
import { sha256, sha256d } from './hashes.js';
import type { TransactionInput, TransactionOutput } from './transaction.js';

/** Signature covers every output. */
export const SIGHASH_ALL = 1;
const SIGHASH_NONE = 2;
const SIGHASH_SINGLE = 3;
const ANYONE_CAN_PAY = 0x80;

/** The parts of a transaction that signatures cover. */
export interface Signable {
  readonly version: number;
  readonly inputs: readonly Pick<TransactionInput, 'previousTxid' | 'previousIndex' | 'sequence'>[];
  readonly outputs: readonly TransactionOutput[];
  readonly lockTime: number;
}

/** What a signature of one input is made for. */
export interface SignedInput {
  readonly index: number;
  /** Script that is run: for P2WPKH {@link publicKeyHashScript} of the program. */
  readonly scriptCode: Uint8Array;
  /** Base units of the spent output. */
  readonly value: bigint;
  /** Byte at the end of the signature. */
  readonly hashType: number;
}

/** The script that stands for a P2WPKH program when a signature is checked (BIP 143). */
export function publicKeyHashScript(hash: Uint8Array): Uint8Array {
  return Uint8Array.of(0x76, 0xa9, 0x14, ...hash, 0x88, 0xac);
}

const ZEROS = new Uint8Array(32);

function outputBytes(outputs: readonly TransactionOutput[]): Uint8Array {
  const writer = new ByteWriter(256);
  for (const { value, script } of outputs) writer.u64le(value).compactSize(script.length).write(script);
  return writer.finish();
}

/** SHA-256 of the BIP 143 preimage: hashed once more it is what ECDSA signs. */
export function witnessSighashInner(transaction: Signable, input: SignedInput): Uint8Array {
  return sha256(preimage(transaction, input));
}

/** The digest that a version 0 witness signature signs (BIP 143), 32 bytes in internal order. */
export function witnessSighash(transaction: Signable, input: SignedInput): Uint8Array {
  return sha256d(preimage(transaction, input));
}

function preimage(transaction: Signable, { index, scriptCode, value, hashType }: SignedInput): Uint8Array {
  const { inputs, outputs } = transaction;
  const kind = hashType & 0x1f;
  const isAlone = (hashType & ANYONE_CAN_PAY) !== 0;
  const isPartial = kind === SIGHASH_NONE || kind === SIGHASH_SINGLE;
  const input = inputs[index];
  const previous = new ByteWriter(256);
  const sequences = new ByteWriter(64);
  for (const { previousTxid, previousIndex, sequence } of inputs) {
    previous.write(previousTxid).u32le(previousIndex);
    sequences.u32le(sequence);
  }
  const output = outputs[index];
  let hashOutputs: Uint8Array = ZEROS;
  if (!isPartial) hashOutputs = sha256d(outputBytes(outputs));
  else if (kind === SIGHASH_SINGLE && output !== undefined) hashOutputs = sha256d(outputBytes([output]));
  return new ByteWriter(256)
    .u32le(transaction.version)
    .write(isAlone ? ZEROS : sha256d(previous.finish()))
    .write(isAlone || isPartial ? ZEROS : sha256d(sequences.finish()))
    .write(input?.previousTxid ?? ZEROS)
    .u32le(input?.previousIndex ?? 0)
    .compactSize(scriptCode.length)
    .write(scriptCode)
    .u64le(value)
    .u32le(input?.sequence ?? 0)
    .write(hashOutputs)
    .u32le(transaction.lockTime)
    .u32le(hashType)
    .finish();
}
