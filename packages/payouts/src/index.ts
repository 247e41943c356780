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
export { type AddressAccount, addressAuthorize, canonicalAddress } from './address-authorize.js';
export { createPayouts, type PayoutModules } from './payer.js';
export type { PayoutOptions } from './payer-options.js';
export { blockReader, coinbaseOutputs } from './split-coinbase.js';
export {
  createSplitPlanner,
  type SplitPlanner,
  type SplitPlannerModules,
  type SplitPlannerOptions,
  type SplitPlannerStatus,
} from './split-planner.js';
export { outputSetsFor } from './split-sets.js';
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
export { type BcoinWalletModules, type BcoinWalletOptions, bcoinWallet } from './wallets/bcoin.js';
export { type CoreWalletOptions, coreWallet, type WalletModules } from './wallets/core.js';
