import type { PoolErrorCode } from '@headframe/primitives';
import type { AccountingCalls } from '../accounting/core.js';
import type { LedgerCalls } from '../core/calls.js';
import type { DatabaseSpec } from '../sql/open.js';

/** What a database thread is started with. */
export interface ThreadStart {
  readonly database: DatabaseSpec;
  readonly hashesPerDifficulty: number;
  /** Bring the schema up to date before answering. */
  readonly migrate: boolean;
  readonly nowMs: number;
}

/** All calls by name; those about the books begin with `accounting.` */
export type Calls = LedgerCalls & {
  [Name in keyof AccountingCalls as `accounting.${Name}`]: AccountingCalls[Name];
};
export type CallName = keyof Calls;
export type CallOf<Name extends CallName> = Calls[Name];

/** A call; `close` ends the thread after the calls before it. */
export interface CallMessage {
  readonly id: number;
  readonly name: CallName | 'close';
  readonly args: readonly unknown[];
}

/** A PoolError as plain data. */
export interface FailureMessage {
  readonly code: PoolErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export type ThreadMessage =
  | { readonly kind: 'ready'; readonly from: number; readonly to: number }
  /** Of the migration, up to 1. */
  | { readonly kind: 'progress'; readonly part: number }
  | { readonly kind: 'failed'; readonly failure: FailureMessage }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly failure: FailureMessage }
  | { readonly kind: 'warning'; readonly details: object; readonly message: string };
