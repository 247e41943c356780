/** The quote that opens and closes a JSON string. */
export const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** 1 for bytes that stand for themselves in a JSON string: printable ASCII but the quote and the backslash. */
const PLAIN: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(256);
  table.fill(1, 0x20, 0x7f);
  table[QUOTE] = 0;
  table[BACKSLASH] = 0;
  return table;
})();

/** Index of the quote that ends the string whose first character is at `at`; -1 when it holds anything but plain ASCII. */
export function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && PLAIN[bytes[i] ?? 0] === 1) i++;
  return i < end && bytes[i] === QUOTE ? i : -1;
}

/** Index of the first byte at or after `at` that is no JSON whitespace. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const c = bytes[i];
    if (c !== 0x20 && c !== 0x09 && c !== 0x0d && c !== 0x0a) break;
    i++;
  }
  return i;
}

/** Index after `null`, `true` or `false` at `at`; -1 when it is none of them. */
export function literalEnd(bytes: Uint8Array, at: number, end: number): number {
  const c = bytes[at];
  const word = c === 0x6e ? 'null' : c === 0x74 ? 'true' : c === 0x66 ? 'false' : '';
  if (word.length === 0 || at + word.length > end) return -1;
  for (let i = 1; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return -1;
  return at + word.length;
}

/** Index after the integer at `at`: an optional minus, at most 15 digits, no leading zero, not -0; -1 for any other number. */
export function integerEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = bytes[at] === 0x2d ? at + 1 : at;
  const first = i;
  while (i < end) {
    const c = bytes[i] ?? 0;
    if (c < 0x30 || c > 0x39) break;
    i++;
  }
  const digits = i - first;
  if (digits === 0 || digits > 15) return -1;
  if (bytes[first] === 0x30 && (digits > 1 || first > at)) return -1;
  const next = bytes[i];
  // A fraction or an exponent: left to JSON.parse.
  if (i < end && (next === 0x2e || next === 0x65 || next === 0x45)) return -1;
  return i;
}

/** Index after a plain string, a short integer or a literal; -1 for anything else. */
export function scalarEnd(bytes: Uint8Array, at: number, end: number): number {
  const c = bytes[at] ?? 0;
  if (c === QUOTE) {
    const close = stringEnd(bytes, at + 1, end);
    return close < 0 ? -1 : close + 1;
  }
  return c === 0x2d || (c >= 0x30 && c <= 0x39) ? integerEnd(bytes, at, end) : literalEnd(bytes, at, end);
}
