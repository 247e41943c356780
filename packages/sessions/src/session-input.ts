import type { ConnectionHandler } from '@headframe/transport';
import type { SessionCore } from './session.js';

/** What the connection calls: `closed` means something else on a session. */
export class SessionInput implements ConnectionHandler {
  readonly #session: SessionCore;
  constructor(session: SessionCore) {
    this.#session = session;
  }
  data(chunk: Uint8Array): void {
    this.#session.received(chunk);
  }
  drain(): void {
    this.#session.drained();
  }
  ended(): void {
    this.#session.peerEnded();
  }
  closed(error?: Error): void {
    this.#session.connectionClosed(error);
  }
}
