import { EventEmitter } from 'eventemitter3';

/** A listener may not be async: nobody awaits it (STYLE A5). */
export type Listener<Payload> = (payload: Payload) => void;

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

  once<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): () => void {
    this.#emitter.once(event, listener);
    return () => this.#emitter.off(event, listener);
  }

  off<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): void {
    this.#emitter.off(event, listener);
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
        if (returned instanceof Promise) returned.catch((error: unknown) => this.#onListenerError(error, event));
      } catch (error) {
        this.#onListenerError(error, event);
      }
    }
  }
}
