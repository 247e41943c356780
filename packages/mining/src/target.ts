import { MAX_UINT256, uint256ToBytesLe } from '@headframe/primitives';

/** What a compact target stands for. `target` means nothing when it overflows. */
export interface ExpandedTarget {
  readonly target: bigint;
  /** The sign bit is set and the value is not zero. */
  readonly negative: boolean;
  /** The value does not fit in 256 bits. */
  readonly overflow: boolean;
}

/** Expands compact target bits, as the integer. A usable network target is positive, not negative and fits. */
export function nbitsToTarget(nbits: number): ExpandedTarget {
  const exponent = nbits >>> 24;
  const mantissa = nbits & 0x007fffff;
  const shifted =
    exponent <= 3 ? BigInt(mantissa >> (8 * (3 - exponent))) : BigInt(mantissa) << BigInt(8 * (exponent - 3));
  return {
    target: shifted & MAX_UINT256,
    // Bitcoin Core judges the sign by the shifted word for small exponents: 01003456 is zero, not negative.
    negative: (exponent <= 3 ? mantissa >> (8 * (3 - exponent)) : mantissa) !== 0 && (nbits & 0x00800000) !== 0,
    overflow: shifted > MAX_UINT256,
  };
}

/** Shortest compact form of a target of 0 to 2^256 - 1; precision below the top three bytes is cut off. */
export function targetToNbits(target: bigint, options: { readonly negative?: boolean } = {}): number {
  let exponent = Math.ceil(target.toString(2).length / 8);
  if (target === 0n) exponent = 0;
  let mantissa = Number(exponent <= 3 ? target << BigInt(8 * (3 - exponent)) : target >> BigInt(8 * (exponent - 3)));
  // The top mantissa bit is the sign: a value that would set it moves down one byte.
  if ((mantissa & 0x00800000) !== 0) {
    mantissa >>= 8;
    exponent++;
  }
  const sign = options.negative === true && mantissa !== 0 ? 0x00800000 : 0;
  return ((exponent << 24) | sign | mantissa) >>> 0;
}

/** 32 little-endian bytes of the network target of `nbits`, or undefined when the bits give no usable target. */
export function networkTargetBytes(nbits: number): Uint8Array | undefined {
  const { target, negative, overflow } = nbitsToTarget(nbits);
  return negative || overflow || target === 0n ? undefined : uint256ToBytesLe(target);
}
