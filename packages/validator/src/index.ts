export { type AutoValidatorOptions, createAutoValidator } from './auto.js';
export { type CreateValidatorOptions, createValidator } from './create.js';
export { createInlineValidator } from './inline.js';
export type { ValidatorOptions } from './options.js';
export { createThreadedValidator, type ThreadedShareValidator, type ThreadedValidatorOptions } from './threads.js';
export type {
  PendingShare,
  ShareEvaluation,
  ShareValidator,
  ValidationMode,
  ValidatorListener,
  ValidatorStats,
} from './types.js';
export type { StartWorker } from './worker-slot.js';
