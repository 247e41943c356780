import { silentLogger } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccountingCore } from '../src/accounting/core.js';
import { verifyPart } from '../src/accounting/verify.js';
import { booking, reward } from '../src/compliance/book-samples.js';
import { START_MS } from '../src/compliance/samples.js';
import { LedgerCore } from '../src/core/ledger-core.js';
import { BOOKING_CHUNK } from '../src/limits.js';
import { openDatabase } from '../src/sql/open.js';
import type { SqlDatabase } from '../src/sql/types.js';
import { type Folder, makeFolder } from './support.js';

const ACCOUNTS = 2.5 * BOOKING_CHUNK;
/** Steps that a booking of so many accounts takes after it is written down. */
const STEPS = 3;

let folder: Folder;
let database: SqlDatabase;
beforeEach(async () => {
  folder = await makeFolder();
  const spec = { url: folder.url, readOnly: false, maxBytes: undefined, busyTimeoutMs: undefined };
  database = await openDatabase(spec, silentLogger);
  await new LedgerCore(database, 1).migrate({ nowMs: START_MS });
});
afterEach(async () => {
  await database.close();
  await folder.remove();
});

/** Books until the power goes, `transactions` transactions later. */
function failingAfter(transactions: number): AccountingCore {
  let done = 0;
  return new AccountingCore({
    engine: database.engine,
    transaction: (work) =>
      done++ < transactions ? database.transaction(work) : Promise.reject(new Error('power cut')),
    read: (work) => database.read(work),
    backup: (path, options) => database.backup(path, options),
    check: () => database.check(),
    close: () => Promise.resolve(),
  });
}

const large = booking(
  'block:1',
  Array.from({ length: ACCOUNTS }, (_, i) => reward(`account${i}`, 2n)),
  { state: 'immature', carries: [{ account: 'a', kind: 'reward', carry: { numerator: 1n, denominator: 2n } }] },
);

describe('a large booking that is cut off', () => {
  for (let done = 1; done <= STEPS; done++) {
    it(`after ${done} of ${STEPS + 1} transactions is whole for those who ask, and finished by the next`, async () => {
      await expect(failingAfter(done).book(large)).rejects.toThrow('power cut');
      const core = new AccountingCore(database);
      expect((await core.booking('block:1'))?.entries).toHaveLength(ACCOUNTS);
      expect(await core.carries()).toHaveLength(1);
      expect((await core.totals()).immature).toBe(BigInt(Math.min(ACCOUNTS, (done - 1) * BOOKING_CHUNK)) * 2n);
      expect(await verifyPart(database, 'accounts', undefined)).toMatchObject({ isBusy: true });
      // A repetition of the call finds the key, and does the rest.
      expect(await core.book(large)).toBe(false);
      expect((await core.totals()).immature).toBe(BigInt(ACCOUNTS) * 2n);

      await expect(failingAfter(done).setBookingState('block:1', 'final', START_MS)).rejects.toThrow('power cut');
      // Another state is asked for before the first is reached: both are done, in their order.
      expect(await core.setBookingState('block:1', 'reversed', START_MS)).toBe(true);
      expect(await core.totals()).toEqual({ immature: 0n, available: 0n, reserved: 0n, paid: 0n });

      await expect(failingAfter(done).setBookingState('block:1', 'final', START_MS)).rejects.toThrow('power cut');
      // As when a ledger is opened.
      await core.finishBookings();
      expect(await core.totals()).toMatchObject({ immature: 0n, available: BigInt(ACCOUNTS) * 2n });
      for (const part of ['accounts', 'bookings'] as const) {
        expect(await verifyPart(database, part, undefined)).toMatchObject({ isBusy: false, problems: [] });
      }
    });
  }
});
