import { EventEmitter } from 'eventemitter3';
import { isPromiseLike } from './promise.js';

/** A listener may not be async: nobody awaits it (STYLE A5). */
export type Listener<Payload> = (payload: Payload) => void;

type OnceWrapper<Payload> = Listener<Payload> & { listener?: Listener<Payload> };

/** Events with one payload each. `safeEmit` never throws: a listener that does is reported and the others still run. */
export class TypedEmitter<Events extends object> {
  readonly #emitter = new EventEmitter();
  readonly #onListenerError: (error: unknown, event: string) => void;

  constructor(onListenerError: (error: unknown, event: string) => void = () => {}) {
    this.#onListenerError = onListenerError;
  }

  /** Adds a listener; returns the function that removes it. */
  on<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): () => void {
    this.#emitter.on(event, listener);
    return () => this.#emitter.off(event, listener);
  }

  /** Adds a listener for the next event only; returns the function that removes it. */
  once<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): () => void {
    // Not the emitter's own once(): safeEmit calls listeners itself, and would call that one forever.
    const wrapper: OnceWrapper<Events[Name]> = (payload) => {
      this.#emitter.off(event, wrapper);
      return listener(payload);
    };
    wrapper.listener = listener;
    this.#emitter.on(event, wrapper);
    return () => this.#emitter.off(event, wrapper);
  }

  /** Removes a listener, however it was added. */
  off<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): void {
    this.#emitter.off(event, listener);
    for (const added of this.#emitter.listeners(event) as OnceWrapper<Events[Name]>[]) {
      if (added.listener === listener) this.#emitter.off(event, added);
    }
  }

  listenerCount(event: keyof Events & string): number {
    return this.#emitter.listenerCount(event);
  }

  removeAllListeners(): void {
    this.#emitter.removeAllListeners();
  }

  /** Calls every listener; a throw (or a promise that rejects) of one is reported and hurts no other. */
  safeEmit<Name extends keyof Events & string>(event: Name, payload: Events[Name]): void {
    if (this.#emitter.listenerCount(event) === 0) return;
    for (const listener of this.#emitter.listeners(event) as ((payload: Events[Name]) => unknown)[]) {
      try {
        const returned = listener(payload);
        if (isPromiseLike(returned)) returned.then(undefined, (error: unknown) => this.#report(error, event));
      } catch (error) {
        this.#report(error, event);
      }
    }
  }

  #report(error: unknown, event: string): void {
    try {
      this.#onListenerError(error, event);
    } catch {
      // Whoever reports errors may not make new ones: there is nobody left to tell.
    }
  }
}
