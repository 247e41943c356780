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
