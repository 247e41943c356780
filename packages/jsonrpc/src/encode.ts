import { PoolError } from '@headframe/primitives';
import { toAscii } from './message.js';

/**
 * JSON text in ASCII of any value; `undefined` becomes `null`.
 * @throws PoolError `invalid_argument` for what JSON cannot hold (a bigint, a cycle).
 */
export function encodeJson(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new PoolError('invalid_argument', 'value cannot be written as JSON', { cause });
  }
  return json === undefined ? 'null' : toAscii(json);
}

/** The answer `true`: by far the most frequent line. `idText` is the id of the request as JSON text. */
export function encodeTrue(idText: string): string {
  return `{"id":${idText},"result":true,"error":null}\n`;
}

/**
 * A successful answer, one ASCII line with its newline. All three members are always there: some clients drop an
 * answer without them. @throws PoolError `invalid_argument` as {@link encodeJson}
 */
export function encodeResult(idText: string, result: unknown): string {
  return `{"id":${idText},"result":${encodeJson(result)},"error":null}\n`;
}

/** An error answer; `error` is the protocol's error value, in Stratum V1 `[code, message, null]`. @throws as {@link encodeJson} */
export function encodeError(idText: string, error: unknown): string {
  return `{"id":${idText},"result":null,"error":${encodeJson(error)}}\n`;
}

/** A call that wants no answer. @throws as {@link encodeJson} */
export function encodeNotification(method: string, params: unknown): string {
  return `{"id":null,"method":${encodeJson(method)},"params":${encodeJson(params)}}\n`;
}

/** A call that wants an answer. @throws PoolError `invalid_argument` unless `id` is a safe integer, and as {@link encodeJson} */
export function encodeRequest(id: number, method: string, params: unknown): string {
  if (!Number.isSafeInteger(id)) throw new PoolError('invalid_argument', `request id must be an integer, not ${id}`);
  return `{"id":${id},"method":${encodeJson(method)},"params":${encodeJson(params)}}\n`;
}
