import { GROUP_BATCHES } from '../limits.js';
import { type InsertShape, insertRows } from '../sql/insert.js';
import type { SqlDatabase } from '../sql/types.js';
import type { PackedBatch } from './calls.js';

const BATCHES: InsertShape = {
  table: 'share_batches',
  columns: ['epoch', 'sequence', 'shares', 'committed_ms', 'data'],
  // A retry of a batch whose acknowledgement was lost.
  onConflict: 'ON CONFLICT (epoch, sequence) DO NOTHING',
};

/** One writer at a time on PostgreSQL, so that ids become visible in their order and the fold misses none: "hfco". */
const COMMIT_LOCK = 0x6866636f;

interface Waiting {
  readonly batch: PackedBatch;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Group commit: batches that come while a transaction runs make up the next one. The caller bounds how many wait. */
export class Commits {
  readonly #database: SqlDatabase;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  /** Resolves when the batch is durable. */
  commit(batch: PackedBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    });
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, GROUP_BATCHES);
      try {
        await this.#insert(group.map(({ batch }) => batch));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
  }

  #insert(batches: readonly PackedBatch[]): Promise<void> {
    return this.#database.transaction(async (session) => {
      if (session.engine === 'postgres') await session.query(`SELECT pg_advisory_xact_lock(${COMMIT_LOCK})`);
      await insertRows(
        session,
        BATCHES,
        batches.map(({ epoch, sequence, shares, nowMs, data }) => [epoch, sequence, shares, nowMs, data]),
      );
    });
  }
}
