const U256 = 1n << 256n;

/** Regtest's proof-of-work limit: half of all hashes pass. */
export const REGTEST_BITS = 0x207fffff;

/** 256-bit target of a compact value, or undefined when it is negative, zero or above 256 bits. */
export function targetOfBits(bits: number): bigint | undefined {
  const exponent = bits >>> 24;
  const mantissa = bits & 0x007fffff;
  if ((bits & 0x00800000) !== 0 && mantissa !== 0) return undefined;
  const target =
    exponent <= 3 ? BigInt(mantissa >>> (8 * (3 - exponent))) : BigInt(mantissa) << BigInt(8 * (exponent - 3));
  return target === 0n || target >= U256 ? undefined : target;
}

/** Expected number of hashes for a block of this target: what chains are compared by. */
export function workOfBits(bits: number): bigint {
  const target = targetOfBits(bits);
  return target === undefined ? 0n : U256 / (target + 1n);
}

/** 64 hex digits, most significant first. */
export function targetHex(target: bigint): string {
  return target.toString(16).padStart(64, '0');
}

/** Difficulty as node RPC prints it: relative to SHA-256d's difficulty 1 on every chain. */
export function difficultyOfBits(bits: number): number {
  const target = targetOfBits(bits);
  return target === undefined ? 0 : Number(0xffffn << 208n) / Number(target);
}
