import type { Coin } from '@headframe/coins';
import {
  type BlockTemplate,
  parseTemplate,
  type TemplateSource,
  type TemplateSourceStats,
  type TemplateTrigger,
} from '@headframe/mining';
import {
  type Clock,
  errorMessage,
  Histogram,
  type Logger,
  silentLogger,
  systemClock,
  type Timer,
  TypedEmitter,
  toDisplayHex,
} from '@headframe/primitives';
import type { CoinNode } from './node.js';
import { type FeedHost, type FeedTimes, NodeFeed, type OfferedTemplate } from './node-feed.js';
import { judgeTemplate } from './template-gate.js';
import { templateRequest } from './template-request.js';
import type { ZmqLoader } from './zmq-subscriber.js';

export interface TemplateFeedOptions {
  /** In order of preference; those of the node pool. */
  readonly nodes: readonly CoinNode[];
  readonly coin: Coin;
  /** Between two questions for the best block, per node. Default 1,000. */
  readonly pollMs?: number;
  /** Between two templates on the same tip (new transactions). Default 15,000. */
  readonly refreshMs?: number;
  /** How long a node must insist on a lower height before it is believed. Default 10,000. */
  readonly regressionMs?: number;
  /** Times a node that announced a block but still hands out the old template is asked again. Default 16. */
  readonly oldTemplateRetries?: number;
  /** Pause between those. Default 250. */
  readonly oldTemplateRetryMs?: number;
  /** Time for one getblocktemplate. Default 10,000. */
  readonly templateTimeoutMs?: number;
}

export interface TemplateFeedModules {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Makes the ZMQ socket; the optional package `zeromq` by default. */
  readonly loadZmq?: ZmqLoader;
}

/** A template that was taken into use. */
export interface TemplateEvent {
  readonly template: BlockTemplate;
  readonly node: string;
  readonly trigger: TemplateTrigger;
  readonly newBlock: boolean;
  /** From the moment we heard of the block (or asked for the refresh) until the template was here. */
  readonly latencyMs: number;
}

export interface TemplateFeedEvents {
  template: TemplateEvent;
  /** A template that could not be used, or a node that failed to give one. The last one stays in use. */
  failure: { readonly node: string; readonly error: unknown };
}

/** Counters for metrics. */
export type TemplateFeedStats = TemplateSourceStats;

/** Templates from several nodes by ZMQ, long poll and polling at once. */
export interface TemplateFeed extends TemplateSource {
  readonly stats: TemplateFeedStats;
  /** Adds a listener; returns the function that removes it. */
  on<Name extends keyof TemplateFeedEvents>(
    event: Name,
    listener: (payload: TemplateFeedEvents[Name]) => void,
  ): () => void;
}

/** Makes the feed. It does nothing before `start`. */
export function createTemplateFeed(options: TemplateFeedOptions, modules: TemplateFeedModules = {}): TemplateFeed {
  return new MultiNodeFeed(options, modules);
}

interface InUse {
  readonly height: number;
  readonly previousHash: string;
  readonly source: NodeFeed;
  readonly sinceMs: number;
}

/** A long poll that answers this soon after a block change reports that very change. */
const SAME_BLOCK_MS = 1000;

class MultiNodeFeed implements TemplateFeed, FeedHost {
  readonly clock: Clock;
  readonly log: Logger;
  readonly times: FeedTimes;
  readonly request: Readonly<Record<string, unknown>>;
  readonly loadZmq: ZmqLoader | undefined;
  readonly #coin: Coin;
  readonly #feeds: readonly NodeFeed[];
  readonly #events: TypedEmitter<TemplateFeedEvents>;
  readonly #refreshMs: number;
  readonly #regressionMs: number;
  #listener: ((template: BlockTemplate) => void) | undefined;
  #current: InUse | undefined;
  #refreshTimer: Timer | undefined;
  #firstArrived: () => void = () => {};
  #closed = false;
  #templates = 0;
  #blockChanges = 0;
  #failures = 0;
  #regressions = 0;
  readonly #triggers = new Map<TemplateTrigger, number>();
  readonly #latency = new Histogram();
  #lastLatencyMs: number | undefined;
  #lastTemplateAtMs: number | undefined;

  constructor(options: TemplateFeedOptions, modules: TemplateFeedModules) {
    this.clock = modules.clock ?? systemClock;
    this.log = modules.log ?? silentLogger;
    this.loadZmq = modules.loadZmq;
    this.#coin = options.coin;
    this.request = templateRequest(options.coin.gbtRules);
    this.#refreshMs = options.refreshMs ?? 15_000;
    this.#regressionMs = options.regressionMs ?? 10_000;
    this.times = {
      pollMs: options.pollMs ?? 1000,
      oldTemplateRetries: options.oldTemplateRetries ?? 16,
      oldTemplateRetryMs: options.oldTemplateRetryMs ?? 250,
      recheckMs: 2000,
      templateTimeoutMs: options.templateTimeoutMs ?? 10_000,
    };
    this.#events = new TypedEmitter((error, event) =>
      this.log.error({ event, error: errorMessage(error) }, 'listener failed'),
    );
    this.#feeds = options.nodes.map((node) => new NodeFeed(node, this));
  }

  get stats(): TemplateFeedStats {
    return {
      templates: this.#templates,
      triggers: Object.fromEntries(this.#triggers),
      blockChanges: this.#blockChanges,
      failures: this.#failures,
      regressions: this.#regressions,
      zmqMissed: this.#feeds.reduce((sum, feed) => sum + feed.zmqMissed, 0),
      lastLatencyMs: this.#lastLatencyMs,
      latency: this.#latency.snapshot(),
      lastTemplateAtMs: this.#lastTemplateAtMs,
      nodes: this.#feeds.map(({ node, templateSeconds }) => ({ node: node.name, seconds: templateSeconds.snapshot() })),
    };
  }

  on<Name extends keyof TemplateFeedEvents>(
    event: Name,
    listener: (payload: TemplateFeedEvents[Name]) => void,
  ): () => void {
    return this.#events.on(event, listener);
  }

  /** @throws PoolError `not_supported` when ZMQ is configured and its package is missing. */
  async start(listener: (template: BlockTemplate) => void, signal: AbortSignal): Promise<void> {
    this.#listener = listener;
    const first = new Promise<void>((resolve) => {
      this.#firstArrived = resolve;
    });
    signal.addEventListener('abort', () => void this.close(), { once: true });
    if (signal.aborted) await this.close();
    if (this.#closed) return;
    try {
      await Promise.all(this.#feeds.map((feed) => feed.start()));
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#scheduleRefresh();
    await first;
  }

  refresh(): void {
    this.#preferred()?.refresh('refresh');
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#refreshTimer?.cancel();
    for (const feed of this.#feeds) feed.close();
    this.#events.removeAllListeners();
    this.#firstArrived();
    return Promise.resolve();
  }

  currentTip(): string | undefined {
    return this.#current?.previousHash;
  }

  failed(feed: NodeFeed, error: unknown): void {
    this.#failures++;
    const level = this.#current === undefined ? 'warn' : 'debug';
    this.log[level]({ node: feed.node.name, error: errorMessage(error) }, 'no template from this node');
    this.#events.safeEmit('failure', { node: feed.node.name, error });
  }

  offer(feed: NodeFeed, raw: unknown, trigger: TemplateTrigger, noticedAtMs: number): OfferedTemplate | undefined {
    if (this.#closed) return undefined;
    const { state } = feed.node;
    if (state.kind === 'not-ready' && state.cause === 'wrong-chain') return undefined;
    let template: BlockTemplate;
    try {
      template = parseTemplate(raw, this.#coin);
    } catch (error) {
      this.#failures++;
      this.log.error({ node: feed.node.name, error: errorMessage(error) }, 'the node sent a template we cannot use');
      this.#events.safeEmit('failure', { node: feed.node.name, error });
      return undefined;
    }
    const previousHash = toDisplayHex(template.previousHash);
    this.#judge(feed, template, previousHash, trigger, noticedAtMs);
    return { previousHash, longPollId: template.longPollId };
  }

  #judge(
    feed: NodeFeed,
    template: BlockTemplate,
    previousHash: string,
    trigger: TemplateTrigger,
    noticedAtMs: number,
  ): void {
    const nowMs = this.clock.monotonic();
    const current = this.#current;
    const verdict = judgeTemplate({
      current,
      offered: { height: template.height, previousHash },
      isSource: current?.source === feed,
      isPreferred: this.#preferred() === feed,
      heldByOther: this.#feeds.some((other) => other !== feed && this.#holdsCurrent(other)),
      lowerForMs: feed.lowerSinceMs === undefined ? 0 : nowMs - feed.lowerSinceMs,
      regressionMs: this.#regressionMs,
    });
    const about = { node: feed.node.name, height: template.height, previousHash, trigger };
    if (verdict === 'regression') {
      if (feed.lowerSinceMs === undefined) {
        this.#regressions++;
        this.log.warn({ ...about, inUse: current?.height }, 'node offers a lower height: waiting whether it lasts');
      }
      feed.lowerSinceMs ??= nowMs;
      return;
    }
    feed.lowerSinceMs = undefined;
    if (verdict === 'ignore') return;
    const newBlock = verdict === 'new-block';
    // ZMQ, long poll and polling report the same block at almost the same time; the first one made the change.
    const isFresh =
      trigger === 'refresh' || (trigger === 'longpoll' && nowMs - (current?.sinceMs ?? 0) >= SAME_BLOCK_MS);
    if (!newBlock && !isFresh) return;
    if (newBlock) {
      this.#current = { height: template.height, previousHash, source: feed, sinceMs: nowMs };
      this.#blockChanges++;
    }
    this.#use(template, feed, trigger, newBlock, nowMs - noticedAtMs);
  }

  #use(template: BlockTemplate, feed: NodeFeed, trigger: TemplateTrigger, newBlock: boolean, latencyMs: number): void {
    this.#templates++;
    this.#triggers.set(trigger, (this.#triggers.get(trigger) ?? 0) + 1);
    if (newBlock) this.#latency.record(latencyMs / 1000);
    this.#lastLatencyMs = latencyMs;
    this.#lastTemplateAtMs = this.clock.now();
    try {
      this.#listener?.(template);
    } catch (error) {
      this.log.error({ error: errorMessage(error), height: template.height }, 'template listener failed');
    }
    const level = newBlock ? 'info' : 'debug';
    this.log[level](
      {
        node: feed.node.name,
        height: template.height,
        transactions: template.transactions.length,
        trigger,
        latencyMs: Math.round(latencyMs),
      },
      newBlock ? 'new block template' : 'template refreshed',
    );
    this.#events.safeEmit('template', { template, node: feed.node.name, trigger, newBlock, latencyMs });
    this.#firstArrived();
  }

  /** The node to take refreshes from: the first ready one that is on the tip in use, else the first ready one. */
  #preferred(): NodeFeed | undefined {
    return (
      this.#feeds.find((feed) => this.#holdsCurrent(feed)) ??
      this.#feeds.find(({ node }) => node.state.kind === 'ready') ??
      this.#feeds.find(({ node }) => node.state.kind !== 'down')
    );
  }

  #holdsCurrent(feed: NodeFeed): boolean {
    return feed.node.state.kind === 'ready' && this.#current !== undefined && feed.tip === this.#current.previousHash;
  }

  #scheduleRefresh(): void {
    if (this.#closed) return;
    this.#refreshTimer = this.clock.setTimeout(() => {
      this.refresh();
      this.#scheduleRefresh();
    }, this.#refreshMs);
  }
}
