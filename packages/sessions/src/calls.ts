import type { Batch } from './batch.js';
import type { CallContext } from './call-context.js';
import type { RegisteredMethod } from './methods.js';

/** One request on its way from line to reply. */
export class Call<Context> {
  readonly method: RegisteredMethod<Context>;
  readonly context: Context;
  /** Its place in the order of replies, or among those of its batch. */
  readonly slot: number;
  /** Raw JSON of the id; undefined when the peer wants no answer. */
  readonly idText: string | undefined;
  /** The batch it came in. */
  readonly batch: Batch | undefined;
  /** When it first had to wait for a promise; monotonic ms. */
  waitingSinceMs = -1;
  done = false;

  constructor(
    method: RegisteredMethod<Context>,
    context: Context,
    slot: number,
    idText: string | undefined,
    batch: Batch | undefined,
  ) {
    this.method = method;
    this.context = context;
    this.slot = slot;
    this.idText = idText;
    this.batch = batch;
  }
}

/** The calls of one session that wait for a promise, the oldest first. Made when the first one has to. */
export class WaitingCalls<Context extends CallContext> {
  #calls: Call<Context>[] = [];
  #phaseChange: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined = undefined;

  get size(): number {
    return this.#calls.length;
  }
  get oldest(): Call<Context> | undefined {
    return this.#calls[0];
  }

  add(call: Call<Context>, nowMs: number): void {
    call.waitingSinceMs = nowMs;
    this.#calls.push(call);
  }

  /** Takes a call off the list; a phase-changing one wakes those that wait for it. */
  remove(call: Call<Context>): void {
    const at = this.#calls.indexOf(call);
    if (at < 0) return;
    this.#calls.splice(at, 1);
    if (call.method.changesPhase) this.#wake();
  }

  /**
   * True while a phase-changing call waits that came before the one of `context`. Only earlier ones count, so that no
   * two can wait for each other.
   */
  changesPhaseBefore(context: Context | undefined): boolean {
    for (const call of this.#calls) {
      if (call.context === context) return false;
      if (call.method.changesPhase) return true;
    }
    return false;
  }

  /** Resolves when the next phase-changing call is done, or all were given up. */
  phaseChanged(): Promise<void> {
    if (!this.#phaseChange) {
      let resolve: () => void = () => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#phaseChange = { promise, resolve };
    }
    return this.#phaseChange.promise;
  }

  /** The session has ended: nobody waits any more. */
  giveUp(): void {
    const calls = this.#calls;
    this.#calls = [];
    for (const call of calls) {
      call.done = true;
      call.context.abort();
    }
    this.#wake();
  }

  #wake(): void {
    this.#phaseChange?.resolve();
    this.#phaseChange = undefined;
  }
}
