/** What kind of output an address stands for. `witness`: a witness version without rules yet. */
export type AddressType = 'p2pkh' | 'p2sh' | 'p2wpkh' | 'p2wsh' | 'p2tr' | 'witness';

/** An address as the node sees it. */
export interface DecodedAddress {
  /** The scriptPubKey. */
  readonly script: Uint8Array;
  readonly type: AddressType;
}

const OP_0 = 0x00;
const OP_1 = 0x51;
const OP_DUP = 0x76;
const OP_EQUAL = 0x87;
const OP_EQUALVERIFY = 0x88;
const OP_HASH160 = 0xa9;
const OP_CHECKSIG = 0xac;

/** Pays to the hash (20 bytes) of a public key. */
export function p2pkhScript(hash: Uint8Array): Uint8Array {
  return Uint8Array.of(OP_DUP, OP_HASH160, hash.length, ...hash, OP_EQUALVERIFY, OP_CHECKSIG);
}

/** Pays to the hash (20 bytes) of a script. */
export function p2shScript(hash: Uint8Array): Uint8Array {
  return Uint8Array.of(OP_HASH160, hash.length, ...hash, OP_EQUAL);
}

/** Pays to a witness program (BIP 141): version 0 to 16, program of 2 to 40 bytes. */
export function witnessScript(version: number, program: Uint8Array): Uint8Array {
  return Uint8Array.of(version === 0 ? OP_0 : OP_1 + version - 1, program.length, ...program);
}

/** Kind of a witness program; undefined when version 0 does not allow the length. */
export function witnessScriptType(version: number, length: number): AddressType | undefined {
  if (version === 0) return length === 20 ? 'p2wpkh' : length === 32 ? 'p2wsh' : undefined;
  return version === 1 && length === 32 ? 'p2tr' : 'witness';
}
