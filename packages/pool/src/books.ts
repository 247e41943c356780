import type { NodePool } from '@headframe/daemon';
import type { JobManager } from '@headframe/jobs';
import type { Ledger } from '@headframe/ledger';
import type { BlockOutcome, Bus } from '@headframe/mining';
import {
  type Accountant,
  type AccountantOptions,
  blockReader,
  createAccountant,
  createPayouts,
  type Payouts,
} from '@headframe/payouts';
import { BoundedMap, type Clock, errorMessage, type Logger } from '@headframe/primitives';
import type { PoolConfig } from './config/schema.js';
import { FeeAccounts } from './fee-accounts.js';
import type { CurrentSetup, PoolSetup } from './setup.js';
import { HASHES_PER_DIFFICULTY } from './storage.js';
import { createPoolWallet } from './wallet.js';
import { WindowCheck } from './window-check.js';

/** Heights whose network difficulty is remembered for blocks found on them: a day of a fast chain. */
const HEIGHTS = 2_000;
const DAY_MS = 86_400_000;
/** The chain is asked about payments under way at least this often. */
const MAX_CHECK_MS = 60_000;

interface BooksModules {
  readonly clock?: Clock;
  readonly log?: Logger;
}

export interface BooksParts {
  readonly bus: Bus;
  readonly ledger: Ledger;
  readonly nodes: NodePool;
  readonly jobs: JobManager;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a pool with a ledger does beside mining: records blocks, credits accounts, pays. */
export interface Books {
  readonly accountant: Accountant;
  /** Undefined without `payout.payments`. */
  readonly payouts: Payouts | undefined;
  start(): void;
  /** The setup has other fees now. */
  feesChanged(): void;
  /** Lets what is under way end. Idempotent. */
  close(): Promise<void>;
}

/** The accountant of a configuration. */
function accountantOptions(config: PoolConfig, setup: CurrentSetup): AccountantOptions {
  const { payout, storage } = config;
  const { creditsAccounts, coin, poolAccount } = setup.current;
  return {
    scheme: creditsAccounts ? payout.scheme : 'none',
    coin,
    poolAccount,
    // Read anew for each block: a reload may change them.
    get fees() {
      return setup.current.fees;
    },
    window: payout.window,
    shareRetentionMs: storage.shareDays * DAY_MS,
  };
}

/**
 * Payments of a configuration, as the pool makes them; undefined without `payout.payments`. Several may run on one
 * ledger, the one of a running pool too: none pays twice.
 */
export function createPoolPayouts(
  config: PoolConfig,
  setup: PoolSetup,
  ledger: Ledger,
  modules: BooksModules = {},
): Payouts | undefined {
  const { payments } = config.payout;
  if (payments === undefined || setup.minimumPayout === undefined) return undefined;
  const wallet = createPoolWallet(config, setup, modules);
  return createPayouts(
    {
      coin: setup.coin,
      minimum: setup.minimumPayout,
      everyMs: payments.every * 1000,
      checkMs: Math.min(MAX_CHECK_MS, payments.every * 1000),
      approval: payments.approval,
      maxOutputs: payments.maxOutputs,
      confirmations: payments.confirmations,
    },
    { accounting: ledger.accounting, wallet, ...modules },
  );
}

/** The books of a pool; blocks and jobs are heard from here on. */
export function openBooks(config: PoolConfig, setup: CurrentSetup, parts: BooksParts): Books {
  return new PoolBooks(config, setup, parts);
}

class PoolBooks implements Books {
  readonly accountant: Accountant;
  readonly payouts: Payouts | undefined;
  readonly #accounting: Ledger['accounting'];
  readonly #log: Logger;
  readonly #setup: CurrentSetup;
  readonly #feeAccounts: FeeAccounts;
  readonly #leave: (() => void)[];
  #closing: Promise<void> | undefined;

  constructor(config: PoolConfig, setup: CurrentSetup, parts: BooksParts) {
    const { bus, ledger, nodes, jobs, clock, log } = parts;
    this.accountant = createAccountant(accountantOptions(config, setup), {
      ledger,
      accounting: ledger.accounting,
      chain: blockReader(nodes),
      clock,
      log,
    });
    this.payouts = createPoolPayouts(config, setup.current, ledger, { clock, log });
    this.#accounting = ledger.accounting;
    this.#log = log;
    this.#setup = setup;
    this.#feeAccounts = new FeeAccounts({ accounting: ledger.accounting, clock, log });
    const difficulties = new BoundedMap<number, number>(HEIGHTS);
    const { payout, storage } = config;
    const windowCheck =
      payout.scheme === 'pplns' || payout.scheme === 'coinbase-split'
        ? new WindowCheck(
            {
              window: payout.window,
              retentionMs: storage.shareDays * DAY_MS,
              hashesPerDifficulty: HASHES_PER_DIFFICULTY / setup.current.coin.difficultyFactor,
            },
            { ledger, clock, log },
          )
        : undefined;
    this.#leave = [
      jobs.on('job', (job) => {
        difficulties.set(job.height, job.networkDifficulty);
        void windowCheck?.look(job.networkDifficulty);
        const stored = jobs.find(job.id);
        if (stored !== undefined) this.accountant.jobMade(job, stored.template);
      }),
      bus.subscribe('block', (outcome: BlockOutcome) => {
        const networkDifficulty = difficulties.get(outcome.height);
        this.accountant.blockOutcome(outcome, networkDifficulty === undefined ? undefined : { networkDifficulty });
      }),
    ];
  }

  start(): void {
    this.accountant.start();
    this.payouts?.start();
    this.feesChanged();
    if (this.payouts === undefined) void this.#lookForOpenPayments();
  }

  /** Payments of a configuration that had a wallet: their amounts stay reserved, and nobody looks whether they confirm. */
  async #lookForOpenPayments(): Promise<void> {
    try {
      const { items } = await this.#accounting.payments(
        { statuses: ['planned', 'approved', 'signed', 'sent'] },
        { limit: 1 },
      );
      const [open] = items;
      if (open === undefined) return;
      const { id, status } = open;
      this.#log.warn({ payment: id, status }, 'payments are open, and nobody follows them without payout.payments');
    } catch (error) {
      this.#log.debug({ error: errorMessage(error) }, 'open payments are not known');
    }
  }

  feesChanged(): void {
    this.#feeAccounts.enter(this.#setup.current.fees);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const leave of this.#leave.splice(0)) leave();
    await Promise.all([this.accountant.close(), this.payouts?.close(), this.#feeAccounts.close()]);
  }
}
