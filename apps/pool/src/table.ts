/** A column of a table. */
export interface Column {
  readonly head: string;
  readonly align?: 'left' | 'right';
  /** The column may be cut to so many characters where the terminal is narrow, in the middle. Default: never cut. */
  readonly least?: number;
  /** Where cutting is not enough, columns with a rank are left out, the highest first. */
  readonly rank?: number;
}

/** A cell: its text, and how it is painted on a terminal. */
export type Cell = string | { readonly text: string; readonly colour: Colour };
export type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold';

/** Where a table is written, as far as it matters. */
export interface TableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const CODES: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };
const GAP = 2;
/** Terminals that tell no width. */
const DEFAULT_WIDTH = 80;

/** True when colours may be written: on a terminal, unless NO_COLOR is set to anything or the terminal is dumb. */
export function hasColours(stream: TableStream, env: Readonly<Record<string, string | undefined>>): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/**
 * Text that came from outside (a miner's name, a node's answer) as one line that cannot steer a terminal: everything
 * but printable ASCII is escaped, which also keeps the columns straight.
 */
export function plainText(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** `abcdefghij` in 6 characters: `ab..ij`. The ends of hashes and addresses tell them apart. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width <= 4) return text.slice(0, width);
  const left = Math.ceil((width - 2) / 2);
  return `${text.slice(0, left)}..${text.slice(text.length - (width - 2 - left))}`;
}

function paint(text: string, colour: Colour | undefined, isOn: boolean): string {
  return isOn && colour !== undefined ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}

const textOf = (cell: Cell | undefined): string => (typeof cell === 'object' ? cell.text : (cell ?? ''));
const colourOf = (cell: Cell | undefined): Colour | undefined => (typeof cell === 'object' ? cell.colour : undefined);

interface Sized {
  readonly column: Column;
  readonly index: number;
  width: number;
}

const total = (sized: readonly Sized[]): number =>
  sized.reduce((sum, { width }) => sum + width, 0) + GAP * Math.max(0, sized.length - 1);

/** Cuts columns, the widest first, then leaves out those with the highest rank, until the rest fits. */
function fit(all: readonly Sized[], room: number): readonly Sized[] {
  let sized = all.map((entry) => ({ ...entry }));
  for (;;) {
    for (let over = total(sized) - room; over > 0; over--) {
      const widest = sized
        .filter(({ column, width }) => column.least !== undefined && width > column.least)
        .reduce<Sized | undefined>(
          (best, entry) => (best !== undefined && best.width >= entry.width ? best : entry),
          undefined,
        );
      if (widest === undefined) break;
      widest.width--;
    }
    if (total(sized) <= room) return sized;
    const ranks = sized.map(({ column }) => column.rank ?? 0);
    const highest = Math.max(...ranks);
    if (highest === 0) return sized;
    const gone = ranks.lastIndexOf(highest);
    const kept = new Set(sized.filter((_, i) => i !== gone).map(({ index }) => index));
    sized = all.filter(({ index }) => kept.has(index)).map((entry) => ({ ...entry }));
  }
}

/**
 * A table as text with a line feed after each line. On a terminal no line is wider than it; in a pipe nothing is cut,
 * so that `awk` and `grep` see all of it. Cells are escaped by {@link plainText}.
 */
export function tableText(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  stream: TableStream,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const isTerminal = stream.isTTY === true;
  const colours = hasColours(stream, env);
  const clean = rows.map((row) => columns.map((_, i) => plainText(textOf(row[i]))));
  const sized = columns.map((column, index) => ({
    column,
    index,
    width: Math.max(column.head.length, ...clean.map((row) => row[index]?.length ?? 0)),
  }));
  // The last character is left free: some terminals wrap a full line.
  const room = isTerminal ? Math.max(20, (stream.columns || DEFAULT_WIDTH) - 1) : Number.POSITIVE_INFINITY;
  const shown = fit(sized, room);
  const line = (cells: (at: Sized) => readonly [string, Colour | undefined]): string => {
    let text = '';
    let used = 0;
    for (const [position, at] of shown.entries()) {
      const left = room - used;
      if (left <= 0) break;
      const [cell, colour] = cells(at);
      const short = cutMiddle(cell, Math.min(at.width, left));
      const space = ' '.repeat(Math.max(0, Math.min(at.width, left) - short.length));
      const painted = paint(short, colour, colours);
      const isLast = position === shown.length - 1;
      text += at.column.align === 'right' ? space + painted : isLast ? painted : painted + space;
      used += at.width + GAP;
      if (!isLast && used < room) text += ' '.repeat(GAP);
    }
    return `${text.trimEnd()}\n`;
  };
  const head = line(({ column }) => [column.head, 'bold']);
  const body = clean.map((row, r) => line(({ index }) => [row[index] ?? '', colourOf(rows[r]?.[index])]));
  return head + body.join('');
}

/** Lines of a name and a value, the values below each other. */
export function factsText(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...facts.map(([name]) => name.length)) + GAP;
  return facts.map(([name, value]) => `${name.padEnd(width)}${plainText(value)}\n`).join('');
}
