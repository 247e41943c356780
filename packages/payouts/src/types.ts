import type { PaymentPart, PaymentRecord } from '@headframe/ledger';

/** An output of a payment. */
export interface WalletOutput {
  readonly address: string;
  /** Output script of the address. */
  readonly script: Uint8Array;
  /** Base units. */
  readonly amount: bigint;
}

/** A transaction that nobody has seen yet. */
export interface SignedTransaction {
  /** Display hex. */
  readonly txid: string;
  /** The whole transaction with witness, hex. */
  readonly transaction: string;
  /** Base units. */
  readonly fee: bigint;
}

/** An output as it stands in a transaction. */
export interface TransactionOutput {
  readonly script: Uint8Array;
  /** Base units. */
  readonly amount: bigint;
}

/**
 * What became of a transaction. `conflicted`: the transaction `txid`, which spends one of its coins elsewhere, has
 * `confirmations`; said only when that transaction was seen in the chain, never for want of knowledge. `chain` with a
 * `txid`: it is in the chain under that id, signatures having been changed on the way.
 */
export type TransactionState =
  | { readonly state: 'unknown' }
  | { readonly state: 'mempool' }
  | { readonly state: 'chain'; readonly confirmations: number; readonly txid?: string }
  | {
      readonly state: 'conflicted';
      readonly confirmations: number;
      readonly txid: string;
      readonly outputs: readonly TransactionOutput[];
    };

export interface SignOptions {
  /** Transactions that the wallet may not know of yet: their coins are left alone. */
  readonly avoid?: readonly SignedTransaction[];
}

export interface FindOptions {
  /** Not signed before this time: where a search through blocks may begin. Default: a week ago. */
  readonly signedMs?: number;
}

export interface WalletStatus {
  readonly isReady: boolean;
  /** Why it is not: locked, not loaded, another chain, node away. */
  readonly reason: string | undefined;
  /** Spendable now, base units. */
  readonly spendable: bigint | undefined;
}

/**
 * A wallet that pays. Signing and broadcasting are apart: what was signed is stored before anybody can see it, so after
 * a crash the same transaction is sent again and never another one.
 */
export interface Wallet {
  /** For logs and pages. */
  readonly name: string;
  /** Never rejects. */
  status(): Promise<WalletStatus>;
  /**
   * Chooses coins, builds and signs; nothing leaves. @throws PoolError `insufficient_funds`, `wallet_locked`,
   * `rpc_*`, `invalid_argument` (an address or amount the wallet refuses; `details.address` names it),
   * `invalid_data` (what was signed is not what was asked for; `details.reason` is `too_large` when the outputs are too
   * many or the coins too small).
   */
  sign(outputs: readonly WalletOutput[], options?: SignOptions): Promise<SignedTransaction>;
  /** Hands a transaction to the network. May be repeated. @throws PoolError `rejected` with the node's reason, `rpc_*`. */
  broadcast(transaction: SignedTransaction): Promise<void>;
  /** What the node knows of a transaction. @throws PoolError `rpc_*`. */
  find(transaction: SignedTransaction, options?: FindOptions): Promise<TransactionState>;
  /** The transaction is settled: its coins need no guard any more. May be repeated. @throws PoolError `rpc_*`. */
  release(transaction: SignedTransaction): Promise<void>;
  /** Drops its connections. Idempotent. */
  close(): void;
}

/** What a payment run would do, or did. */
export interface PayoutPlan {
  /** One per transaction. */
  readonly payments: readonly {
    /** Undefined while nothing is written down. */
    readonly id: string | undefined;
    readonly parts: readonly PaymentPart[];
    readonly total: bigint;
  }[];
  /** Accounts with something due that are not paid, and why. */
  readonly skipped: readonly { readonly account: string; readonly amount: bigint; readonly reason: string }[];
  readonly total: bigint;
  readonly wallet: WalletStatus;
}

/** What a look at the chain changed. */
export interface ReconcileReport {
  readonly checked: number;
  readonly changed: readonly {
    readonly id: string;
    readonly from: PaymentRecord['status'];
    readonly to: PaymentRecord['status'];
    readonly reason: string | undefined;
  }[];
}

export interface PayoutStatus {
  readonly wallet: WalletStatus;
  readonly lastRunMs: number | undefined;
  readonly nextRunMs: number | undefined;
  /** Payments that are planned (wait for approval), or under way. */
  readonly waiting: number;
  readonly underWay: number;
  readonly lastError: string | undefined;
}

/** Pays what is due: on a schedule, or when asked. Several may run on one ledger: none pays twice. */
export interface Payouts {
  /** Reconciles, then runs on its schedule. Never rejects. */
  start(): void;
  /** What a run would pay now. Changes nothing. */
  plan(): Promise<PayoutPlan>;
  /** Plans and pays what is due; with manual approval only plans. */
  run(): Promise<PayoutPlan>;
  /** @throws PoolError `not_found`, `conflict` when it does not wait for approval. */
  approve(id: string): Promise<PaymentRecord>;
  /** Before it is signed. @throws PoolError `not_found`, `conflict`. */
  cancel(id: string, reason: string): Promise<PaymentRecord>;
  /**
   * Ends a payment under way that the chain cannot: another transaction took its coins and pays only some of the same
   * people. `confirmed`: everybody has what they were to get; `failed`: all of it is due again. Never while the payment's
   * own transaction may still confirm. @throws PoolError `not_found`, `conflict`, `rpc_*`.
   */
  settle(id: string, to: 'confirmed' | 'failed', reason: string): Promise<PaymentRecord>;
  /** Asks the chain about every payment under way, and sends again what it does not know. */
  reconcile(): Promise<ReconcileReport>;
  status(): Promise<PayoutStatus>;
  /** Lets the step under way end, then closes the wallet. Idempotent. */
  close(): Promise<void>;
}
