import { bytesToHex, PoolError, u32ToHex } from '@headframe/primitives';
import {
  decodeExtranonce,
  decodeNotify,
  decodeReconnect,
  decodeSetDifficulty,
  decodeSetVersionMask,
  type NotifyFields,
  swapWords,
} from '@headframe/stratum-v1';

/** `mining.notify`: a job. Byte arrays in internal order, integers as integers. */
export interface MiningNotification extends NotifyFields {
  readonly method: 'mining.notify';
}
/** `mining.set_difficulty`: counts from the next job on. */
export interface SetDifficultyNotification {
  readonly method: 'mining.set_difficulty';
  /** Finite and above 0. */
  readonly difficulty: number;
}
/** `mining.set_extranonce`: counts from the next job on. */
export interface SetExtranonceNotification {
  readonly method: 'mining.set_extranonce';
  readonly extranonce1: Uint8Array;
  /** Bytes of extranonce2. */
  readonly extranonce2Size: number;
}
/** `mining.set_version_mask` (BIP 310): counts from the next job on. */
export interface SetVersionMaskNotification {
  readonly method: 'mining.set_version_mask';
  readonly mask: number;
}
/** `client.reconnect`: come back, perhaps elsewhere. */
export interface ReconnectNotification {
  readonly method: 'client.reconnect';
  /** Undefined: where we are. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** 0 to 3,600. */
  readonly waitSeconds: number;
}
/** `client.show_message`: text for whoever looks at the miner. */
export interface ShowMessageNotification {
  readonly method: 'client.show_message';
  /** Printable ASCII, at most 500 characters. */
  readonly text: string;
}

/** What a pool says without being asked, as a value; `method` tells which. */
export type StratumNotification =
  | MiningNotification
  | SetDifficultyNotification
  | SetExtranonceNotification
  | SetVersionMaskNotification
  | ReconnectNotification
  | ShowMessageNotification;

/** The notifications by the name of their method: what the typed events of a client carry. */
export type NotificationEvents = {
  [Method in StratumNotification['method']]: Extract<StratumNotification, { readonly method: Method }>;
};

const MAX_TEXT = 500;

/**
 * Reads a notification; undefined for a method that is none of {@link StratumNotification}.
 * @throws PoolError `invalid_data` or `invalid_hex` when the params make no sense
 *
 * @example
 * decodeNotification('mining.set_difficulty', [512]); // { method: 'mining.set_difficulty', difficulty: 512 }
 */
export function decodeNotification(method: string, params: unknown): StratumNotification | undefined {
  const list: readonly unknown[] = Array.isArray(params) ? params : [];
  switch (method) {
    case 'mining.notify':
      return { method, ...decodeNotify(params) };
    case 'mining.set_difficulty':
      return { method, difficulty: decodeSetDifficulty(params) };
    case 'mining.set_extranonce':
      return { method, ...decodeExtranonce(list[0], list[1]) };
    case 'mining.set_version_mask':
      return { method, mask: decodeSetVersionMask(params) };
    case 'client.reconnect':
      return { method, ...decodeReconnect(params) };
    case 'client.show_message': {
      const [text] = list;
      if (typeof text !== 'string') throw new PoolError('invalid_data', 'show_message: no text');
      return { method, text: text.slice(0, MAX_TEXT).replace(/[^\x20-\x7e]/g, '?') };
    }
    default:
      return undefined;
  }
}

function branchHex(merkleBranch: Uint8Array): string[] {
  const steps: string[] = [];
  for (let at = 0; at < merkleBranch.length; at += 32) steps.push(bytesToHex(merkleBranch.subarray(at, at + 32)));
  return steps;
}

/** The params of a notification as they stand in JSON. {@link decodeNotification} reads them back. */
export function notificationParams(notification: StratumNotification): readonly unknown[] {
  switch (notification.method) {
    case 'mining.notify':
      return [
        notification.jobId,
        bytesToHex(swapWords(notification.previousHash)),
        bytesToHex(notification.coinbase1),
        bytesToHex(notification.coinbase2),
        branchHex(notification.merkleBranch),
        u32ToHex(notification.version),
        u32ToHex(notification.nbits),
        u32ToHex(notification.ntime),
        notification.clean,
      ];
    case 'mining.set_difficulty':
      return [notification.difficulty];
    case 'mining.set_extranonce':
      return [bytesToHex(notification.extranonce1), notification.extranonce2Size];
    case 'mining.set_version_mask':
      return [u32ToHex(notification.mask)];
    case 'client.reconnect': {
      const { host, port, waitSeconds } = notification;
      if (host === undefined && port === undefined && waitSeconds === 0) return [];
      // As strings where there is a value: every client that was read takes them so.
      return [host ?? null, port === undefined ? null : String(port), plainDecimal(waitSeconds)];
    }
    case 'client.show_message':
      return [notification.text];
  }
}

/**
 * The number in plain digits, as exactly as JSON would write it: exponents (`1e-7`) are legal JSON, and some miners
 * choke on them.
 */
function plainDecimal(value: number): string {
  const text = String(value);
  const match = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const digits = `${match[1]}${match[2] ?? ''}`;
  const point = 1 + Number(match[3]);
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  return digits.length <= point ? digits.padEnd(point, '0') : `${digits.slice(0, point)}.${digits.slice(point)}`;
}

/**
 * A notification as a line of the wire, newline included, in ASCII: what a pool sends.
 * @throws PoolError `invalid_data` for a difficulty that is no positive number
 */
export function encodeStratumNotification(notification: StratumNotification): string {
  const { method } = notification;
  let params: string;
  if (method === 'mining.set_difficulty') {
    const { difficulty } = notification;
    if (!(difficulty > 0 && difficulty < Number.POSITIVE_INFINITY)) {
      throw new PoolError('invalid_data', `not a difficulty: ${difficulty}`);
    }
    params = `[${plainDecimal(difficulty)}]`;
  } else {
    params = JSON.stringify(notificationParams(notification)).replace(
      /[^\x20-\x7e]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  }
  return `{"id":null,"method":"${method}","params":${params}}\n`;
}
