import type { MethodContext, Session } from './types.js';

/** What a handler is called with; `server` derives its own from it. */
export class CallContext<Params = unknown> implements MethodContext<Params> {
  readonly method: string;
  /** As sent until the schema was applied, then what the schema made of it. */
  params: Params;
  readonly session: Session;
  readonly wantsReply: boolean;
  #abort: AbortController | undefined = undefined;
  #over = false;

  constructor(session: Session, method: string, params: Params, wantsReply: boolean) {
    this.session = session;
    this.method = method;
    this.params = params;
    this.wantsReply = wantsReply;
  }

  /** Made when first asked for: most handlers are done before they could be stopped. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#over) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** True once nobody waits for the answer any more; like `signal.aborted`, but without making a signal. */
  get aborted(): boolean {
    return this.#over;
  }

  /** Tells the handler that nobody waits any more. */
  abort(): void {
    this.#over = true;
    this.#abort?.abort();
  }
}
