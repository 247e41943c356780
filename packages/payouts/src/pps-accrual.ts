import {
  type BookingEntry,
  type Credit,
  creditTotal,
  entriesOf,
  type FeePolicy,
  fppsReward,
  fraction,
  type HeightRecord,
  networkWork,
  type PpsCarry,
  type PpsWork,
  ppsCredits,
  ppsReward,
  workOfDifficulty,
} from '@headframe/ledger';
import { type Clock, isPoolError, type Logger, PoolError } from '@headframe/primitives';
import { feePolicy, mergeEntries } from './accountant-blocks.js';
import type { Eras } from './accountant-eras.js';
import { nearestHeight, targetOf } from './accountant-heights.js';
import type { AccountantModules, AccountantOptions, AccrualStatus, PayoutScheme } from './accountant-types.js';

/** Name of the cursor in the books: the last batch of the share log that is paid. */
const CURSOR = 'shares';
/** Shares in one booking, about: bounds the memory, and the time one step takes. */
const STEP_SHARES = 200_000;
const DEFAULT_FEE_BLOCKS = 144;

type PpsScheme = Extract<PayoutScheme, 'pps' | 'fpps'>;

/** Accepted work of one height under one scheme. */
interface Group {
  readonly height: number;
  readonly scheme: PpsScheme;
  readonly work: Map<string, { account: string; work: bigint; shares: number }>;
}

/** A stretch of the share log. */
interface Stretch {
  /** Id of the last batch in it. */
  readonly to: number;
  readonly batches: number;
  readonly shares: number;
  readonly oldestMs: number | undefined;
  readonly newestMs: number;
  readonly groups: readonly Group[];
  /** True when nothing follows. */
  readonly isLast: boolean;
}

/**
 * Pays shares one by one, in the order of the log. A stretch of it is one booking that moves the cursor from the end of the
 * stretch before: whatever crashes, and however many work on it, each share is in exactly one.
 */
export class PpsAccrual {
  readonly #options: AccountantOptions;
  readonly #modules: AccountantModules;
  readonly #clock: Clock;
  readonly #log: Logger;
  #status: AccrualStatus | undefined;
  /** True once all that was earned under PPS is paid, and another scheme is in force. */
  #isOver = false;

  constructor(
    options: AccountantOptions,
    modules: AccountantModules & { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#options = options;
    this.#modules = modules;
    this.#clock = modules.clock;
    this.#log = modules.log;
  }

  get status(): AccrualStatus | undefined {
    return this.#status;
  }

  /** Books what there is, to the end of the log. Returns how many batches. */
  async run(eras: Eras, signal: AbortSignal): Promise<number> {
    if (!eras.hasPps || this.#isOver) return 0;
    let booked = 0;
    while (!signal.aborted) {
      const cursor = await this.#modules.accounting.cursor(CURSOR);
      // What is not paid yet must not be pruned, however long the books were out of reach.
      this.#modules.ledger.keepShares(cursor);
      const stretch = await this.#read(cursor, eras);
      const lagMs = stretch.oldestMs === undefined ? 0 : Math.max(0, this.#clock.now() - stretch.oldestMs);
      this.#status = { cursor, lagBatches: stretch.batches, lagMs };
      if (stretch.batches === 0) break;
      const isPps = ['pps', 'fpps'].includes(eras.at(stretch.newestMs));
      if (stretch.groups.length === 0 && !isPps && stretch.newestMs >= eras.startMs) {
        // Shares of another scheme do not move the cursor: it would be written for ever.
        this.#isOver = true;
        this.#modules.ledger.keepShares(undefined);
        this.#status = { cursor, lagBatches: 0, lagMs: 0 };
        break;
      }
      if (await this.#book(cursor, stretch)) {
        booked += stretch.batches;
        this.#modules.ledger.keepShares(stretch.to);
        this.#status = { cursor: stretch.to, lagBatches: 0, lagMs: 0 };
      }
      if (stretch.isLast) break;
    }
    return booked;
  }

  async #read(cursor: number, eras: Eras): Promise<Stretch> {
    const groups = new Map<string, Group>();
    let [to, batches, shares] = [cursor, 0, 0];
    let oldestMs: number | undefined;
    let newestMs = 0;
    for (;;) {
      const page = await this.#modules.ledger.shareLog(to);
      for (const batch of page) {
        to = batch.id;
        batches++;
        shares += batch.shares.length;
        for (const share of batch.shares) {
          if (oldestMs === undefined || share.timeMs < oldestMs) oldestMs = share.timeMs;
          if (share.timeMs > newestMs) newestMs = share.timeMs;
          const scheme = eras.at(share.timeMs);
          if (share.result !== 'accepted' || share.account === '' || (scheme !== 'pps' && scheme !== 'fpps')) continue;
          const key = `${scheme} ${share.height}`;
          let group = groups.get(key);
          if (group === undefined) {
            group = { height: share.height, scheme, work: new Map() };
            groups.set(key, group);
          }
          const worth = workOfDifficulty(share.difficulty);
          const known = group.work.get(share.account);
          if (known === undefined) group.work.set(share.account, { account: share.account, work: worth, shares: 1 });
          else {
            known.work += worth;
            known.shares++;
          }
        }
      }
      const isLast = page.length === 0;
      if (isLast || shares >= STEP_SHARES) {
        return { to, batches, shares, oldestMs, newestMs, groups: [...groups.values()], isLast };
      }
    }
  }

  /** False when somebody else booked from here. */
  async #book(cursor: number, stretch: Stretch): Promise<boolean> {
    const { accounting } = this.#modules;
    // Read after the cursor: should they change meanwhile, the cursor has moved and the booking is refused.
    const carries = await accounting.carries();
    const fees = await feePolicy(this.#options, accounting);
    const { credits, changed } = await this.#credit(stretch.groups, fees, carries);
    // What the shares cost comes out of the pool's account, into which the blocks go: the books always balance.
    const cost: BookingEntry = {
      account: this.#options.poolAccount,
      kind: 'adjustment',
      amount: -creditTotal(credits),
    };
    try {
      return await accounting.book({
        key: `shares:${stretch.to}`,
        state: 'final',
        timeMs: this.#clock.now(),
        note: `${stretch.shares} shares in ${stretch.batches} batches`,
        entries: mergeEntries([...entriesOf(credits), cost]),
        carries: changed,
        cursor: { name: CURSOR, from: cursor, to: stretch.to },
      });
    } catch (error) {
      if (!isPoolError(error, 'conflict')) throw error;
      this.#log.debug({ cursor, to: stretch.to }, 'another accountant booked these shares');
      return false;
    }
  }

  async #credit(
    groups: readonly Group[],
    fees: FeePolicy,
    before: readonly PpsCarry[],
  ): Promise<{ readonly credits: readonly Credit[]; readonly changed: readonly PpsCarry[] }> {
    const credits: Credit[] = [];
    let carries: readonly PpsCarry[] = before;
    const heights = await this.#heights(groups);
    for (const { height, scheme, work } of [...groups].sort((a, b) => a.height - b.height)) {
      const record = await this.#heightOf(height, heights);
      const result = ppsCredits({
        work: work.values() satisfies Iterable<PpsWork>,
        network: networkWork(targetOf(record), this.#options.coin.difficultyFactor),
        reward:
          scheme === 'pps' ? ppsReward(record.subsidy) : fppsReward(record.subsidy, this.#feesBefore(record, heights)),
        fees,
        carries,
      });
      credits.push(...result.credits);
      carries = result.carries;
    }
    return { credits, changed: changedCarries(before, carries) };
  }

  /** Fees of the heights before one: they do not change any more, unlike its own, which stand in when there are none. */
  #feesBefore(record: HeightRecord, heights: ReadonlyMap<number, HeightRecord>): bigint[] {
    const fees: bigint[] = [];
    for (let height = record.height - this.#feeBlocks; height < record.height; height++) {
      const known = heights.get(height);
      if (known !== undefined) fees.push(known.fees);
    }
    return fees.length > 0 ? fees : [record.fees];
  }

  get #feeBlocks(): number {
    return this.#options.feeBlocks ?? DEFAULT_FEE_BLOCKS;
  }

  async #heights(groups: readonly Group[]): Promise<ReadonlyMap<number, HeightRecord>> {
    const known = new Map<number, HeightRecord>();
    for (const height of new Set(groups.map((group) => group.height))) {
      const isFpps = groups.some((group) => group.height === height && group.scheme === 'fpps');
      const from = isFpps ? Math.max(0, height - this.#feeBlocks) : height;
      if (known.has(height) && (!isFpps || known.has(from))) continue;
      for (const record of await this.#modules.accounting.heights(from, height - from + 1)) {
        if (record.height <= height) known.set(record.height, record);
      }
    }
    return known;
  }

  async #heightOf(height: number, heights: ReadonlyMap<number, HeightRecord>): Promise<HeightRecord> {
    const known = heights.get(height);
    if (known !== undefined) return known;
    // Recorded with the first job, so it comes soon, unless a crash came first.
    const near = await nearestHeight(this.#modules.accounting, height);
    const isLate = near !== undefined && this.#clock.now() - near.timeMs >= (this.#options.patienceMs ?? 600_000);
    if (near === undefined || (near.height < height && !isLate)) {
      throw new PoolError('not_found', `height ${height} is not recorded: its shares wait`);
    }
    this.#log.warn({ height, instead: near.height }, 'height not recorded; paying its shares as those of the nearest');
    return { ...near, height };
  }
}

/** Carries to be stored: those that differ from before, with zeros for those that came to a whole unit. */
function changedCarries(before: readonly PpsCarry[], after: readonly PpsCarry[]): PpsCarry[] {
  const keyOf = ({ kind, account }: PpsCarry): string => `${kind} ${account}`;
  const known = new Map(before.map((carry) => [keyOf(carry), carry]));
  const changed: PpsCarry[] = [];
  for (const carry of after) {
    const old = known.get(keyOf(carry));
    known.delete(keyOf(carry));
    const { numerator, denominator } = carry.carry;
    if (old?.carry.numerator !== numerator || old.carry.denominator !== denominator) changed.push(carry);
  }
  for (const { account, kind, carry } of known.values()) {
    if (carry.numerator !== 0n) changed.push({ account, kind, carry: fraction(0n) });
  }
  return changed;
}
