import type { Ledger, StoredBatch } from '@headframe/ledger';
import { type LedgerOptions, openLedger } from '@headframe/ledger';
import type { LedgerHarness } from '@headframe/ledger/compliance';
import type { ShareRecord } from '@headframe/mining';
import type { PostgresServer } from '../nodes/postgres.js';

/** Threads start from the build. */
export const WORKER_URL: URL = new URL('../../packages/ledger/dist/worker.js', import.meta.url);

/** One database on a running server, not removed before the server is. */
export async function postgresHarness(server: PostgresServer): Promise<LedgerHarness & { readonly url: string }> {
  const url = await server.createDatabase();
  return {
    url,
    open: (options: Partial<LedgerOptions> = {}) => openLedger({ url, workerUrl: WORKER_URL, ...options }),
    dispose: () => Promise.resolve(),
  };
}

/** Every batch in the log. */
export async function wholeLog(ledger: Ledger): Promise<StoredBatch[]> {
  const all: StoredBatch[] = [];
  for (;;) {
    const page = await ledger.shareLog(all.at(-1)?.id ?? 0);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

/** An accepted share; `n` tells shares apart. */
export function shareNumber(n: number): ShareRecord {
  return {
    timeMs: 1_700_000_000_000 + n,
    account: `account${n % 7}`,
    worker: `rig${n % 100}`,
    address: 'bcrt1qexample',
    jobId: n,
    height: 100,
    result: 'accepted',
    difficulty: 0.1,
    achieved: n,
    blockHash: undefined,
  };
}
