/**
 * What every part of the benchmark returns.
 *
 * @typedef {object} Table
 * @property {string} title
 * @property {readonly string[]} columns
 * @property {readonly (readonly (string | number)[])[]} rows first column text, the others numbers or text
 */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/**
 * The table as aligned text: text to the left, numbers to the right.
 *
 * @param {Table} table
 */
export function formatTable({ title, columns, rows }) {
  const cells = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const lines = cells.map((row, y) =>
    row
      .map((cell, x) => {
        const isText = x === 0 || (y > 0 && typeof rows[y - 1]?.[x] === 'string');
        return isText ? cell.padEnd(widths[x] ?? 0) : cell.padStart(widths[x] ?? 0);
      })
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return `${title}\n${lines.join('\n')}`;
}
