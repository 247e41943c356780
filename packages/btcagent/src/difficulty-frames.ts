import { PoolError } from '@headframe/primitives';
import { checkInteger, checkSessionId } from './check.js';
import { FrameCommand, newFrame, readU16, writeU16 } from './format.js';

/** A new difficulty for some miners: 2 to the power of `exponent`. */
export interface SetDifficulty {
  readonly kind: 'set-difficulty';
  readonly exponent: number;
  readonly sessionIds: Uint16Array;
}

/** Highest exponent: 2^63. */
export const MAX_EXPONENT = 63;

/** Header, exponent and count. */
export const SET_DIFFICULTY_HEAD_BYTES = 7;

/** Session ids that fit in one frame: 7 + 2 * 32,764 = 65,535 bytes. */
export const MAX_IDS_PER_FRAME = 32_764;

/**
 * The exponent of the smallest power of two that is no less than the difficulty, from 0 to {@link MAX_EXPONENT}. Agents
 * know no difficulty between two powers and none below 1.
 * @throws PoolError `invalid_difficulty` unless it is a number above zero
 */
export function exponentOf(difficulty: number): number {
  if (!(difficulty > 0)) throw new PoolError('invalid_difficulty', `not a difficulty: ${difficulty}`);
  let exponent = 0;
  while (exponent < MAX_EXPONENT && 2 ** exponent < difficulty) exponent++;
  return exponent;
}

/** The difficulty 2^exponent as exact decimal text. @throws PoolError `invalid_argument` for an exponent out of range */
export function difficultyText(exponent: number): string {
  checkInteger('exponent', exponent, MAX_EXPONENT);
  return (1n << BigInt(exponent)).toString();
}

/** Reads a frame of at least 7 bytes; undefined when count and length disagree or the exponent is out of range. */
export function readSetDifficulty(bytes: Uint8Array, start: number, end: number): SetDifficulty | undefined {
  const exponent = bytes[start + 4] ?? 0;
  const count = readU16(bytes, start + 5);
  if (exponent > MAX_EXPONENT || end - start !== SET_DIFFICULTY_HEAD_BYTES + 2 * count) return undefined;
  const sessionIds = new Uint16Array(count);
  for (let i = 0; i < count; i++) sessionIds[i] = readU16(bytes, start + SET_DIFFICULTY_HEAD_BYTES + 2 * i);
  return { kind: 'set-difficulty', exponent, sessionIds };
}

/**
 * The frames that give these miners one difficulty, in the order of the ids: as few as the format allows, none for no
 * ids.
 * @throws PoolError `invalid_argument` for an exponent or a session id out of range
 */
export function encodeSetDifficultyFrames(exponent: number, sessionIds: ArrayLike<number>): Uint8Array[] {
  checkInteger('exponent', exponent, MAX_EXPONENT);
  const frames: Uint8Array[] = [];
  for (let from = 0; from < sessionIds.length; from += MAX_IDS_PER_FRAME) {
    const count = Math.min(MAX_IDS_PER_FRAME, sessionIds.length - from);
    const frame = newFrame(FrameCommand.setDifficulty, SET_DIFFICULTY_HEAD_BYTES + 2 * count);
    frame[4] = exponent;
    writeU16(frame, 5, count);
    for (let i = 0; i < count; i++) {
      const sessionId = sessionIds[from + i] ?? 0;
      checkSessionId(sessionId);
      writeU16(frame, SET_DIFFICULTY_HEAD_BYTES + 2 * i, sessionId);
    }
    frames.push(frame);
  }
  return frames;
}
