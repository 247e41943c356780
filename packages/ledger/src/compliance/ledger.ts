import { FakeClock } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import type { LedgerOptions } from '../open.js';
import type { Ledger } from '../types.js';
import { accountCases } from './accounts.js';
import { blockCases } from './blocks.js';
import { bookingCases } from './bookings.js';
import { bookModelCases } from './books-model.js';
import { damageCases } from './damage.js';
import { paymentCases } from './payments.js';
import { roundCases } from './rounds.js';
import { START_MS } from './samples.js';
import { statisticsCases } from './statistics.js';
import { storageCases } from './storage.js';

/** One empty database for one test. */
export interface LedgerHarness {
  /** Where it is: tests damage it with statements of their own. */
  readonly url: string;
  /** Opens a ledger on it; again after the one before was closed. */
  open(options?: Partial<LedgerOptions>): Promise<Ledger>;
  /** Takes the database away. */
  dispose(): Promise<void>;
}

/** What a test works with. */
export interface LedgerTest {
  readonly ledger: Ledger;
  readonly clock: FakeClock;
  readonly harness: LedgerHarness;
}

export type LedgerCase = readonly [name: string, test: (context: LedgerTest) => Promise<void>];

/**
 * What a ledger must do on every database.
 * @param make gives a fresh, empty database
 */
export function describeLedger(name: string, make: () => Promise<LedgerHarness>): void {
  describe(`${name} holds a ledger`, () => {
    const cases = [
      ...[...storageCases, ...statisticsCases, ...roundCases, ...blockCases],
      ...[...accountCases, ...bookingCases, ...paymentCases, ...damageCases, ...bookModelCases],
    ];
    for (const [title, test] of cases) {
      it(title, async () => {
        const harness = await make();
        const clock = new FakeClock(START_MS);
        let ledger: Ledger | undefined;
        try {
          ledger = await harness.open({ clock });
          await test({ ledger, clock, harness });
        } finally {
          await ledger?.close();
          await harness.dispose();
        }
        expect(ledger).toBeDefined();
      });
    }
  });
}
