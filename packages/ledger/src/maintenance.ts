import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PoolError, silentLogger, systemClock } from '@headframe/primitives';
import { ThreadedAccounting } from './accounting/client.js';
import type { BookProblem } from './accounting/types.js';
import { SCHEMA_VERSION } from './core/schema.js';
import { builtWorker } from './open.js';
import { engineOf } from './sql/open.js';
import { partialOf } from './sql/sqlite.js';
import { ThreadClient } from './thread/client.js';
import { verifyShareLog } from './verify-log.js';

/** How often a backup looks at how large its file is. */
const PROGRESS_MS = 200;

/** Which database to work on. It may be that of a running pool. */
export interface MaintenanceOptions {
  /** `sqlite:./data/pool.db` or `postgres://user:password@host/database` */
  readonly url: string;
  /** What is done so far, from 0 to 1. */
  readonly onProgress?: (part: number) => void;
  /** The thread's script. Only needed where this package runs from somewhere else than its own build. */
  readonly workerUrl?: URL;
}

export interface MigrateLedgerOptions extends MaintenanceOptions {
  /** Only tells what would be done. */
  readonly dryRun?: boolean;
}

export interface BackupLedgerOptions extends MaintenanceOptions {
  /** File that is made. */
  readonly path: string;
}

const fileOf = (url: string): string => url.slice('sqlite:'.length);
const isMissing = (url: string): boolean => engineOf(url) === 'sqlite' && !existsSync(fileOf(url));

/** Runs `work` with a database thread of its own. */
async function withThread<T>(
  { url, onProgress, workerUrl = builtWorker() }: MaintenanceOptions,
  migrate: boolean,
  work: (thread: ThreadClient, versions: { readonly from: number; readonly to: number }) => Promise<T>,
): Promise<T> {
  const thread = new ThreadClient({
    name: 'headframe-ledger-maintenance',
    url: workerUrl,
    start: {
      database: { url, readOnly: false, maxBytes: undefined, busyTimeoutMs: undefined },
      // Nothing here asks for hashrates.
      hashesPerDifficulty: 1,
      migrate,
    },
    clock: systemClock,
    log: silentLogger,
    ...(onProgress === undefined || !migrate ? {} : { onProgress }),
  });
  try {
    return await work(thread, await thread.open());
  } finally {
    await thread.close();
  }
}

function missing(url: string): PoolError {
  return new PoolError('storage_failed', `there is no database ${fileOf(url)}`, { details: { reason: 'unavailable' } });
}

/**
 * Brings the schema of a database up to date, as opening a ledger does; all steps or none.
 * @returns the schema before and after
 * @throws PoolError `invalid_argument` for another kind of URL, `storage_failed` as `openLedger`
 */
export async function migrateLedger(
  options: MigrateLedgerOptions,
): Promise<{ readonly from: number; readonly to: number }> {
  const { url, dryRun = false, onProgress = () => {} } = options;
  if (dryRun) {
    // Opening a file that is not there would make it.
    if (isMissing(url)) return { from: 0, to: SCHEMA_VERSION };
    return withThread(options, false, async (thread) => ({
      from: await thread.call('schemaVersion', []),
      to: SCHEMA_VERSION,
    }));
  }
  onProgress(0);
  const versions = await withThread(options, true, (_thread, { from, to }) => Promise.resolve({ from, to }));
  onProgress(1);
  return versions;
}

/**
 * Looks for damage: the files themselves (SQLite), balances against bookings and payments, and the statistics against
 * the share log as far as that still reaches. Bookings that a crash left half done are finished and the log is folded
 * first, as opening a ledger does.
 * @returns what is wrong; empty when nothing is
 * @throws PoolError `storage_failed`, also when the schema is not up to date
 */
export async function verifyLedger(options: MaintenanceOptions): Promise<readonly BookProblem[]> {
  const { url, onProgress = () => {} } = options;
  if (isMissing(url)) throw missing(url);
  return withThread(options, false, async (thread) => {
    const version = await thread.call('schemaVersion', []);
    if (version !== SCHEMA_VERSION) {
      throw new PoolError(
        'storage_failed',
        `the database has schema ${version}, migrate it to ${SCHEMA_VERSION} first`,
        {
          details: { reason: 'failed' },
        },
      );
    }
    onProgress(0);
    const files = await thread.call('checkFiles', []);
    // Nothing can be trusted that is read out of broken files.
    if (files.length > 0) return files.map((message) => ({ part: 'files', message }));
    onProgress(0.2);
    await thread.call('accounting.finishBookings', []);
    const books = await new ThreadedAccounting(thread, thread).verify((part) => onProgress(0.2 + part * 0.4));
    const shares = await verifyShareLog(thread, (part) => onProgress(0.6 + part * 0.4));
    onProgress(1);
    return [...books, ...shares];
  });
}

/**
 * Copies a SQLite database to a new file, while a pool uses it. The file appears when it is whole; restoring is putting
 * it in the place of the database while nothing has that open, without its `-wal` and `-shm` files.
 * @returns size of the copy
 * @throws PoolError `conflict` when there is a file of that name, `not_supported` on PostgreSQL, `storage_failed`
 */
export async function backupLedger(options: BackupLedgerOptions): Promise<{ readonly bytes: number }> {
  const { url, path, onProgress = () => {} } = options;
  if (engineOf(url) === 'postgres') {
    throw new PoolError('not_supported', 'a PostgreSQL database is backed up by its own pg_dump');
  }
  if (isMissing(url)) throw missing(url);
  const { size } = await stat(fileOf(url));
  let isDone = false;
  const sizeSoFar = async (): Promise<void> => {
    const partial = await stat(partialOf(path)).catch(() => undefined);
    // The copy has no free pages, so that it may end before the size of its source.
    if (partial !== undefined && !isDone) onProgress(Math.min(0.99, partial.size / size));
  };
  return withThread(options, false, async (thread) => {
    const timer = systemClock.setInterval(() => void sizeSoFar(), PROGRESS_MS);
    try {
      onProgress(0);
      await thread.call('backup', [path, { replace: false }]);
    } finally {
      timer.cancel();
      isDone = true;
    }
    onProgress(1);
    return { bytes: (await stat(path)).size };
  });
}
