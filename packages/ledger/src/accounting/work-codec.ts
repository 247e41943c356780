import { PoolError } from '@headframe/primitives';
import { BOOKING_STATES, ENTRY_KINDS, oneOf, type StoredCarry } from './checks.js';
import type { BookingEntry, BookingState } from './types.js';

export interface WorkEntry extends BookingEntry {
  /** Place in its booking. */
  readonly ordinal: number;
}

/** A step of a booking: one transaction. */
export type BookingWork =
  | {
      readonly kind: 'enter';
      readonly state: BookingState;
      readonly timeMs: number;
      readonly entries: readonly WorkEntry[];
      readonly carries: readonly StoredCarry[];
    }
  | {
      readonly kind: 'move';
      readonly from: BookingState;
      readonly to: BookingState;
      /** Entries from `first` to before `end`. */
      readonly first: number;
      readonly end: number;
    };

/** A step as text for the database. */
export function writeWork(work: BookingWork): string {
  if (work.kind === 'move') return JSON.stringify(work);
  const entries = work.entries.map(({ ordinal, account, kind, amount }) => [ordinal, account, kind, `${amount}`]);
  return JSON.stringify({ ...work, entries });
}

function broken(): PoolError {
  return new PoolError('invalid_data', 'database: a step of a booking cannot be read');
}

function rowsIn(value: unknown): readonly (readonly unknown[])[] {
  if (!Array.isArray(value) || !value.every((row) => Array.isArray(row))) throw broken();
  return value;
}

function entryIn([ordinal, account, kind, amount]: readonly unknown[]): WorkEntry {
  if (typeof ordinal !== 'number' || typeof account !== 'string' || typeof amount !== 'string') throw broken();
  return { ordinal, account, kind: oneOf(ENTRY_KINDS, String(kind), 'invalid_data'), amount: BigInt(amount) };
}

function carryIn([account, kind, carry]: readonly unknown[]): StoredCarry {
  if (typeof account !== 'string' || typeof carry !== 'string') throw broken();
  return [account, oneOf(['reward', 'fee', 'donation'] as const, String(kind), 'invalid_data'), carry];
}

const stateOf = (value: unknown): BookingState => oneOf(BOOKING_STATES, String(value), 'invalid_data');

/** Reads what {@link writeWork} wrote. @throws PoolError `invalid_data` */
export function readWork(text: string): BookingWork {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw broken();
  const { kind, state, timeMs, entries, carries, from, to, first, end } = value as Record<string, unknown>;
  if (kind === 'move' && typeof first === 'number' && typeof end === 'number') {
    return { kind, from: stateOf(from), to: stateOf(to), first, end };
  }
  if (kind !== 'enter' || typeof timeMs !== 'number') throw broken();
  return {
    kind,
    state: stateOf(state),
    timeMs,
    entries: rowsIn(entries).map(entryIn),
    carries: rowsIn(carries).map(carryIn),
  };
}
