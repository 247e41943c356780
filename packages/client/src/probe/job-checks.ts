import { nbitsToTarget, networkDifficulty, networkTargetBytes } from '@headframe/mining';
import { concatBytes, equalBytes, u32ToHex } from '@headframe/primitives';
import type { NotifyFields } from '@headframe/stratum-v1';
import { parseCoinbase } from './coinbase.js';
import type { Findings } from './report.js';

/** What was in force when a job came. */
export interface JobContext {
  readonly extranonce1: Uint8Array;
  readonly extranonce2Size: number;
  /** 0 when none was granted. */
  readonly versionMask: number;
  /** Unix milliseconds. */
  readonly nowMs: number;
}

/** Bitcoin's rules: a block may lie two hours ahead of the clock. */
const MAX_AHEAD_SECONDS = 7200;
/** A job's time that is more off than this comes from a clock that is wrong, or from a job that is old. */
const ODD_SECONDS = 600;
/** 2^16 transactions do not fit in a block of 4 million weight units. */
const MAX_SANE_STEPS = 16;

/** Looks at one job. */
export function checkJob(job: NotifyFields, context: JobContext, findings: Findings): void {
  checkJobId(job, findings);
  checkCoinbase(job, context, findings);
  const steps = job.merkleBranch.length / 32;
  findings.facts.merkleSteps = steps;
  if (steps > MAX_SANE_STEPS)
    findings.add('merkle branch', 'wrong', `${steps} steps: no block has so many transactions.`);
  else findings.add('merkle branch', 'ok', `${steps} steps.`);
  const rolled = (job.version & context.versionMask) >>> 0;
  if (rolled !== 0) {
    const bits = `${u32ToHex(job.version)} has bits ${u32ToHex(rolled)} of the mask`;
    findings.add('version', 'warning', `Version ${bits} set, which miners overwrite.`);
  } else if (job.version === 0) findings.add('version', 'wrong', 'Version 0: no chain takes such blocks.');
  else findings.add('version', 'ok', `Version ${u32ToHex(job.version)}.`);
  checkNbits(job, findings);
  const offSeconds = Math.round(job.ntime - context.nowMs / 1000);
  const off = `${Math.abs(offSeconds)} s ${offSeconds < 0 ? 'behind' : 'ahead of'} the clock here`;
  if (offSeconds > MAX_AHEAD_SECONDS) findings.add('ntime', 'wrong', `${off}: nodes refuse such blocks.`);
  else if (Math.abs(offSeconds) > ODD_SECONDS) findings.add('ntime', 'warning', `${off}.`);
  else findings.add('ntime', 'ok', `${off}.`);
}

function checkJobId({ jobId }: NotifyFields, findings: Findings): void {
  if (/^[0-9a-fA-F]{1,8}$/.test(jobId)) findings.add('job id', 'ok', `Hex of ${jobId.length} digits.`);
  else findings.add('job id', 'warning', 'Not 1 to 8 hex digits, which is what old miners compare by.');
}

function checkCoinbase(job: NotifyFields, context: JobContext, findings: Findings): void {
  const extranonce2 = new Uint8Array(context.extranonce2Size);
  const coinbase = parseCoinbase(concatBytes(job.coinbase1, context.extranonce1, extranonce2, job.coinbase2));
  if (typeof coinbase === 'string') {
    findings.add('coinbase', 'wrong', `The coinbase is no valid transaction: ${coinbase}.`);
    findings.add('height', 'not checked', 'Needs a coinbase that can be read.');
    return;
  }
  const { bytes, scriptBytes, outputs, height, extraBytes, value } = coinbase;
  findings.facts.coinbaseBytes = bytes;
  const size = `${bytes} bytes, script ${scriptBytes}, ${outputs} output${outputs === 1 ? '' : 's'}`;
  if (value === 0n) findings.add('coinbase', 'warning', `${size}; it pays nothing.`);
  else if (extraBytes > 0) findings.add('coinbase', 'ok', `${size}, and a payload of ${extraBytes} bytes.`);
  else findings.add('coinbase', 'ok', `${size}.`);
  if (height === undefined) findings.add('height', 'warning', 'The script does not begin with the height (BIP 34).');
  else {
    findings.facts.height = height;
    findings.add('height', 'ok', `Height ${height}.`);
  }
}

function checkNbits({ nbits }: NotifyFields, findings: Findings): void {
  const { target, negative, overflow } = nbitsToTarget(nbits);
  const bytes = networkTargetBytes(nbits);
  if (bytes === undefined || negative || overflow || target === 0n) {
    findings.add('nbits', 'wrong', `${u32ToHex(nbits)} is no target a hash could meet.`);
  } else {
    findings.add(
      'nbits',
      'ok',
      `${u32ToHex(nbits)}, network difficulty ${networkDifficulty(bytes, 1).toPrecision(4)}.`,
    );
  }
}

/** Looks at the jobs of a connection in their order. */
export function checkJobSequence(jobs: readonly NotifyFields[], findings: Findings): void {
  const seen = new Set<string>();
  let last: NotifyFields | undefined;
  for (const job of jobs) {
    if (seen.has(job.jobId)) {
      findings.add('job sequence', 'wrong', 'A job id came twice: miners cannot tell which one a share belongs to.');
    }
    seen.add(job.jobId);
    if (last !== undefined) {
      const isSameBlock = equalBytes(last.previousHash, job.previousHash);
      if (!isSameBlock && !job.clean) {
        findings.add(
          'clean flag',
          'wrong',
          'A job on a new block came without clean_jobs: miners go on with old work.',
        );
      } else if (isSameBlock && job.clean) {
        findings.add(
          'clean flag',
          'warning',
          'A job on the same block had clean_jobs set: miners throw good work away.',
        );
      }
    } else if (!job.clean) findings.add('clean flag', 'warning', 'The first job came without clean_jobs.');
    last = job;
  }
  if (jobs.length === 0) return;
  findings.add('clean flag', 'ok', `As it should be in ${jobs.length} job${jobs.length === 1 ? '' : 's'}.`);
  findings.add('job sequence', 'ok', `${jobs.length} job${jobs.length === 1 ? '' : 's'}, ids unique.`);
}
