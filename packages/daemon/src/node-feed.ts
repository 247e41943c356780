import type { TemplateTrigger } from '@headframe/mining';
import { type Clock, errorMessage, Histogram, isPoolError, type Logger, type Timer } from '@headframe/primitives';
import { type CoinNode, rpcCodeOf } from './node.js';
import { pause } from './pause.js';
import { RPC_CODE } from './rpc-response.js';
import { subscribeZmq, type ZmqLoader, type ZmqSubscriber } from './zmq-subscriber.js';

export interface FeedTimes {
  /** Between two questions for the best block. */
  readonly pollMs: number;
  /** A node that announced a block but still hands out the old template is asked this often ... */
  readonly oldTemplateRetries: number;
  /** ... with this pause. */
  readonly oldTemplateRetryMs: number;
  /** Before a node that keeps disagreeing is asked for its template again. */
  readonly recheckMs: number;
  /** For one getblocktemplate. */
  readonly templateTimeoutMs: number;
}

/** What a node feed needs of the feed it belongs to. */
export interface FeedHost {
  readonly clock: Clock;
  readonly log: Logger;
  readonly times: FeedTimes;
  readonly request: Readonly<Record<string, unknown>>;
  readonly loadZmq: ZmqLoader | undefined;
  /** Display hex of the previous block of the template in use. */
  currentTip(): string | undefined;
  /** Takes a raw template; returns the tip it builds on and its long poll id, or undefined when it is unusable. */
  offer(feed: NodeFeed, raw: unknown, trigger: TemplateTrigger, noticedAtMs: number): OfferedTemplate | undefined;
  failed(feed: NodeFeed, error: unknown): void;
}

export interface OfferedTemplate {
  readonly previousHash: string;
  readonly longPollId: string | undefined;
}

const LONGPOLL_BACKOFF_MS = 1000;
const LONGPOLL_MAX_BACKOFF_MS = 30_000;
/** A node without long polling answers at once. This many quick answers without news, and we stop asking it. */
const LONGPOLL_QUICK_LIMIT = 5;
const LONGPOLL_QUICK_MS = 500;
/** A long poll that has not noticed a block after this time is hung. */
const LONGPOLL_HUNG_MS = 5000;
const POLL_TIMEOUT_MS = 5000;
/** A template that takes longer than this may be hanging: a new block does not wait for it. */
const FETCH_HUNG_MS = 1000;
/** A template that could not be had because of an error is asked for again at once only so often. */
const FAILED_RETRIES = 3;

/** The fetch after a block change. */
interface TipFetch {
  /** The block announced last; undefined for the very first template. */
  hash: string | undefined;
  noticedAtMs: number;
  /** When the node was asked last. */
  askedAtMs: number;
  readonly abort: AbortController;
}

/** Watches one node for block changes in three ways at once and gets its templates. */
export class NodeFeed {
  readonly node: CoinNode;
  /** Seconds of getblocktemplate, without long polls. */
  readonly templateSeconds = new Histogram();
  readonly #host: FeedHost;
  readonly #stop = new AbortController();
  /** Tip the node reported last, display hex. */
  tip: string | undefined;
  /** Since when it has been offering something lower than the template in use (monotonic ms). */
  lowerSinceMs: number | undefined;
  #pollTimer: Timer | undefined;
  #polling = false;
  #pollByTemplate = false;
  #zmq: ZmqSubscriber | undefined;
  /** From the latest template of this node, and the tip it belongs to. */
  #longPollNext: { readonly id: string; readonly tip: string } | undefined;
  #longPoll: { readonly abort: AbortController; readonly tip: string; staleSinceMs?: number } | undefined;
  #longPollTimer: Timer | undefined;
  #longPollBackoffMs = LONGPOLL_BACKOFF_MS;
  #quickAnswers = 0;
  /** The fetch after a block change; a newer block replaces it. */
  #tipFetch: TipFetch | undefined;
  #refreshing = false;
  #lastFetchMs = Number.NEGATIVE_INFINITY;

  constructor(node: CoinNode, host: FeedHost) {
    this.node = node;
    this.#host = host;
  }

  get zmqMissed(): number {
    return this.#zmq?.missed ?? 0;
  }

  /** Begins. Resolves when ZMQ, if configured, is set up. @throws PoolError `not_supported`, `invalid_argument` */
  async start(): Promise<void> {
    const { zmq } = this.node;
    if (zmq.hashblock !== undefined || zmq.rawblock !== undefined) {
      const { loadZmq } = this.#host;
      const subscriber = await subscribeZmq(zmq, (hash) => this.#notice(hash, 'zmq'), {
        log: this.#host.log,
        ...(loadZmq === undefined ? {} : { load: loadZmq }),
      });
      if (this.#stop.signal.aborted) subscriber.close();
      else this.#zmq = subscriber;
    }
    this.#fetchTip(undefined, 'start');
    this.#schedulePoll();
  }

  /** Asks for a fresh template of the same tip. One at a time. */
  refresh(trigger: TemplateTrigger): void {
    if (this.#refreshing || this.#stop.signal.aborted) return;
    this.#refreshing = true;
    const noticedAtMs = this.#host.clock.monotonic();
    void this.#fetchOnce(trigger, noticedAtMs, this.#stop.signal).finally(() => {
      this.#refreshing = false;
    });
  }

  close(): void {
    this.#stop.abort();
    this.#tipFetch?.abort.abort();
    this.#longPoll?.abort.abort();
    this.#pollTimer?.cancel();
    this.#longPollTimer?.cancel();
    this.#zmq?.close();
  }

  #schedulePoll(): void {
    if (this.#stop.signal.aborted) return;
    this.#pollTimer = this.#host.clock.setTimeout(() => {
      void this.#poll();
      this.#schedulePoll();
    }, this.#host.times.pollMs);
  }

  async #poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    try {
      if (this.#pollByTemplate) {
        this.refresh('poll');
      } else {
        const hash = await this.node.call('getbestblockhash', [], {
          timeoutMs: POLL_TIMEOUT_MS,
          signal: this.#stop.signal,
        });
        if (typeof hash === 'string' && !this.#stop.signal.aborted) this.#notice(hash, 'poll');
      }
      this.#checkLongPoll();
    } catch (error) {
      if (rpcCodeOf(error) === RPC_CODE.methodNotFound) this.#pollByTemplate = true;
      else this.#host.log.debug({ node: this.node.name, error: errorMessage(error) }, 'poll failed');
    } finally {
      this.#polling = false;
    }
  }

  /** The node says that `hash` is its tip. */
  #notice(hash: string, via: 'zmq' | 'poll'): void {
    const before = this.tip;
    this.tip = hash;
    if (hash === this.#host.currentTip()) {
      // Somebody was faster. One template of this node is needed all the same, for its long poll id.
      if (this.#longPollNext === undefined && this.#recheckDue()) this.#fetchTip(undefined, 'start');
      return;
    }
    if (this.#tipFetch !== undefined && this.#tipFetch.hash === hash) return;
    // Polling sees the same disagreement again and again: a lagging node is not asked each time.
    if (via === 'poll' && hash === before && !this.#recheckDue()) return;
    this.#fetchTip(hash, via);
  }

  #recheckDue(): boolean {
    return (
      this.#tipFetch === undefined && this.#host.clock.monotonic() - this.#lastFetchMs >= this.#host.times.recheckMs
    );
  }

  /** Gets the template on `hash`, whatever else is under way; retries while the node hands out the old one. */
  #fetchTip(hash: string | undefined, trigger: TemplateTrigger): void {
    const nowMs = this.#host.clock.monotonic();
    const running = this.#tipFetch;
    if (running !== undefined && nowMs - running.askedAtMs < FETCH_HUNG_MS) {
      // Blocks in quick succession: wait for the answer instead of piling up requests in the node.
      running.hash = hash ?? running.hash;
      running.noticedAtMs = nowMs;
      return;
    }
    running?.abort.abort();
    const fetch = { hash, noticedAtMs: nowMs, askedAtMs: nowMs, abort: new AbortController() };
    this.#tipFetch = fetch;
    void this.#fetchUntil(fetch, trigger).finally(() => {
      if (this.#tipFetch === fetch) this.#tipFetch = undefined;
    });
  }

  async #fetchUntil(fetch: TipFetch, trigger: TemplateTrigger): Promise<void> {
    const { clock, times, log } = this.#host;
    const { signal } = fetch.abort;
    let wanted = fetch.hash;
    let old = this.#host.currentTip();
    for (let attempt = 0; attempt <= times.oldTemplateRetries; attempt++) {
      fetch.askedAtMs = clock.monotonic();
      const offered = await this.#fetchOnce(trigger, fetch.noticedAtMs, signal);
      if (signal.aborted || (offered !== undefined && offered.previousHash === fetch.hash)) return;
      if (fetch.hash === wanted) {
        // Something newer than what was announced is as good; only the template from before the announcement is not.
        if (wanted === undefined || (offered !== undefined && offered.previousHash !== old)) return;
        // Polling comes back to a node that cannot hand out templates at all.
        if (offered === undefined && (this.node.state.kind === 'not-ready' || attempt >= FAILED_RETRIES)) return;
        await pause(clock, times.oldTemplateRetryMs, signal);
        // Another trigger or node was faster.
        if (signal.aborted || this.#host.currentTip() === fetch.hash) return;
      }
      if (fetch.hash !== wanted) {
        wanted = fetch.hash;
        old = this.#host.currentTip();
        attempt = -1;
      }
    }
    log.warn(
      { node: this.node.name, announced: wanted },
      'node announced a block but keeps handing out the old template',
    );
  }

  async #fetchOnce(
    trigger: TemplateTrigger,
    noticedAtMs: number,
    signal: AbortSignal,
  ): Promise<OfferedTemplate | undefined> {
    const { clock, times, request } = this.#host;
    const askedAtMs = clock.monotonic();
    this.#lastFetchMs = askedAtMs;
    try {
      // Its own connection: calls that hang on the shared ones must not delay a block change.
      const raw = await this.node.call('getblocktemplate', [request], {
        connection: 'own',
        timeoutMs: times.templateTimeoutMs,
        signal,
      });
      if (signal.aborted) return undefined;
      return this.#deliver(raw, trigger, noticedAtMs);
    } catch (error) {
      if (!signal.aborted) this.#host.failed(this, error);
      return undefined;
    } finally {
      // A call given up by us tells nothing of the node.
      if (!signal.aborted) this.templateSeconds.record((clock.monotonic() - askedAtMs) / 1000);
    }
  }

  #deliver(raw: unknown, trigger: TemplateTrigger, noticedAtMs: number): OfferedTemplate | undefined {
    const offered = this.#host.offer(this, raw, trigger, noticedAtMs);
    if (offered === undefined) return undefined;
    const { previousHash, longPollId } = offered;
    // While a block change is under way, a template of the time before it says nothing about the tip.
    const announced = this.#tipFetch?.hash;
    if (announced === undefined || announced === previousHash || trigger === 'longpoll') this.tip = previousHash;
    this.#longPollNext = longPollId === undefined ? undefined : { id: longPollId, tip: previousHash };
    this.#startLongPoll();
    return offered;
  }

  #startLongPoll(): void {
    const next = this.#longPollNext;
    if (this.#longPoll !== undefined || this.#longPollTimer !== undefined || this.#stop.signal.aborted) return;
    if (next === undefined || this.#quickAnswers >= LONGPOLL_QUICK_LIMIT) return;
    const running = { abort: new AbortController(), tip: next.tip };
    this.#longPoll = running;
    void this.#waitLongPoll(next.id, next.tip, running.abort.signal).then((delayMs) => {
      this.#longPoll = undefined;
      if (this.#stop.signal.aborted) return;
      this.#longPollTimer = this.#host.clock.setTimeout(() => {
        this.#longPollTimer = undefined;
        this.#startLongPoll();
      }, delayMs);
    });
  }

  /** One long poll; returns the pause before the next. Never rejects. */
  async #waitLongPoll(longpollid: string, tip: string, signal: AbortSignal): Promise<number> {
    const { clock, log, request } = this.#host;
    const startedMs = clock.monotonic();
    try {
      const raw = await this.node.call('getblocktemplate', [{ ...request, longpollid }], {
        connection: 'own',
        timeoutMs: Number.POSITIVE_INFINITY,
        signal,
      });
      if (signal.aborted) return 0;
      this.#longPollBackoffMs = LONGPOLL_BACKOFF_MS;
      const nowMs = clock.monotonic();
      const offered = this.#deliver(raw, 'longpoll', nowMs);
      const isNews = offered !== undefined && offered.previousHash !== tip;
      this.#quickAnswers = !isNews && nowMs - startedMs < LONGPOLL_QUICK_MS ? this.#quickAnswers + 1 : 0;
      if (this.#quickAnswers === LONGPOLL_QUICK_LIMIT) {
        log.info({ node: this.node.name }, 'node answers long polls at once: going on without them');
      }
      return isNews ? 0 : LONGPOLL_QUICK_MS;
    } catch (error) {
      if (signal.aborted || isPoolError(error, 'closed')) return 0;
      log.debug({ node: this.node.name, error: errorMessage(error) }, 'long poll failed');
      const delayMs = this.#longPollBackoffMs;
      this.#longPollBackoffMs = Math.min(delayMs * 2, LONGPOLL_MAX_BACKOFF_MS);
      return delayMs;
    }
  }

  /**
   * A waiting long poll is left alone as long as the tip stays: it occupies an RPC thread of the node, and giving it up
   * would not free that thread. When the tip moved and it has not answered, it hangs; the node has let go of it.
   */
  #checkLongPoll(): void {
    const running = this.#longPoll;
    if (running === undefined || this.tip === running.tip) return;
    const nowMs = this.#host.clock.monotonic();
    running.staleSinceMs ??= nowMs;
    if (nowMs - running.staleSinceMs >= LONGPOLL_HUNG_MS) running.abort.abort();
  }
}
