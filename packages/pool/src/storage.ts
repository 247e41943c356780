import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Coin } from '@headframe/coins';
import { type Ledger, openLedger, relaxedSink } from '@headframe/ledger';
import type { ShareBatch, ShareSink } from '@headframe/mining';
import { type Clock, errorMessage, isPoolError, type Logger, PoolError } from '@headframe/primitives';
import type { PoolConfig } from './config/schema.js';
import { openShareLog } from './share-log.js';

const DAY_MS = 86_400_000;
/** Hashes that difficulty 1 takes on average where the coin's factor is 1. */
export const HASHES_PER_DIFFICULTY = 2 ** 32;
/** A commit takes milliseconds; one that is out for this long means that the storage hangs. */
const HANGING_MS = 5_000;

const SQLITE = /^sqlite:(.+)$/;

/** What is wrong with a storage: no room, held by another process, out of reach, anything else. */
type StorageFailure = 'full' | 'locked' | 'unavailable' | 'failed';

/** How the storage of shares is doing. `failing`: shares are held and sockets pause; blocks are still submitted. */
export interface StorageState {
  readonly kind: 'log' | 'ledger' | 'custom';
  readonly isOk: boolean;
  /** Why not, for the operator: it may name files and hosts. */
  readonly reason: string | undefined;
  /** Why not, in one word, which everybody may know. */
  readonly failure: StorageFailure | undefined;
  /** Unix milliseconds since which it is not ok. */
  readonly sinceMs: number | undefined;
}

/** Where shares go, and the ledger if that is where. */
export interface PoolStorage {
  readonly sink: ShareSink;
  readonly ledger: Ledger | undefined;
  readonly state: StorageState;
}

interface StorageModules {
  readonly clock: Clock;
  readonly log: Logger;
  /** In place of the configured storage. */
  readonly shareSink?: ShareSink;
}

/** Where the ledger of a configuration is; undefined when the plain share log is configured. */
export function ledgerUrl(config: PoolConfig): string | undefined {
  const { url } = config.storage;
  if (url === 'log:') return undefined;
  return url ?? `sqlite:${join(config.dataFolder, 'pool.db')}`;
}

/**
 * Opens the ledger of a configuration, as the pool does. Other processes may have it open, a running pool too.
 *
 * @throws PoolError `not_supported` when the configuration has the plain share log, `storage_failed` when the database
 *   cannot be opened
 */
export async function openPoolLedger(
  config: PoolConfig,
  coin: Coin,
  modules: { readonly clock?: Clock; readonly log?: Logger } = {},
): Promise<Ledger> {
  const url = ledgerUrl(config);
  if (url === undefined) {
    throw new PoolError('not_supported', 'there is no ledger: storage.url is log:, the plain share log');
  }
  const file = SQLITE.exec(url)?.[1];
  if (file !== undefined && file !== ':memory:') await makeFile(file);
  const { shareDays, minuteDays, hourDays } = config.storage;
  return openLedger({
    ...modules,
    url,
    hashesPerDifficulty: HASHES_PER_DIFFICULTY / coin.difficultyFactor,
    shareRetentionMs: shareDays * DAY_MS,
    minuteRetentionMs: minuteDays * DAY_MS,
    hourRetentionMs: hourDays * DAY_MS,
  });
}

/** Who owes whom is nobody's business: the file is the pool's alone. SQLite gives its other files the same mode. */
async function makeFile(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await (await open(path, 'a', 0o600)).close();
  } catch (error) {
    throw new PoolError('storage_failed', `cannot make the database ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * Opens what `storage` of the configuration says.
 * @throws PoolError `storage_failed`
 */
export async function openStorage(config: PoolConfig, coin: Coin, modules: StorageModules): Promise<PoolStorage> {
  const { clock, log, shareSink } = modules;
  if (shareSink !== undefined) return new WatchedSink('custom', shareSink, undefined, clock);
  const isRelaxed = config.storage.commit === 'relaxed';
  const relaxed = (sink: ShareSink): ShareSink => (isRelaxed ? relaxedSink({ sink, clock, log }) : sink);
  if (ledgerUrl(config) === undefined) {
    const plain = await openShareLog({ ...config.shareLog, folder: join(config.dataFolder, 'shares'), log });
    return new WatchedSink('log', plain, undefined, clock, relaxed);
  }
  const ledger = await openPoolLedger(config, coin, { clock, log });
  return new WatchedSink('ledger', ledger, ledger, clock, relaxed);
}

const FAILURES: readonly StorageFailure[] = ['full', 'locked', 'unavailable', 'failed'];
/** Codes of the system, of the plain share log's file or a sink of the user. */
const SYSTEM_FAILURES: Readonly<Record<string, StorageFailure>> = { ENOSPC: 'full', EDQUOT: 'full', EAGAIN: 'locked' };

function failureOf(error: unknown): StorageFailure {
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = Reflect.get(at, 'cause')) {
    if (isPoolError(at)) {
      const known = FAILURES.find((one) => one === at.details.reason);
      if (known !== undefined) return known;
    }
    const code: unknown = Reflect.get(at, 'code');
    const system = typeof code === 'string' ? SYSTEM_FAILURES[code] : undefined;
    if (system !== undefined) return system;
  }
  return 'failed';
}

/** Notes how commits go; what is told of them depends on nothing but the sink itself. */
class WatchedSink implements PoolStorage, ShareSink {
  readonly sink: ShareSink;
  readonly ledger: Ledger | undefined;
  readonly #kind: StorageState['kind'];
  readonly #inner: ShareSink;
  readonly #clock: Clock;
  #underWay = 0;
  /** Monotonic time since which nothing was answered while commits are out. */
  #waitingSinceMs = 0;
  #reason: string | undefined;
  #failure: StorageFailure | undefined;
  #sinceMs: number | undefined;

  constructor(
    kind: StorageState['kind'],
    inner: ShareSink,
    ledger: Ledger | undefined,
    clock: Clock,
    around: (sink: ShareSink) => ShareSink = (sink) => sink,
  ) {
    this.#kind = kind;
    this.#inner = inner;
    this.ledger = ledger;
    this.#clock = clock;
    // Around this one: with `relaxed` the miner's answer says nothing of the disk, but the state still does.
    this.sink = around(this);
  }

  get state(): StorageState {
    const base = { kind: this.#kind };
    if (this.#reason !== undefined) {
      return { ...base, isOk: false, reason: this.#reason, failure: this.#failure, sinceMs: this.#sinceMs };
    }
    const waitedMs = this.#underWay === 0 ? 0 : this.#clock.monotonic() - this.#waitingSinceMs;
    if (waitedMs < HANGING_MS)
      return { ...base, isOk: true, reason: undefined, failure: undefined, sinceMs: undefined };
    const reason = `no answer to a commit for ${Math.round(waitedMs / 1000)} s`;
    return { ...base, isOk: false, reason, failure: 'unavailable', sinceMs: this.#clock.now() - waitedMs };
  }

  async commit(batch: ShareBatch): Promise<void> {
    if (this.#underWay === 0) this.#waitingSinceMs = this.#clock.monotonic();
    this.#underWay++;
    try {
      await this.#inner.commit(batch);
      this.#reason = undefined;
      this.#failure = undefined;
      this.#sinceMs = undefined;
    } catch (error) {
      this.#reason = errorMessage(error);
      this.#failure = failureOf(error);
      this.#sinceMs ??= this.#clock.now();
      throw error;
    } finally {
      this.#underWay--;
      this.#waitingSinceMs = this.#clock.monotonic();
    }
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
