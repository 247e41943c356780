import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerHarness } from '../src/compliance/ledger.js';
import { openLedger } from '../src/index.js';

/** Threads start from the build. */
export const WORKER_URL: URL = new URL('../dist/worker.js', import.meta.url);

export interface Folder {
  readonly path: string;
  readonly url: string;
  remove(): Promise<void>;
}

/** A folder of its own for one database. */
export async function makeFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'headframe-ledger-'));
  return { path, url: `sqlite:${join(path, 'pool.db')}`, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function sqliteHarness(): Promise<LedgerHarness> {
  const folder = await makeFolder();
  return {
    url: folder.url,
    open: (options = {}) => openLedger({ url: folder.url, workerUrl: WORKER_URL, ...options }),
    dispose: () => folder.remove(),
  };
}
