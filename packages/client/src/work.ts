import { jobHeader, type MinerJob } from './job.js';
import type { FoundShare } from './search.js';

/** Spreads the low bits of `value` over the set bits of `mask`, lowest first. */
export function depositBits(value: number, mask: number): number {
  let bits = 0;
  let left = value;
  for (let bit = 0; bit < 32; bit++) {
    const flag = (1 << bit) >>> 0;
    if ((mask & flag) === 0) continue;
    if ((left & 1) === 1) bits |= flag;
    left = Math.floor(left / 2);
  }
  return bits >>> 0;
}

/** `counter` as little-endian bytes; higher bytes that do not fit are dropped. */
export function counterBytes(counter: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let left = counter;
  for (let i = 0; i < size; i++) {
    bytes[i] = left % 256;
    left = Math.floor(left / 256);
  }
  return bytes;
}

/** A header whose 2^32 nonces nobody else tries. */
export interface WorkUnit {
  readonly job: MinerJob;
  readonly header: Uint8Array;
  readonly extranonce2: Uint8Array;
  readonly ntime: number;
  readonly versionBits: number | undefined;
}

export interface WorkUnitOptions {
  /** Number of the unit; gives each its extranonce2 and version bits. */
  readonly counter: number;
  /** Unix seconds; at least the job's. */
  readonly ntime: number;
  readonly rollVersion: boolean;
}

/** Unit number `counter` of a job. */
export function makeWorkUnit(job: MinerJob, { counter, ntime, rollVersion }: WorkUnitOptions): WorkUnit {
  const extranonce2 = counterBytes(counter, job.extranonce2Size);
  const versionBits = job.versionMask === 0 ? undefined : rollVersion ? depositBits(counter, job.versionMask) : 0;
  const header = jobHeader(job, { extranonce2, ntime, ...(versionBits !== undefined && { versionBits }) });
  return { job, header, extranonce2, ntime, versionBits };
}

/** The share that a nonce makes of a unit. */
export function unitShare(unit: WorkUnit, nonce: number, hash: Uint8Array): FoundShare {
  return {
    jobId: unit.job.jobId,
    extranonce2: unit.extranonce2,
    ntime: unit.ntime,
    nonce,
    versionBits: unit.versionBits,
    hash,
  };
}
