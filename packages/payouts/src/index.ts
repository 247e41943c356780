export { createPayouts, type PayoutModules } from './payer.js';
export type { PayoutOptions } from './payer-options.js';
export { createAccountant } from './accountant.js';
export { heightFromJob } from './accountant-heights.js';
export type {
  Accountant,
  AccountantBooks,
  AccountantLedger,
  AccountantModules,
  AccountantOptions,
  AccountantStatus,
  AccrualStatus,
  BlockReader,
  PayoutScheme,
} from './accountant-types.js';
export type {
  FindOptions,
  PayoutPlan,
  PayoutStatus,
  Payouts,
  ReconcileReport,
  SignedTransaction,
  SignOptions,
  TransactionOutput,
  TransactionState,
  Wallet,
  WalletOutput,
  WalletStatus,
} from './types.js';
