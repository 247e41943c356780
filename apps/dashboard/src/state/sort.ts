export type Direction = 'ascending' | 'descending';

/** How a table is sorted. */
export interface Sorting<Column extends string> {
  readonly column: Column;
  readonly direction: Direction;
}

/** A click on a column: the same one turns round, another begins with its own direction. */
export function sortBy<Column extends string>(now: Sorting<Column>, column: Column, first: Direction): Sorting<Column> {
  if (now.column !== column) return { column, direction: first };
  return { column, direction: now.direction === 'ascending' ? 'descending' : 'ascending' };
}

/** A sorted copy. What is not known (null) stands last either way; equal ones keep their order. */
export function sorted<Item>(
  items: readonly Item[],
  key: (item: Item) => number | string | null,
  direction: Direction,
): readonly Item[] {
  const sign = direction === 'ascending' ? 1 : -1;
  return items.toSorted((left, right) => {
    const a = key(left);
    const b = key(right);
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
    return sign * String(a).localeCompare(String(b), 'en', { numeric: true });
  });
}
