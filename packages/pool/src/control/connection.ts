import { PoolError } from '@headframe/primitives';
import { type CloseReason, PAUSE, type SessionCore, type SessionProtocol } from '@headframe/sessions';
import type { Caller, Dispatcher } from './dispatcher.js';
import { CONTROL_LIMITS } from './limits.js';
import type { ControlWire, WireReply, WireRequest } from './wire.js';

/** A whole request, and what a socket delivers before it hears that nobody reads. */
const MAX_HELD_BYTES = CONTROL_LIMITS.requestBytes + CONTROL_LIMITS.headBytes + 131_072;

/** One connection of the control port: a request at a time, the next when it is answered; nothing is read meanwhile. */
export class ControlConnection implements SessionProtocol {
  readonly #session: SessionCore;
  readonly #dispatcher: Dispatcher;
  readonly #wire: ControlWire;
  readonly #abort = new AbortController();
  readonly #caller: Caller;
  #isBusy = false;
  #isWorking = false;

  constructor(session: SessionCore, wire: ControlWire, dispatcher: Dispatcher) {
    this.#session = session;
    this.#wire = wire;
    this.#dispatcher = dispatcher;
    const isTrusted = session.listener.port === 0 && session.remoteAddress === '';
    this.#caller = {
      address: session.address.key,
      isAuthorized: isTrusted,
      isStateless: wire.isStateless,
      signal: this.#abort.signal,
      authorized: () => session.markAuthorized(),
    };
  }

  get pending(): number {
    return this.#isBusy ? 1 : 0;
  }

  data(chunk: Uint8Array): void {
    if (this.#wire.heldBytes + chunk.length > MAX_HELD_BYTES) {
      this.#session.destroy('rate-limited');
      return;
    }
    this.#wire.push(chunk);
    this.#work();
  }

  resume(): void {
    this.#work();
  }

  notify(): void {}

  request(): Promise<unknown> {
    return Promise.reject(new PoolError('not_supported', 'a control connection is not asked'));
  }

  sweep(): number {
    return Number.POSITIVE_INFINITY;
  }

  shutdown(): void {}

  closed(_reason: CloseReason): void {
    this.#abort.abort();
  }

  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    const session = this.#session;
    // Within the first data the session is not on the books yet of a trusted peer's authorisation.
    if (this.#caller.isAuthorized) session.markAuthorized();
    while (!this.#isBusy && !session.paused && !session.closed) {
      const next = this.#wire.next();
      if (next === undefined) break;
      if (next.kind === 'interim') session.send(next.answer);
      else if (next.kind === 'failure') {
        session.send(next.answer);
        session.close('malformed');
      } else this.#run(next);
    }
    this.#isWorking = false;
  }

  #run(request: WireRequest): void {
    const session = this.#session;
    this.#isBusy = true;
    session.countLines(1, session.host.clock.monotonic());
    session.pause(PAUSE.protocol);
    this.#dispatcher
      .answer(request, this.#caller)
      .then(
        (reply) => this.#reply(request, reply),
        (error: unknown) => {
          session.host.report(error, 'control', session);
          session.destroy('internal-error');
        },
      )
      .finally(() => {
        this.#isBusy = false;
        if (session.closed) return;
        // Reading goes on first: a request that has come already must not be taken for the end.
        session.resume(PAUSE.protocol);
        if (session.awaitsReplies) session.checkAfterTurn();
      });
  }

  #reply(request: WireRequest, reply: WireReply): void {
    const session = this.#session;
    const text = this.#wire.encode(request, reply);
    if (text !== '') session.send(text);
    // Somebody who guesses starts anew for each guess.
    if (request.isLast || (this.#wire.isStateless && reply.status !== 'ok') || reply.status === 'failures') {
      session.close('client-closed');
    }
  }
}
