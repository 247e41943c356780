import {
  type BlockRecord,
  type BookingEntry,
  type BookingState,
  entriesOf,
  type FeePolicy,
  networkWork,
  pplnsCredits,
  propCredits,
  soloCredits,
  type WorkWindow,
  windowWork,
  workOfDifficulty,
} from '@headframe/ledger';
import type { BlockStatus } from '@headframe/mining';
import { type Clock, type Logger, PoolError } from '@headframe/primitives';
import type { Eras } from './accountant-eras.js';
import { nearestHeight, targetOf } from './accountant-heights.js';
import type { AccountantModules, AccountantOptions, PayoutScheme } from './accountant-types.js';
import { scriptOf, splitEntries } from './split-entries.js';

const DEFAULT_WINDOW = 2;
/** Times a block's status may change while it is booked before the rest is left to the next word of it. */
const MAX_TURNS = 8;

/** What the books should say of a block; undefined: nothing yet. */
export function bookingStateOf(status: BlockStatus): BookingState | undefined {
  switch (status) {
    case 'candidate':
      return undefined;
    case 'confirmed':
      return 'immature';
    case 'matured':
      return 'final';
    case 'orphaned':
    case 'rejected':
      return 'reversed';
  }
}

/** Name of a block's booking. */
export const blockKey = (hash: string): string => `block:${hash}`;

/** Entries of one account and kind added up, without those that come to nothing. */
export function mergeEntries(entries: readonly BookingEntry[]): BookingEntry[] {
  const merged = new Map<string, BookingEntry>();
  for (const entry of entries) {
    const key = `${entry.kind} ${entry.account}`;
    const known = merged.get(key);
    merged.set(key, known === undefined ? entry : { ...entry, amount: known.amount + entry.amount });
  }
  return [...merged.values()].filter(({ amount }) => amount !== 0n);
}

/** Fee recipients of the configuration and donations of the accounts. */
export async function feePolicy(
  { poolAccount, fees = [] }: Pick<AccountantOptions, 'fees' | 'poolAccount'>,
  accounting: Pick<AccountantModules['accounting'], 'settingsOf'>,
): Promise<FeePolicy> {
  const donations = (await accounting.settingsOf([]))
    .filter(({ donationPpm, account }) => donationPpm > 0 && account !== poolAccount)
    .map(({ account, donationPpm }) => ({ from: account, to: poolAccount, ppm: donationPpm }));
  return { recipients: fees, donations };
}

/** Makes the books of single blocks agree with their status. */
export class BlockBooker {
  readonly #options: AccountantOptions;
  readonly #modules: AccountantModules;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(
    options: AccountantOptions,
    modules: AccountantModules & { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#options = options;
    this.#modules = modules;
    this.#clock = modules.clock;
    this.#log = modules.log;
  }

  /**
   * Brings the booking of a block to where its status says it belongs. Returns the state when something was changed.
   * The status is read again after every change: whoever changes it after that does the same as we here.
   */
  async settle(
    hash: string,
    eras: Eras,
  ): Promise<{ readonly block: BlockRecord; readonly state: BookingState } | undefined> {
    let last: { block: BlockRecord; state: BookingState } | undefined;
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const block = await this.#modules.ledger.block(hash);
      const state = block && bookingStateOf(block.status);
      if (block === undefined || state === undefined || state === last?.state) return last;
      if (!(await this.#bring(block, state, eras))) return last;
      last = { block, state };
    }
    return last;
  }

  /** True when it changed something. */
  async #bring(block: BlockRecord, state: BookingState, eras: Eras): Promise<boolean> {
    const { accounting } = this.#modules;
    const key = blockKey(block.hash);
    const timeMs = this.#clock.now();
    if (await accounting.setBookingState(key, state, timeMs)) return true;
    // Nothing was credited, so there is nothing to take back.
    if (state === 'reversed' || (await accounting.booking(key)) !== undefined) return false;
    const scheme = eras.at(block.foundMs);
    if (scheme === 'none') return false;
    const entries = mergeEntries(await this.#entries(block, scheme));
    if (await accounting.book({ key, state, timeMs, note: `${scheme}, height ${block.height}`, entries })) return true;
    return accounting.setBookingState(key, state, timeMs);
  }

  async #entries(block: BlockRecord, scheme: Exclude<PayoutScheme, 'none'>): Promise<readonly BookingEntry[]> {
    const { poolAccount } = this.#options;
    const { reward } = block;
    // The pool bought the shares; the block is its own.
    if (scheme === 'pps' || scheme === 'fpps') return [{ account: poolAccount, kind: 'reward', amount: reward }];
    const fees = await feePolicy(this.#options, this.#modules.accounting);
    const common = { reward, finder: block.account === '' ? poolAccount : block.account, fees };
    switch (scheme) {
      case 'solo':
        return entriesOf(soloCredits(common));
      case 'prop': {
        const round = await this.#folded(block, () => this.#modules.ledger.roundOf(block.hash));
        return entriesOf(propCredits({ ...common, round: round.accounts }));
      }
      case 'pplns':
        return entriesOf(pplnsCredits({ ...common, window: await this.#windowOf(block) }));
      case 'coinbase-split': {
        const credits = pplnsCredits({ ...common, window: await this.#windowOf(block) });
        const { chain, accounting } = this.#modules;
        if (chain === undefined) throw new PoolError('invalid_argument', 'the coinbase split needs access to blocks');
        const outputs = await chain.coinbaseOf(block.hash);
        const { coin } = this.#options;
        return splitEntries({ block, credits, outputs, coin, poolAccount, accounting, log: this.#log });
      }
    }
  }

  async #windowOf(block: BlockRecord): Promise<WorkWindow> {
    const work = await this.#windowWork(block);
    const window = await this.#folded(block, () => this.#modules.ledger.windowBefore(block.hash, work));
    const retentionMs = this.#options.shareRetentionMs ?? 3 * 86_400_000;
    if (!window.isFull && this.#clock.now() - block.foundMs > retentionMs / 2) {
      this.#log.warn(
        { hash: block.hash, height: block.height },
        'booked late: the window may have lost its oldest shares',
      );
    }
    return window;
  }

  async #windowWork(block: BlockRecord): Promise<bigint> {
    const { accounting } = this.#modules;
    const multiple = this.#options.window ?? DEFAULT_WINDOW;
    const [record] = await accounting.heights(block.height, 1);
    const factor = this.#options.coin.difficultyFactor;
    if (record?.height === block.height) return windowWork(networkWork(targetOf(record), factor), multiple);
    if (block.networkDifficulty !== undefined) {
      return windowWork({ numerator: workOfDifficulty(block.networkDifficulty), denominator: 1n }, multiple);
    }
    const near = this.#isPatient(block) ? undefined : await nearestHeight(accounting, block.height);
    if (near === undefined) {
      throw new PoolError('not_found', `the network difficulty of height ${block.height} is not recorded`);
    }
    this.#log.warn({ height: block.height, instead: near.height }, 'height not recorded; taking the nearest');
    return windowWork(networkWork(targetOf(near), factor), multiple);
  }

  /** What the ledger knows of a block once its share is folded. */
  async #folded<T>(block: BlockRecord, ask: () => Promise<T | undefined>): Promise<T> {
    const { ledger } = this.#modules;
    const known = await ask();
    if (known !== undefined) return known;
    await ledger.fold();
    const folded = await ask();
    if (folded !== undefined) return folded;
    if (this.#isPatient(block)) {
      throw new PoolError('not_found', `the share of block ${block.hash} is not in the ledger yet`);
    }
    // The block went to the nodes, and the process died before its share was stored. A share without worth marks the
    // place; the epoch is the block's hash, so two accountants or two attempts make one.
    this.#log.warn({ hash: block.hash }, 'the share of a block was lost in a crash: marking its place in the log');
    await ledger.commit({
      epoch: block.hash,
      sequence: 0,
      shares: [
        {
          timeMs: this.#clock.now(),
          account: block.account,
          worker: block.worker,
          address: scriptOf(this.#options.coin, block.account) === undefined ? '' : block.account,
          jobId: 0,
          height: block.height,
          result: 'accepted',
          difficulty: 0,
          achieved: 0,
          blockHash: block.hash,
        },
      ],
    });
    await ledger.fold();
    const marked = await ask();
    if (marked === undefined) throw new PoolError('not_found', `the ledger does not find block ${block.hash}`);
    return marked;
  }

  #isPatient(block: BlockRecord): boolean {
    return this.#clock.now() - block.foundMs < (this.#options.patienceMs ?? 600_000);
  }
}
