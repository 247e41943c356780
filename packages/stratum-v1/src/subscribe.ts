import { bytesToHex, hexToBytes, PoolError } from '@headframe/primitives';
import { printable } from './text.js';

/** Bytes of a session id. 128 random bits: knowing one is the right to resume the session. */
export const SESSION_ID_BYTES = 16;

/** A placeholder compiled into old pool software, which miners bring along from there. It is nobody's session. */
const PLACEHOLDER_SESSION = 'ae6812eb4cd7735a302a8a9dd95cf71f';

/** The session id in lower case when the value has the form of ours; undefined otherwise (ids of other pools are common). */
export function parseSessionId(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^[0-9a-fA-F]{32}$/.test(value)) return undefined;
  const id = value.toLowerCase();
  return id === PLACEHOLDER_SESSION ? undefined : id;
}

/** What a miner says in `mining.subscribe`. Everything is optional there, and nothing makes it invalid. */
export interface SubscribeParams {
  /** Software name, printable ASCII, at most 128 characters. */
  readonly agent: string | undefined;
  /** A session to resume, when it has the form of our ids. */
  readonly sessionId: string | undefined;
  /** Where the miner believes to be connected to. */
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** Reads `[agent, session id, host, port]`; members of the wrong type are taken as absent. */
export function parseSubscribe(params: unknown): SubscribeParams {
  const [agent, session, host, port]: readonly unknown[] = Array.isArray(params) ? params : [];
  const portNumber = typeof port === 'string' && /^\d{1,5}$/.test(port) ? Number(port) : port;
  return {
    agent: typeof agent === 'string' && agent !== '' ? printable(agent, 128) : undefined,
    sessionId: parseSessionId(session),
    host: typeof host === 'string' && host !== '' ? printable(host, 255) : undefined,
    port:
      typeof portNumber === 'number' && Number.isInteger(portNumber) && portNumber > 0 && portNumber < 65536
        ? portNumber
        : undefined,
  };
}

/** A parsed answer to `mining.subscribe`. */
export interface Subscription {
  readonly sessionId: string | undefined;
  readonly extranonce1: Uint8Array;
  /** Bytes of extranonce2. */
  readonly extranonce2Size: number;
}

/** The result of `mining.subscribe` in its canonical form. */
export function subscribeResult(
  sessionId: string,
  extranonce1: Uint8Array,
  extranonce2Size: number,
): readonly unknown[] {
  return [
    [
      ['mining.set_difficulty', sessionId],
      ['mining.notify', sessionId],
    ],
    bytesToHex(extranonce1),
    extranonce2Size,
  ];
}

function findSessionId(subscriptions: unknown): string | undefined {
  if (!Array.isArray(subscriptions)) return undefined;
  // Flat ["mining.notify", id] is sent by a few pools instead of a list of pairs.
  const entries: readonly unknown[] = subscriptions[0] === 'mining.notify' ? [subscriptions] : subscriptions;
  for (const entry of entries) {
    if (Array.isArray(entry) && entry[0] === 'mining.notify' && typeof entry[1] === 'string') return entry[1];
  }
  return undefined;
}

/** Extranonce members as they stand in the subscribe result and in `mining.set_extranonce`. */
export function decodeExtranonce(hex: unknown, size: unknown): Omit<Subscription, 'sessionId'> {
  if (typeof hex !== 'string' || !/^(?:[0-9a-fA-F]{2}){0,32}$/.test(hex)) {
    throw new PoolError('invalid_data', 'extranonce1 is not hex of at most 32 bytes');
  }
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > 32) {
    throw new PoolError('invalid_data', 'extranonce2 size is not an integer from 0 to 32');
  }
  return { extranonce1: hexToBytes(hex), extranonce2Size: size };
}

/** Reads the result of `mining.subscribe`. @throws PoolError `invalid_data` */
export function decodeSubscribeResult(result: unknown): Subscription {
  if (!Array.isArray(result) || result.length < 3) {
    throw new PoolError('invalid_data', 'the subscribe result is no array of three');
  }
  const [subscriptions, extranonce1, size]: readonly unknown[] = result;
  return { sessionId: findSessionId(subscriptions), ...decodeExtranonce(extranonce1, size) };
}
