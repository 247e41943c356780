import { type Clock, errorMessage, type Logger, type MaybePromise, PoolError } from '@headframe/primitives';
import { within } from './within.js';

/** What a pool does in the background. It should end soon after the signal is aborted. */
export type TaskFunction = (signal: AbortSignal) => MaybePromise<unknown>;

export interface TaskOptions {
  /** Run again so long after each run. Without it: once, and again only after a failure. */
  readonly everyMs?: number;
  /** Failures in a row after which it is given up. Default 10. */
  readonly maxFailures?: number;
}

/** How a task is doing. */
export interface TaskState {
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'stopped';
  readonly runs: number;
  /** Since the start. */
  readonly failures: number;
  readonly lastError: string | undefined;
}

/** A wait after a failure begins with this and doubles. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const MAX_TASKS = 256;

interface Modules {
  readonly clock: Clock;
  readonly log: Logger;
}

/** The background tasks of a pool: started with it, joined when it closes. */
export class Tasks {
  readonly #modules: Modules;
  readonly #tasks = new Map<string, Task>();
  readonly #abort = new AbortController();
  #isStarted = false;

  constructor(modules: Modules) {
    this.#modules = modules;
  }

  /**
   * Adds a task; it begins when the pool listens, or now if it does. Returns the function that stops it, whose promise
   * resolves when it has ended.
   * @throws PoolError `conflict` for a name that is taken, `queue_full` for too many, `closed`
   */
  add(name: string, run: TaskFunction, options: TaskOptions = {}): () => Promise<void> {
    if (this.#abort.signal.aborted) throw new PoolError('closed', 'the pool is closed');
    if (this.#tasks.has(name)) throw new PoolError('conflict', `there is a task ${name} already`);
    if (this.#tasks.size >= MAX_TASKS) throw new PoolError('queue_full', `more than ${MAX_TASKS} tasks`);
    const task = new Task(name, run, options, this.#modules);
    this.#tasks.set(name, task);
    if (this.#isStarted) task.start();
    return async () => {
      await task.stop();
      if (this.#tasks.get(name) === task) this.#tasks.delete(name);
    };
  }

  start(): void {
    this.#isStarted = true;
    for (const task of this.#tasks.values()) task.start();
  }

  list(): TaskState[] {
    return [...this.#tasks.values()].map((task) => task.state());
  }

  /** Tells all to end and waits for them, at most so long. Never rejects. */
  async close(withinMs: number): Promise<void> {
    this.#abort.abort();
    const { clock, log } = this.#modules;
    const joined = Promise.all([...this.#tasks.values()].map((task) => task.stop()));
    if (await within(joined, withinMs, clock)) return;
    const names = this.list().flatMap(({ name, state }) => (state === 'running' ? [name] : []));
    log.error({ tasks: names }, 'tasks did not end in time');
  }
}

class Task {
  readonly #name: string;
  readonly #run: TaskFunction;
  readonly #everyMs: number | undefined;
  readonly #maxFailures: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  #state: TaskState['state'] = 'waiting';
  #runs = 0;
  #failures = 0;
  #inARow = 0;
  #lastError: string | undefined = undefined;
  #loop: Promise<void> | undefined = undefined;

  constructor(name: string, run: TaskFunction, options: TaskOptions, { clock, log }: Modules) {
    this.#name = name;
    this.#run = run;
    this.#everyMs = options.everyMs;
    this.#maxFailures = options.maxFailures ?? 10;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    this.#loop ??= this.#work();
  }

  state(): TaskState {
    return {
      name: this.#name,
      state: this.#state,
      runs: this.#runs,
      failures: this.#failures,
      lastError: this.#lastError,
    };
  }

  /** Resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
    if (this.#state === 'waiting') this.#state = 'stopped';
  }

  async #work(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      this.#state = 'running';
      const isOk = await this.#once();
      this.#state = 'waiting';
      if (signal.aborted) return;
      if (!isOk && this.#inARow >= this.#maxFailures) {
        this.#state = 'failed';
        this.#log.error({ task: this.#name, failures: this.#inARow }, 'a task failed too often and is given up');
        return;
      }
      if (isOk && this.#everyMs === undefined) {
        this.#state = 'done';
        return;
      }
      const backOffMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, this.#inARow - 1), LONGEST_PAUSE_MS);
      await this.#pause(isOk ? (this.#everyMs ?? 0) : Math.max(backOffMs, this.#everyMs ?? 0));
    }
  }

  async #once(): Promise<boolean> {
    this.#runs++;
    try {
      await this.#run(this.#abort.signal);
      this.#inARow = 0;
      return true;
    } catch (error) {
      // What a stop interrupts may say so.
      if (this.#abort.signal.aborted) return true;
      this.#failures++;
      this.#inARow++;
      this.#lastError = errorMessage(error);
      this.#log.error({ err: error, task: this.#name, failures: this.#inARow }, 'a task failed');
      return false;
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(done, ms);
      function done(): void {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
