export {
  type AccountBalance,
  type Accounting,
  type AccountSettings,
  type AccountSettingsChange,
  type Booking,
  type BookingEntry,
  type BookingRecord,
  type BookingState,
  type BookProblem,
  type EntryKind,
  entriesOf,
  type HeightRecord,
  type PaymentFilter,
  type PaymentPart,
  type PaymentPlan,
  type PaymentRecord,
  type PaymentStatus,
  type PaymentStep,
  type StatementLine,
} from './accounting/types.js';
export { decodeShares, encodeShares } from './batch-codec.js';
export { SCHEMA_VERSION } from './core/schema.js';
export { MAX_PAYMENT_PARTS } from './limits.js';
export {
  type BackupLedgerOptions,
  backupLedger,
  type MaintenanceOptions,
  type MigrateLedgerOptions,
  migrateLedger,
  verifyLedger,
} from './maintenance.js';
export { type LedgerOptions, openLedger } from './open.js';
export { type RelaxedSinkOptions, relaxedSink } from './relaxed.js';
export { apportion, type Weighted } from './schemes/apportion.js';
export {
  type BlockReward,
  type PplnsOptions,
  type PropOptions,
  pplnsCredits,
  propCredits,
  soloCredits,
} from './schemes/block-schemes.js';
export { applyCarryChanges, type CarryChange, reverseCarryChanges } from './schemes/coinbase-carry.js';
export {
  COINBASE_SIZE_CLASSES,
  type CoinbaseRoom,
  type CoinbaseSizeClass,
  coinbaseRoom,
  coinbaseSizeClass,
} from './schemes/coinbase-size.js';
export {
  type CoinbaseSplit,
  type CoinbaseSplitOptions,
  type SplitOutput,
  splitCoinbase,
} from './schemes/coinbase-split.js';
export {
  type CoinbaseVariant,
  type CoinbaseVariants,
  payoutOutputs,
  splitCoinbaseVariants,
} from './schemes/coinbase-variants.js';
export {
  type Credit,
  type CreditKind,
  creditsByAccount,
  creditTotal,
  type DistributeOptions,
  distribute,
  reverseCredits,
  type WorkEntry,
  workByAccount,
} from './schemes/credits.js';
export { checkFeePolicy, type Donation, type FeePolicy, type FeeRecipient, poolFeePpm } from './schemes/fees.js';
export {
  addFractions,
  compareFractions,
  type Fraction,
  formatFraction,
  fraction,
  parseFraction,
  wholeAndRest,
} from './schemes/fraction.js';
export { networkWork, windowWork } from './schemes/network-work.js';
export { type PlacedWork, type PplnsWindow, PplnsWindowBuilder, pplnsWindow } from './schemes/pplns-window.js';
export {
  fppsReward,
  type PpsCarry,
  type PpsOptions,
  type PpsReserveOptions,
  type PpsResult,
  type PpsWork,
  ppsCredits,
  ppsReserve,
  ppsReward,
} from './schemes/pps.js';
export type {
  AccountPage,
  AccountWork,
  BlockDetails,
  BlockRecord,
  FoldReport,
  Hashrates,
  Ledger,
  LedgerStats,
  Luck,
  Page,
  PageRequest,
  PruneReport,
  RoundRecord,
  RoundShares,
  SeriesPoint,
  SeriesRequest,
  ShareTally,
  StoredBatch,
  Subject,
  SubjectSummary,
  WorkWindow,
} from './types.js';
export { hashrateOf, WORK_UNITS, workOfDifficulty, workToDecimal, workToNumber } from './work.js';
