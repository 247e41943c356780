import { Worker } from 'node:worker_threads';
import type { DaemonOptions } from '@headframe/daemon';
import {
  type Clock,
  errorMessage,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  TypedEmitter,
} from '@headframe/primitives';
import type { IndexCallName, IndexCalls } from './calls.js';
import { IndexCore, type IndexNews, type IndexSettings } from './index-core.js';
import type { FromThread, IndexThreadStart, ToThread } from './messages.js';
import { linkNodes } from './node-link.js';
import { ask } from './serve.js';

/** Questions that may wait for the thread; sessions are held back long before. */
const MAX_PENDING = 50_000;
const RESTART_MIN_MS = 500;
const RESTART_MAX_MS = 30_000;

export interface ChainIndexOptions {
  /** File of the index, made when missing. `:memory:` keeps it in memory. */
  readonly path: string;
  /** Name of coin and network, e.g. `bitcoin/main`: a file of another one is refused. */
  readonly chain: string;
  /** In order of preference. */
  readonly nodes: readonly DaemonOptions[];
  /** Between two looks at the node. Default 500. */
  readonly pollMs?: number;
  /** Longest history, and list of outputs, that is given out. Default 20,000 items: some 2 MB of JSON. */
  readonly maxHistory?: number;
  /** Transactions of the mempool that are kept in memory, about 1 KB each. Default 200,000. */
  readonly maxMempool?: number;
  /**
   * `thread` (the default): in a thread of its own, so that indexing never holds up the caller. `inline`: on the calling
   * thread, for small chains and tests.
   */
  readonly mode?: 'thread' | 'inline';
  /** The thread's script. Only needed where this package runs from somewhere else than its own build. */
  readonly workerUrl?: URL;
}

export interface ChainIndexModules {
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Events of an index. */
export interface ChainIndexEvents {
  news: IndexNews;
}

/** A chain with its mempool, ready to be asked. */
export interface ChainIndex {
  /**
   * Asks. Rejects with PoolError: `invalid_argument`, `queue_full` (a history that is too long, or too many questions),
   * `storage_failed`, `closed`, `worker_failed` when the thread died.
   */
  call<Name extends IndexCallName>(
    name: Name,
    ...args: Parameters<IndexCalls[Name]>
  ): Promise<ReturnType<IndexCalls[Name]>>;
  /** Adds a listener; returns the function that removes it. */
  on(event: 'news', listener: (news: IndexNews) => void): () => void;
  /** Look at the node now: a block was announced. */
  poke(): void;
  close(): Promise<void>;
}

/**
 * Opens an index and begins to follow the node. News `live` tells that it has caught up.
 * @throws PoolError `invalid_config` for a file of another chain, `storage_failed`
 */
export async function openChainIndex(options: ChainIndexOptions, modules: ChainIndexModules = {}): Promise<ChainIndex> {
  const settings: IndexSettings = {
    path: options.path,
    chain: options.chain,
    pollMs: options.pollMs ?? 500,
    maxHistory: options.maxHistory ?? 20_000,
    maxMempool: options.maxMempool ?? 200_000,
  };
  const log = modules.log ?? silentLogger;
  const emitter = new TypedEmitter<ChainIndexEvents>((error) => log.error({ err: error }, 'index listener failed'));
  if (options.mode === 'inline') {
    const core = await IndexCore.open(settings, linkNodes(options.nodes), (news) => emitter.safeEmit('news', news));
    // After the caller could add its listeners.
    setImmediate(() => core.start());
    return new InlineIndex(core, emitter);
  }
  const index = new ThreadIndex({ settings, nodes: options.nodes }, options.workerUrl ?? builtWorker(), emitter, {
    clock: modules.clock ?? systemClock,
    log,
  });
  await index.open();
  return index;
}

/** Node 20 starts no thread from TypeScript: where this file itself is run as a source, the thread is that of the build. */
function builtWorker(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../../dist/worker.js' : '../worker.js', import.meta.url);
}

type AnswerOf<Name extends IndexCallName> = Promise<ReturnType<IndexCalls[Name]>>;

class InlineIndex implements ChainIndex {
  readonly #core: IndexCore;
  readonly #emitter: TypedEmitter<ChainIndexEvents>;
  #closing: Promise<void> | undefined;

  constructor(core: IndexCore, emitter: TypedEmitter<ChainIndexEvents>) {
    this.#core = core;
    this.#emitter = emitter;
  }

  async call<Name extends IndexCallName>(name: Name, ...args: Parameters<IndexCalls[Name]>): AnswerOf<Name> {
    if (this.#closing !== undefined) throw new PoolError('closed', 'the index is closed');
    return ask(this.#core.answers, name, args) as ReturnType<IndexCalls[Name]>;
  }
  on(event: 'news', listener: (news: IndexNews) => void): () => void {
    return this.#emitter.on(event, listener);
  }
  poke(): void {
    this.#core.poke();
  }
  close(): Promise<void> {
    this.#closing ??= this.#core.close();
    return this.#closing;
  }
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: PoolError) => void;
}

/** The index in a thread. When the thread dies its questions are refused and another one is started; it resumes. */
class ThreadIndex implements ChainIndex {
  readonly #start: IndexThreadStart;
  readonly #url: URL;
  readonly #emitter: TypedEmitter<ChainIndexEvents>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #nextId = 1;
  #failures = 0;
  /** False until it ran once: a file that cannot be opened is the caller's business. */
  #opened = false;
  #gone: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #cancelRestart: () => void = () => {};

  constructor(
    start: IndexThreadStart,
    url: URL,
    emitter: TypedEmitter<ChainIndexEvents>,
    modules: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#start = start;
    this.#url = url;
    this.#emitter = emitter;
    this.#clock = modules.clock;
    this.#log = modules.log;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => this.#spawn(resolve, reject));
  }

  call<Name extends IndexCallName>(name: Name, ...args: Parameters<IndexCalls[Name]>): AnswerOf<Name> {
    if (this.#closing !== undefined) return Promise.reject(new PoolError('closed', 'the index is closed'));
    const worker = this.#worker;
    if (worker === undefined) return Promise.reject(new PoolError('worker_failed', 'the index thread is starting'));
    if (this.#pending.size >= MAX_PENDING) {
      return Promise.reject(new PoolError('queue_full', 'too many questions wait for the index'));
    }
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      // The thread answers each name with what its function returned.
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#post(worker, { kind: 'call', id, name, args });
    });
  }

  on(event: 'news', listener: (news: IndexNews) => void): () => void {
    return this.#emitter.on(event, listener);
  }

  poke(): void {
    if (this.#worker !== undefined) this.#post(this.#worker, { kind: 'poke' });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelRestart();
    if (this.#worker !== undefined) this.#post(this.#worker, { kind: 'close' });
    await this.#gone;
  }

  #post(worker: Worker, message: ToThread): void {
    worker.postMessage(message);
  }

  #spawn(onReady: () => void, onFailed: (error: PoolError) => void): void {
    const worker = new Worker(this.#url, { name: 'electrum-index', workerData: this.#start });
    this.#worker = worker;
    let why = new PoolError('worker_failed', 'the index thread ended');
    worker.on('message', (message: FromThread) => {
      switch (message.kind) {
        case 'ready':
          this.#failures = 0;
          this.#opened = true;
          onReady();
          return;
        case 'failed':
          why = new PoolError(message.failure.code, message.failure.message);
          return;
        case 'answer':
          this.#take(message.id)?.resolve(message.value);
          return;
        case 'refusal':
          this.#take(message.id)?.reject(new PoolError(message.failure.code, message.failure.message));
          return;
        case 'news':
          this.#emitter.safeEmit('news', message.news);
      }
    });
    worker.on('error', (error) => {
      why = new PoolError('worker_failed', `the index thread died: ${errorMessage(error)}`, { cause: error });
    });
    this.#gone = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#worker = undefined;
        const lost = [...this.#pending.values()];
        this.#pending.clear();
        for (const { reject } of lost)
          reject(this.#closing === undefined ? why : new PoolError('closed', 'the index is closed'));
        onFailed(why);
        if (this.#closing === undefined && this.#opened) this.#restartLater(why);
        resolve();
      });
    });
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #restartLater(why: PoolError): void {
    const pauseMs = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** this.#failures++);
    this.#log.error({ error: why.message, pauseMs }, 'index thread lost; it is started again');
    const timer = this.#clock.setTimeout(
      () =>
        this.#spawn(
          () => {},
          () => {},
        ),
      pauseMs,
    );
    this.#cancelRestart = () => timer.cancel();
  }
}
