import { resolveCoin } from '@headframe/coins';
import {
  type AccountSettings,
  type BlockRecord,
  type Booking,
  type BookingEntry,
  type BookingRecord,
  type BookingState,
  type HeightRecord,
  type PpsCarry,
  pplnsWindow,
  type StoredBatch,
  workOfDifficulty,
} from '@headframe/ledger';
import type { BlockOutcome, BlockStatus, CoinbaseOutput, ShareBatch, ShareRecord } from '@headframe/mining';
import { hexToBytes, PoolError } from '@headframe/primitives';
import { FakeClock } from '@headframe/primitives/testing';
import {
  type Accountant,
  type AccountantBooks,
  type AccountantLedger,
  type AccountantModules,
  type AccountantOptions,
  createAccountant,
  type PayoutScheme,
} from '../src/index.js';

export const coin = resolveCoin('bitcoin', 'regtest');
export const POOL = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
export const START_MS = 1_700_000_000_000;
/** A network of difficulty 256. */
export const TARGET = (0xffffn << 200n).toString(16).padStart(64, '0');
export const REWARD = 5_000_000_000n;

export const hashOf = (name: string | number): string =>
  Buffer.from(`block ${name}`.padEnd(32, '.')).toString('hex').slice(0, 64);

/** Books in memory, by the rules of the contract. */
export class MemoryBooks implements AccountantBooks {
  readonly bookings = new Map<string, { state: BookingState; booking: Booking }>();
  readonly cursors = new Map<string, number>();
  readonly stored = new Map<string, PpsCarry>();
  readonly recorded = new Map<number, HeightRecord>();
  readonly set = new Map<string, Partial<AccountSettings>>();

  async book(booking: Booking): Promise<boolean> {
    if (this.bookings.has(booking.key)) return false;
    const { cursor } = booking;
    if (cursor !== undefined) {
      if ((this.cursors.get(cursor.name) ?? 0) !== cursor.from) throw new PoolError('conflict', 'cursor');
      this.cursors.set(cursor.name, cursor.to);
    }
    const seen = new Set<string>();
    for (const { account, kind, amount } of booking.entries) {
      if (typeof amount !== 'bigint' || amount === 0n) throw new PoolError('invalid_argument', 'amount');
      if (seen.has(`${kind} ${account}`)) throw new PoolError('invalid_argument', `${kind} of ${account} twice`);
      seen.add(`${kind} ${account}`);
    }
    for (const carry of booking.carries ?? []) this.stored.set(`${carry.kind} ${carry.account}`, carry);
    this.bookings.set(booking.key, { state: booking.state, booking });
    return true;
  }
  async setBookingState(key: string, state: BookingState): Promise<boolean> {
    const known = this.bookings.get(key);
    if (known === undefined || known.state === state) return false;
    known.state = state;
    return true;
  }
  async booking(key: string): Promise<(BookingRecord & { readonly entries: readonly BookingEntry[] }) | undefined> {
    const known = this.bookings.get(key);
    if (known === undefined) return undefined;
    const { timeMs, note, entries } = known.booking;
    return {
      key,
      state: known.state,
      timeMs,
      stateMs: timeMs,
      entries,
      totals: {},
      ...(note === undefined ? {} : { note }),
    };
  }
  async cursor(name: string): Promise<number> {
    return this.cursors.get(name) ?? 0;
  }
  async carries(): Promise<readonly PpsCarry[]> {
    return [...this.stored.values()];
  }
  async settingsOf(accounts: readonly string[]): Promise<readonly AccountSettings[]> {
    const donors = [...this.set].filter(([, { donationPpm = 0 }]) => donationPpm > 0).map(([account]) => account);
    return [...new Set([...donors, ...accounts])].map((account) => ({
      account,
      address: undefined,
      minimumPayout: undefined,
      donationPpm: 0,
      isHeld: false,
      ...this.set.get(account),
    }));
  }
  async openBalances(): Promise<ReadonlyMap<string, bigint>> {
    return this.balances();
  }
  async heights(from: number, limit: number): Promise<readonly HeightRecord[]> {
    return [...this.recorded.values()]
      .filter(({ height }) => height >= from)
      .sort((a, b) => a.height - b.height)
      .slice(0, limit);
  }
  async recordHeight(height: HeightRecord): Promise<void> {
    this.recorded.set(height.height, height);
  }

  /** What counts, by account; without zeros. */
  balances(only?: BookingState): Map<string, bigint> {
    const sums = new Map<string, bigint>();
    for (const { state, booking } of this.bookings.values()) {
      if (state === 'reversed' || (only !== undefined && state !== only)) continue;
      for (const { account, amount } of booking.entries) sums.set(account, (sums.get(account) ?? 0n) + amount);
    }
    for (const [account, sum] of sums) if (sum === 0n) sums.delete(account);
    return sums;
  }
  total(): bigint {
    let total = 0n;
    for (const sum of this.balances().values()) total += sum;
    return total;
  }
}

interface Status {
  status: BlockStatus;
  saidMs: number;
}
const PROOF: Readonly<Record<BlockStatus, number>> = {
  candidate: 0,
  rejected: 1,
  confirmed: 2,
  orphaned: 2,
  matured: 3,
};

/** A ledger in memory, with the rules by which the real one takes word of a block. */
export class MemoryLedger implements AccountantLedger {
  readonly batches: StoredBatch[] = [];
  readonly #seen = new Set<string>();
  readonly #blocks = new Map<string, BlockRecord & Status>();
  /** Shares up to here are folded. */
  folded = 0;

  async commit({ epoch, sequence, shares }: ShareBatch): Promise<void> {
    const key = `${epoch} ${sequence}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.batches.push({ id: this.batches.length + 1, epoch, sequence, shares });
  }
  async fold(): Promise<{ batches: number; shares: number }> {
    this.folded = this.batches.length;
    return { batches: 0, shares: 0 };
  }
  /** What was asked to be kept from pruning, in order. */
  readonly kept: (number | undefined)[] = [];

  keepShares(afterBatch: number | undefined): void {
    this.kept.push(afterBatch);
  }

  async shareLog(after = 0): Promise<readonly StoredBatch[]> {
    return this.batches.filter(({ id }) => id > after).slice(0, 4);
  }
  async recordBlock(outcome: BlockOutcome, details: { networkDifficulty?: number } = {}): Promise<void> {
    const { timeMs, ...rest } = outcome;
    const known = this.#blocks.get(outcome.hash);
    if (known === undefined) {
      const made = { ...rest, networkDifficulty: details.networkDifficulty, foundMs: timeMs, saidMs: timeMs };
      this.#blocks.set(outcome.hash, made);
      return;
    }
    const foundMs = Math.min(known.foundMs, timeMs);
    const [next, before] = [PROOF[outcome.status], PROOF[known.status]];
    const isNewer = next !== before ? next > before : timeMs > known.saidMs;
    this.#blocks.set(outcome.hash, isNewer ? { ...known, ...rest, foundMs, saidMs: timeMs } : { ...known, foundMs });
  }
  async block(hash: string): Promise<BlockRecord | undefined> {
    return this.#blocks.get(hash);
  }
  async blocks({ limit = 100, after }: { limit?: number; after?: string } = {}) {
    const all = [...this.#blocks.values()].sort((a, b) => b.height - a.height || (a.hash < b.hash ? 1 : -1));
    const from = after === undefined ? 0 : Number(after);
    const next = from + limit < all.length ? String(from + limit) : undefined;
    return { items: all.slice(from, from + limit), next };
  }
  #placed(): { share: ShareRecord; position: number }[] {
    const folded = this.batches.slice(0, this.folded).flatMap(({ shares }) => shares);
    return folded.map((share, position) => ({ share, position }));
  }
  async windowBefore(blockHash: string, work: bigint) {
    const placed = this.#placed();
    const end = placed.findIndex(({ share }) => share.blockHash === blockHash);
    if (end < 0) return undefined;
    const counted = placed
      .slice(0, end + 1)
      .filter(({ share }) => share.result === 'accepted')
      .map(({ share, position }) => ({ account: share.account, work: workOfDifficulty(share.difficulty), position }));
    const window = pplnsWindow(counted.reverse(), work);
    return { ...window, accounts: window.accounts.map((one) => ({ ...one, accepted: 1 })) };
  }
  async roundOf(blockHash: string) {
    const placed = this.#placed();
    const end = placed.findIndex(({ share }) => share.blockHash === blockHash);
    if (end < 0) return undefined;
    let from = 0;
    for (const { share, position } of placed.slice(0, end)) {
      const status = share.blockHash === undefined ? undefined : this.#blocks.get(share.blockHash)?.status;
      if (share.blockHash !== undefined && status !== 'orphaned' && status !== 'rejected') from = position + 1;
    }
    const sums = new Map<string, bigint>();
    for (const { share } of placed.slice(from, end + 1)) {
      if (share.result !== 'accepted') continue;
      sums.set(share.account, (sums.get(share.account) ?? 0n) + workOfDifficulty(share.difficulty));
    }
    const accounts = [...sums].map(([account, work]) => ({ account, work, accepted: 1 }));
    return { blockHash, openedMs: 0, closedMs: 0, accepted: 0, work: 0n, effort: undefined, accounts };
  }
  /** Blocks that pay, by the ledger. */
  counting(): BlockRecord[] {
    return [...this.#blocks.values()].filter(({ status }) => status === 'confirmed' || status === 'matured');
  }
}

/** What dies at a call: before it is done, or after it is done but before anybody knows. */
export class Mortal {
  left = Number.POSITIVE_INFINITY;
  kind: 'before' | 'after' = 'before';
  calls = 0;

  wrap<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name);
        if (typeof member !== 'function') return member;
        // A wish told in passing, not a call that could fail.
        if (name === 'keepShares') return member.bind(object);
        return async (...args: unknown[]): Promise<unknown> => {
          this.calls++;
          if (this.left <= 0) throw new PoolError('closed', 'dead');
          this.left--;
          if (this.left === 0 && this.kind === 'before') throw new PoolError('storage_failed', 'killed before');
          const result: unknown = await Reflect.apply(member, object, args);
          if (this.left === 0) throw new PoolError('storage_failed', 'killed after');
          return result;
        };
      },
    });
  }
}

/** One pool: books, ledger and chain that outlive the accountants. */
/** A clock whose time of day can be set; what has passed stays passed. */
class SettableClock extends FakeClock {
  offsetMs = 0;

  override now(): number {
    return super.now() + this.offsetMs;
  }
}

export class World {
  readonly clock = new SettableClock(START_MS);
  readonly books = new MemoryBooks();
  readonly ledger = new MemoryLedger();
  readonly coinbases = new Map<string, readonly CoinbaseOutput[]>();
  #sequence = 0;
  height = 100;

  constructor() {
    this.recordHeight(this.height);
  }

  recordHeight(height: number, change: Partial<HeightRecord> = {}): void {
    this.height = height;
    const record = {
      networkTarget: TARGET,
      networkDifficulty: 256,
      subsidy: REWARD - 1000n,
      fees: 1000n,
      reward: REWARD,
    };
    this.books.recorded.set(height, { height, timeMs: this.clock.now(), ...record, ...change });
  }

  accountant(scheme: PayoutScheme, options: Partial<AccountantOptions> = {}, mortal?: Mortal): Accountant {
    const wrap = <T extends object>(target: T): T => mortal?.wrap(target) ?? target;
    const modules: AccountantModules = {
      ledger: wrap<AccountantLedger>(this.ledger),
      accounting: wrap<AccountantBooks>(this.books),
      chain: wrap({
        coinbaseOf: async (hash: string): Promise<readonly CoinbaseOutput[]> => {
          const outputs = this.coinbases.get(hash);
          if (outputs === undefined) throw new PoolError('no_node', 'no node knows the block');
          return outputs;
        },
      }),
      clock: this.clock,
    };
    return createAccountant({ scheme, coin, poolAccount: POOL, ...options }, modules);
  }

  /** Accepted shares, one per entry: `alice 128`, `bob 64 !x` for the share of block x. */
  async shares(...texts: string[]): Promise<void> {
    const shares = texts.map((text): ShareRecord => {
      const [account = '', difficulty = '1', block] = text.split(' ');
      return {
        timeMs: this.clock.now(),
        account,
        worker: `${account}.rig`,
        address: '',
        jobId: 1,
        height: this.height,
        result: difficulty === 'stale' ? 'stale' : 'accepted',
        difficulty: Number(difficulty) || 1,
        achieved: 1,
        blockHash: block === undefined ? undefined : hashOf(block.slice(1)),
      };
    });
    await this.ledger.commit({ epoch: 'test', sequence: this.#sequence++, shares });
  }

  outcome(name: string | number, status: BlockStatus, change: Partial<BlockOutcome> = {}): BlockOutcome {
    return {
      hash: hashOf(name),
      height: this.height,
      status,
      account: 'alice',
      worker: 'alice.rig',
      reward: REWARD,
      confirmations: 1,
      nodes: {},
      timeMs: this.clock.now(),
      ...change,
    };
  }

  entries(name: string | number): Record<string, bigint> {
    const { booking } = this.books.bookings.get(`block:${hashOf(name)}`) ?? {};
    return Object.fromEntries(
      (booking?.entries ?? []).map(({ kind, account, amount }) => [`${kind} ${account}`, amount]),
    );
  }
  state(name: string | number): BookingState | undefined {
    return this.books.bookings.get(`block:${hashOf(name)}`)?.state;
  }
}

export const bytes = hexToBytes;
