import type { Logger } from '@headframe/primitives';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Keeps what was logged. Children write into the same list. */
export class RecordingLogger implements Logger {
  readonly lines: { readonly level: Level; readonly details: object; readonly message: string }[];

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

  messages(level: Level): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  #method(level: Level): (details: object, message: string) => void {
    return (details, message) => this.lines.push({ level, details, message });
  }
}
