export { sha256d } from '@headframe/hashing';
export {
  type AuxPow,
  type AuxPowCheck,
  type AuxTag,
  auxSlot,
  buildAuxTag,
  foldIndexedBranch,
  parseAuxPow,
  serializeAuxPow,
  verifyAuxPow,
} from './auxpow.js';
export { encodeBip34Height } from './bip34.js';
export { assembleBlock, type BlockParts } from './block.js';
export { type BusOptions, createDirectBus, createSerialisingBus } from './bus.js';
export {
  type BuiltCoinbase,
  buildCoinbase,
  type CoinbaseOptions,
  type CoinbaseOutput,
  type CoinbaseStyle,
  coinbaseWithWitness,
  DEFAULT_MAX_COINBASE_BYTES,
  type PayoutOutput,
} from './coinbase.js';
export {
  canonicalDifficulty,
  compareDifficulty,
  type Difficulty,
  difficultyTarget,
  hashToDifficulty,
  lowestDifficulty,
  networkDifficulty,
} from './difficulty.js';
export { buildHeader, HEADER_BYTES, type HeaderFields, mergeVersion, parseHeader } from './header.js';
export {
  buildJob,
  deriveJob,
  FIRST_DERIVED_JOB_ID,
  hashableJob,
  type JobOptions,
  type JobVariantOptions,
  jobIdToHex,
} from './job.js';
export { foldBranch, merkleBranch, merkleRoot, witnessCommitment, witnessCommitmentScript } from './merkle.js';
export type {
  BlockCandidate,
  BlockOutcome,
  BlockSink,
  BlockStatus,
  Bus,
  BusCalls,
  BusTopics,
  FoundBlock,
  NodeStatus,
  NodeTemplateStats,
  ShareBatch,
  ShareRecord,
  ShareSink,
  TemplateSource,
  TemplateSourceStats,
  TemplateTrigger,
} from './ports.js';
export { evaluateShare, packShare, type ShareInput, type ShareVerdict } from './share.js';
export { type ExpandedTarget, nbitsToTarget, networkTargetBytes, targetToNbits } from './target.js';
export { parseTemplate } from './template.js';
export type {
  BlockTemplate,
  HashableJob,
  JobRecord,
  JobVariant,
  RequiredOutput,
  TemplateTransaction,
} from './types.js';
