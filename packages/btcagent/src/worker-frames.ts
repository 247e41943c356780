import { asciiToBytes, PoolError } from '@headframe/primitives';
import { checkSessionId } from './check.js';
import { FrameCommand, newFrame, readU16, writeU16 } from './format.js';

/** A miner connected to the agent. */
export interface RegisterWorker {
  readonly kind: 'register';
  readonly sessionId: number;
  /** The miner's own user agent; letters, digits and `._:|^/-` only, at most {@link MAX_CLIENT_AGENT}. May be empty. */
  readonly clientAgent: string;
  /** Its worker name in the same alphabet, at most {@link MAX_WORKER_NAME}; never empty. */
  readonly workerName: string;
}

/** A miner left the agent. */
export interface UnregisterWorker {
  readonly kind: 'unregister';
  readonly sessionId: number;
}

/** Name of a worker that gave none. */
export const DEFAULT_WORKER_NAME = '__default__';

/** Characters kept of a miner's user agent: the longest that the stricter agent sends. */
export const MAX_CLIENT_AGENT = 30;

/** Characters kept of a worker name: what fits beside an empty user agent in the 100-byte frames pools have taken. */
export const MAX_WORKER_NAME = 92;

/** Shortest registration: header, session id, two empty texts. */
export const MIN_REGISTER_BYTES = 8;

/**
 * Longest registration read. Pools took 100 bytes; an agent that does not cut user agents passes that, and a
 * registration that is dropped loses all shares of its miner. More than this no miner's name needs.
 */
export const MAX_REGISTER_BYTES = 512;

function isNameByte(byte: number): boolean {
  // "-./" and digits and ":" lie side by side.
  if (byte >= 0x2d && byte <= 0x3a) return true;
  if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) return true;
  return byte === 0x5f || byte === 0x7c || byte === 0x5e;
}

function filtered(bytes: Uint8Array, from: number, to: number, maxLength: number): string {
  let text = '';
  for (let at = from; at < to && text.length < maxLength; at++) {
    const byte = bytes[at] ?? 0;
    if (isNameByte(byte)) text += String.fromCharCode(byte);
  }
  return text;
}

/** Index of the first zero byte in `bytes[from..last)`, or `last`, whose byte counts as zero whatever it is. */
function zeroFrom(bytes: Uint8Array, from: number, last: number): number {
  let at = from;
  while (at < last && bytes[at] !== 0) at++;
  return at;
}

/** Reads a registration whose length lies within the limits; undefined when its session id is 0xffff. */
export function readRegister(bytes: Uint8Array, start: number, end: number): RegisterWorker | undefined {
  const sessionId = readU16(bytes, start + 4);
  if (sessionId === 0xffff) return undefined;
  const last = end - 1;
  const agentEnd = zeroFrom(bytes, start + 6, last);
  const nameEnd = zeroFrom(bytes, Math.min(agentEnd + 1, last), last);
  return {
    kind: 'register',
    sessionId,
    clientAgent: filtered(bytes, start + 6, agentEnd, MAX_CLIENT_AGENT),
    workerName: filtered(bytes, agentEnd + 1, nameEnd, MAX_WORKER_NAME) || DEFAULT_WORKER_NAME,
  };
}

/**
 * The frame that registers a miner. Texts are written as they are; the reader drops characters it does not allow.
 * @throws PoolError `invalid_argument` for a session id out of range, a text with a NUL or outside ASCII, or a frame
 * beyond {@link MAX_REGISTER_BYTES}
 */
export function encodeRegisterWorker(sessionId: number, clientAgent: string, workerName: string): Uint8Array {
  checkSessionId(sessionId);
  const length = MIN_REGISTER_BYTES + clientAgent.length + workerName.length;
  if (length > MAX_REGISTER_BYTES) throw new PoolError('invalid_argument', 'registration is too long');
  if (clientAgent.includes('\0') || workerName.includes('\0')) {
    throw new PoolError('invalid_argument', 'registration has a NUL in a text');
  }
  const frame = newFrame(FrameCommand.registerWorker, length);
  writeU16(frame, 4, sessionId);
  frame.set(asciiToBytes(clientAgent), 6);
  frame.set(asciiToBytes(workerName), 7 + clientAgent.length);
  return frame;
}

/** The frame that says a miner left. @throws PoolError `invalid_argument` for a session id out of range */
export function encodeUnregisterWorker(sessionId: number): Uint8Array {
  checkSessionId(sessionId);
  const frame = newFrame(FrameCommand.unregisterWorker, 6);
  writeU16(frame, 4, sessionId);
  return frame;
}
