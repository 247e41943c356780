import type { Accounting, FeeRecipient } from '@headframe/ledger';
import { type Clock, errorMessage, type Logger, type Timer } from '@headframe/primitives';

const RETRY_MS = 30_000;

interface FeeAccountsModules {
  readonly accounting: Pick<Accounting, 'changeSettings' | 'settings'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Fee recipients never mine, so no share tells where they are paid: their name is their address. Enters it where none is
 * known, and tries again until the ledger took it.
 */
export class FeeAccounts {
  readonly #modules: FeeAccountsModules;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(modules: FeeAccountsModules) {
    this.#modules = modules;
  }

  /** Takes the place of recipients that are still to be entered. Never rejects. */
  enter(recipients: readonly FeeRecipient[]): void {
    this.#timer?.cancel();
    this.#running = this.#running.then(() => this.#enter(recipients));
  }

  async #enter(recipients: readonly FeeRecipient[]): Promise<void> {
    const { accounting, clock, log } = this.#modules;
    for (const { account } of recipients) {
      if (this.#closed) return;
      try {
        const { address } = await accounting.settings(account);
        if (address === undefined) await accounting.changeSettings(account, { address: account });
      } catch (error) {
        log.warn({ account, error: errorMessage(error) }, 'the address of a fee recipient is not in the ledger yet');
        if (!this.#closed) this.#timer = clock.setTimeout(() => this.enter(recipients), RETRY_MS);
        return;
      }
    }
  }

  /** Lets the step under way end. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }
}
