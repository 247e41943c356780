import type { RejectCode } from '@headframe/primitives';
import { checkInteger } from './check.js';
import { FrameCommand, newFrame, readU16, readU32, writeU16, writeU32 } from './format.js';

/** What became of a share; sent for each one to agents that asked for it. */
export interface SubmitResponse {
  readonly kind: 'submit-response';
  /** Number of the submit frame on its connection, counted from 0 and wrapping after 65,535. */
  readonly index: number;
  /** One of {@link SubmitStatus}, or another number: 32 bits, signed. */
  readonly status: number;
}

/** Statuses that pools send. The first four are successes; a miner is told every other as error of that number. */
export const SubmitStatus = {
  accepted: 1_798_084_231,
  acceptedStale: 950_395_421,
  solved: 1_422_486_894,
  solvedStale: 1_713_984_938,
  rejected: 0,
  stale: 21,
  duplicate: 22,
  lowDifficulty: 23,
  unauthorized: 24,
  notSubscribed: 25,
  illegalMethod: 26,
  illegalParams: 27,
  banned: 28,
  internal: 30,
  timeTooOld: 31,
  timeTooNew: 32,
  invalidVersionMask: 33,
  jobNotFound: 36,
  staleShare: 37,
} as const;
export type SubmitStatus = (typeof SubmitStatus)[keyof typeof SubmitStatus];

const STATUS_OF_REJECT: Readonly<Record<RejectCode, SubmitStatus>> = {
  other: SubmitStatus.rejected,
  'invalid-params': SubmitStatus.illegalParams,
  'invalid-extranonce2': SubmitStatus.illegalParams,
  'invalid-ntime': SubmitStatus.illegalParams,
  'invalid-nonce': SubmitStatus.illegalParams,
  'invalid-version-bits': SubmitStatus.invalidVersionMask,
  'ntime-too-old': SubmitStatus.timeTooOld,
  'ntime-too-new': SubmitStatus.timeTooNew,
  'unknown-method': SubmitStatus.illegalMethod,
  'not-supported': SubmitStatus.illegalMethod,
  'job-not-found': SubmitStatus.jobNotFound,
  stale: SubmitStatus.staleShare,
  duplicate: SubmitStatus.duplicate,
  'low-difficulty': SubmitStatus.lowDifficulty,
  unauthorized: SubmitStatus.unauthorized,
  'not-subscribed': SubmitStatus.notSubscribed,
  banned: SubmitStatus.banned,
  busy: SubmitStatus.rejected,
  'rate-limited': SubmitStatus.rejected,
  timeout: SubmitStatus.internal,
  internal: SubmitStatus.internal,
};

/** The status that says what a rejection says. */
export function statusOfReject(code: RejectCode): SubmitStatus {
  return STATUS_OF_REJECT[code];
}

/** Whether a status is a success. */
export function isAcceptedStatus(status: number): boolean {
  return (
    status === SubmitStatus.accepted ||
    status === SubmitStatus.acceptedStale ||
    status === SubmitStatus.solved ||
    status === SubmitStatus.solvedStale
  );
}

/**
 * The number of the submit after this one. Both sides count every well-formed submit frame after authorization, those
 * of unregistered miners too: a frame counted by one side alone shifts every later answer to another share.
 */
export function nextSubmitIndex(index: number): number {
  return (index + 1) & 0xffff;
}

/** Length of a response frame. */
export const SUBMIT_RESPONSE_BYTES = 10;

/** Reads a response whose length has been checked. */
export function readSubmitResponse(bytes: Uint8Array, start: number): SubmitResponse {
  return { kind: 'submit-response', index: readU16(bytes, start + 4), status: readU32(bytes, start + 6) | 0 };
}

/**
 * The frame that answers a submit.
 * @param index 0 to 65,535, as {@link nextSubmitIndex} counts
 * @throws PoolError `invalid_argument` for a number out of range
 */
export function encodeSubmitResponse(index: number, status: number): Uint8Array {
  checkInteger('submit index', index, 0xffff);
  checkInteger('status', status, 0x7fffffff);
  const frame = newFrame(FrameCommand.submitResponse, SUBMIT_RESPONSE_BYTES);
  writeU16(frame, 4, index);
  writeU32(frame, 6, status);
  return frame;
}
