import type { Clock, Timer } from './clock.js';
import type { Logger } from './logger.js';

interface Entry {
  readonly callback: () => void;
  dueMs: number;
  readonly periodMs: number | undefined;
  readonly order: number;
}

/** A clock that stands still until told to move. */
export class FakeClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  readonly #entries = new Set<Entry>();
  #order = 0;

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
    this.#startMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }
  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }
  setTimeout(callback: () => void, delayMs: number): Timer {
    return this.#add(callback, delayMs, undefined);
  }
  setInterval(callback: () => void, periodMs: number): Timer {
    return this.#add(callback, periodMs, Math.max(1, periodMs));
  }
  /** Timers that have not fired or been cancelled. */
  get pending(): number {
    return this.#entries.size;
  }

  #add(callback: () => void, delayMs: number, periodMs: number | undefined): Timer {
    const entry: Entry = { callback, dueMs: this.#nowMs + Math.max(0, delayMs), periodMs, order: this.#order++ };
    this.#entries.add(entry);
    return { cancel: () => this.#entries.delete(entry) };
  }

  /** Moves time forward, firing what falls due, in order, each at its own time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      let next: Entry | undefined;
      for (const entry of this.#entries) {
        if (entry.dueMs > endMs) continue;
        if (!next || entry.dueMs < next.dueMs || (entry.dueMs === next.dueMs && entry.order < next.order)) next = entry;
      }
      if (!next) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.periodMs === undefined) this.#entries.delete(next);
      else next.dueMs += next.periodMs;
      next.callback();
    }
    this.#nowMs = endMs;
  }

  /** Like {@link advance}, letting promises settle before and after each step of at most `stepMs`. */
  async advanceAsync(ms: number, stepMs = 1000): Promise<void> {
    await settle();
    for (let left = ms; left > 0; left -= stepMs) {
      this.advance(Math.min(left, stepMs));
      await settle();
    }
  }
}

/** Lets all queued promise callbacks and immediates run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/**
 * A logger that keeps what was logged, for tests to look at. Children write into the same list; their bindings are not
 * kept, and neither is there a bound, so it is not for processes that run long.
 */
export class RecordingLogger implements Logger {
  /** Everything logged so far, oldest first. */
  readonly lines: { readonly level: Level; readonly details: object; readonly message: string }[];

  /** @param lines the list to write into; a new one by default */
  constructor(lines: RecordingLogger['lines'] = []) {
    this.lines = lines;
  }

  trace = this.#method('trace');
  debug = this.#method('debug');
  info = this.#method('info');
  warn = this.#method('warn');
  error = this.#method('error');
  fatal = this.#method('fatal');

  child(): Logger {
    return new RecordingLogger(this.lines);
  }

  /** Messages of one level, oldest first. */
  messages(level: Level): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  #method(level: Level): (details: object, message: string) => void {
    return (details, message) => this.lines.push({ level, details, message });
  }
}
