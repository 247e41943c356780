import { errorMessage } from '@headframe/primitives';
import { createAnswers, type IndexCalls, type IndexTip } from './calls.js';
import { Mempool } from './mempool.js';
import type { NodeCalls } from './node-link.js';
import { ChainStore } from './store.js';
import { ChainSync } from './sync.js';

/** Pause after a failed round; it doubles up to the longest. */
const RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;

export interface IndexSettings {
  /** File of the index; `:memory:` keeps it in memory. */
  readonly path: string;
  /** Name of coin and network, kept in the file. */
  readonly chain: string;
  /** Between two looks at the node. */
  readonly pollMs: number;
  readonly maxHistory: number;
  readonly maxMempool: number;
}

/** What an index tells on its own. */
export type IndexNews =
  /** The index is level with the node for the first time. */
  | { readonly kind: 'live'; readonly tip: IndexTip }
  | { readonly kind: 'progress'; readonly height: number; readonly target: number }
  | {
      readonly kind: 'change';
      readonly tip: IndexTip;
      readonly tipChanged: boolean;
      /** Undefined: anything may have changed. */
      readonly touched: readonly string[] | undefined;
    }
  /** A round failed; it is tried again. */
  | { readonly kind: 'trouble'; readonly message: string };

/** Index, mempool and the loop that keeps them level with a node. */
export class IndexCore {
  readonly answers: IndexCalls;
  readonly #store: ChainStore;
  readonly #sync: ChainSync;
  readonly #node: NodeCalls;
  readonly #settings: IndexSettings;
  readonly #tell: (news: IndexNews) => void;
  readonly #stop = new AbortController();
  #wake: (() => void) | undefined;
  #poked = false;
  #running: Promise<void> | undefined;

  private constructor(store: ChainStore, settings: IndexSettings, node: NodeCalls, tell: (news: IndexNews) => void) {
    this.#store = store;
    this.#settings = settings;
    this.#node = node;
    this.#tell = tell;
    const mempool = new Mempool();
    this.answers = createAnswers({ store, mempool, maxHistory: settings.maxHistory, live: () => this.#sync.live });
    this.#sync = new ChainSync({
      node,
      store,
      mempool,
      settings,
      signal: this.#stop.signal,
      onProgress: (height, target) => tell({ kind: 'progress', height, target }),
      onChange: ({ tipChanged, touched }) =>
        tell({
          kind: 'change',
          tip: this.answers.tip(),
          tipChanged,
          touched: touched === undefined ? undefined : [...touched],
        }),
    });
  }

  /** Opens the file. @throws PoolError `invalid_config`, `storage_failed` */
  static async open(settings: IndexSettings, node: NodeCalls, tell: (news: IndexNews) => void): Promise<IndexCore> {
    return new IndexCore(await ChainStore.open(settings.path, settings.chain), settings, node, tell);
  }

  /** Begins to follow the node. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Looks at the node now: a block was announced. */
  poke(): void {
    this.#poked = true;
    this.#wake?.();
  }

  /** Ends after the round under way and closes the file. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#node.close();
    this.#wake?.();
    await this.#running;
    this.#store.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let retryMs = RETRY_MS;
    let wasLive = false;
    while (!signal.aborted) {
      let pauseMs = this.#settings.pollMs;
      try {
        this.#poked = false;
        const more = await this.#sync.step();
        retryMs = RETRY_MS;
        if (more) pauseMs = 0;
        if (this.#sync.live && !wasLive && !signal.aborted) {
          wasLive = true;
          this.#tell({ kind: 'live', tip: this.answers.tip() });
        }
      } catch (error) {
        if (signal.aborted) break;
        this.#tell({ kind: 'trouble', message: errorMessage(error) });
        pauseMs = retryMs;
        retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
      }
      if (!this.#poked) await this.#pause(pauseMs);
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
