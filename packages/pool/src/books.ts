import type { Ledger } from '@headframe/ledger';
import type { Bus } from '@headframe/mining';
import type { Clock, Logger } from '@headframe/primitives';
import { BlockRecorder } from './block-recorder.js';

export interface BooksModules {
  readonly bus: Bus;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a pool with a ledger does beside mining: records blocks, credits accounts, pays. */
export interface Books {
  /** Blocks that are not in the ledger yet. */
  readonly blocksWaiting: number;
  start(): void;
  /** Lets what is under way end. Idempotent. */
  close(): Promise<void>;
}

/** The books of a pool. Blocks are recorded from here on. */
export function openBooks(modules: BooksModules): Books {
  const recorder = new BlockRecorder(modules);
  return {
    get blocksWaiting() {
      return recorder.waiting;
    },
    start: () => {},
    close: () => recorder.close(),
  };
}
