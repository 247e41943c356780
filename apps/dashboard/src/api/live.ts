/** The part of `EventSource` that is needed; tests give another. */
export interface LiveSource {
  addEventListener(name: 'open' | 'error', listener: () => void): void;
  addEventListener(name: string, listener: (event: { readonly data: string }) => void): void;
  close(): void;
}

/**
 * How the page hears of news. `live`: events stream in. `polling`: no stream, but questions are answered.
 * `offline`: neither.
 */
export type LiveState = 'connecting' | 'live' | 'polling' | 'offline';

export interface LiveOptions {
  readonly open: () => LiveSource;
  /** @returns what cancels it */
  readonly later: (run: () => void, ms: number) => () => void;
  readonly topics: readonly string[];
  readonly onEvent: (topic: string, data: unknown) => void;
  readonly onState: (state: LiveState) => void;
  /** Called when everything shown may be old: the stream came back, or a poll is due. */
  readonly onStale: () => void;
}

/** Pauses before the stream is opened again: doubling, so that a pool that restarts is not stormed. */
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/** Between polls without a stream. */
export const POLL_MS = 10_000;

/** Between polls beside a stream: for what no event tells, and in case events are lost on the way. */
export const SLOW_POLL_MS = 60_000;

/** Keeps the event stream open, opens it again when it breaks, and polls meanwhile. */
export class Live {
  readonly #options: LiveOptions;
  #source: LiveSource | undefined;
  #state: LiveState = 'connecting';
  #retryMs = FIRST_RETRY_MS;
  #wasLive = false;
  #isReached = true;
  #cancelRetry: () => void = () => {};
  #cancelPoll: () => void = () => {};

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get state(): LiveState {
    return this.#state;
  }

  start(): void {
    this.#connect();
    this.#poll();
  }

  /** What became of an ordinary question, for the state shown while there is no stream. */
  heard(isReached: boolean): void {
    this.#isReached = isReached;
    if (this.#state === 'polling' || this.#state === 'offline') this.#setState(isReached ? 'polling' : 'offline');
  }

  close(): void {
    this.#cancelRetry();
    this.#cancelPoll();
    this.#source?.close();
    this.#source = undefined;
  }

  #connect(): void {
    const source = this.#options.open();
    this.#source = source;
    source.addEventListener('open', () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#setState('live');
      if (this.#wasLive) this.#options.onStale();
      this.#wasLive = true;
    });
    source.addEventListener('error', () => this.#fail());
    for (const topic of this.#options.topics) {
      source.addEventListener(topic, (event) => this.#options.onEvent(topic, parse(event.data)));
    }
  }

  /** The browser would try again by itself, but not after an HTTP error and without a longer and longer pause. */
  #fail(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#setState(this.#isReached ? 'polling' : 'offline');
    this.#cancelRetry();
    this.#cancelRetry = this.#options.later(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  #poll(): void {
    this.#cancelPoll();
    this.#cancelPoll = this.#options.later(
      () => {
        this.#options.onStale();
        this.#poll();
      },
      this.#state === 'live' ? SLOW_POLL_MS : POLL_MS,
    );
  }

  #setState(state: LiveState): void {
    if (state === this.#state) return;
    const hadStream = this.#state === 'live';
    this.#state = state;
    // The pace of the polls differs with and without a stream.
    if (hadStream !== (state === 'live')) this.#poll();
    this.#options.onState(state);
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
