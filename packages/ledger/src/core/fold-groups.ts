import type { ShareRecord } from '@headframe/mining';
import { BoundedMap } from '@headframe/primitives';
import type { SeenAddress } from '../accounting/accounts.js';
import { MAX_NAME } from '../limits.js';
import { workOfDifficulty } from '../work.js';
import { Tally } from './tally.js';

const MINUTE_MS = 60_000;
const MINUTES_PER_HOUR = 60;
/** Difficulties whose work is remembered; vardiff uses a few hundred. */
const WORK_CACHE = 4096;

/** Minutes since 1970. */
type Minute = number;

/** Tallies of one worker or account by minute. */
export type Minutes = Map<Minute, Tally>;

/** Accepted work of one account in the round. */
export interface RoundPart {
  accepted: number;
  work: bigint;
}

/** A part of a round: all of it that the folded shares hold, up to its block or to where they end. */
export interface RoundSlice {
  openedMs: number;
  readonly accounts: Map<string, RoundPart>;
  /** Set when a block's share ended the round. */
  end:
    | { readonly blockHash: string; readonly closedMs: number; readonly batch: number; readonly index: number }
    | undefined;
}

/** Accounts are spread over as many parts, each with its own position in the log; the pool and its rounds are one more. */
const FOLD_BUCKETS = 64;
/** The part of the pool. */
export const POOL_BUCKET: number = FOLD_BUCKETS;

/** A name and the part it belongs to when it names an account. */
interface KnownName {
  readonly name: string;
  readonly bucket: number;
}

/** FNV-1a. What is stored depends on it: it must never change. */
function bucketOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % FOLD_BUCKETS;
}

/** Names as both engines store them: PostgreSQL knows no NUL, an index no endless key, and UTF-8 no lone surrogate. */
function storedName(name: string): string {
  return Buffer.from(name.slice(0, MAX_NAME).replaceAll('\0', '\ufffd')).toString();
}

/** An address as accounting takes it; a share may name anything. */
const isStorable = (address: string): boolean => /^[\x21-\x7e]{1,256}$/.test(address);

function tallyAt(minutes: Minutes, minute: Minute): Tally {
  let tally = minutes.get(minute);
  if (tally === undefined) {
    tally = new Tally();
    minutes.set(minute, tally);
  }
  return tally;
}

/** Adds up `from` in `into`, by minute. */
function mergeInto(into: Minutes, from: Minutes): void {
  for (const [minute, tally] of from) tallyAt(into, minute).merge(tally);
}

/** All minutes in one. */
export function totalOf(minutes: Minutes): Tally {
  const total = new Tally();
  for (const tally of minutes.values()) total.merge(tally);
  return total;
}

/** The same by hours since 1970. */
export function hoursOf(minutes: Minutes): Map<number, Tally> {
  const hours: Minutes = new Map();
  for (const [minute, tally] of minutes) tallyAt(hours, Math.floor(minute / MINUTES_PER_HOUR)).merge(tally);
  return hours;
}

/** What a run of batches adds to the statistics. Names are stored names. */
export class FoldGroups {
  /** Per part: account, worker, minutes. */
  readonly workers: readonly Map<string, Map<string, Minutes>>[] = Array.from(
    { length: FOLD_BUCKETS },
    () => new Map(),
  );
  /** Per part: where the latest accepted share of each account wants to be paid. */
  readonly addresses: readonly Map<string, SeenAddress>[] = Array.from({ length: FOLD_BUCKETS }, () => new Map());
  readonly pool: Minutes = new Map();
  readonly rounds: RoundSlice[] = [];
  shares = 0;
  readonly #positions: readonly number[];
  readonly #caches: FoldCaches;

  /**
   * @param positions id of the last batch that each part has already
   * @param caches may be kept from fold to fold
   */
  constructor(positions: readonly number[], caches: FoldCaches) {
    this.#positions = positions;
    this.#caches = caches;
  }

  add(shares: readonly ShareRecord[], batch: number): void {
    const isNewToPool = batch > (this.#positions[POOL_BUCKET] ?? 0);
    for (const [index, share] of shares.entries()) {
      const work = share.result === 'accepted' ? this.#work(share.difficulty) : 0n;
      const minute = Math.floor(share.timeMs / MINUTE_MS);
      const { name: account, bucket } = this.#name(share.account);
      if (batch > (this.#positions[bucket] ?? 0)) {
        tallyAt(this.#minutes(bucket, account, this.#name(share.worker).name), minute).add(share, work);
        if (share.result === 'accepted') this.#address(bucket, account, share);
      }
      if (!isNewToPool) continue;
      tallyAt(this.pool, minute).add(share, work);
      if (share.result === 'accepted') this.#round(share, { account, work, batch, index });
    }
    this.shares += shares.length;
  }

  #address(bucket: number, account: string, { address, timeMs }: ShareRecord): void {
    const addresses = this.addresses[bucket];
    const known = addresses?.get(account);
    if (known !== undefined && (known.timeMs > timeMs || known.address === address)) return;
    if (isStorable(address)) addresses?.set(account, { account, address, timeMs });
  }

  #minutes(bucket: number, account: string, worker: string): Minutes {
    let workers = this.workers[bucket]?.get(account);
    if (workers === undefined) {
      workers = new Map();
      this.workers[bucket]?.set(account, workers);
    }
    let minutes = workers.get(worker);
    if (minutes === undefined) {
      minutes = new Map();
      workers.set(worker, minutes);
    }
    return minutes;
  }

  #round(share: ShareRecord, at: { account: string; work: bigint; batch: number; index: number }): void {
    let round = this.rounds.at(-1);
    if (round === undefined || round.end !== undefined) {
      round = { openedMs: share.timeMs, accounts: new Map(), end: undefined };
      this.rounds.push(round);
    }
    const part = round.accounts.get(at.account);
    if (part === undefined) round.accounts.set(at.account, { accepted: 1, work: at.work });
    else {
      part.accepted++;
      part.work += at.work;
    }
    if (share.blockHash !== undefined) {
      round.end = { blockHash: share.blockHash, closedMs: share.timeMs, batch: at.batch, index: at.index };
    }
  }

  #work(difficulty: number): bigint {
    const { works } = this.#caches;
    let work = works.get(difficulty);
    if (work === undefined) {
      work = workOfDifficulty(difficulty);
      works.set(difficulty, work);
    }
    return work;
  }

  #name(name: string): KnownName {
    const { names } = this.#caches;
    let known = names.get(name);
    if (known === undefined) {
      const stored = storedName(name);
      known = { name: stored, bucket: bucketOf(stored) };
      names.set(name, known);
    }
    return known;
  }
}

/** Minutes of all workers of an account. */
export function sumOf(workers: Iterable<Minutes>): Minutes {
  const sum: Minutes = new Map();
  for (const minutes of workers) mergeInto(sum, minutes);
  return sum;
}

/** Kept from fold to fold. */
export class FoldCaches {
  readonly works = new BoundedMap<number, bigint>(WORK_CACHE);
  readonly names = new BoundedMap<string, KnownName>(65_536);
}

/** The stored form of a name in a question. */
export const nameForQuery: (name: string) => string = storedName;
