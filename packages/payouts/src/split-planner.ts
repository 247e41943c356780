import type { Coin } from '@headframe/coins';
import {
  type Accounting,
  COINBASE_SIZE_CLASSES,
  type CoinbaseRoom,
  type CoinbaseSizeClass,
  type CoinbaseVariant,
  coinbaseRoom,
  type FeeRecipient,
  type Ledger,
  networkWork,
  payoutOutputs,
  splitCoinbaseVariants,
  windowWork,
} from '@headframe/ledger';
import type { BlockTemplate, CoinbaseStyle, JobVariantOptions } from '@headframe/mining';
import {
  BoundedMap,
  type Clock,
  errorMessage,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
  uint256FromBytesLe,
} from '@headframe/primitives';
import { targetOf } from './accountant-heights.js';
import { loadPlan, type Plan, SplitScripts } from './split-plan.js';
import { RecentWindow } from './split-window.js';

const DEFAULT_REFRESH_MS = 10_000;
const DEFAULT_WINDOW = 2;
/** What nodes relay. Coinbases are not relayed by it, but nobody could spend less. */
const DEFAULT_MINIMUM = 546n;
/** Rooms that templates of one tip leave; the next plan begins anew. */
const CACHED_ROOMS = 16;
/** A reward that differs by less than one part in so many is divided in the same proportions. */
const SAME_REWARD = 50n;
/** Bytes that full blocks leave are rounded down to these, so that each template does not ask for outputs of its own. */
const ROOM_STEP = 256;
/** Heights are searched below this. */
const MAX_HEIGHT = 2 ** 31;

export interface SplitPlannerOptions {
  readonly coin: Coin;
  /** The account that answers for coinbases, and the script they pay to while nobody has shares. */
  readonly poolAccount: string;
  readonly poolScript: Uint8Array;
  /** Lengths of extranonce that jobs need variants for. At least one. */
  readonly extranonceLengths: readonly number[];
  /** As the job manager has them: they decide how much room there is. */
  readonly poolTag: Uint8Array;
  readonly coinbase?: CoinbaseStyle;
  /** As the accountant has them. */
  readonly fees?: readonly FeeRecipient[];
  readonly window?: number;
  /** Default {@link COINBASE_SIZE_CLASSES}. */
  readonly classes?: readonly CoinbaseSizeClass[];
  /** Least amount of an output, base units. Default 546. */
  readonly minimumOutput?: bigint;
  /** How often window and balances are read. Default 10,000. */
  readonly refreshMs?: number;
}

export interface SplitPlannerModules {
  readonly ledger: Pick<Ledger, 'shareLog'>;
  readonly accounting: Pick<Accounting, 'heights' | 'openBalances' | 'settingsOf'>;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** State of the planner. */
export interface SplitPlannerStatus {
  /** Accounts that could be paid by the next coinbase. */
  readonly accounts: number;
  /** Output sets of the newest variants, and how many outputs each has. */
  readonly sets: readonly { readonly name: string; readonly outputs: number; readonly bytes: number }[];
  /** When window and balances were read last. */
  readonly plannedMs: number | undefined;
  readonly lastError: string | undefined;
}

/** What a template asks for. */
interface Asked {
  readonly reward: bigint;
  readonly room: CoinbaseRoom;
}

interface Made {
  readonly reward: bigint;
  readonly sets: readonly CoinbaseVariant[];
  readonly variants: readonly JobVariantOptions[];
}

/** A little less room, in steps. Where there is hardly any, each byte counts. */
function rounded(room: CoinbaseRoom): CoinbaseRoom {
  const { maxBytes } = room;
  return maxBytes < 4 * ROOM_STEP ? room : { ...room, maxBytes: maxBytes - (maxBytes % ROOM_STEP) };
}

/** Plans whom the coinbases of the next jobs pay. */
export interface SplitPlanner {
  /** Reads window and balances, then again every `refreshMs`. Never rejects: without a plan coinbases pay the pool. */
  start(): Promise<void>;
  /**
   * Variants for a template: a set of outputs for each size class whose outputs differ, for each length of extranonce. For
   * `JobManagerOptions.variants`. Waits for nothing: outputs were worked out when the plan was read, as parts of the
   * reward; for another reward or room 600 accounts are looked at, however many there are.
   * @throws PoolError as `coinbaseRoom` when not even one output fits.
   */
  variants(reward: bigint, template: BlockTemplate): readonly JobVariantOptions[];
  /** Reads window and balances now: after a block was booked. Never rejects. */
  refresh(): Promise<void>;
  status(): SplitPlannerStatus;
  /** Lets a read under way end. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a planner of split coinbases.
 *
 * @example
 * const planner = createSplitPlanner({ coin, poolAccount, poolScript, extranonceLengths, poolTag }, { ledger, accounting });
 * await planner.start();
 * const jobs = createJobManager({ coin, variants: planner.variants, poolTag }, modules);
 *
 * @throws PoolError `invalid_argument` without lengths of extranonce or size classes.
 */
export function createSplitPlanner(options: SplitPlannerOptions, modules: SplitPlannerModules): SplitPlanner {
  return new WindowPlanner(options, modules);
}

class WindowPlanner implements SplitPlanner {
  readonly #options: SplitPlannerOptions;
  readonly #modules: SplitPlannerModules;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #window: RecentWindow;
  readonly #scripts: SplitScripts;
  readonly #classes: readonly CoinbaseSizeClass[];
  readonly #longest: number;
  readonly #abort = new AbortController();
  /** By room. */
  readonly #cache = new BoundedMap<string, Made>(CACHED_ROOMS);
  #asked: Asked | undefined;
  #target: bigint | undefined;
  #plan: Plan | undefined;
  #plannedMs: number | undefined;
  #sets: readonly CoinbaseVariant[] = [];
  #lastError: string | undefined;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;

  constructor(options: SplitPlannerOptions, modules: SplitPlannerModules) {
    this.#options = options;
    this.#modules = modules;
    this.#clock = modules.clock ?? systemClock;
    this.#log = modules.log ?? silentLogger;
    this.#window = new RecentWindow(modules.ledger);
    this.#scripts = new SplitScripts(options.coin);
    this.#classes = options.classes ?? COINBASE_SIZE_CLASSES;
    this.#longest = Math.max(0, ...options.extranonceLengths);
    if (this.#longest === 0) throw new PoolError('invalid_argument', 'no length of extranonce');
    if (this.#classes.length === 0) throw new PoolError('invalid_argument', 'no coinbase size class');
  }

  async start(): Promise<void> {
    this.#timer ??= this.#clock.setInterval(() => void this.refresh(), this.#options.refreshMs ?? DEFAULT_REFRESH_MS);
    await this.refresh();
  }

  refresh(): Promise<void> {
    this.#running ??= this.#read()
      .catch((error: unknown) => {
        const message = errorMessage(error);
        if (message !== this.#lastError)
          this.#log.error({ error: message }, 'cannot plan coinbases; the last plan stays');
        this.#lastError = message;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #read(): Promise<void> {
    const { signal } = this.#abort;
    if (signal.aborted) return;
    const { accounting } = this.#modules;
    const { coin, window = DEFAULT_WINDOW, poolAccount, poolScript, fees = [] } = this.#options;
    this.#target ??= await this.#recordedTarget();
    if (this.#target === undefined) return;
    await this.#window.follow(windowWork(networkWork(this.#target, coin.difficultyFactor), window), signal);
    const plan =
      this.#window.work === 0n
        ? undefined
        : await loadPlan(
            { accounts: this.#window.accounts(), poolAccount, poolScript, fees },
            { accounting, scripts: this.#scripts },
          );
    if (signal.aborted) return;
    this.#plan = plan;
    this.#plannedMs = this.#clock.now();
    this.#lastError = undefined;
    this.#cache.clear();
    // Worked out here, the next job need not wait for it.
    if (this.#asked !== undefined) this.#made(this.#asked);
  }

  /** The target of the last height that jobs were made for, so that the first job after a start is planned already. */
  async #recordedTarget(): Promise<bigint | undefined> {
    const { accounting } = this.#modules;
    let [last] = await accounting.heights(0, 1);
    let beyond = MAX_HEIGHT;
    while (last !== undefined && last.height + 1 < beyond) {
      const probe = last.height + Math.ceil((beyond - last.height) / 2);
      const [found] = await accounting.heights(probe, 1);
      if (found === undefined || found.height < probe) beyond = probe;
      else last = found;
    }
    return last && targetOf(last);
  }

  variants = (reward: bigint, template: BlockTemplate): readonly JobVariantOptions[] => {
    this.#target = uint256FromBytesLe(template.networkTarget);
    const { poolTag, coinbase } = this.#options;
    // The longest extranonce leaves the least room: all lengths get the same outputs.
    const room = coinbaseRoom({
      template,
      poolTag,
      stamp: 0,
      extranonceLength: this.#longest,
      ...(coinbase === undefined ? {} : { style: coinbase }),
    });
    const asked = { reward, room: rounded(room) };
    this.#asked = asked;
    const made = this.#made(asked);
    this.#sets = made.sets;
    return made.variants;
  };

  /** Outputs are parts of the reward, so those of about the same one serve. */
  #made(asked: Asked): Made {
    const { reward, room } = asked;
    const key = `${room.fixedBytes} ${room.fixedOutputs} ${room.maxBytes}`;
    const known = this.#cache.get(key);
    if (known !== undefined) {
      const moved = reward > known.reward ? reward - known.reward : known.reward - reward;
      if (moved * SAME_REWARD <= known.reward) return known;
    }
    const made = this.#make(asked);
    this.#cache.set(key, made);
    return made;
  }

  #make({ reward, room }: Asked): Made {
    const { extranonceLengths, poolScript, minimumOutput = DEFAULT_MINIMUM } = this.#options;
    const parts = reward > 0n ? this.#plan?.at(reward) : undefined;
    // Without anybody who earns and has an address the pool takes it, and owes it.
    if (parts === undefined || parts.scripts.size === 0) {
      const outputs = [{ script: poolScript }];
      const variants = extranonceLengths.map((length) => ({
        key: `${length}/main`,
        extranonceLength: length,
        outputs,
      }));
      return { reward, sets: [], variants };
    }
    const sets = splitCoinbaseVariants({ ...parts, room, dustLimit: minimumOutput }, this.#classes).variants;
    const outputs = sets.map(({ name, split }) => ({ name, outputs: payoutOutputs(split) }));
    const variants = extranonceLengths.flatMap((length) =>
      outputs.map((set) => ({ key: `${length}/${set.name}`, extranonceLength: length, outputs: set.outputs })),
    );
    return { reward, sets, variants };
  }

  status(): SplitPlannerStatus {
    return {
      accounts: this.#plan?.payable ?? 0,
      sets: this.#sets.map(({ name, split }) => ({ name, outputs: split.outputs.length, bytes: split.bytes })),
      plannedMs: this.#plannedMs,
      lastError: this.#lastError,
    };
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#timer?.cancel();
    await this.#running;
  }
}
