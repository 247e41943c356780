import { asciiToBytes, bytesToHex, PoolError, u32ToHex } from '@headframe/primitives';
import { positiveNumber, printable } from './text.js';

function line(method: string, paramsJson: string): Uint8Array {
  return asciiToBytes(`{"id":null,"method":"${method}","params":[${paramsJson}]}\n`);
}

/** JSON text that is pure ASCII. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * `mining.set_difficulty` with the exact decimal text of the difficulty, whose value shares are judged by.
 * @throws PoolError `invalid_difficulty` unless the text is a plain positive decimal (no exponent: some parsers choke)
 */
export function encodeSetDifficulty(decimal: string): Uint8Array {
  if (!/^(?:0|[1-9]\d*)(?:\.\d+)?$/.test(decimal) || positiveNumber(decimal) === undefined) {
    throw new PoolError('invalid_difficulty', `not a plain positive decimal: ${decimal}`);
  }
  return line('mining.set_difficulty', decimal);
}

/** `mining.set_extranonce`. Only to those who subscribed to it; follow it with a clean notify in the same write. */
export function encodeSetExtranonce(extranonce1: Uint8Array, extranonce2Size: number): Uint8Array {
  return line('mining.set_extranonce', `"${bytesToHex(extranonce1)}",${extranonce2Size}`);
}

/** `mining.set_version_mask` (BIP 310). Only after the authorize reply. */
export function encodeSetVersionMask(mask: number): Uint8Array {
  return line('mining.set_version_mask', `"${u32ToHex(mask)}"`);
}

/** Where `client.reconnect` sends a miner. All three are written as strings, which every client read accepts. */
export interface ReconnectTarget {
  readonly host: string;
  readonly port: number;
  readonly waitSeconds: number;
}

/** `client.reconnect`; without a target: come back to where you are. */
export function encodeReconnect(target?: ReconnectTarget): Uint8Array {
  if (target === undefined) return line('client.reconnect', '');
  return line('client.reconnect', `${asciiJson(target.host)},"${target.port}","${target.waitSeconds}"`);
}

/** `client.show_message`: a text for whoever looks at the miner. At most 500 characters. */
export function encodeShowMessage(text: string): Uint8Array {
  return line('client.show_message', asciiJson(text.slice(0, 500)));
}

/** Difficulty of `mining.set_difficulty`. @throws PoolError `invalid_data` unless it is a finite number above zero */
export function decodeSetDifficulty(params: unknown): number {
  const [first]: readonly unknown[] = Array.isArray(params) ? params : [];
  const difficulty = positiveNumber(first);
  if (difficulty === undefined) throw new PoolError('invalid_data', 'set_difficulty: not a positive number');
  return difficulty;
}

/** Mask of `mining.set_version_mask`. @throws PoolError `invalid_data` */
export function decodeSetVersionMask(params: unknown): number {
  const [first]: readonly unknown[] = Array.isArray(params) ? params : [];
  if (typeof first !== 'string' || !/^[0-9a-fA-F]{1,8}$/.test(first)) {
    throw new PoolError('invalid_data', 'set_version_mask: not 1 to 8 hex digits');
  }
  return Number.parseInt(first, 16);
}

/** Target of `client.reconnect`: undefined members mean "as before". Ports and waits come as numbers or strings. */
export function decodeReconnect(params: unknown): {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly waitSeconds: number;
} {
  const [host, port, wait]: readonly unknown[] = Array.isArray(params) ? params : [];
  const portNumber = positiveNumber(port);
  return {
    host: typeof host === 'string' && host !== '' ? printable(host, 255) : undefined,
    port: portNumber !== undefined && Number.isInteger(portNumber) && portNumber < 65536 ? portNumber : undefined,
    waitSeconds: Math.min(positiveNumber(wait) ?? 0, 3600),
  };
}
