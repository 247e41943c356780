export { nodeShareHasher } from './node-hasher.js';
export { powAlgorithm } from './pow.js';
export { scrypt1024, scrypt1024Many, scryptHasKernel } from './scrypt.js';
export { sha256, sha256d } from './sha256.js';
export { bestHashBackend, createShareHasher, type ShareHasherOptions } from './share-hasher.js';
export {
  type HashBackend,
  type PowAlgorithm,
  type PowAlgorithmId,
  SHARE_RECORD,
  SHARE_RESULT,
  type ShareHasher,
  type ShareHashJob,
} from './types.js';
