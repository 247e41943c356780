export { createInstanceAllocator } from './instances.js';
export {
  createJobManager,
  type JobManager,
  type JobManagerEvents,
  type JobManagerModules,
  type JobManagerOptions,
  type JobManagerStats,
  type JobVariantsFunction,
  type NodeStatusSource,
  type RefusedTemplate,
} from './job-manager.js';
export type { JobState, StoredJob } from './job-window.js';
export { type Payee, payoutOutputs } from './payout-outputs.js';
