export {
  type HashBackend,
  type PowAlgorithm,
  type PowAlgorithmId,
  SHARE_RECORD,
  SHARE_RESULT,
  type ShareHasher,
  type ShareHashJob,
} from './types.js';
