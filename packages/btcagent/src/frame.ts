import { readSetDifficulty, SET_DIFFICULTY_HEAD_BYTES, type SetDifficulty } from './difficulty-frames.js';
import { FRAME_HEADER_BYTES, FRAME_MAGIC, FrameCommand, readU16 } from './format.js';
import { readSubmitResponse, SUBMIT_RESPONSE_BYTES, type SubmitResponse } from './response-frames.js';
import { readSubmit, type SubmitShare, submitLength } from './submit-frames.js';
import {
  MAX_REGISTER_BYTES,
  MIN_REGISTER_BYTES,
  type RegisterWorker,
  readRegister,
  type UnregisterWorker,
} from './worker-frames.js';

/**
 * A frame that says nothing to us. Both sides skip such frames and go on; count them, and close the connection of a
 * peer that sends nothing else.
 */
export interface IgnoredFrame {
  readonly kind: 'ignored';
  /** The command byte; -1 when the bytes are no frame at all. */
  readonly command: number;
  readonly reason: 'not-a-frame' | 'unknown-command' | 'wrong-length' | 'bad-value';
}

/** Everything a frame can be. */
export type AgentFrame =
  | RegisterWorker
  | UnregisterWorker
  | SubmitShare
  | SetDifficulty
  | SubmitResponse
  | IgnoredFrame;

function ignored(command: number, reason: IgnoredFrame['reason']): IgnoredFrame {
  return { kind: 'ignored', command, reason };
}

/**
 * Reads the one frame that is `bytes[start..end)`, of either direction. Never throws; nothing of `bytes` is kept.
 *
 * @example
 * const frame = decodeFrame(bytes, start, end);
 * if (frame.kind === 'submit') judge(frame);
 */
export function decodeFrame(bytes: Uint8Array, start = 0, end = bytes.length): AgentFrame {
  const length = end - start;
  if (length < FRAME_HEADER_BYTES || end > bytes.length || bytes[start] !== FRAME_MAGIC) {
    return ignored(-1, 'not-a-frame');
  }
  const command = bytes[start + 1] ?? 0;
  if (readU16(bytes, start + 2) !== length) return ignored(command, 'wrong-length');
  const exact = submitLength(command);
  if (exact !== 0) return length === exact ? readSubmit(bytes, start, command) : ignored(command, 'wrong-length');
  switch (command) {
    case FrameCommand.registerWorker:
      if (length < MIN_REGISTER_BYTES || length > MAX_REGISTER_BYTES) return ignored(command, 'wrong-length');
      return readRegister(bytes, start, end) ?? ignored(command, 'bad-value');
    case FrameCommand.unregisterWorker:
      if (length !== 6) return ignored(command, 'wrong-length');
      return { kind: 'unregister', sessionId: readU16(bytes, start + 4) };
    case FrameCommand.setDifficulty:
      if (length < SET_DIFFICULTY_HEAD_BYTES) return ignored(command, 'wrong-length');
      return readSetDifficulty(bytes, start, end) ?? ignored(command, 'bad-value');
    case FrameCommand.submitResponse:
      if (length !== SUBMIT_RESPONSE_BYTES) return ignored(command, 'wrong-length');
      return readSubmitResponse(bytes, start);
    default:
      return ignored(command, 'unknown-command');
  }
}
