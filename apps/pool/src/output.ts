import { hasColours, type TableStream } from './table.js';

/** Writes one JSON document. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** `2026-01-31 13:05:09`, UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** A heading above a table, or a title; bold on a terminal. */
export function heading(text: string, stream: TableStream = process.stdout): string {
  return hasColours(stream, process.env) ? `\x1b[1m${text}\x1b[0m\n` : `${text}\n`;
}
