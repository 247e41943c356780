import { PoolError, type TypedEmitter } from '@headframe/primitives';
import {
  decodeExtranonce,
  decodeNotify,
  decodeReconnect,
  decodeSetDifficulty,
  decodeSetVersionMask,
  type NotifyFields,
} from '@headframe/stratum-v1';

/** Notifications of a pool, decoded, by the name of the method. */
export interface PushEvents {
  'mining.notify': NotifyFields;
  'mining.set_difficulty': number;
  'mining.set_extranonce': { readonly extranonce1: Uint8Array; readonly extranonce2Size: number };
  'mining.set_version_mask': number;
  'client.reconnect': {
    /** Undefined: where we are. */
    readonly host: string | undefined;
    readonly port: number | undefined;
    readonly waitSeconds: number;
  };
  /** Printable ASCII, at most 500 characters. */
  'client.show_message': string;
}

type Emit = (events: Pick<TypedEmitter<PushEvents>, 'safeEmit'>) => void;

function emitting<Name extends keyof PushEvents>(name: Name, payload: PushEvents[Name]): Emit {
  return (events) => events.safeEmit(name, payload);
}

/**
 * Decodes a notification; undefined for one this client does not know.
 * @throws PoolError `invalid_data` or `invalid_hex`
 */
export function decodePush(method: string, params: unknown): Emit | undefined {
  const list: readonly unknown[] = Array.isArray(params) ? params : [];
  switch (method) {
    case 'mining.notify':
      return emitting(method, decodeNotify(params));
    case 'mining.set_difficulty':
      return emitting(method, decodeSetDifficulty(params));
    case 'mining.set_extranonce':
      return emitting(method, decodeExtranonce(list[0], list[1]));
    case 'mining.set_version_mask':
      return emitting(method, decodeSetVersionMask(params));
    case 'client.reconnect':
      return emitting(method, decodeReconnect(params));
    case 'client.show_message': {
      const [text] = list;
      if (typeof text !== 'string') throw new PoolError('invalid_data', 'show_message: no text');
      return emitting(method, text.slice(0, 500).replace(/[^\x20-\x7e]/g, '?'));
    }
    default:
      return undefined;
  }
}
