import { isPoolError, PoolError, type Reject, type RejectCode } from '@headframe/primitives';

/** An error as it stands in a response: code, text, and null where other systems put a traceback. */
export type StratumErrorTuple = readonly [code: number, text: string, traceback: null];

/** One line of {@link STRATUM_ERRORS}. */
export interface StratumErrorEntry {
  /** 20 other, 21 no such job or stale, 22 duplicate, 23 low difficulty, 24 unauthorized, 25 not subscribed. */
  readonly code: number;
  /** Code in the old negative table, for software that was written against it. */
  readonly legacyCode: number;
  /** Text when the rejection carries no reason. Miners sort stale from invalid shares by this text, not by the code. */
  readonly text: string;
  /** When it is sent; for the documentation. */
  readonly summary: string;
}

/** The one mapping of rejections to the V1 wire. */
export const STRATUM_ERRORS: Readonly<Record<RejectCode, StratumErrorEntry>> = {
  other: { code: 20, legacyCode: -20, text: 'Rejected', summary: 'A handler or hook refused without a finer code.' },
  'invalid-params': {
    code: 20,
    legacyCode: -20,
    text: 'Invalid params',
    summary: 'Params are missing, of the wrong type or the wrong number.',
  },
  'invalid-extranonce2': {
    code: 20,
    legacyCode: -20,
    text: 'Invalid extranonce2',
    summary: 'Extranonce2 is not hex or not of the announced length.',
  },
  'invalid-ntime': { code: 20, legacyCode: -20, text: 'Invalid ntime', summary: 'Ntime is not 1 to 8 hex digits.' },
  'invalid-nonce': { code: 20, legacyCode: -20, text: 'Invalid nonce', summary: 'Nonce is not 1 to 8 hex digits.' },
  'invalid-version-bits': {
    code: 20,
    legacyCode: -20,
    text: 'Invalid version bits',
    summary: 'Version bits are not hex, lie outside the negotiated mask, or no mask was negotiated.',
  },
  'ntime-too-old': {
    code: 20,
    legacyCode: -20,
    text: 'Ntime too old',
    summary: 'Ntime is below the lowest the node accepts.',
  },
  'ntime-too-new': {
    code: 20,
    legacyCode: -20,
    text: 'Ntime too new',
    summary: 'Ntime is further in the future than allowed.',
  },
  'unknown-method': { code: 20, legacyCode: -3, text: 'Unknown method', summary: 'No such method.' },
  'not-supported': { code: 20, legacyCode: -2, text: 'Not supported', summary: 'Known, but not offered here.' },
  'job-not-found': {
    code: 21,
    legacyCode: -21,
    text: 'Job not found',
    summary: 'The job id was never sent on this connection or is forgotten.',
  },
  stale: {
    code: 21,
    legacyCode: -21,
    text: 'Stale share',
    summary: 'The job belongs to a block that has a successor.',
  },
  duplicate: { code: 22, legacyCode: -22, text: 'Duplicate share', summary: 'The same header was submitted before.' },
  'low-difficulty': {
    code: 23,
    legacyCode: -23,
    text: 'Low difficulty share',
    summary: 'The hash is above the share target of the job.',
  },
  unauthorized: {
    code: 24,
    legacyCode: -24,
    text: 'Unauthorized worker',
    summary: 'The worker is not authorized on this connection, or authorization failed.',
  },
  'not-subscribed': {
    code: 25,
    legacyCode: -25,
    text: 'Not subscribed',
    summary: 'The method needs mining.subscribe first.',
  },
  banned: { code: 24, legacyCode: -24, text: 'Banned', summary: 'The account or address is banned for a time.' },
  busy: { code: 20, legacyCode: -20, text: 'Server busy', summary: 'A queue is full; try again.' },
  'rate-limited': {
    code: 20,
    legacyCode: -20,
    text: 'Too many requests',
    summary: 'More requests than the limit allows.',
  },
  timeout: { code: 20, legacyCode: -20, text: 'Timed out', summary: 'A handler took too long.' },
  internal: { code: 20, legacyCode: -20, text: 'Internal error', summary: 'Something failed here; the log has it.' },
};

/** Longest reason that is sent; the rest is cut. Miners show about 28 characters. */
export const MAX_REASON_LENGTH = 200;

/** Which code column to use. `legacy`: the negative table of older node servers. */
export interface StratumErrorOptions {
  readonly codes?: 'standard' | 'legacy';
}

/** The wire form of a rejection: the registry's code, and `reason` or the registry's text. */
export function toStratumError(
  code: RejectCode,
  reason?: string,
  options: StratumErrorOptions = {},
): StratumErrorTuple {
  const entry = STRATUM_ERRORS[code];
  const text = reason === undefined || reason === '' ? entry.text : reason.slice(0, MAX_REASON_LENGTH);
  return [options.codes === 'legacy' ? entry.legacyCode : entry.code, text, null];
}

function standardTexts(codes: 'standard' | 'legacy'): ReadonlyMap<string, string> {
  return new Map(
    (Object.keys(STRATUM_ERRORS) as RejectCode[]).map((code) => [
      code,
      JSON.stringify(toStratumError(code, undefined, { codes })),
    ]),
  );
}
const STANDARD_JSON = standardTexts('standard');
const LEGACY_JSON = standardTexts('legacy');

/** {@link toStratumError} as JSON text; without a reason a string made once, so that rejecting a share costs nothing. */
export function stratumErrorJson(code: RejectCode, reason?: string, options: StratumErrorOptions = {}): string {
  const ready = (options.codes === 'legacy' ? LEGACY_JSON : STANDARD_JSON).get(code);
  if (ready !== undefined && (reason === undefined || reason === '')) return ready;
  return JSON.stringify(toStratumError(code, reason, options));
}

const CODE_TO_REJECT: ReadonlyMap<number, RejectCode> = new Map([
  [20, 'other'],
  [21, 'job-not-found'],
  [22, 'duplicate'],
  [23, 'low-difficulty'],
  [24, 'unauthorized'],
  [25, 'not-subscribed'],
  [-2, 'not-supported'],
  [-3, 'unknown-method'],
]);
const TEXT_TO_REJECT: ReadonlyMap<string, RejectCode> = new Map(
  (Object.keys(STRATUM_ERRORS) as RejectCode[]).map((code) => [STRATUM_ERRORS[code].text, code]),
);

/**
 * The wire-facing form of a {@link PoolError} (code `request_failed`). Throw it from a handler to refuse with a code
 * (returning `reject(code, reason)` is the cheaper way); a client gets it when the peer answered an error.
 */
export class StratumError extends PoolError {
  readonly rejectCode: RejectCode;
  /** The number on the wire. */
  readonly stratumCode: number;
  /** The text on the wire. */
  readonly reason: string;

  /** @param details more for the log, beside `rejectCode`, `stratumCode` and `reason`; never secrets */
  constructor(
    rejectCode: RejectCode,
    reason?: string,
    stratumCode?: number,
    details?: Readonly<Record<string, unknown>>,
  ) {
    const [code, text] = toStratumError(rejectCode, reason);
    super('request_failed', text, {
      details: { ...details, rejectCode, stratumCode: stratumCode ?? code, reason: text },
    });
    this.rejectCode = rejectCode;
    this.stratumCode = stratumCode ?? code;
    this.reason = text;
  }

  toTuple(): StratumErrorTuple {
    return [this.stratumCode, this.reason, null];
  }
}

/** True for a {@link StratumError}, also of another copy of this package. */
export function isStratumError(error: unknown): error is StratumError {
  return isPoolError(error, 'request_failed') && 'rejectCode' in error && 'stratumCode' in error;
}

/** The {@link StratumError} that says what a {@link Reject} says. */
export function stratumErrorFromReject(refusal: Reject): StratumError {
  return new StratumError(refusal.code, refusal.reason);
}

/**
 * Reads the `error` member of a response in any of the forms that are sent: `[code, text, ...]`, `{code, message}` or a
 * bare string. Anything else becomes code 20. A known text is preferred to the code, which several reasons share.
 * @param details as {@link StratumError} takes them, e.g. the method that was refused
 */
export function stratumErrorFromWire(error: unknown, details?: Readonly<Record<string, unknown>>): StratumError {
  let code: unknown;
  let text: unknown;
  if (Array.isArray(error)) [code, text] = error as unknown[];
  else if (typeof error === 'object' && error !== null) {
    code = 'code' in error ? error.code : undefined;
    text = 'message' in error ? error.message : undefined;
  } else text = error;
  const stratumCode = typeof code === 'number' && Number.isSafeInteger(code) ? code : 20;
  const reason = typeof text === 'string' && text !== '' ? text : undefined;
  const byCode = CODE_TO_REJECT.get(stratumCode) ?? CODE_TO_REJECT.get(-stratumCode) ?? 'other';
  const byText = TEXT_TO_REJECT.get(reason ?? '');
  return new StratumError(byText ?? byCode, reason, stratumCode, details);
}
