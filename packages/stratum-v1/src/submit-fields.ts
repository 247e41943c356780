import type { RejectCode } from '@headframe/primitives';

/** Longest extranonce2 in bytes that a submit may carry; more is refused before any copy. */
export const MAX_EXTRANONCE2 = 32;

/** What parsing a line as `mining.submit` came to. Small integers: the caller switches on every share. */
export const SubmitParse = {
  /** Every field is filled in. */
  submit: 0,
  /** Not a submit, or written in a way only the generic JSON path reads. Nothing in the fields counts. */
  notSubmit: 1,
  /** A submit that cannot be judged: `rejectCode` and `rejectReason` say why; `idText` is set. */
  rejected: 2,
} as const;
export type SubmitParse = (typeof SubmitParse)[keyof typeof SubmitParse];

/**
 * The last worker name read and the bytes it came from. While the same bytes follow, the same string object is handed
 * out, so that a share costs no string. Give each session its own: miners send one name all day.
 */
export interface WorkerNameCache {
  /** ASCII bytes of `text`; its length is the length of the name. */
  bytes: Uint8Array;
  text: string;
}

/** Fields of one submit. A mutable object, reused for every share: copy what outlives the call. */
export interface SubmitFields {
  /** The request id as JSON text, ready to be echoed; `null` when there was none or it was null: then nobody waits for an answer. */
  idText: string;
  /** Name as sent. Null on the wire is read as the empty name: "the only worker of this connection". */
  worker: string;
  /** Unsigned 32-bit of 1 to 8 hex digits; -1 when the text cannot be one of our ids (then: job not found). */
  jobId: number;
  /** The first `extranonce2Length` bytes count. */
  readonly extranonce2: Uint8Array;
  extranonce2Length: number;
  /** Unix seconds. */
  ntime: number;
  nonce: number;
  /** Rolled version bits as sent; -1 when the 6th param is absent or null. */
  versionBits: number;
  paramCount: number;
  rejectCode: RejectCode;
  rejectReason: string;
  /** Swap in the session's cache before parsing one of its lines. */
  names: WorkerNameCache;
}

/** An empty cache (see {@link WorkerNameCache}). */
export function createWorkerNameCache(): WorkerNameCache {
  return { bytes: new Uint8Array(0), text: '' };
}

/** Fresh fields; make one and reuse it. */
export function createSubmitFields(): SubmitFields {
  return {
    idText: 'null',
    worker: '',
    jobId: -1,
    extranonce2: new Uint8Array(MAX_EXTRANONCE2),
    extranonce2Length: 0,
    ntime: 0,
    nonce: 0,
    versionBits: -1,
    paramCount: 0,
    rejectCode: 'other',
    rejectReason: '',
    names: createWorkerNameCache(),
  };
}

/** Marks the fields as refused. */
export function refuseSubmit(out: SubmitFields, code: RejectCode, reason: string): SubmitParse {
  out.rejectCode = code;
  out.rejectReason = reason;
  return SubmitParse.rejected;
}

/** Reason text for a wrong number of params. */
export function paramCountReason(count: number): string {
  return `Expected 5 or 6 params, got ${count}`;
}

/** Names of the params in reasons, by position. */
export const SUBMIT_PARAM_NAMES: readonly string[] = [
  'Worker',
  'Job id',
  'Extranonce2',
  'Ntime',
  'Nonce',
  'Version bits',
];

/** Code that a bad param at this position is refused with. */
export const SUBMIT_PARAM_CODES: readonly RejectCode[] = [
  'invalid-params',
  'invalid-params',
  'invalid-extranonce2',
  'invalid-ntime',
  'invalid-nonce',
  'invalid-version-bits',
];

/** Why the text of a hex param was refused. `length` counts characters. */
export function hexReason(position: number, length: number, isPrefixed: boolean): string {
  const name = SUBMIT_PARAM_NAMES[position] ?? 'Param';
  if (length === 0) return `${name} is empty`;
  if (isPrefixed) return `${name} must be hex without a 0x prefix`;
  if (position === 2) {
    if (length > 2 * MAX_EXTRANONCE2) return `${name} is longer than ${MAX_EXTRANONCE2} bytes`;
    if (length % 2 === 1) return `${name} has an odd number of hex digits`;
  } else if (length > 8) return `${name} has more than 8 hex digits`;
  return `${name} is not hex`;
}
