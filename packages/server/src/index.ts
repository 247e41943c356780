export { type Accounts, defaultAccountAddress, defaultAccountKey } from './accounts.js';
export { Channel, type ChannelPort, type ChannelTerms } from './channel.js';
export type { ChannelJob } from './channel-job.js';
export { createServer } from './create-server.js';
export type { DifficultyOption, DifficultyPolicy, VardiffOptions } from './difficulty-policy.js';
export { resolveDifficulty } from './difficulty-policy.js';
export { DuplicateSet, type DuplicateVerdict } from './duplicates.js';
export type { MiningEvents, RejectedEvent, ShareContext, ShareEvent } from './events.js';
export { EXTRANONCE_PREFIX_LENGTH, ExtranonceAllocator, type ExtranonceOptions } from './extranonce.js';
export { MINING_LIMITS, type MiningLimitName, type MiningLimits } from './limits.js';
export type { ExtranonceSizes, Mining } from './mining.js';
export type {
  AuthorizeHandler,
  AuthorizeRequest,
  DefaultAccount,
  MiningListenerOptions,
  MiningServerModules,
  MiningServerOptions,
  Plugin,
  Target,
  ValidatorFactory,
} from './options.js';
export { MiningServer } from './server.js';
export type { Decisions, MiningCloseOptions, MiningHooks, MiningServerStats } from './server-types.js';
export type { Share, ShareOrigin } from './share.js';
export { extranonceLengths } from './terms.js';
export { MiningContext, type Subscribed } from './v1/context.js';
export { STRATUM_V1 } from './v1/definition.js';
export { Vardiff, type VardiffPolicy, type VardiffState } from './vardiff.js';
export type { Worker, WorkerTable } from './workers.js';
