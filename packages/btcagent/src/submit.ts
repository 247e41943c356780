import type { RejectCode } from '@headframe/primitives';
import { type SubmitFields, SubmitParse } from '@headframe/stratum-v1';
import { checkInteger, checkSessionId } from './check.js';
import { AGENT_EXTRANONCE2_BYTES } from './handshake.js';
import type { SubmitShare } from './submit-frames.js';

/** What must be known of the job that a share is for. */
export interface AgentJobTerms {
  /** Version in the header as the job gave it, 32 bits. */
  readonly version: number;
  /** Unix seconds, as the job gave them. */
  readonly ntime: number;
  /** Version bits that may be rolled; 0 for none. */
  readonly versionMask: number;
}

/**
 * Extranonce2 of a share as the coinbase has it, 8 bytes: two zero bytes, the session id, the miner's four, each most
 * significant byte first.
 * @throws PoolError `invalid_argument` for a number out of range
 */
export function agentExtranonce2(sessionId: number, extranonce2: number): Uint8Array {
  checkSessionId(sessionId);
  checkInteger('extranonce2', extranonce2, 0xffffffff);
  const bytes = new Uint8Array(AGENT_EXTRANONCE2_BYTES);
  writeExtranonce2(bytes, sessionId, extranonce2);
  return bytes;
}

function writeExtranonce2(out: Uint8Array, sessionId: number, extranonce2: number): void {
  out[0] = 0;
  out[1] = 0;
  out[2] = sessionId >>> 8;
  out[3] = sessionId & 0xff;
  out[4] = extranonce2 >>> 24;
  out[5] = (extranonce2 >>> 16) & 0xff;
  out[6] = (extranonce2 >>> 8) & 0xff;
  out[7] = extranonce2 & 0xff;
}

function refuse(out: SubmitFields, code: RejectCode, reason: string): SubmitParse {
  out.rejectCode = code;
  out.rejectReason = reason;
  return SubmitParse.rejected;
}

/**
 * Puts a share into the fields of a `mining.submit`, so that it is judged as any other. `idText` is `null`: a share in
 * a frame has no request id.
 *
 * - An ntime of 0 or none is the job's.
 * - Agents send version bits to flip; `versionBits` has the bits as they stand in the header, as BIP 310 submits have
 *   them. No flipped bits give -1, the job's version as it is.
 * - `worker` undefined (no miner has the session id) and `job` undefined (no such job index) are `rejected` as
 *   `job-not-found`: agents count these submits, so they need an answer, and the miner is to go on with the next job.
 * - Flipped bits outside the mask are `rejected` as `invalid-version-bits`.
 *
 * @returns {@link SubmitParse} `submit` or `rejected`
 */
export function submitFromFrame(
  share: SubmitShare,
  worker: string | undefined,
  job: AgentJobTerms | undefined,
  out: SubmitFields,
): SubmitParse {
  const flipped = share.versionMask ?? 0;
  out.idText = 'null';
  out.worker = worker ?? '';
  out.jobId = share.jobIndex;
  writeExtranonce2(out.extranonce2, share.sessionId, share.extranonce2);
  out.extranonce2Length = AGENT_EXTRANONCE2_BYTES;
  out.nonce = share.nonce;
  out.ntime = share.ntime ?? 0;
  out.versionBits = -1;
  out.paramCount = flipped === 0 ? 5 : 6;
  if (worker === undefined) return refuse(out, 'job-not-found', 'No miner has this session id');
  if (job === undefined) return refuse(out, 'job-not-found', '');
  if (out.ntime === 0) out.ntime = job.ntime;
  if (flipped !== 0) {
    if ((flipped & ~job.versionMask) !== 0) {
      return refuse(out, 'invalid-version-bits', 'Version bits outside the mask');
    }
    out.versionBits = ((job.version ^ flipped) & job.versionMask) >>> 0;
  }
  return SubmitParse.submit;
}
