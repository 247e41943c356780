import { powAlgorithm } from '@headframe/hashing';
import { networkTargetBytes } from '@headframe/mining';
import { bytesToHex, isAtMostLe, u32ToHex, uint256FromBytesLe } from '@headframe/primitives';
import { jobHeader, type MinerJob, shareTarget } from '../job.js';
import { defaultDifficultyFactor, searchNonce } from '../search.js';
import { answerText, type MainConnection, type ProbeContext } from './context.js';
import type { ProbeCheck } from './report.js';
import type { WireAnswer } from './wire.js';

/** Hashes spent on a real share, in slices between which the event loop turns. A few seconds of SHA-256d. */
const MAX_HASHES = { sha256d: 3_000_000, scrypt: 3000 } as const;
const SLICE = { sha256d: 50_000, scrypt: 50 } as const;
/** Nonces tried for a hash that is no share: where more are needed, everything is one. */
const MISS_TRIES = 64;

interface Junk {
  readonly check: ProbeCheck;
  readonly what: string;
  /** The usual code, which miners count by. */
  readonly code: number | undefined;
}

function judge(answer: WireAnswer, { check, what, code }: Junk, { findings }: ProbeContext): void {
  const text = `${what}: ${answerText(answer)}`;
  if (answer.kind === 'error') {
    if (code === undefined || answer.error.code === code) findings.add(check, 'ok', `${text}.`);
    else findings.add(check, 'warning', `${text}; ${code} is usual, and miners count by it.`);
  } else if (answer.kind === 'result' && answer.result === true) findings.add(check, 'wrong', `${text}: accepted.`);
  else if (answer.kind === 'result') findings.add(check, 'warning', `${text} and no reason.`);
  else findings.add(check, 'wrong', `${text}.`);
}

/**
 * Submits four shares that must be refused, and one that must not where the difficulty is low enough to find one in
 * seconds.
 */
export async function checkShares(main: MainConnection, context: ProbeContext): Promise<void> {
  const { findings } = context;
  const checks: readonly ProbeCheck[] = ['bad params', 'unknown job', 'low difficulty', 'duplicate'];
  const { job } = main;
  if (!main.authorized || job === undefined) {
    const need = main.authorized ? 'a job' : 'an authorized worker (--user)';
    for (const check of checks) findings.add(check, 'not checked', `Needs ${need}.`);
    return;
  }
  await checkBadParams(main, job, context);
  if (!main.wire.closed) await checkUnknownJob(main, job, context);
  if (!main.wire.closed) await checkLowDifficulty(main, main.job ?? job, context);
  if (!main.wire.closed) await checkDuplicate(main, main.job ?? job, context);
  if (main.wire.closed)
    for (const check of checks) findings.add(check, 'not checked', 'The pool closed the connection.');
}

/** As many params as there should be, of the right type: fewer have brought down pools, and this is no attack. */
async function checkBadParams({ wire }: MainConnection, job: MinerJob, context: ProbeContext): Promise<void> {
  const extranonce2 = bytesToHex(extranonceOf(job, 3));
  const params = [usernameOf(context), job.jobId, extranonce2, u32ToHex(job.notify.ntime), 'nonsense!'];
  const answer = await wire.ask('mining.submit', params, context.shortMs);
  judge(answer, { check: 'bad params', what: 'A submit whose nonce is no hex', code: undefined }, context);
}

async function checkUnknownJob({ wire }: MainConnection, job: MinerJob, context: ProbeContext): Promise<void> {
  const params = [
    usernameOf(context),
    'fffffff0',
    '00'.repeat(job.extranonce2Size),
    u32ToHex(job.notify.ntime),
    '00000000',
  ];
  const answer = await wire.ask('mining.submit', params, context.shortMs);
  judge(answer, { check: 'unknown job', what: 'A share of an unknown job', code: 21 }, context);
}

async function checkLowDifficulty(main: MainConnection, job: MinerJob, context: ProbeContext): Promise<void> {
  const { algorithm, findings, shortMs } = context;
  const extranonce2 = extranonceOf(job, 1);
  const header = jobHeader(job, { extranonce2 });
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const share = shareTarget(job.difficulty, defaultDifficultyFactor(algorithm));
  const network = networkTargetBytes(job.notify.nbits) ?? new Uint8Array(32);
  const pow = powAlgorithm(algorithm);
  for (let nonce = 0; nonce < MISS_TRIES; nonce++) {
    view.setUint32(76, nonce, true);
    const hash = pow.hash(header);
    // Where blocks are easier than shares, as on test networks, a share that is too easy may still be a block.
    if (isAtMostLe(hash, 0, share) || isAtMostLe(hash, 0, network)) continue;
    const answer = await main.wire.ask('mining.submit', submitParams(job, context, extranonce2, nonce), shortMs);
    judge(answer, { check: 'low difficulty', what: 'A share below the difficulty', code: 23 }, context);
    return;
  }
  findings.add('low difficulty', 'not checked', 'The difficulty is so low that every hash is a share.');
}

async function checkDuplicate(main: MainConnection, job: MinerJob, context: ProbeContext): Promise<void> {
  const { findings, algorithm, shortMs } = context;
  const { wire } = main;
  const target = shareTarget(job.difficulty, defaultDifficultyFactor(algorithm));
  const expected = Number(1n << 256n) / (Number(uint256FromBytesLe(target)) + 1);
  const extranonce2 = extranonceOf(job, 2);
  const nonce =
    expected > MAX_HASHES[algorithm] / 2 ? -1 : await findNonce(jobHeader(job, { extranonce2 }), target, context);
  if (nonce < 0) {
    findings.add('duplicate', 'not checked', 'Needs a real share, and the difficulty is too high to find one here.');
    return;
  }
  const from = wire.lines.length;
  const requests = [1, 2].map(() => wire.request('mining.submit', submitParams(job, context, extranonce2, nonce)));
  wire.send(requests.map(({ line }) => line).join(''));
  const [first, second] = await Promise.all(requests.map(({ idText }) => wire.answer(idText, from, shortMs)));
  if (first === undefined || second === undefined) return;
  if (first.kind !== 'result' || first.result !== true) {
    const text = answerText(first);
    findings.add('duplicate', 'warning', `A good share was not accepted (${text}): another algorithm, or a stale job?`);
    return;
  }
  judge(second, { check: 'duplicate', what: 'A good share was accepted; the same again', code: 22 }, context);
}

async function findNonce(header: Uint8Array, target: Uint8Array, { algorithm, clock }: ProbeContext): Promise<number> {
  for (let startNonce = 0; startNonce < MAX_HASHES[algorithm]; startNonce += SLICE[algorithm]) {
    const found = searchNonce({ header, target, algorithm, startNonce, maxNonces: SLICE[algorithm] });
    if (found.nonce >= 0) return found.nonce;
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 0));
  }
  return -1;
}

function submitParams(job: MinerJob, context: ProbeContext, extranonce2: Uint8Array, nonce: number): readonly string[] {
  const params = [usernameOf(context), job.jobId, bytesToHex(extranonce2), u32ToHex(job.notify.ntime), u32ToHex(nonce)];
  return job.versionMask === 0 ? params : [...params, '00000000'];
}

function extranonceOf(job: MinerJob, value: number): Uint8Array {
  const bytes = new Uint8Array(job.extranonce2Size);
  if (bytes.length > 0) bytes[0] = value;
  return bytes;
}

function usernameOf({ worker }: ProbeContext): string {
  return worker?.username ?? 'headframe-probe';
}
