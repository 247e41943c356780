import { PAUSE, type SessionCore } from '@headframe/sessions';
import type { ShareValidator } from '@headframe/validator';
import type { Share } from './share.js';

/**
 * Keeps shares that the validator has no room for, and has the sessions that bring them wait. Nothing is dropped; a
 * session is paused with the first share that finds no room, so no more than one each is kept.
 */
export class Backpressure<Account> {
  /** True while the ledger is behind. */
  readonly #ledgerIsFull: () => boolean;
  #validator: ShareValidator<Share<Account>> | undefined = undefined;
  #overflow: Share<Account>[] = [];
  readonly #paused = new Set<SessionCore>();

  constructor(ledgerIsFull: () => boolean) {
    this.#ledgerIsFull = ledgerIsFull;
  }

  use(validator: ShareValidator<Share<Account>>): void {
    this.#validator = validator;
  }

  /** Shares that are not judged yet. */
  get pending(): number {
    return (this.#validator?.pending ?? 0) + this.#overflow.length;
  }

  /** Hands a share to the validator, now or when there is room. */
  hand(share: Share<Account>): void {
    if (this.#overflow.length > 0 || !this.#validator?.submit(share)) {
      this.#overflow.push(share);
      this.#pause(share.channel.session);
    } else this.check(share.channel.session);
  }

  /** Has the session wait if the ledger is behind. */
  check(session: SessionCore): void {
    if (this.#ledgerIsFull()) this.#pause(session);
  }

  #pause(session: SessionCore): void {
    if (this.#paused.has(session) || session.closed) return;
    this.#paused.add(session);
    session.pause(PAUSE.protocol);
  }

  /** The validator has room again. */
  drained(): void {
    const waiting = this.#overflow;
    this.#overflow = [];
    for (let i = 0; i < waiting.length; i++) {
      const share = waiting[i];
      if (share === undefined || this.#validator?.submit(share)) continue;
      this.#overflow = waiting.slice(i);
      return;
    }
    this.room();
  }

  /** Reads paused sessions again, if neither validator nor ledger holds them up. */
  room(): void {
    if (this.#overflow.length > 0 || this.#ledgerIsFull()) return;
    const sessions = [...this.#paused];
    this.#paused.clear();
    for (const session of sessions) session.resume(PAUSE.protocol);
  }

  /** A session has ended; it need not be resumed. */
  forget(session: SessionCore): void {
    this.#paused.delete(session);
  }
}
