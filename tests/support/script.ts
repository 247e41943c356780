import { createHash } from 'node:crypto';

// Everything here is written for the tests alone, so that a mistake in the product's encoders cannot hide.

const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

function polymod(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [i, generator] of GENERATOR.entries()) if ((top >>> i) & 1) sum ^= generator;
  }
  return sum >>> 0;
}

/** A version 0 segwit address (BIP 173). */
export function segwitAddress(prefix: string, program: Uint8Array): string {
  const words = [0];
  let bits = 0;
  let value = 0;
  for (const byte of program) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; ) {
      bits -= 5;
      words.push((value >>> bits) & 31);
    }
    value &= (1 << bits) - 1;
  }
  if (bits > 0) words.push((value << (5 - bits)) & 31);
  const codes = [...prefix].map((char) => char.charCodeAt(0));
  const head = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  const checksum = polymod([...head, ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  const tail = [25, 20, 15, 10, 5, 0].map((shift) => (checksum >>> shift) & 31);
  return `${prefix}1${[...words, ...tail].map((word) => CHARSET[word]).join('')}`;
}

/** The script OP_TRUE: anybody may spend what it locks, and no signature is needed. */
const OP_TRUE = Uint8Array.of(0x51);
const PROGRAM = createHash('sha256').update(OP_TRUE).digest();

/** Pays to the witness script OP_TRUE. */
export const ANYONE_SCRIPT: string = `0020${PROGRAM.toString('hex')}`;

/** Address of {@link ANYONE_SCRIPT}: `bcrt` for Bitcoin's regtest, `rb` for bcoin's, `rltc` for Litecoin's. */
export function anyoneAddress(prefix: 'bcrt' | 'rb' | 'rltc'): string {
  return segwitAddress(prefix, PROGRAM);
}

export function sha256d(data: Uint8Array): Buffer {
  return createHash('sha256').update(createHash('sha256').update(data).digest()).digest();
}

function u32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.toString('hex');
}

function u64(value: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.toString('hex');
}

export interface Spend {
  /** Display hex. */
  readonly txid: string;
  readonly index: number;
  /** Base units that go to {@link ANYONE_SCRIPT}; the rest is the fee. */
  readonly value: bigint;
}

/** A transaction with witness data that spends an output of {@link ANYONE_SCRIPT}: hex and txid. */
export function spendAnyone({ txid, index, value }: Spend): { readonly hex: string; readonly txid: string } {
  const input = `01${Buffer.from(txid, 'hex').reverse().toString('hex')}${u32(index)}00fdffffff`;
  const output = `01${u64(value)}22${ANYONE_SCRIPT}`;
  const stripped = `${u32(2)}${input}${output}${u32(0)}`;
  const hex = `${u32(2)}0001${input}${output}010151${u32(0)}`;
  return { hex, txid: sha256d(Buffer.from(stripped, 'hex')).reverse().toString('hex') };
}
