import type { Ledger } from '@headframe/ledger';
import { type Clock, errorMessage, type Logger } from '@headframe/primitives';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface WindowCheckOptions {
  /** Of PPLNS, in multiples of network difficulty. */
  readonly window: number;
  /** How long single shares are kept. */
  readonly retentionMs: number;
  /** Hashes that one difficulty takes on average. */
  readonly hashesPerDifficulty: number;
}

interface WindowCheckModules {
  readonly ledger: Pick<Ledger, 'summary'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Warns when the shares that are kept are fewer than the PPLNS window asks for: then everybody older than the retention
 * falls out of the window, and rewards are divided among less work than the configuration says.
 */
export class WindowCheck {
  readonly #options: WindowCheckOptions;
  readonly #modules: WindowCheckModules;
  #nextMs = 0;

  constructor(options: WindowCheckOptions, modules: WindowCheckModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Looks at most once an hour, and warns once a day. Never rejects. */
  async look(networkDifficulty: number): Promise<void> {
    const { ledger, clock, log } = this.#modules;
    const { window, retentionMs, hashesPerDifficulty } = this.#options;
    if (clock.now() < this.#nextMs) return;
    this.#nextMs = clock.now() + HOUR_MS;
    try {
      const summary = await ledger.summary();
      const hashrate = Math.max(summary?.hashrate.day ?? 0, summary?.hashrate.hour ?? 0);
      if (hashrate <= 0) return;
      const neededMs = ((window * networkDifficulty * hashesPerDifficulty) / hashrate) * 1000;
      if (neededMs <= retentionMs) return;
      this.#nextMs = clock.now() + DAY_MS;
      log.warn(
        { windowDays: days(neededMs), shareDays: days(retentionMs), window },
        'the PPLNS window is longer than shares are kept: raise storage.shareDays, or lower payout.window',
      );
    } catch (error) {
      log.debug({ error: errorMessage(error) }, 'the length of the PPLNS window is not known');
    }
  }
}

/** With one decimal: it is an estimate. */
const days = (ms: number): number => Math.round((ms / DAY_MS) * 10) / 10;
