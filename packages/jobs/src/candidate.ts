import {
  assembleBlock,
  type BlockCandidate,
  type BlockTemplate,
  type FoundBlock,
  foldBranch,
  HEADER_BYTES,
  type JobRecord,
  jobIdToHex,
  sha256d,
} from '@headframe/mining';
import { bytesToHex, equalBytes, errorMessage, type Logger, toDisplayHex } from '@headframe/primitives';
import type { JobWindow } from './job-window.js';

/** A block made of a candidate, or why there is none. */
export type Assembly =
  | { readonly ok: true; readonly block: FoundBlock }
  | { readonly ok: false; readonly reason: string };

/** Where the merkle root lies in a header. */
const MERKLE_ROOT = { start: 36, end: 68 } as const;

/**
 * Makes the block. What the candidate says of itself is checked, because a block that is sent wrongly is lost:
 * the hash must be the header's (else the header's is used), and coinbase and transactions must give the header's
 * merkle root (else the job whose transactions do is looked for).
 */
export function assembleCandidate(candidate: BlockCandidate, window: JobWindow, log: Logger): Assembly {
  const { header, coinbase } = candidate;
  if (header.length !== HEADER_BYTES) return { ok: false, reason: `header has ${header.length} bytes` };
  const hash = sha256d(header);
  if (!equalBytes(hash, candidate.hash)) {
    log.error(
      { said: toDisplayHex(candidate.hash), is: toDisplayHex(hash) },
      'candidate names a hash that is not its own',
    );
  }
  const named = window.find(candidate.baseJobId);
  const template = matches(named, candidate) ? named?.template : findByRoot(candidate, window);
  if (template === undefined) {
    const job = jobIdToHex(candidate.baseJobId);
    const reason =
      named === undefined ? `job ${job} is not known` : `the transactions of job ${job} do not fit the header`;
    return { ok: false, reason };
  }
  if (template !== named?.template) {
    log.error({ job: jobIdToHex(candidate.baseJobId) }, 'candidate named another job than the one it was made from');
  }
  try {
    const hex = bytesToHex(assembleBlock({ template, header, coinbase }));
    const block = { hash: toDisplayHex(hash), height: template.height, hex, workId: template.workId, candidate };
    return { ok: true, block };
  } catch (error) {
    return { ok: false, reason: errorMessage(error) };
  }
}

function matches(job: { readonly record: JobRecord } | undefined, { header, coinbase }: BlockCandidate): boolean {
  if (job === undefined) return false;
  const root = foldBranch(sha256d(coinbase), job.record.merkleBranch);
  return equalBytes(root, header.subarray(MERKLE_ROOT.start, MERKLE_ROOT.end));
}

function findByRoot(candidate: BlockCandidate, window: JobWindow): BlockTemplate | undefined {
  for (const job of window.newestFirst()) if (matches(job, candidate)) return job.template;
  return undefined;
}
