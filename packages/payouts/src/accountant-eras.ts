import { isPoolError, PoolError } from '@headframe/primitives';
import type { AccountantBooks, PayoutScheme } from './accountant-types.js';

/** Places are written into the books: never change the order, add at the end. */
const SCHEMES: readonly PayoutScheme[] = ['none', 'solo', 'prop', 'pplns', 'pps', 'fpps', 'coinbase-split'];

/** Room for the place of a scheme in the number of an era. */
const RADIX = 16;
/** Changes of scheme that are remembered; a block older than these is left alone. */
const MAX_ERAS = 1000;
const CURSOR = 'scheme';
/** An era that begins later than this from now was entered by a clock that was ahead. */
const MAX_AHEAD_MS = 3_600_000;

/** A stretch of time with one scheme. */
export interface Era {
  readonly startMs: number;
  readonly scheme: PayoutScheme;
}

/**
 * Which scheme was in force when. Kept in the books, so that a block found under one scheme and confirmed under the next
 * is divided by its own, and nothing from before there were accounts is ever credited.
 */
export class Eras {
  /** Latest first. */
  readonly #eras: readonly Era[];

  private constructor(eras: readonly Era[]) {
    this.#eras = eras;
  }

  /** Enters the scheme unless it is in force already. */
  static async enter(accounting: AccountantBooks, scheme: PayoutScheme, nowMs: number): Promise<Eras> {
    for (;;) {
      const value = await accounting.cursor(CURSOR);
      const known = await readEras(accounting, value);
      const eras = new Eras(known);
      if (known[0]?.scheme === scheme && !eras.isAhead(nowMs)) return eras;
      // The number only grows. Where it is ahead of the clock, the note tells when the era begins.
      const number = Math.max(nowMs, Math.floor(value / RADIX) + 1);
      const startMs = eras.isAhead(nowMs) ? nowMs : number;
      const next = number * RADIX + SCHEMES.indexOf(scheme);
      const from = startMs === number ? '' : `, from: ${startMs}`;
      try {
        await accounting.book({
          key: keyOf(next),
          state: 'final',
          timeMs: nowMs,
          note: `scheme ${scheme}, before: ${value}${from}`,
          entries: [],
          cursor: { name: CURSOR, from: value, to: next },
        });
        return new Eras([{ startMs, scheme }, ...known]);
      } catch (error) {
        // Another accountant entered one in this moment: look again.
        if (!isPoolError(error, 'conflict')) throw error;
      }
    }
  }

  /** The scheme that was in force; `none` before the first. */
  at(timeMs: number): PayoutScheme {
    for (const { startMs, scheme } of this.#eras) if (timeMs >= startMs) return scheme;
    return 'none';
  }

  /** True when the clock was ahead as the newest era was entered: it would begin only when the time has come. */
  isAhead(nowMs: number): boolean {
    return this.startMs > nowMs + MAX_AHEAD_MS;
  }

  /** Begin of the newest era. */
  get startMs(): number {
    return this.#eras[0]?.startMs ?? 0;
  }

  /** True when shares were ever paid one by one. */
  get hasPps(): boolean {
    return this.#eras.some(({ scheme }) => scheme === 'pps' || scheme === 'fpps');
  }
}

const keyOf = (value: number): string => `adjustment:scheme-${value}`;

async function readEras(accounting: AccountantBooks, newest: number): Promise<Era[]> {
  const eras: Era[] = [];
  let value = newest;
  while (value > 0 && eras.length < MAX_ERAS) {
    const scheme = SCHEMES[value % RADIX];
    if (scheme === undefined) throw new PoolError('invalid_data', `the books name a scheme unknown here: ${value}`);
    const note = (await accounting.booking(keyOf(value)))?.note ?? '';
    const [, before, from] = /before: (\d{1,16})(?:, from: (\d{1,16}))?$/.exec(note) ?? [];
    eras.push({ startMs: from === undefined ? Math.floor(value / RADIX) : Number(from), scheme });
    value = Number(before ?? 0);
  }
  return eras;
}
