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
  PayoutPlan,
  PayoutStatus,
  Payouts,
  ReconcileReport,
  SignedTransaction,
  TransactionState,
  Wallet,
  WalletOutput,
  WalletStatus,
} from './types.js';
