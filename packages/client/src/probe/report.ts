/** What one check found. `not checked`: something it needs was missing; the text says what. */
export type ProbeStatus = 'ok' | 'warning' | 'wrong' | 'not supported' | 'not checked';

/** The checks, in the order of the report. */
export const PROBE_CHECKS = [
  'connect',
  'tls',
  'http',
  'configure',
  'version rolling',
  'minimum difficulty',
  'subscribe',
  'extranonce',
  'answers',
  'split lines',
  'several messages',
  'id types',
  'null id',
  'submit before authorize',
  'authorize',
  'first job',
  'difficulty',
  'job id',
  'coinbase',
  'height',
  'merkle branch',
  'version',
  'nbits',
  'ntime',
  'clean flag',
  'extranonce subscription',
  'ping',
  'transactions',
  'suggested difficulty',
  'unknown method',
  'bad params',
  'unknown job',
  'low difficulty',
  'duplicate',
  'job sequence',
  'notify interval',
  'resume',
] as const;

export type ProbeCheck = (typeof PROBE_CHECKS)[number];

export interface ProbeFinding {
  readonly check: ProbeCheck;
  readonly status: ProbeStatus;
  /** One sentence. Text of the pool in it is printable ASCII. */
  readonly text: string;
}

/** Numbers a report holds; a member is missing when it was not learnt. Times in milliseconds. */
export interface ProbeFacts {
  connectMs?: number;
  subscribeMs?: number;
  authorizeMs?: number;
  /** From the authorize answer to the first job; 0 when the job was faster. */
  firstJobMs?: number;
  extranonce1Bytes?: number;
  extranonce2Bytes?: number;
  /** 8 hex digits. */
  versionMask?: string;
  difficulty?: number;
  height?: number;
  merkleSteps?: number;
  coinbaseBytes?: number;
  jobs?: number;
  tls?: {
    readonly protocol: string;
    readonly cipher: string;
    readonly subject: string;
    readonly validTo: string;
    readonly fingerprint256: string;
    readonly trusted: boolean;
  };
}

/** A conformance report. */
export interface ProbeReport {
  /** Host and port asked. */
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** `wrong` when a finding is. */
  readonly verdict: 'ok' | 'wrong';
  readonly findings: readonly ProbeFinding[];
  readonly facts: Readonly<ProbeFacts>;
}

/** Collects findings; the worst one of a check stays. */
export class Findings {
  readonly facts: ProbeFacts = {};
  readonly #byCheck = new Map<ProbeCheck, ProbeFinding>();

  add(check: ProbeCheck, status: ProbeStatus, text: string): void {
    const before = this.#byCheck.get(check);
    if (before === undefined || rank(status) > rank(before.status)) this.#byCheck.set(check, { check, status, text });
  }

  /** In the order of {@link PROBE_CHECKS}. */
  list(): readonly ProbeFinding[] {
    return PROBE_CHECKS.flatMap((check) => this.#byCheck.get(check) ?? []);
  }
}

function rank(status: ProbeStatus): number {
  return ['not checked', 'ok', 'not supported', 'warning', 'wrong'].indexOf(status);
}

/** Text of a pool, fit to be printed. */
export function printable(text: string, maxLength = 80): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}...` : text;
  return cut.replace(/[^\x20-\x7e]/g, '?');
}
