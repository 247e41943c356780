export type {
  PendingShare,
  ShareEvaluation,
  ShareValidator,
  ValidationMode,
  ValidatorListener,
  ValidatorStats,
} from './types.js';
