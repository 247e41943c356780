import { asciiToBytes, HEX_VALUE } from '@headframe/primitives';
import { QUOTE, scalarEnd, skipSpace, stringEnd } from './scan.js';
import {
  hexReason,
  MAX_EXTRANONCE2,
  paramCountReason,
  refuseSubmit,
  SUBMIT_PARAM_CODES,
  SUBMIT_PARAM_NAMES,
  type SubmitFields,
  SubmitParse,
  type WorkerNameCache,
} from './submit-fields.js';

const COMMA = 0x2c;
const COLON = 0x3a;

/** Longer names work, but are not kept per session: a name is 62 characters of address and a rig at most. */
const MAX_CACHED_NAME = 255;
/** Longer ids go the generic way, which decides what it echoes. */
const MAX_ID_TEXT = 64;

/** Kinds of a param found by the scan. */
const STRING = 1;
const NULL = 2;
const OTHER = 3;
/** A string that the scan has read already: a hex field, or the worker name of the cache. */
const READ = 4;

const KEY_ID = asciiToBytes('id');
const KEY_METHOD = asciiToBytes('method');
const KEY_PARAMS = asciiToBytes('params');
const KEY_WORKER = asciiToBytes('worker');
const KEY_JSONRPC = asciiToBytes('jsonrpc');
const METHOD_SUBMIT = asciiToBytes('mining.submit');

// Where the params of the line being scanned lie. Module state instead of allocations: parsing is synchronous and
// nothing is kept between calls.
const paramStart = new Int32Array(6);
const paramEnd = new Int32Array(6);
const paramKind = new Uint8Array(6);
/** What a param of kind READ holds: the integer, or the number of extranonce2 bytes. */
const paramValue = new Uint32Array(6);
let paramCount = 0;

/**
 * Index of the quote after 1 to 8 hex digits at `at`, their value left in `paramValue[position]`; -1 when the string is
 * anything else. Decoding while scanning saves a second pass over the line.
 */
function hexU32End(bytes: Uint8Array, at: number, end: number, position: number): number {
  const limit = at + 8 < end ? at + 8 : end - 1;
  let value = 0;
  let i = at;
  while (i < limit) {
    const digit = HEX_VALUE[bytes[i] ?? 0] ?? 255;
    if (digit > 15) break;
    value = (value << 4) | digit;
    i++;
  }
  if (i === at || bytes[i] !== QUOTE) return -1;
  paramValue[position] = value;
  return i;
}

/** Like {@link hexU32End} for extranonce2: whole bytes, written to `out`, their number in `paramValue[2]`. */
function hexBytesEnd(bytes: Uint8Array, at: number, end: number, out: Uint8Array): number {
  const limit = end - 2;
  let count = 0;
  let i = at;
  while (i < limit && count < MAX_EXTRANONCE2) {
    const high = HEX_VALUE[bytes[i] ?? 0] ?? 255;
    const low = HEX_VALUE[bytes[i + 1] ?? 0] ?? 255;
    if ((high | low) > 15) break;
    out[count++] = (high << 4) | low;
    i += 2;
  }
  if (count === 0 || i >= end || bytes[i] !== QUOTE) return -1;
  paramValue[2] = count;
  return i;
}

/** Index of the quote after the worker name at `at` when it is the cached one; -1 otherwise. */
function cachedNameEnd(bytes: Uint8Array, at: number, end: number, cached: Uint8Array): number {
  const length = cached.length;
  const close = at + length;
  if (close >= end || bytes[close] !== QUOTE) return -1;
  for (let i = 0; i < length; i++) if (cached[i] !== bytes[at + i]) return -1;
  return close;
}

/** Index after the closing bracket of an array of scalars; -1 for anything else. Fills the module's param state. */
function scanParams(bytes: Uint8Array, open: number, end: number, out: SubmitFields): number {
  paramCount = 0;
  let at = skipSpace(bytes, open + 1, end);
  if (at < end && bytes[at] === 0x5d) return at + 1;
  for (;;) {
    if (at >= end) return -1;
    const position = paramCount++;
    const c = bytes[at];
    let close = -1;
    if (c === QUOTE && position < 6) {
      const first = at + 1;
      if (position === 0) close = cachedNameEnd(bytes, first, end, out.names.bytes);
      else if (position === 2) close = hexBytesEnd(bytes, first, end, out.extranonce2);
      else close = hexU32End(bytes, first, end, position);
      if (close >= 0) {
        paramKind[position] = READ;
      } else {
        close = stringEnd(bytes, first, end);
        if (close < 0) return -1;
        paramKind[position] = STRING;
        paramStart[position] = first;
        paramEnd[position] = close;
      }
      at = close + 1;
    } else {
      at = scalarEnd(bytes, at, end);
      if (at < 0) return -1;
      if (position < 6) paramKind[position] = c === 0x6e ? NULL : OTHER;
    }
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

function readNewWorker(bytes: Uint8Array, start: number, end: number, names: WorkerNameCache): string {
  const text = asciiText(bytes, start, end);
  if (end - start > MAX_CACHED_NAME) return text;
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
  if (end - start !== METHOD_SUBMIT.length) return false;
  for (let i = 0; i < METHOD_SUBMIT.length; i++) if (bytes[start + i] !== METHOD_SUBMIT[i]) return false;
  return true;
}

function readParams(bytes: Uint8Array, out: SubmitFields): SubmitParse {
  out.paramCount = paramCount;
  if (paramCount !== 5 && paramCount !== 6) return refuseSubmit(out, 'invalid-params', paramCountReason(paramCount));
  if (paramKind[0] === OTHER) return refuseSubmit(out, 'invalid-params', 'Worker must be a string');
  for (let i = 1; i < paramCount; i++) {
    const kind = paramKind[i];
    if (kind !== READ && kind !== STRING && !(i === 5 && kind === NULL)) {
      return refuseSubmit(
        out,
        SUBMIT_PARAM_CODES[i] ?? 'invalid-params',
        `${SUBMIT_PARAM_NAMES[i] ?? 'Param'} must be a hex string`,
      );
    }
  }
  if (paramKind[0] === READ) out.worker = out.names.text;
  else if (paramKind[0] === NULL) out.worker = '';
  else out.worker = readNewWorker(bytes, paramStart[0] ?? 0, paramEnd[0] ?? 0, out.names);
  out.jobId = paramKind[1] === READ ? (paramValue[1] ?? 0) : -1;
  for (let i = 2; i < paramCount; i++) if (paramKind[i] === STRING) return refuseHex(bytes, out, i);
  out.extranonce2Length = paramValue[2] ?? 0;
  out.ntime = paramValue[3] ?? 0;
  out.nonce = paramValue[4] ?? 0;
  out.versionBits = paramCount === 6 && paramKind[5] === READ ? (paramValue[5] ?? 0) : -1;
  return SubmitParse.submit;
}

const SEEN_ID = 1;
const SEEN_METHOD = 2;
const SEEN_PARAMS = 4;

/** Which of our members the key in [start, end) names; 0 for `jsonrpc` and `worker`, which are skipped; -1 for others. */
function keyBit(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let name = KEY_WORKER;
  let bit = 0;
  if (length === 2) {
    name = KEY_ID;
    bit = SEEN_ID;
  } else if (length === 7) name = KEY_JSONRPC;
  else if (length !== 6) return -1;
  else if (bytes[start] === 0x6d) {
    name = KEY_METHOD;
    bit = SEEN_METHOD;
  } else if (bytes[start] === 0x70) {
    name = KEY_PARAMS;
    bit = SEEN_PARAMS;
  }
  for (let i = 0; i < length; i++) if (bytes[start + i] !== name[i]) return -1;
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
      at = bytes[at] === 0x5b ? scanParams(bytes, at, end, out) : -1;
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
