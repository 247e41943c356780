// Hundreds of miners on the pool as it is installed, for a minute here and for ten with `node tests/soak/run.mjs`: the
// pool is killed and restarted, its storage and its node go away and come back, blocks are found, lost and paid out. In
// the end the ledger has what the miners counted, to the share, and the chain what the ledger says was paid.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLedger } from '@headframe/ledger';
import { describe, expect, it } from 'vitest';
import { WORKER_URL } from '../ledger/support.js';
import { startPostgres } from '../nodes/postgres.js';
import { lockDatabase } from '../outage/lock.js';
import { type PoolProcess, poolFolder, startPool } from '../support/pool-process.js';
import { requireService } from '../support/require.js';
import { waitFor } from '../support/wait.js';
import { findBlock } from './find-block.js';
import { Monitor } from './monitor.js';
import { type PaymentReckoning, reckonPayments } from './payments.js';
import { type Reckoning, reckon } from './reckoning.js';
import { type ShareLoad, startLoad } from './share-load.js';
import { makeStage, type Stage } from './stage.js';

const MINUTES = Number(process.env.SOAK_MINUTES ?? 0.75);
const MINERS = Number(process.env.SOAK_MINERS ?? 500);
const ENGINE = process.env.SOAK_STORAGE === 'postgres' ? 'postgres' : 'sqlite';
const TOTAL_MS = MINUTES * 60_000;
const SHARES_PER_SECOND = 200;
const DROPS_PER_SECOND = 2;
const MAX_OUTAGE_MS = 20_000;
const REPORT_MS = 10_000;
/** Node with its threads, the caches of SQLite, and a thousand sessions fit in; a leak of a kilobyte a share does not. */
const MAX_RESIDENT_BYTES = 450 * 1024 * 1024;
const MAX_GROWTH_BYTES = 60 * 1024 * 1024;
/** Files, database connections, RPC sockets and listeners, beside one handle a miner, when all has settled. */
const MAX_OTHER_HANDLES = 100;

interface Storage {
  readonly url: string;
  begin(): Promise<void>;
  end(): Promise<void>;
  close(): Promise<void>;
}

async function makeStorage(folder: string): Promise<Storage> {
  if (ENGINE === 'postgres') {
    const server = await startPostgres();
    const url = await server.createDatabase();
    return { url, begin: () => server.kill(), end: () => server.start(), close: () => server.stop() };
  }
  const file = join(folder, 'pool.db');
  let release: (() => Promise<void>) | undefined;
  return {
    url: `sqlite:${file}`,
    begin: async () => {
      release = await lockDatabase(file);
    },
    end: async () => release?.(),
    close: () => Promise.resolve(),
  };
}

class Soak {
  readonly began = performance.now();
  readonly #stage: Stage;
  readonly #storage: Storage;
  readonly #folder: string;
  readonly #load: ShareLoad;
  pool: PoolProcess;
  monitor: Monitor;
  readonly kills = { hard: 0, graceful: 0 };

  constructor(stage: Stage, storage: Storage, folder: string, load: ShareLoad, pool: PoolProcess) {
    this.#stage = stage;
    this.#storage = storage;
    this.#folder = folder;
    this.#load = load;
    this.pool = pool;
    this.monitor = new Monitor(pool.process.child.pid ?? 0);
  }

  say(what: string): void {
    const seconds = ((performance.now() - this.began) / 1000).toFixed(0).padStart(4);
    console.log(`${seconds} s  ${what}`);
  }

  async report(): Promise<void> {
    const { ready, accepted, sent, connections, resumed } = await this.#load.state();
    const last = this.monitor.samples.at(-1);
    const memory = last === undefined ? '-' : `${Math.round(last.residentBytes / 1e6)} MB, ${last.handles} handles`;
    const { height } = this.#stage.node;
    this.say(
      `${ready} miners  ${accepted} of ${sent} shares accepted  ${connections} connections, ${resumed} resumed  height ${height}  pool ${memory}`,
    );
  }

  async #restart(): Promise<void> {
    this.monitor.stop();
    this.pool = await startPool({ config: this.#stage.config, folder: this.#folder });
    this.monitor = new Monitor(this.pool.process.child.pid ?? 0);
  }

  async kill(): Promise<void> {
    this.say('kill -9');
    this.kills.hard++;
    await this.pool.kill();
    await this.#restart();
  }

  async stop(): Promise<void> {
    this.say('graceful restart');
    this.kills.graceful++;
    expect(await this.pool.stop()).toMatchObject({ code: 0 });
    await this.#restart();
  }

  /** The storage is away for a while, and the pool is killed in the middle of it or not. */
  async outage(isKilled: boolean): Promise<void> {
    const ms = Math.min(MAX_OUTAGE_MS, TOTAL_MS / 10);
    this.say(`the storage is away for ${ms / 1000} s${isKilled ? ', and the pool is killed meanwhile' : ''}`);
    await this.#storage.begin();
    await sleep(ms / 2);
    if (isKilled) {
      this.kills.hard++;
      await this.pool.kill();
    }
    await sleep(ms / 2);
    await this.#storage.end();
    if (isKilled) await this.#restart();
  }

  async nodeAway(): Promise<void> {
    this.say('the node is away');
    await this.#stage.node.close();
    await sleep(Math.min(10_000, TOTAL_MS / 20));
    await this.#stage.node.start();
  }

  /** Somebody else's block, or two that take the place of the last one. */
  otherBlock(isReorganisation: boolean): void {
    const { node } = this.#stage;
    const script = Uint8Array.of(0x51);
    if (isReorganisation) {
      this.say('a reorganisation');
      node.invalidateBlock(node.tipHash);
      node.mineBlocks(2, { script });
    } else node.mineBlocks(1, { script });
  }
}

/** What happens when, in parts of the whole time. The last pool lives long enough to see whether it grows. */
function script(soak: Soak): readonly (readonly [part: number, what: () => void | Promise<void>])[] {
  const blocks = Array.from({ length: 14 }, (_, i) => [
    0.03 + i * 0.07,
    () => soak.otherBlock(i % 5 === 4),
  ]) as readonly (readonly [number, () => void])[];
  const troubles: readonly (readonly [number, () => Promise<void>])[] = [
    [0.06, () => soak.kill()],
    [0.12, () => soak.kill()],
    [0.18, () => soak.stop()],
    [0.25, () => soak.outage(true)],
    [0.4, () => soak.kill()],
    [0.6, () => soak.outage(false)],
    [0.75, () => soak.nodeAway()],
  ];
  return [...blocks, ...troubles].sort(([a], [b]) => a - b);
}

/** Whether a payment is final by now: the ledger may be looked at beside the pool. */
async function isPaid(url: string): Promise<boolean> {
  const ledger = await openLedger({ url, workerUrl: WORKER_URL });
  try {
    const { items } = await ledger.accounting.payments({ statuses: ['confirmed'] }, { limit: 1 });
    return items.length > 0;
  } finally {
    await ledger.close();
    await sleep(500);
  }
}

interface Result extends Reckoning, PaymentReckoning {
  readonly connections: number;
  readonly resumed: number;
  readonly again: number;
  readonly kills: number;
  readonly slowestSeconds: number;
  readonly residentMb: number;
  readonly growthMb: number;
  readonly handles: number;
  readonly mostHandles: number;
}

async function runSoak(stage: Stage, storage: Storage, folder: string): Promise<Result> {
  const [finder = '', ...workers] = await stage.workers(MINERS + 1);
  const first = await startPool({ config: stage.config, folder });
  const load = await startLoad({
    port: stage.port,
    workers,
    sharesPerSecond: SHARES_PER_SECOND,
    dropsPerSecond: DROPS_PER_SECOND,
  });
  const soak = new Soak(stage, storage, folder, load, first);
  try {
    const timer = setInterval(() => void soak.report().catch(() => {}), REPORT_MS);
    try {
      for (const [part, what] of script(soak)) {
        const wait = soak.began + part * TOTAL_MS - performance.now();
        if (wait > 0) await sleep(wait);
        await what();
      }
      await sleep(Math.max(0, soak.began + TOTAL_MS - performance.now()));
    } finally {
      clearInterval(timer);
    }
    await waitFor('the miners to be back', async () => {
      const { ready, miners } = await load.state();
      return ready > miners * 0.95; // some are just being dropped
    });
    await load.rest();
    await waitFor('the last answers', async () => (await load.state()).pending === 0);
    await soak.report();
    // However few shares there were: one block, and what is due for it, paid and confirmed.
    const { reply, book } = await findBlock(stage, finder);
    expect(await reply).toBe(true);
    await waitFor('a payment', () => {
      soak.otherBlock(false);
      return isPaid(storage.url);
    });
    const state = await load.state();
    const books = await load.books();
    soak.monitor.stop();
    expect(await soak.pool.stop()).toMatchObject({ code: 0 });
    soak.say('comparing books');
    const shares = await reckon(storage.url, [...books, book]);
    const accounts = [...new Set([finder, ...workers].map((worker) => worker.slice(0, worker.indexOf('.'))))];
    const payments = await reckonPayments(storage.url, stage.rpc, accounts);
    const { monitor } = soak;
    const mb = (bytes: number): number => Math.round(bytes / 1e6);
    return {
      ...shares,
      ...payments,
      connections: state.connections,
      resumed: state.resumed,
      again: state.again,
      kills: soak.kills.hard + soak.kills.graceful,
      slowestSeconds: Math.round(state.slowestMs / 100) / 10,
      residentMb: mb(monitor.most('residentBytes')),
      growthMb: mb(monitor.average('residentBytes', 0.9, 1) - monitor.average('residentBytes', 0.2, 0.3)),
      handles: Math.round(monitor.average('handles', 0.5, 0.9)),
      mostHandles: monitor.most('handles'),
    };
  } finally {
    load.close();
    soak.monitor.stop();
    await soak.pool.process.stop(0);
  }
}

describe.skipIf(!requireService('pool binary') || (ENGINE === 'postgres' && !requireService('postgresql')))(
  'a soak',
  () => {
    it(
      `of ${MINUTES} minutes with ${MINERS} miners on ${ENGINE} ends with the books of both sides equal`,
      async () => {
        const folder = poolFolder();
        const storage = await makeStorage(folder.path);
        const stage = await makeStage(storage.url);
        try {
          const result = await runSoak(stage, storage, folder.path);
          console.log(
            `soak: ${JSON.stringify(result, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
          );
          // How many is a matter of the machine and of what else it does; that there were many is not.
          expect(result.told).toBeGreaterThan(MINERS);
          expect(result.resumed).toBeGreaterThan(0);
          expect(result.blocks).toBeGreaterThan(0);
          expect(result.confirmed).toBeGreaterThan(0);
          expect(result.residentMb * 1e6).toBeLessThan(MAX_RESIDENT_BYTES);
          expect(result.growthMb * 1e6).toBeLessThan(MAX_GROWTH_BYTES);
          expect(result.handles).toBeLessThan(MINERS + MAX_OTHER_HANDLES);
          // Miners that come back do so before the system has told of all that left.
          expect(result.mostHandles).toBeLessThan(2 * MINERS + MAX_OTHER_HANDLES);
          folder.remove();
        } finally {
          await stage.close();
          await storage.close();
        }
      },
      TOTAL_MS + 180_000,
    );
  },
);
