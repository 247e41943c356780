import { PoolError } from '@headframe/primitives';
import { scrypt1024, scrypt1024Many } from './scrypt.js';
import { sha256d } from './sha256.js';
import type { PowAlgorithm, PowAlgorithmId } from './types.js';

const sha256dPow: PowAlgorithm = {
  id: 'sha256d',
  heavy: false,
  hash: sha256d,
  hashMany(headers, stride, count, output) {
    for (let i = 0; i < count; i++) output.set(sha256d(headers.subarray(i * stride, i * stride + 80)), i * 32);
  },
};

const scryptPow: PowAlgorithm = { id: 'scrypt', heavy: true, hash: scrypt1024, hashMany: scrypt1024Many };

const ALGORITHMS: ReadonlyMap<string, PowAlgorithm> = new Map([
  [sha256dPow.id, sha256dPow],
  [scryptPow.id, scryptPow],
]);

/** The proof-of-work function of an id. @throws PoolError `not_supported` for an id that is none. */
export function powAlgorithm(id: PowAlgorithmId): PowAlgorithm {
  const algorithm = ALGORITHMS.get(id);
  if (algorithm === undefined) throw new PoolError('not_supported', `unknown proof-of-work algorithm ${id}`);
  return algorithm;
}
