import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Accounting, openLedger } from '@headframe/ledger';
import { describe, expect, it } from 'vitest';
import { startPostgres } from '../nodes/postgres.js';
import { startProcess } from '../support/process.js';
import { requireService } from '../support/require.js';
import { waitFor } from '../support/wait.js';
import { WORKER_URL } from './support.js';

const CHILD = fileURLToPath(new URL('./kill-books-child.mjs', import.meta.url));
/** Steps after which a payment's next one may be done without having been acknowledged. */
const AFTER: Readonly<Record<string, readonly string[]>> = {
  approved: ['approved', 'cancelled', 'signed'],
  signed: ['signed', 'sent', 'failed'],
  sent: ['sent', 'confirmed'],
  confirmed: ['confirmed'],
  cancelled: ['cancelled'],
  failed: ['failed'],
};

/** What the child saw acknowledged: bookings and payments with their last state, and the cursor. */
interface Acknowledged {
  readonly bookings: Map<string, string>;
  readonly payments: Map<string, string>;
  cursor: number;
}

function read(lines: readonly string[], into: Acknowledged): void {
  for (const line of lines) {
    const [what, name, value] = JSON.parse(line) as [string, string, string | number];
    if (what === 'payment') into.payments.set(name, String(value));
    else if (what === 'moved') into.bookings.set(name, String(value));
    else {
      into.bookings.set(name, 'immature');
      into.cursor = Number(value);
    }
  }
}

/** Runs a child under load and kills it at a random moment. */
async function killedChild(url: string, prefix: string): Promise<string[]> {
  const child = startProcess(process.execPath, [CHILD, url, prefix]);
  const lines = (): string[] => child.output().split('\n');
  const least = 5 + Math.floor(Math.random() * 60);
  await waitFor('steps of the child', () => {
    if (child.child.exitCode !== null) throw new Error(`the child ended: ${child.output()}`);
    return lines().length > least;
  });
  // Anywhere in the step under way, which may be a long one.
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
  child.child.kill('SIGKILL');
  await child.exited;
  // The last line may be torn.
  return lines().slice(0, -1);
}

async function expectBooks(accounting: Accounting, { bookings, payments, cursor }: Acknowledged): Promise<void> {
  expect(await accounting.verify()).toEqual([]);
  for (const [key, state] of bookings) {
    const found = await accounting.booking(key);
    expect(found, `${key} is lost`).toBeDefined();
    if (state !== 'immature') expect(found?.state, key).toBe(state);
    // Whole, however many steps were done.
    expect([12, 2_100], key).toContain(found?.entries.length);
  }
  for (const [id, status] of payments) {
    expect(AFTER[status], id).toContain((await accounting.payment(id))?.status);
  }
  // The cursor and the carry moved with the same booking.
  const position = await accounting.cursor('shares');
  expect([cursor, cursor + 1]).toContain(position);
  const [carry] = await accounting.carries();
  expect(carry?.carry.numerator).toBe(BigInt(position));
}

async function killTimes(times: number, url: string): Promise<void> {
  let cursor = 0;
  for (let run = 0; run < times; run++) {
    const acknowledged: Acknowledged = { bookings: new Map(), payments: new Map(), cursor };
    read(await killedChild(url, `run${run}-`), acknowledged);
    const ledger = await openLedger({ url, workerUrl: WORKER_URL });
    await expectBooks(ledger.accounting, acknowledged);
    cursor = await ledger.accounting.cursor('shares');
    await ledger.close();
  }
  expect(cursor).toBeGreaterThan(times);
}

describe.skipIf(!requireService('pool binary'))('the books of a ledger killed in the middle of its work', () => {
  it('SQLite: 12 times, are right, with everything that was acknowledged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headframe-kill-books-'));
    await killTimes(12, `sqlite:${join(folder, 'pool.db')}`);
    await rm(folder, { recursive: true, force: true });
  }, 240_000);

  it.skipIf(!requireService('postgresql'))(
    'PostgreSQL: 4 times, are right, with everything that was acknowledged',
    async () => {
      const server = await startPostgres();
      try {
        await killTimes(4, await server.createDatabase());
      } finally {
        await server.stop();
      }
    },
    240_000,
  );
});
