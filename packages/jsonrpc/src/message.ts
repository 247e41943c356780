/** A call that wants an answer. */
export interface RequestMessage {
  readonly kind: 'request';
  readonly id: number | string;
  /** The id as JSON text. Answer with it, so that the peer gets back the very id it sent, whatever its size. */
  readonly idText: string;
  readonly method: string;
  /** As sent; missing and `null` params read as an empty array. */
  readonly params: unknown;
}

/** A call without id or with `"id":null`: it must not be answered. */
export interface NotificationMessage {
  readonly kind: 'notification';
  readonly method: string;
  /** As sent; missing and `null` params read as an empty array. */
  readonly params: unknown;
}

/** An answer. Missing `result` and `error` read as `null`. */
export interface ResponseMessage {
  readonly kind: 'response';
  readonly id: number | string | null;
  readonly idText: string;
  readonly result: unknown;
  readonly error: unknown;
}

/** A line that is no message. */
export interface InvalidMessage {
  readonly kind: 'invalid';
  readonly reason: 'not-json' | 'too-deep' | 'not-an-object' | 'batch-too-large' | 'bad-id' | 'bad-method';
  /** The id to answer with, when the line had a usable one. */
  readonly idText: string | undefined;
}

export type RpcMessage = RequestMessage | NotificationMessage | ResponseMessage | InvalidMessage;

/** A JSON array of messages; the requests among them are answered by an array, in any order. Never empty. */
export interface BatchMessage {
  readonly kind: 'batch';
  readonly messages: readonly RpcMessage[];
}

const NO_PARAMS: readonly unknown[] = Object.freeze([]);

const NOT_JSON: InvalidMessage = Object.freeze({ kind: 'invalid', reason: 'not-json', idText: undefined });
const TOO_DEEP: InvalidMessage = Object.freeze({ kind: 'invalid', reason: 'too-deep', idText: undefined });
const NOT_AN_OBJECT: InvalidMessage = Object.freeze({ kind: 'invalid', reason: 'not-an-object', idText: undefined });
const BAD_ID: InvalidMessage = Object.freeze({ kind: 'invalid', reason: 'bad-id', idText: undefined });

/** The deepest message of any known miner has 4 levels; a hundred recursive calls hurt nobody. */
const MAX_DEPTH = 100;

function asciiEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** JSON text in ASCII: everything else becomes `\uXXXX`. */
export function toAscii(json: string): string {
  return /[^\x20-\x7e]/.test(json) ? json.replace(/[^\x20-\x7e]/g, asciiEscape) : json;
}

function dropProto(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

/** A member called `__proto__` is harmless until somebody copies the object; so that nobody has to think of it, it is dropped. */
function parseJson(text: string): unknown {
  const suspicious = text.includes('__proto__') || text.includes('\\u');
  return suspicious ? JSON.parse(text, dropProto) : JSON.parse(text);
}

/**
 * JSON.parse takes any depth, but what a handler does with the value (copy, check, log) recurses: `[[[[...` must not
 * reach it. Looks at brackets outside of strings only.
 */
function isTooDeep(json: string): boolean {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i);
    if (c === 0x22) {
      for (i++; i < json.length && json.charCodeAt(i) !== 0x22; i++) if (json.charCodeAt(i) === 0x5c) i++;
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return false;
}

/**
 * Text of the top-level member `id` as it was written; `json` must be a valid JSON object. For numbers that a double
 * does not hold exactly: they must be echoed as they came.
 */
function rawIdText(json: string): string | undefined {
  let found: string | undefined;
  let depth = 0;
  let expectKey = false;
  let valueStart = -1;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === '"') {
      const start = i;
      for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++;
      if (depth === 1 && expectKey) {
        expectKey = false;
        if (JSON.parse(json.slice(start, i + 1)) === 'id') valueStart = json.indexOf(':', i) + 1;
      }
    } else if (c === '{' || c === '[') {
      depth++;
      expectKey = depth === 1;
    } else if (depth === 1 && (c === ',' || c === '}')) {
      if (valueStart >= 0) found = json.slice(valueStart, i).trim();
      valueStart = -1;
      expectKey = c === ',';
      if (c === '}') depth--;
    } else if (c === '}' || c === ']') depth--;
  }
  return found;
}

/** {@link parseMessage} of text. */
export function parseMessageText(text: string): RpcMessage {
  // A valid shorter text cannot be too deep, and nearly all are shorter.
  if (text.length > 2 * MAX_DEPTH && isTooDeep(text)) return TOO_DEEP;
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return NOT_JSON;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return NOT_AN_OBJECT;
  // Own members only matter here: Object.prototype has none of these names.
  const message = value as {
    readonly id?: unknown;
    readonly method?: unknown;
    readonly params?: unknown;
    readonly result?: unknown;
    readonly error?: unknown;
  };
  const id = message.id ?? null;
  let idText: string;
  if (typeof id === 'number') idText = Number.isSafeInteger(id) ? String(id) : (rawIdText(text) ?? 'null');
  else if (typeof id === 'string') idText = toAscii(JSON.stringify(id));
  else if (id === null) idText = 'null';
  else return BAD_ID;
  const { method } = message;
  if (typeof method === 'string') {
    const params = message.params ?? NO_PARAMS;
    if (id === null) return { kind: 'notification', method, params };
    return { kind: 'request', id, idText, method, params };
  }
  if (method !== undefined && method !== null) {
    return { kind: 'invalid', reason: 'bad-method', idText: id === null ? undefined : idText };
  }
  if (id === null && message.result === undefined && message.error === undefined) {
    return { kind: 'invalid', reason: 'bad-method', idText: undefined };
  }
  return { kind: 'response', id, idText, result: message.result ?? null, error: message.error ?? null };
}

function decode(bytes: Uint8Array, start: number, end: number): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8', start, end);
}

/**
 * Reads one line as a JSON-RPC message, as miners write them: `jsonrpc` is not required, the order of members does
 * not matter, unknown members are ignored. Never throws. Bytes that are no UTF-8 become U+FFFD.
 *
 * An id must be a number, a string or null; a method a string.
 */
export function parseMessage(bytes: Uint8Array, start = 0, end: number = bytes.length): RpcMessage {
  return parseMessageText(decode(bytes, start, end));
}

const BATCH_TOO_LARGE: InvalidMessage = Object.freeze({
  kind: 'invalid',
  reason: 'batch-too-large',
  idText: undefined,
});

/**
 * Like {@link parseMessage}, for protocols that have batches: a JSON array is a batch of messages, each of which may be
 * invalid by itself. An array that is empty is `not-an-object`, one of more than `maxMessages` is `batch-too-large`;
 * an array in an array is `not-an-object`.
 */
export function parsePacket(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  maxMessages = 100,
): RpcMessage | BatchMessage {
  return parsePacketText(decode(bytes, start, end), maxMessages);
}

/** {@link parsePacket} of text. */
export function parsePacketText(text: string, maxMessages = 100): RpcMessage | BatchMessage {
  if (!/^[\t\n\r ]*\[/.test(text)) return parseMessageText(text);
  if (text.length > 2 * MAX_DEPTH && isTooDeep(text)) return TOO_DEEP;
  const parts = elementsOf(text, maxMessages);
  if (parts === undefined) return NOT_JSON;
  if (parts.length > maxMessages) return BATCH_TOO_LARGE;
  if (parts.length === 0) return NOT_AN_OBJECT;
  const messages = parts.map(parseMessageText);
  // Cut at commas, so that a part which is no JSON means that the whole is none.
  return messages.some((message) => message === NOT_JSON) ? NOT_JSON : { kind: 'batch', messages };
}

/**
 * The texts between the brackets and commas of an array, of which one more than `max` at most; undefined when it does
 * not end as an array. Each is parsed by itself, so that its id can be echoed as it was written.
 */
function elementsOf(json: string, max: number): string[] | undefined {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i);
    if (c === 0x22) {
      for (i++; i < json.length && json.charCodeAt(i) !== 0x22; i++) if (json.charCodeAt(i) === 0x5c) i++;
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth === 1) from = i + 1;
    } else if (c === 0x7d || c === 0x5d) {
      if (--depth > 0) continue;
      const last = json.slice(from, i);
      if (c !== 0x5d || json.slice(i + 1).trim() !== '') return undefined;
      if (parts.length > 0 || last.trim() !== '') parts.push(last);
      return parts;
    } else if (c === 0x2c && depth === 1) {
      parts.push(json.slice(from, i));
      if (parts.length > max) return parts;
      from = i + 1;
    }
  }
  return undefined;
}
