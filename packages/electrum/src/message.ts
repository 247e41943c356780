import { type BatchMessage, encodeJson, parsePacket, parsePacketText, type RpcMessage } from '@headframe/jsonrpc';
import { PoolError } from '@headframe/primitives';
import type { ElectrumErrorObject } from './errors.js';

/** Longest line by default: a transaction may have nearly 1 MB, twice that as hex. */
export const DEFAULT_MAX_LINE_BYTES = 2 * 1024 * 1024;
/** Messages in one batch, by default. */
export const DEFAULT_MAX_BATCH = 100;

/** How answers and notifications are written: JSON-RPC 2.0, or the old way (errors are texts, no `jsonrpc`). */
export type ElectrumDialect = 'modern' | 'old';

/**
 * Reads one line, or one WebSocket message: a request, answer, notification, or a batch of them. Padding with spaces is
 * ignored; a notification has no id or the id null. Never throws.
 */
export function parseElectrumMessage(
  input: Uint8Array | string,
  maxBatch: number = DEFAULT_MAX_BATCH,
): RpcMessage | BatchMessage {
  if (typeof input === 'string') return parsePacketText(input, maxBatch);
  return parsePacket(input, 0, input.length, maxBatch);
}

/*
 * All of these give JSON text in ASCII without a newline: what goes into one WebSocket message. A line is the same with
 * a newline behind it.
 */

/** A request; without parameters it has no `params`, as Electrum writes it. @throws PoolError `invalid_argument` */
export function encodeElectrumRequest(id: number, method: string, params: unknown): string {
  if (!Number.isSafeInteger(id)) throw new PoolError('invalid_argument', `request id must be an integer, not ${id}`);
  const tail = Array.isArray(params) && params.length === 0 ? '' : `,"params":${encodeJson(params)}`;
  return `{"jsonrpc":"2.0","id":${id},"method":${encodeJson(method)}${tail}}`;
}

/** An answer. `idText`: the id of the request as JSON text. @throws PoolError `invalid_argument` for what JSON cannot hold */
export function encodeElectrumResult(idText: string, result: unknown, dialect: ElectrumDialect = 'modern'): string {
  const json = encodeJson(result);
  return dialect === 'old' ? `{"id":${idText},"result":${json}}` : `{"jsonrpc":"2.0","id":${idText},"result":${json}}`;
}

/** An error answer; the old way it is the text alone. */
export function encodeElectrumError(
  idText: string,
  error: ElectrumErrorObject,
  dialect: ElectrumDialect = 'modern',
): string {
  if (dialect === 'old') return `{"id":${idText},"error":${encodeJson(error.message)}}`;
  const { code, message } = error;
  return `{"jsonrpc":"2.0","id":${idText},"error":${encodeJson({ code, message })}}`;
}

/** A notification; the old way with the id null. @throws PoolError `invalid_argument` for what JSON cannot hold */
export function encodeElectrumNotification(
  method: string,
  params: readonly unknown[],
  dialect: ElectrumDialect = 'modern',
): string {
  const head = dialect === 'old' ? '"id":null' : '"jsonrpc":"2.0"';
  return `{${head},"method":${encodeJson(method)},"params":${encodeJson(params)}}`;
}

/** A batch of encoded messages. */
export function encodeElectrumBatch(messages: readonly string[]): string {
  return `[${messages.join(',')}]`;
}
