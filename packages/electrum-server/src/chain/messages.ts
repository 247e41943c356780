import type { DaemonOptions } from '@headframe/daemon';
import { errorMessage, isPoolError, type PoolErrorCode } from '@headframe/primitives';
import type { IndexNews, IndexSettings } from './index-core.js';

/** What the thread is started with. */
export interface IndexThreadStart {
  readonly settings: IndexSettings;
  readonly nodes: readonly DaemonOptions[];
}

/** To the thread. `close` and `poke` are no questions. */
export type ToThread =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'poke' }
  | { readonly kind: 'close' };

export interface Failure {
  readonly code: PoolErrorCode;
  readonly message: string;
}

/** From the thread. */
export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'news'; readonly news: IndexNews };

/** An error that can cross threads. */
export function failureOf(error: unknown): Failure {
  if (isPoolError(error)) return { code: error.code, message: error.message };
  return { code: 'storage_failed', message: errorMessage(error) };
}
