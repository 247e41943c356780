import type { Ledger, StoredBatch } from '@headframe/ledger';
import { openLedger } from '@headframe/ledger';
import { expect } from 'vitest';
import { WORKER_URL, wholeLog } from '../ledger/support.js';
import type { MinerBook } from './share-load.js';

export interface Reckoning {
  /** Shares that miners saw accepted. */
  readonly told: number;
  /** Shares of which miners never heard. */
  readonly unanswered: number;
  /** Accepted shares in the ledger: those told, and those of the unanswered that came that far. */
  readonly stored: number;
  readonly batches: number;
  readonly rejectedTold: number;
  readonly rejectedStored: number;
  readonly blocks: number;
}

/** Names a share by its worker and the difficulty that its hash reached. */
function nameOf(worker: string, achieved: string): string {
  return `${worker} ${achieved}`;
}

/** Accepted shares of the log by name, and how many there are of each. */
function storedShares(log: readonly StoredBatch[]): Map<string, number> {
  const stored = new Map<string, number>();
  for (const { shares } of log) {
    for (const { result, worker, achieved } of shares) {
      if (result !== 'accepted') continue;
      const name = nameOf(worker, achieved.toPrecision(10));
      stored.set(name, (stored.get(name) ?? 0) + 1);
    }
  }
  return stored;
}

/**
 * Compares what miners noted with what the ledger has, share by share: every share that was answered true is there
 * once; what else is there was sent and not answered; batches are there once; and the statistics add up to the log,
 * for the pool, each worker and the rounds.
 */
export async function reckon(url: string, books: readonly MinerBook[]): Promise<Reckoning> {
  const ledger = await openLedger({ url, workerUrl: WORKER_URL });
  try {
    return await compare(ledger, books);
  } finally {
    await ledger.close();
  }
}

async function compare(ledger: Ledger, books: readonly MinerBook[]): Promise<Reckoning> {
  const log = await wholeLog(ledger);
  const batches = new Set(log.map(({ epoch, sequence }) => `${epoch}/${sequence}`));
  expect(batches.size, 'batches that are there twice').toBe(log.length);
  const stored = storedShares(log);
  const twice = [...stored].filter(([, count]) => count > 1);
  expect(twice, 'shares that are there twice').toEqual([]);
  const told = books.flatMap(({ worker, accepted }) => accepted.map((share) => nameOf(worker, share)));
  const lost = told.filter((name) => !stored.has(name));
  expect(lost.slice(0, 10), `${lost.length} of ${told.length} accepted shares are lost`).toEqual([]);
  const unanswered = new Set(books.flatMap(({ worker, unanswered: all }) => all.map((share) => nameOf(worker, share))));
  const toldSet = new Set(told);
  const strange = [...stored.keys()].filter((name) => !toldSet.has(name) && !unanswered.has(name));
  expect(strange.slice(0, 10), `${strange.length} shares that nobody sent`).toEqual([]);

  await ledger.fold();
  const total = (await ledger.summary())?.total;
  expect(total?.accepted ?? 0, 'the total of the statistics').toBe(stored.size);
  const byWorker = new Map<string, number>();
  for (const name of stored.keys()) {
    const worker = name.slice(0, name.indexOf(' '));
    byWorker.set(worker, (byWorker.get(worker) ?? 0) + 1);
  }
  for (const { worker } of books) {
    const summary = await ledger.summary({ account: worker.slice(0, worker.indexOf('.')), worker });
    expect(summary?.total.accepted ?? 0, worker).toBe(byWorker.get(worker) ?? 0);
  }
  const inRounds = (await ledger.rounds(500)).reduce(
    (sum, { accepted }) => sum + accepted,
    (await ledger.currentRound()).accepted,
  );
  expect(inRounds, 'the shares of all rounds').toBe(stored.size);
  const refused = total === undefined ? 0 : total.stale + total.duplicate + total.low + total.invalid;
  return {
    told: told.length,
    unanswered: unanswered.size,
    stored: stored.size,
    batches: log.length,
    rejectedTold: books.reduce((sum, { rejected }) => Object.values(rejected).reduce((a, b) => a + b, sum), 0),
    rejectedStored: refused,
    blocks: (await ledger.blocks({ limit: 500 })).items.length,
  };
}
