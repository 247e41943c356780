import { MAX_UINT256, PoolError, uint256ToBytesLe } from '@headframe/primitives';

/**
 * The target (U256, 32 bytes little-endian) at which a miner of so many hashes per second finds so many shares per
 * minute: (2^256 - 1 - h) / (h + 1) for h hashes per share, as the reference implementation computes it. A hash rate
 * of 0 gives 2^256 - 1, which every hash meets: apply a least difficulty of your own.
 * @throws PoolError `invalid_argument` unless both are finite, the rate not negative and the shares above 0
 */
export function targetFromHashrate(hashesPerSecond: number, sharesPerMinute: number): Uint8Array {
  const hashesPerShare = Math.trunc((hashesPerSecond * 60) / sharesPerMinute);
  if (!(hashesPerSecond >= 0 && sharesPerMinute > 0 && Number.isFinite(hashesPerShare))) {
    throw new PoolError(
      'invalid_argument',
      `no target for ${hashesPerSecond} H/s at ${sharesPerMinute} shares a minute`,
    );
  }
  const hashes = BigInt(hashesPerShare);
  if (hashes >= MAX_UINT256) return new Uint8Array(32);
  return uint256ToBytesLe((MAX_UINT256 - hashes) / (hashes + 1n));
}
