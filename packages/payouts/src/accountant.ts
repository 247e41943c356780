import type { BlockDetails, HeightRecord } from '@headframe/ledger';
import type { BlockOutcome, BlockStatus, BlockTemplate, JobRecord } from '@headframe/mining';
import {
  BoundedMap,
  type Clock,
  errorMessage,
  isPoolError,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
} from '@headframe/primitives';
import { BlockBooker, blockKey, bookingStateOf } from './accountant-blocks.js';
import { Eras } from './accountant-eras.js';
import { heightFromJob } from './accountant-heights.js';
import type { Accountant, AccountantModules, AccountantOptions, AccountantStatus } from './accountant-types.js';
import { PpsAccrual } from './pps-accrual.js';

/** Blocks that wait to be booked. More are found again by looking through the ledger. */
const MAX_PENDING = 10_000;
/** Heights that wait to be recorded. */
const MAX_HEIGHTS = 64;
/** Wait before something that failed is tried again; doubled each time. */
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 300_000;
/** Blocks whose books were right, in a row and settled for good, after which older ones are taken to be right too. */
const SETTLED_RUN = 100;
const PAGE = 100;
const DEFAULT_ACCRUAL_MS = 600_000;
const DEFAULT_RETENTION_MS = 3 * 86_400_000;

/**
 * Makes an accountant.
 *
 * @example
 * const accountant = createAccountant(
 *   { scheme: 'pplns', coin, poolAccount: 'pool', fees: [{ account: feeAddress, ppm: 10_000 }] },
 *   { ledger, accounting: ledger.accounting, clock, log },
 * );
 * accountant.start();
 * bus.subscribe('block', (outcome) => accountant.blockOutcome(outcome));
 *
 * @throws PoolError `invalid_argument` when the scheme cannot work with what was given.
 */
export function createAccountant(options: AccountantOptions, modules: AccountantModules): Accountant {
  if (options.poolAccount === '') throw new PoolError('invalid_argument', 'the account of the pool has no name');
  if (options.scheme === 'coinbase-split' && modules.chain === undefined) {
    throw new PoolError('invalid_argument', 'the coinbase split needs access to blocks (chain)');
  }
  return new LedgerAccountant(options, modules);
}

/** Word of a block that is not in the books yet. */
interface Pending {
  /** Latest of each status. */
  readonly said: Map<BlockStatus, { readonly outcome: BlockOutcome; readonly details: BlockDetails | undefined }>;
}

class LedgerAccountant implements Accountant {
  readonly #options: AccountantOptions;
  readonly #modules: AccountantModules;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #booker: BlockBooker;
  readonly #accrual: PpsAccrual;
  readonly #createdMs: number;
  readonly #abort = new AbortController();
  readonly #pending = new BoundedMap<string, Pending>(MAX_PENDING);
  readonly #heights = new BoundedMap<number, HeightRecord>(MAX_HEIGHTS);
  #recorded: HeightRecord | undefined;
  #eras: Eras | undefined;
  #isStarted = false;
  #isMended = false;
  #running: Promise<void> | undefined;
  #isWanted = false;
  /** Monotonic. */
  #accrualDueMs = Number.NEGATIVE_INFINITY;
  #retryMs = RETRY_MIN_MS;
  #timer: Timer | undefined;
  #lastBlock: AccountantStatus['lastBlock'];
  #lastError: AccountantStatus['lastError'];
  /** Accruals asked for take their turn behind the one under way. */
  #accruing: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: AccountantOptions, modules: AccountantModules) {
    this.#options = options;
    this.#clock = modules.clock ?? systemClock;
    this.#log = modules.log ?? silentLogger;
    this.#modules = modules;
    const parts = { ...modules, clock: this.#clock, log: this.#log };
    this.#booker = new BlockBooker(options, parts);
    this.#accrual = new PpsAccrual(options, parts);
    this.#createdMs = this.#clock.now();
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#wake();
  }

  blockOutcome(outcome: BlockOutcome, details?: BlockDetails): void {
    const pending = this.#pending.get(outcome.hash) ?? { said: new Map() };
    pending.said.set(outcome.status, { outcome, details });
    const dropped = this.#pending.set(outcome.hash, pending);
    if (dropped !== undefined) {
      this.#log.error({ hash: dropped[0] }, 'too many blocks wait for the books: word of one is lost');
      this.#isMended = false;
    }
    this.#wake();
  }

  jobMade(job: JobRecord, template: BlockTemplate): void {
    const height = heightFromJob(job, template);
    // Most jobs only move the time.
    if (isSame(height, this.#heights.get(height.height) ?? this.#recorded)) return;
    this.#heights.set(height.height, height);
    this.#wake();
  }

  async mend({ all = false }: { readonly all?: boolean } = {}): Promise<number> {
    const { ledger, accounting } = this.#modules;
    const eras = await this.#enterEra();
    let mended = 0;
    let settledRun = 0;
    let after: string | undefined;
    do {
      const page = await ledger.blocks({ limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const block of page.items) {
        if (this.#abort.signal.aborted) return mended;
        const want = bookingStateOf(block.status);
        const have = want === undefined ? undefined : (await accounting.booking(blockKey(block.hash)))?.state;
        const isRight =
          want === undefined ||
          have === want ||
          (have === undefined && (want === 'reversed' || eras.at(block.foundMs) === 'none'));
        if (isRight) {
          settledRun = want === 'final' || want === 'reversed' ? settledRun + 1 : 0;
          if (!all && settledRun >= SETTLED_RUN) return mended;
          continue;
        }
        settledRun = 0;
        if (await this.#settle(block.hash, eras)) mended++;
        // It is tried again with the blocks that are new.
        else if (!this.#pending.has(block.hash)) this.#pending.set(block.hash, { said: new Map() });
      }
      after = page.next;
    } while (after !== undefined);
    return mended;
  }

  accrue(): Promise<number> {
    const run = this.#accruing.then(async () => this.#accrual.run(await this.#enterEra(), this.#abort.signal));
    this.#accruing = run.catch(() => undefined);
    return run;
  }

  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  status(): AccountantStatus {
    const accrual = this.#accrual.status;
    const retentionMs = this.#options.shareRetentionMs ?? DEFAULT_RETENTION_MS;
    const alarms: string[] = [];
    if (accrual !== undefined && accrual.lagMs > retentionMs / 2) {
      const hours = Math.floor(accrual.lagMs / 3_600_000);
      alarms.push(`shares of the last ${hours} hours are not paid; the ledger keeps them as long as this pool runs`);
    }
    return {
      scheme: this.#options.scheme,
      isReady: this.#eras !== undefined && this.#isMended,
      lastBlock: this.#lastBlock,
      pendingBlocks: this.#pending.size,
      accrual,
      lastError: this.#lastError,
      alarms,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    this.#timer?.cancel();
    await this.idle();
    await this.#accruing;
    if (this.#isStarted) await this.#writeDown();
  }

  /** What was said up to the end: booked after the next start, but not said again then. */
  async #writeDown(): Promise<void> {
    try {
      for (const [, height] of this.#heights.entries()) await this.#modules.accounting.recordHeight(height);
      for (const [, { said }] of this.#pending.entries()) {
        for (const { outcome, details } of said.values()) await this.#modules.ledger.recordBlock(outcome, details);
      }
    } catch (error) {
      this.#failed('writing down the last words', {}, error);
    }
  }

  // --- one thing after the other

  #wake(): void {
    if (!this.#isStarted || this.#abort.signal.aborted) return;
    this.#isWanted = true;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
  }

  async #work(): Promise<void> {
    let failed = false;
    while (this.#isWanted && !this.#abort.signal.aborted) {
      this.#isWanted = false;
      failed = !(await this.#round());
    }
    if (this.#abort.signal.aborted) return;
    this.#timer?.cancel();
    const idleMs =
      this.#eras?.hasPps === true
        ? Math.max(0, this.#accrualDueMs - this.#clock.monotonic())
        : Number.POSITIVE_INFINITY;
    const waitMs = failed ? Math.min(idleMs, this.#retryMs) : idleMs;
    this.#retryMs = failed ? Math.min(RETRY_MAX_MS, this.#retryMs * 2) : RETRY_MIN_MS;
    this.#timer = this.#clock.setTimeout(() => this.#wake(), waitMs);
  }

  /** Everything that is due, each for itself: one that fails does not hold up the others. */
  async #round(): Promise<boolean> {
    let isDone = true;
    const attempt = async (
      what: string,
      about: Readonly<Record<string, unknown>>,
      step: () => Promise<unknown>,
    ): Promise<boolean> => {
      if (this.#abort.signal.aborted) return false;
      try {
        await step();
        return true;
      } catch (error) {
        isDone = false;
        this.#failed(what, about, error);
        return false;
      }
    };
    for (const [, height] of [...this.#heights.entries()]) {
      await attempt('recording a height', { height: height.height }, () => this.#recordHeight(height));
    }
    if (!(await attempt('entering the scheme', {}, () => this.#enterEra()))) return false;
    for (const [hash, pending] of [...this.#pending.entries()]) {
      await attempt('booking a block', { hash }, () => this.#take(hash, pending));
    }
    if (!this.#isMended) {
      await attempt('looking through the blocks', {}, async () => {
        const mended = await this.mend();
        this.#isMended = true;
        if (mended > 0) this.#log.warn({ mended }, 'blocks were not in the books as they should have been: mended');
        for (const [hash, pending] of [...this.#pending.entries()]) {
          await attempt('booking a block', { hash }, () => this.#take(hash, pending));
        }
      });
    }
    if (this.#eras?.hasPps === true && this.#clock.monotonic() >= this.#accrualDueMs) {
      const isPaid = await attempt('booking shares', {}, () => this.accrue());
      if (isPaid) this.#accrualDueMs = this.#clock.monotonic() + (this.#options.accrualMs ?? DEFAULT_ACCRUAL_MS);
      for (const alarm of this.status().alarms) this.#log.error({ accrual: this.#accrual.status }, alarm);
    }
    if (isDone) this.#lastError = undefined;
    return isDone;
  }

  #failed(what: string, about: Readonly<Record<string, unknown>>, error: unknown): void {
    const message = `${what}: ${errorMessage(error)}`;
    const isNews = this.#lastError?.message !== message;
    this.#lastError = { message, timeMs: this.#clock.now() };
    // A block whose share is on its way is no trouble yet.
    const level = isPoolError(error, 'not_found') ? 'debug' : isNews ? 'error' : 'debug';
    this.#log[level]({ ...about, error: errorMessage(error) }, `${what} failed; will be tried again`);
  }

  async #enterEra(): Promise<Eras> {
    const nowMs = this.#clock.now();
    if (this.#eras === undefined || this.#eras.isAhead(nowMs)) {
      // A clock that was set back since this was made counts, one that went on does not.
      const startMs = Math.min(this.#createdMs, nowMs);
      this.#eras = await Eras.enter(this.#modules.accounting, this.#options.scheme, startMs);
    }
    return this.#eras;
  }

  async #recordHeight(height: HeightRecord): Promise<void> {
    await this.#modules.accounting.recordHeight(height);
    this.#recorded = height;
    if (this.#heights.get(height.height) === height) this.#heights.delete(height.height);
  }

  async #take(hash: string, pending: Pending): Promise<void> {
    for (const [status, { outcome, details }] of [...pending.said]) {
      await this.#modules.ledger.recordBlock(outcome, details);
      // Unless a later word of the same came meanwhile.
      if (pending.said.get(status)?.outcome === outcome) pending.said.delete(status);
    }
    const settled = await this.#booker.settle(hash, await this.#enterEra());
    if (settled !== undefined) this.#booked(settled);
    if (pending.said.size === 0 && this.#pending.get(hash) === pending) this.#pending.delete(hash);
  }

  /** For {@link mend}: a block that fails is left to be tried again. */
  async #settle(hash: string, eras: Eras): Promise<boolean> {
    try {
      const settled = await this.#booker.settle(hash, eras);
      if (settled !== undefined) this.#booked(settled);
      return settled !== undefined;
    } catch (error) {
      this.#failed('booking a block', { hash }, error);
      return false;
    }
  }

  #booked({ block, state }: NonNullable<Awaited<ReturnType<BlockBooker['settle']>>>): void {
    const { hash, height } = block;
    this.#lastBlock = { hash, height, state, timeMs: this.#clock.now() };
    this.#log.info({ hash, height, state, reward: `${block.reward}` }, 'block booked');
  }
}

function isSame(a: HeightRecord, b: HeightRecord | undefined): boolean {
  return a.height === b?.height && a.networkTarget === b.networkTarget && a.reward === b.reward && a.fees === b.fees;
}
