import type { PowAlgorithmId } from '@headframe/hashing';
import type { Clock } from '@headframe/primitives';
import type { Subscription } from '@headframe/stratum-v1';
import type { WorkerCredentials } from '../handshake.js';
import type { MinerJob } from '../job.js';
import type { Findings } from './report.js';
import type { ProbeWire, WireAnswer } from './wire.js';

/** What the checks of one probe share. */
export interface ProbeContext {
  readonly findings: Findings;
  readonly clock: Clock;
  readonly agent: string;
  /** For each answer. */
  readonly timeoutMs: number;
  /** For answers that a pool may well leave out. */
  readonly shortMs: number;
  readonly worker: WorkerCredentials | undefined;
  readonly algorithm: PowAlgorithmId;
  /** Opens one more connection. */
  readonly open: () => Promise<ProbeWire>;
}

/** What the main connection has learnt. */
export interface MainConnection {
  readonly wire: ProbeWire;
  versionMask: number;
  subscription: Subscription | undefined;
  authorized: boolean;
  /** Another connection had the same extranonce1 at the same time. */
  isShared: boolean;
  /** Place of the first line after the authorize answer was asked for. */
  authorizeFrom: number;
  /** The job of the moment. */
  job: MinerJob | undefined;
}

/** How an answer reads in a sentence. */
export function answerText(answer: WireAnswer): string {
  switch (answer.kind) {
    case 'result':
      return `answered ${shortJson(answer.result)}`;
    case 'error':
      return `refused with ${answer.error.code ?? 'no code'} "${answer.error.message}"`;
    case 'silence':
      return 'no answer';
    case 'closed':
      return 'the connection was closed';
  }
}

/** A value of the pool as printable JSON, cut. */
export function shortJson(value: unknown): string {
  const text = (JSON.stringify(value) ?? 'null').replace(/[^\x20-\x7e]/g, '?');
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/** Looks at the form of an answer: every member there, the id as it was sent. */
export function checkAnswerForm(answer: WireAnswer, idText: string, findings: Findings): void {
  if (answer.kind !== 'result' && answer.kind !== 'error') return;
  const { keys, message } = answer.line;
  if (message.kind === 'response' && message.idText !== idText) {
    findings.add('id types', 'wrong', `The id ${idText} came back as ${message.idText}: some firmware drops that.`);
  }
  const missing = ['id', 'result', 'error'].filter((key) => !keys.includes(key));
  if (missing.length > 0) {
    findings.add('answers', 'warning', `Answers leave out "${missing.join('" and "')}", which some miners insist on.`);
  } else findings.add('answers', 'ok', 'Answers have id, result and error.');
}
