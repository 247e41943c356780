import { PendingRequests, type RequestOptions, type ResponseMessage } from '@headframe/jsonrpc';
import type { SessionCore } from './session.js';

/** Our own requests to the peer of one session; what keeps them is made with the first. */
export class OutgoingRequests {
  readonly #session: SessionCore;
  readonly #send: (line: string) => void;
  #pending: PendingRequests | undefined = undefined;

  constructor(session: SessionCore, send: (line: string) => void) {
    this.#session = session;
    this.#send = send;
  }

  /** See `Session.request`. */
  request(method: string, params: readonly unknown[], options?: RequestOptions): Promise<unknown> {
    const { clock, limits } = this.#session.host;
    if (!this.#pending) {
      const { outgoingRequests: capacity, outgoingTimeoutMs: timeoutMs } = limits;
      this.#pending = new PendingRequests({ clock, send: this.#send, capacity, timeoutMs });
      if (this.#session.closed) this.#pending.close();
    }
    return this.#pending.request(method, params, options);
  }

  /** False when nothing waits for this answer. */
  settle(message: ResponseMessage): boolean {
    return this.#pending?.settle(message) ?? false;
  }

  close(): void {
    this.#pending?.close();
  }
}
