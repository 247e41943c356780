import { ByteReader } from '@headframe/primitives';

/** What a job's coinbase says. */
export interface ParsedCoinbase {
  readonly scriptBytes: number;
  /** By the push that BIP 34 asks for; undefined when the script does not begin with one. */
  readonly height: number | undefined;
  readonly outputs: number;
  /** Sum of the outputs in the smallest unit. */
  readonly value: bigint;
  /** Bytes after the lock time: some coins put a payload there. */
  readonly extraBytes: number;
  readonly bytes: number;
}

function pushedHeight(script: Uint8Array): number | undefined {
  const [first = 0] = script;
  if (first === 0) return 0;
  if (first >= 0x51 && first <= 0x60) return first - 0x50;
  if (first > 5 || script.length < 1 + first) return undefined;
  let height = 0;
  for (let i = first; i >= 1; i--) height = height * 256 + (script[i] ?? 0);
  return height;
}

/**
 * Reads a coinbase transaction in the form that is hashed (without witness).
 * @returns a text that says what is wrong when it is none
 */
export function parseCoinbase(bytes: Uint8Array): ParsedCoinbase | string {
  const reader = new ByteReader(bytes);
  try {
    reader.u32le();
    const inputs = reader.compactSize();
    if (inputs === 0) return 'it is in the form with witness, whose hash is not the one the merkle tree needs';
    if (inputs !== 1) return `it has ${inputs} inputs, not 1`;
    if (reader.view(32).some((byte) => byte !== 0) || reader.u32le() !== 0xffffffff) {
      return 'its input spends something';
    }
    const script = reader.view(reader.compactSize());
    if (script.length < 2 || script.length > 100) return `its script has ${script.length} bytes, not 2 to 100`;
    reader.u32le();
    const outputs = reader.compactSize();
    if (outputs === 0) return 'it has no outputs';
    let value = 0n;
    for (let i = 0; i < outputs; i++) {
      value += reader.u64le();
      reader.view(reader.compactSize());
    }
    reader.u32le();
    const extraBytes = reader.remaining;
    return {
      scriptBytes: script.length,
      height: pushedHeight(script),
      outputs,
      value,
      extraBytes,
      bytes: bytes.length,
    };
  } catch {
    return 'it ends too early: the parts and the extranonces do not fit together';
  }
}
