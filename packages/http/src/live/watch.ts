import type { BlockOutcome, JobRecord } from '@headframe/mining';
import { errorMessage, type Timer, toDisplayHex, u32ToHex } from '@headframe/primitives';
import type { ApiContext } from '../context.js';
import { paymentOf } from '../read/payments.js';
import { hashesPerDifficulty } from '../read/pool-info.js';
import { within } from '../recent.js';
import type { BlockItem } from '../schemas/blocks.js';
import type { JobEvent } from '../schemas/events.js';
import type { PoolInfo } from '../schemas/pool.js';
import { amountOf } from '../units.js';
import type { LiveFeed } from './feed.js';

/** How often the state of things is looked at for those who watch. */
const TICK_MS = 2_500;
/** Payments change seldom. */
const TICKS_PER_PAYMENT_LOOK = 4;
const PAYMENTS_LOOKED_AT = 20;
/** A storage that does not answer must not hold up the next look. */
const PATIENCE_MS = 2_000;

/** Turns what happens in a pool into live events. */
export class LiveWatch {
  readonly #context: ApiContext;
  readonly #feed: LiveFeed;
  readonly #leave: readonly (() => void)[];
  readonly #timer: Timer;
  #ticks = 0;
  #looking = false;
  #lastPool = '';
  #lastNodes = '';
  #shares = { atMs: 0, accepted: 0, rejected: 0, work: 0 };
  /** What is known of the latest payments; undefined before the first look, whose findings are no news. */
  #payments: ReadonlyMap<string, string> | undefined = undefined;

  constructor(context: ApiContext, feed: LiveFeed) {
    const { view, clock } = context;
    this.#context = context;
    this.#feed = feed;
    this.#shares = this.#countShares();
    this.#leave = [
      view.on('job', ({ job, clean }) => feed.publish('job', this.#jobEvent(job, clean))),
      view.on('blockCandidate', (candidate) =>
        this.#block({ ...candidate, hash: toDisplayHex(candidate.hash), status: 'candidate', confirmations: 0 }),
      ),
      view.on('block', (outcome) => this.#block(outcome)),
      view.on('blockMatured', (outcome) => this.#block(outcome)),
      view.on('blockOrphaned', (outcome) => this.#block(outcome)),
    ];
    this.#timer = clock.setInterval(() => this.#tick(), TICK_MS);
    this.#publishNodes();
    const { job } = view.status();
    if (job !== undefined) feed.publish('job', this.#jobEvent(job, job.clean));
  }

  close(): void {
    this.#timer.cancel();
    for (const leave of this.#leave) leave();
  }

  #jobEvent(job: JobRecord, isNewBlock: boolean): JobEvent {
    return {
      jobId: u32ToHex(job.id),
      height: job.height,
      previousHash: toDisplayHex(job.previousHash),
      isNewBlock,
      networkDifficulty: job.networkDifficulty,
      reward: amountOf(job.reward),
      createdMs: job.createdAtMs,
    };
  }

  #block(
    outcome: Pick<
      BlockOutcome,
      'hash' | 'height' | 'status' | 'account' | 'worker' | 'reward' | 'confirmations' | 'timeMs'
    >,
  ): void {
    const { memo, blocks, pool, links } = this.#context;
    memo.clear();
    blocks.changed();
    pool.blockChanged();
    const item: BlockItem = {
      hash: outcome.hash,
      height: outcome.height,
      status: outcome.status,
      account: outcome.account,
      worker: outcome.worker,
      reward: amountOf(outcome.reward),
      confirmations: outcome.confirmations,
      networkDifficulty: null,
      effort: null,
      foundMs: outcome.timeMs,
      link: links.block(outcome.hash),
    };
    this.#feed.publish('block', item);
  }

  #tick(): void {
    this.#ticks++;
    this.#publishNodes();
    this.#publishShares();
    // Without readers nobody asks the storage.
    if (this.#feed.size === 0 || this.#looking) return;
    this.#looking = true;
    this.#look()
      .catch((error: unknown) => this.#context.log.debug({ error: errorMessage(error) }, 'live feed: a look failed'))
      .finally(() => {
        this.#looking = false;
      });
  }

  async #look(): Promise<void> {
    this.#publishPool(await this.#context.pool.info());
    if (this.#ticks % TICKS_PER_PAYMENT_LOOK === 0) await this.#lookAtPayments();
  }

  /** A newcomer gets the newest state at once; without readers it was not kept up to date. */
  async welcome(): Promise<void> {
    this.#publishPool(await this.#context.pool.info());
  }

  #publishPool(info: PoolInfo): void {
    const { timeMs: _time, statisticsMs: _read, ...rest } = info;
    const text = JSON.stringify(rest);
    if (text === this.#lastPool) return;
    this.#lastPool = text;
    this.#feed.publish('pool', info);
  }

  #publishNodes(): void {
    const nodes = this.#context.pool.nodes();
    const text = JSON.stringify(nodes);
    if (text === this.#lastNodes) return;
    this.#lastNodes = text;
    this.#feed.publish('node', nodes);
  }

  #countShares(): { atMs: number; accepted: number; rejected: number; work: number } {
    const { shares } = this.#context.view.status().server;
    const rejected = Object.values(shares.rejected).reduce((sum, count) => sum + count, 0);
    return { atMs: this.#context.clock.now(), accepted: shares.accepted, rejected, work: shares.work };
  }

  #publishShares(): void {
    const before = this.#shares;
    const now = this.#countShares();
    this.#shares = now;
    const accepted = now.accepted - before.accepted;
    const rejected = now.rejected - before.rejected;
    if (accepted === 0 && rejected === 0) return;
    const work = Math.max(0, now.work - before.work);
    const seconds = Math.max(1, now.atMs - before.atMs) / 1000;
    const hashes = work * hashesPerDifficulty(this.#context.view.coin.difficultyFactor);
    this.#feed.publish('share', {
      fromMs: before.atMs,
      toMs: now.atMs,
      accepted,
      rejected,
      work,
      hashrate: hashes / seconds,
    });
  }

  async #lookAtPayments(): Promise<void> {
    const { view, links, clock, memo } = this.#context;
    const { ledger } = view;
    if (ledger === undefined || view.config.payout.payments === undefined) return;
    const read = ledger.accounting.payments({ statuses: ['sent', 'confirmed'] }, { limit: PAYMENTS_LOOKED_AT });
    const page = await within(clock, PATIENCE_MS, read);
    if (page === undefined) return;
    const known = this.#payments;
    const seen = new Map<string, string>();
    let isNews = false;
    for (const record of page.items.toReversed()) {
      const state = record.status;
      seen.set(record.id, state);
      if (known === undefined || known.get(record.id) === state) continue;
      isNews = true;
      this.#feed.publish('payment', paymentOf(record, links));
    }
    this.#payments = seen;
    if (isNews) memo.clear();
  }
}
