import { checkInteger, checkSessionId } from './check.js';
import { FrameCommand, newFrame, readU16, readU32, writeU16, writeU32 } from './format.js';

/** A share of one miner behind the agent. */
export interface SubmitShare {
  readonly kind: 'submit';
  /** Number of the job on this connection, 0 to 255: what its notify gave as decimal text. */
  readonly jobIndex: number;
  readonly sessionId: number;
  /** The miner's 4 bytes, most significant first when written out; see {@link agentExtranonce2}. */
  readonly extranonce2: number;
  readonly nonce: number;
  /** Unix seconds; undefined when the frame has none. Undefined and 0 both mean the ntime of the job. */
  readonly ntime: number | undefined;
  /** Bits to flip in the version of the job; undefined when the frame has none. */
  readonly versionMask: number | undefined;
}

/** Lengths of the four forms. */
export const SUBMIT_BYTES = 15;
export const SUBMIT_EXTRA_BYTES = 4;

/** Reads a submit whose length has been checked. */
export function readSubmit(bytes: Uint8Array, start: number, command: number): SubmitShare {
  const hasTime = command === FrameCommand.submitWithTime || command === FrameCommand.submitWithTimeAndVersion;
  const hasVersion = command === FrameCommand.submitWithVersion || command === FrameCommand.submitWithTimeAndVersion;
  return {
    kind: 'submit',
    jobIndex: bytes[start + 4] ?? 0,
    sessionId: readU16(bytes, start + 5),
    extranonce2: readU32(bytes, start + 7),
    nonce: readU32(bytes, start + 11),
    ntime: hasTime ? readU32(bytes, start + 15) : undefined,
    versionMask: hasVersion ? readU32(bytes, start + (hasTime ? 19 : 15)) : undefined,
  };
}

/** Exact length of a submit frame by its command, or 0 when the command is no submit. */
export function submitLength(command: number): number {
  switch (command) {
    case FrameCommand.submit:
      return SUBMIT_BYTES;
    case FrameCommand.submitWithTime:
    case FrameCommand.submitWithVersion:
      return SUBMIT_BYTES + SUBMIT_EXTRA_BYTES;
    case FrameCommand.submitWithTimeAndVersion:
      return SUBMIT_BYTES + 2 * SUBMIT_EXTRA_BYTES;
    default:
      return 0;
  }
}

/**
 * The frame of a share, in the shortest of the four forms that holds what is given.
 * @throws PoolError `invalid_argument` for a field out of range
 */
export function encodeSubmit(share: Omit<SubmitShare, 'kind'>): Uint8Array {
  const { jobIndex, sessionId, extranonce2, nonce, ntime, versionMask } = share;
  checkInteger('job index', jobIndex, 0xff);
  checkSessionId(sessionId);
  checkInteger('extranonce2', extranonce2, 0xffffffff);
  checkInteger('nonce', nonce, 0xffffffff);
  const command =
    ntime === undefined
      ? versionMask === undefined
        ? FrameCommand.submit
        : FrameCommand.submitWithVersion
      : versionMask === undefined
        ? FrameCommand.submitWithTime
        : FrameCommand.submitWithTimeAndVersion;
  const frame = newFrame(command, submitLength(command));
  frame[4] = jobIndex;
  writeU16(frame, 5, sessionId);
  writeU32(frame, 7, extranonce2);
  writeU32(frame, 11, nonce);
  let at = SUBMIT_BYTES;
  if (ntime !== undefined) {
    checkInteger('ntime', ntime, 0xffffffff);
    writeU32(frame, at, ntime);
    at += SUBMIT_EXTRA_BYTES;
  }
  if (versionMask !== undefined) {
    checkInteger('version mask', versionMask, 0xffffffff);
    writeU32(frame, at, versionMask);
  }
  return frame;
}
