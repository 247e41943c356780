import type { ShareRecord } from '@headframe/mining';
import { BoundedMap } from '@headframe/primitives';
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

/** Names as both engines store them: PostgreSQL knows no NUL, an index no endless key, and UTF-8 no lone surrogate. */
function storedName(name: string): string {
  return Buffer.from(name.slice(0, MAX_NAME).replaceAll('\0', '\ufffd')).toString();
}

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
  readonly workers = new Map<string, Map<string, Minutes>>();
  readonly rounds: RoundSlice[] = [];
  shares = 0;
  readonly #works: BoundedMap<number, bigint>;
  readonly #names: BoundedMap<string, string>;

  /** @param caches may be kept from fold to fold */
  constructor(caches: FoldCaches) {
    this.#works = caches.works;
    this.#names = caches.names;
  }

  add(shares: readonly ShareRecord[], batch: number): void {
    for (const [index, share] of shares.entries()) {
      const work = share.result === 'accepted' ? this.#work(share.difficulty) : 0n;
      const account = this.#name(share.account);
      this.#minutes(account, this.#name(share.worker), share, work);
      if (share.result === 'accepted') this.#round(share, { account, work, batch, index });
    }
    this.shares += shares.length;
  }

  /** Tallies by account, and of the pool. */
  sums(): { readonly accounts: Map<string, Minutes>; readonly pool: Minutes } {
    const accounts = new Map<string, Minutes>();
    const pool: Minutes = new Map();
    for (const [account, workers] of this.workers) {
      const sum: Minutes = new Map();
      for (const minutes of workers.values()) mergeInto(sum, minutes);
      accounts.set(account, sum);
      mergeInto(pool, sum);
    }
    return { accounts, pool };
  }

  #minutes(account: string, worker: string, share: ShareRecord, work: bigint): void {
    let workers = this.workers.get(account);
    if (workers === undefined) {
      workers = new Map();
      this.workers.set(account, workers);
    }
    let minutes = workers.get(worker);
    if (minutes === undefined) {
      minutes = new Map();
      workers.set(worker, minutes);
    }
    tallyAt(minutes, Math.floor(share.timeMs / MINUTE_MS)).add(share, work);
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
    let work = this.#works.get(difficulty);
    if (work === undefined) {
      work = workOfDifficulty(difficulty);
      this.#works.set(difficulty, work);
    }
    return work;
  }

  #name(name: string): string {
    let stored = this.#names.get(name);
    if (stored === undefined) {
      stored = storedName(name);
      this.#names.set(name, stored);
    }
    return stored;
  }
}

/** Kept from fold to fold. */
export class FoldCaches {
  readonly works = new BoundedMap<number, bigint>(WORK_CACHE);
  readonly names = new BoundedMap<string, string>(65_536);
}

/** The stored form of a name in a question. */
export const nameForQuery: (name: string) => string = storedName;
