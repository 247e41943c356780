import { HEX_VALUE } from '@headframe/primitives';
import {
  hexReason,
  MAX_EXTRANONCE2,
  paramCountReason,
  refuseSubmit,
  SUBMIT_PARAM_CODES,
  SUBMIT_PARAM_NAMES,
  type SubmitFields,
  SubmitParse,
} from './submit-fields.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Longer names work, but are not kept per session: a name is 62 characters of address and a rig at most. */
const MAX_CACHED_NAME = 255;
/** Longer ids go the generic way, which decides what it echoes. */
const MAX_ID_TEXT = 64;

/** Kinds of a param found by the scan. */
const STRING = 1;
const NULL = 2;
const OTHER = 3;

// Where the params of the line being scanned lie. Module state instead of allocations: parsing is synchronous and
// nothing is kept between calls.
const paramStart = new Int32Array(6);
const paramEnd = new Int32Array(6);
const paramKind = new Uint8Array(6);
let paramCount = 0;

/** 1 for bytes that stand for themselves in a JSON string: printable ASCII but the quote and the backslash. */
const PLAIN: Readonly<Uint8Array> = (() => {
  const table = new Uint8Array(256);
  table.fill(1, 0x20, 0x7f);
  table[QUOTE] = 0;
  table[BACKSLASH] = 0;
  return table;
})();

/** Index of the quote that ends the string whose first character is at `at`; -1 when it holds anything but plain ASCII. */
function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && PLAIN[bytes[i] ?? 0] === 1) i++;
  return i < end && bytes[i] === QUOTE ? i : -1;
}

/** Index of the first byte at or after `at` that is no JSON whitespace. */
function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const c = bytes[i];
    if (c !== 0x20 && c !== 0x09 && c !== 0x0d && c !== 0x0a) break;
    i++;
  }
  return i;
}

/** Index after `null`, `true` or `false` at `at`; -1 when it is none of them. */
function literalEnd(bytes: Uint8Array, at: number, end: number): number {
  const c = bytes[at];
  const word = c === 0x6e ? 'null' : c === 0x74 ? 'true' : c === 0x66 ? 'false' : '';
  if (word.length === 0 || at + word.length > end) return -1;
  for (let i = 1; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return -1;
  return at + word.length;
}

/** Index after the integer at `at`: an optional minus, at most 15 digits, no leading zero, not -0; -1 for any other number. */
function integerEnd(bytes: Uint8Array, at: number, end: number): number {
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
function scalarEnd(bytes: Uint8Array, at: number, end: number): number {
  const c = bytes[at] ?? 0;
  if (c === QUOTE) {
    const close = stringEnd(bytes, at + 1, end);
    return close < 0 ? -1 : close + 1;
  }
  return c === 0x2d || (c >= 0x30 && c <= 0x39) ? integerEnd(bytes, at, end) : literalEnd(bytes, at, end);
}

/** Index after the closing bracket of an array of scalars; -1 for anything else. Fills the module's param state. */
function scanParams(bytes: Uint8Array, open: number, end: number): number {
  paramCount = 0;
  let at = skipSpace(bytes, open + 1, end);
  if (bytes[at] === 0x5d && at < end) return at + 1;
  for (;;) {
    const c = bytes[at];
    const next = at < end ? scalarEnd(bytes, at, end) : -1;
    if (next < 0) return -1;
    if (paramCount < 6) {
      const isString = c === QUOTE;
      paramStart[paramCount] = isString ? at + 1 : at;
      paramEnd[paramCount] = isString ? next - 1 : next;
      paramKind[paramCount] = isString ? STRING : c === 0x6e ? NULL : OTHER;
    }
    paramCount++;
    at = next;
    let d = bytes[at];
    if (d !== COMMA && d !== 0x5d) {
      at = skipSpace(bytes, at, end);
      d = bytes[at];
    }
    if (at >= end) return -1;
    if (d === 0x5d) return at + 1;
    if (d !== COMMA) return -1;
    at++;
    if (bytes[at] !== QUOTE) at = skipSpace(bytes, at, end);
  }
}

/** Unsigned integer of the hex digits in [start, end); -1 unless they are 1 to 8. */
function hexU32(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0 || length > 8) return -1;
  let value = 0;
  let bad = 0;
  for (let i = start; i < end; i++) {
    const digit = HEX_VALUE[bytes[i] ?? 0] ?? 255;
    bad |= digit;
    value = (value << 4) | digit;
  }
  return bad > 15 ? -1 : value >>> 0;
}

function refuseHex(bytes: Uint8Array, out: SubmitFields, position: number): SubmitParse {
  const start = paramStart[position] ?? 0;
  const length = (paramEnd[position] ?? 0) - start;
  const isPrefixed = length >= 2 && bytes[start] === 0x30 && ((bytes[start + 1] ?? 0) | 0x20) === 0x78;
  return refuseSubmit(out, SUBMIT_PARAM_CODES[position] ?? 'invalid-params', hexReason(position, length, isPrefixed));
}

/** ASCII text of [start, end). */
function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

function readWorker(bytes: Uint8Array, start: number, end: number, out: SubmitFields): string {
  const { names } = out;
  const cached = names.bytes;
  const length = end - start;
  if (cached.length === length) {
    let i = 0;
    while (i < length && cached[i] === bytes[start + i]) i++;
    if (i === length) return names.text;
  }
  const text = asciiText(bytes, start, end);
  if (length > MAX_CACHED_NAME) return text;
  names.text = text;
  names.bytes = bytes.slice(start, end);
  return text;
}

/** Id as JSON text. Integers of up to 9 digits become strings by arithmetic, which is several times cheaper than decoding. */
function readId(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 9 || bytes[start] === 0x2d || bytes[start] === QUOTE) return asciiText(bytes, start, end);
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + ((bytes[i] ?? 0) - 0x30);
  return String(value);
}

function isMethodSubmit(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 13) return false;
  for (let i = 0; i < 13; i++) if (bytes[start + i] !== 'mining.submit'.charCodeAt(i)) return false;
  return true;
}

function readParams(bytes: Uint8Array, out: SubmitFields): SubmitParse {
  out.paramCount = paramCount;
  if (paramCount !== 5 && paramCount !== 6) return refuseSubmit(out, 'invalid-params', paramCountReason(paramCount));
  if (paramKind[0] === OTHER) return refuseSubmit(out, 'invalid-params', 'Worker must be a string');
  for (let i = 1; i < paramCount; i++) {
    if (paramKind[i] !== STRING && !(i === 5 && paramKind[5] === NULL)) {
      return refuseSubmit(
        out,
        SUBMIT_PARAM_CODES[i] ?? 'invalid-params',
        `${SUBMIT_PARAM_NAMES[i] ?? 'Param'} must be a hex string`,
      );
    }
  }
  out.worker = paramKind[0] === NULL ? '' : readWorker(bytes, paramStart[0] ?? 0, paramEnd[0] ?? 0, out);
  out.jobId = hexU32(bytes, paramStart[1] ?? 0, paramEnd[1] ?? 0);

  const start = paramStart[2] ?? 0;
  const digits = (paramEnd[2] ?? 0) - start;
  if (digits === 0 || digits & 1 || digits > 2 * MAX_EXTRANONCE2) return refuseHex(bytes, out, 2);
  const extranonce2 = out.extranonce2;
  let bad = 0;
  for (let i = 0, at = start; i < digits >> 1; i++, at += 2) {
    const high = HEX_VALUE[bytes[at] ?? 0] ?? 255;
    const low = HEX_VALUE[bytes[at + 1] ?? 0] ?? 255;
    bad |= high | low;
    extranonce2[i] = (high << 4) | low;
  }
  if (bad > 15) return refuseHex(bytes, out, 2);
  out.extranonce2Length = digits >> 1;

  out.ntime = hexU32(bytes, paramStart[3] ?? 0, paramEnd[3] ?? 0);
  if (out.ntime < 0) return refuseHex(bytes, out, 3);
  out.nonce = hexU32(bytes, paramStart[4] ?? 0, paramEnd[4] ?? 0);
  if (out.nonce < 0) return refuseHex(bytes, out, 4);
  out.versionBits = -1;
  if (paramCount === 6 && paramKind[5] === STRING) {
    out.versionBits = hexU32(bytes, paramStart[5] ?? 0, paramEnd[5] ?? 0);
    if (out.versionBits < 0) return refuseHex(bytes, out, 5);
  }
  return SubmitParse.submit;
}

const SEEN_ID = 1;
const SEEN_METHOD = 2;
const SEEN_PARAMS = 4;

/** Which of our members the key in [start, end) names; 0 for `jsonrpc` and `worker`, which are skipped; -1 for others. */
function keyBit(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let name: string;
  let bit = 0;
  if (length === 2) {
    name = 'id';
    bit = SEEN_ID;
  } else if (length === 7) name = 'jsonrpc';
  else if (length !== 6) return -1;
  else if (bytes[start] === 0x6d) {
    name = 'method';
    bit = SEEN_METHOD;
  } else if (bytes[start] === 0x70) {
    name = 'params';
    bit = SEEN_PARAMS;
  } else name = 'worker';
  for (let i = 0; i < length; i++) if (bytes[start + i] !== name.charCodeAt(i)) return -1;
  return bit;
}

/**
 * Reads the bytes [start, end) of one line as a `mining.submit` request into `out`, without allocating for the usual
 * line. Any order of members, whitespace wherever JSON allows it, and the members `jsonrpc` and `worker` are fine.
 * Whatever else is legal JSON (escapes, non-ASCII names, nested values, doubled keys, unusual ids) is answered
 * `notSubmit`: parse it generically and give the params to `submitFromParams`, which judges the same way. Never throws.
 *
 * @example
 * const fields = createSubmitFields();
 * const line = asciiToBytes('{"id":4,"method":"mining.submit","params":["w","1f","00000001","504e86ed","b2957c02"]}');
 * if (parseSubmit(line, 0, line.length, fields) === SubmitParse.submit) use(fields.jobId, fields.nonce);
 */
export function parseSubmit(bytes: Uint8Array, start: number, end: number, out: SubmitFields): SubmitParse {
  let seen = 0;
  let idStart = 0;
  let idEnd = 0;
  let at = skipSpace(bytes, start, end);
  if (bytes[at] !== 0x7b || at >= end) return SubmitParse.notSubmit;
  at++;
  for (;;) {
    if (bytes[at] !== QUOTE) at = skipSpace(bytes, at, end);
    if (at >= end || bytes[at] !== QUOTE) return SubmitParse.notSubmit;
    const keyStart = at + 1;
    at = stringEnd(bytes, keyStart, end);
    if (at < 0) return SubmitParse.notSubmit;
    const bit = keyBit(bytes, keyStart, at);
    if (bit < 0 || (bit & seen) !== 0) return SubmitParse.notSubmit;
    seen |= bit;
    at++;
    if (bytes[at] !== COLON) at = skipSpace(bytes, at, end);
    if (at >= end || bytes[at] !== COLON) return SubmitParse.notSubmit;
    at++;
    if ((bytes[at] ?? 0) <= 0x20) at = skipSpace(bytes, at, end);
    if (at >= end) return SubmitParse.notSubmit;
    const valueStart = at;
    if (bit === SEEN_PARAMS) {
      at = bytes[at] === 0x5b ? scanParams(bytes, at, end) : -1;
    } else {
      at = scalarEnd(bytes, at, end);
      if (bit === SEEN_ID) {
        idStart = valueStart;
        idEnd = at;
      } else if (
        bit === SEEN_METHOD &&
        (bytes[valueStart] !== QUOTE || at < 0 || !isMethodSubmit(bytes, valueStart + 1, at - 1))
      ) {
        return SubmitParse.notSubmit;
      }
    }
    if (at < 0) return SubmitParse.notSubmit;
    let c = bytes[at];
    if (c !== COMMA && c !== 0x7d) {
      at = skipSpace(bytes, at, end);
      c = bytes[at];
    }
    if (at >= end) return SubmitParse.notSubmit;
    at++;
    if (c === 0x7d) break;
    if (c !== COMMA) return SubmitParse.notSubmit;
  }
  if (at < end && skipSpace(bytes, at, end) < end) return SubmitParse.notSubmit;
  if ((seen & (SEEN_METHOD | SEEN_PARAMS)) !== (SEEN_METHOD | SEEN_PARAMS)) return SubmitParse.notSubmit;
  if ((seen & SEEN_ID) === 0 || bytes[idStart] === 0x6e) out.idText = 'null';
  else if (bytes[idStart] === 0x74 || bytes[idStart] === 0x66 || idEnd - idStart > MAX_ID_TEXT)
    return SubmitParse.notSubmit;
  else out.idText = readId(bytes, idStart, idEnd);
  return readParams(bytes, out);
}
