import type { PowAlgorithmId } from '@headframe/hashing';
import { type Clock, equalBytes, errorMessage, isPoolError, PoolError, systemClock } from '@headframe/primitives';
import {
  decodeExtranonce,
  decodeNotify,
  decodeSetDifficulty,
  decodeSubscribeResult,
  type NotifyFields,
} from '@headframe/stratum-v1';
import type { Connection, TlsClientOptions } from '@headframe/transport';
import { type DialOptions, dial, endpointOf } from '../connect.js';
import type { WorkerCredentials } from '../handshake.js';
import type { Extranonce } from '../mining-state.js';
import { waitFor } from '../wait.js';
import type { MainConnection, ProbeContext } from './context.js';
import { checkFraming } from './framing-checks.js';
import { checkAuthorize, checkConfigure, checkSubscribe } from './handshake-checks.js';
import { checkJob, checkJobSequence } from './job-checks.js';
import { checkHttp, checkTls } from './port-checks.js';
import { Findings, type ProbeReport } from './report.js';
import { checkRequests } from './request-checks.js';
import { checkShares } from './share-checks.js';
import { ProbeWire } from './wire.js';

export interface ProbeOptions extends DialOptions {
  /** Whom to authorize. Without, a made-up name is tried, and shares are not submitted unless it is let in. */
  readonly worker?: WorkerCredentials;
  /** For each connection and each answer that must come. Default 10,000. */
  readonly timeoutMs?: number;
  /** How long to listen for further jobs. Default 10,000. */
  readonly watchMs?: number;
  /** For shares. Default `sha256d`. */
  readonly algorithm?: PowAlgorithmId;
  /** Name and version told to the pool. Default `headframe-probe`. */
  readonly agent?: string;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** Longest wait for answers that a pool may leave out. */
const SHORT_MS = 3000;
/** From the end of a connection here until a pool far away knows of it. */
const SETTLE_MS = 500;
/** HTTP that is not answered in so long is not answered. */
const HTTP_MS = 2000;
/** Miners declare a pool dead after 90 seconds without a line. */
const SILENCE_MS = 90_000;

/**
 * Looks at a mining pool from outside: what it supports and what looks wrong. Five connections one after the other,
 * some thirty requests, at most five of them shares that must be refused: nothing a pool would call an attack.
 * @throws PoolError (as a rejection) `connection_refused`, `request_timeout` or `aborted` when the pool cannot be
 *   reached, `invalid_argument` on an address that is none
 *
 * @example
 * const report = await probePool({ url: 'stratum+tcp://127.0.0.1:3333', worker: { username: 'alice.rig' } });
 * for (const { check, status, text } of report.findings) console.log(check, status, text);
 */
export async function probePool(options: ProbeOptions): Promise<ProbeReport> {
  const endpoint = endpointOf(options);
  const clock = options.clock ?? systemClock;
  const timeoutMs = options.timeoutMs ?? 10_000;
  const findings = new Findings();
  const agent = options.agent ?? 'headframe-probe';
  let tls: TlsClientOptions = options.tls ?? {};
  const connect = async (): Promise<Connection> => {
    try {
      return await dial(endpoint, { ...options, tls, connectTimeoutMs: options.connectTimeoutMs ?? timeoutMs });
    } catch (cause) {
      throw isPoolError(cause) ? cause : new PoolError('connection_refused', errorMessage(cause), { cause });
    }
  };
  const context: ProbeContext = {
    findings,
    clock,
    agent,
    timeoutMs,
    shortMs: Math.min(timeoutMs, SHORT_MS),
    worker: options.worker,
    algorithm: options.algorithm ?? 'sha256d',
    open: async () => new ProbeWire(await connect(), clock, agent),
  };

  if (endpoint?.secure === true) {
    await checkTls(endpoint, { tls, now: clock.now(), timeoutMs }, findings);
    const seen = findings.facts.tls;
    // The report says that it is not trusted; the rest is looked at all the same, with the very certificate seen.
    if (seen !== undefined && !seen.trusted) tls = { ...tls, fingerprint256: seen.fingerprint256 };
  } else findings.add('tls', 'not checked', 'The address asks for plain TCP.');

  const startMs = clock.monotonic();
  const wire = await context.open();
  findings.facts.connectMs = clock.monotonic() - startMs;
  findings.add('connect', 'ok', `Connected in ${findings.facts.connectMs.toFixed(1)} ms.`);
  const main: MainConnection = {
    wire,
    versionMask: 0,
    subscription: undefined,
    authorized: false,
    isShared: false,
    authorizeFrom: 0,
    job: undefined,
  };
  const signal = options.signal ?? new AbortController().signal;
  const onAbort = (): void => wire.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await checkMain(main, context, options.watchMs ?? 10_000, signal);
    await unlessUnreachable(
      () => checkFraming(main, context),
      () => findings.add('split lines', 'not checked', 'A second connection was not accepted.'),
    );
  } finally {
    signal.removeEventListener('abort', onAbort);
    wire.close();
  }
  if (signal.aborted) throw new PoolError('aborted', 'the probe was aborted', { cause: signal.reason });
  await unlessUnreachable(
    () => checkResume(main, context),
    () => findings.add('resume', 'warning', 'A further connection was not accepted.'),
  );
  await unlessUnreachable(
    async () => checkHttp(await connect(), clock, Math.min(timeoutMs, HTTP_MS), findings),
    () => findings.add('http', 'not checked', 'A further connection was not accepted.'),
  );
  const list = findings.list();
  return {
    host: endpoint?.host ?? 'memory',
    port: endpoint?.port ?? 0,
    secure: endpoint?.secure ?? false,
    verdict: list.some(({ status }) => status === 'wrong') ? 'wrong' : 'ok',
    findings: list,
    facts: findings.facts,
  };
}

async function unlessUnreachable(check: () => Promise<void>, otherwise: () => void): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!isPoolError(error)) throw error;
    otherwise();
  }
}

async function checkMain(
  main: MainConnection,
  context: ProbeContext,
  watchMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { wire } = main;
  main.versionMask = await checkConfigure(wire, context);
  if (!wire.closed) await checkSubscribe(main, context);
  if (main.subscription === undefined) return;
  if (!wire.closed) await checkAuthorize(main, context);
  if (!wire.closed) await checkFirstJob(main, context);
  if (!wire.closed) await checkRequests(main, context);
  refreshJob(main, context);
  if (!wire.closed) await checkShares(main, context);
  if (!wire.closed) await waitFor(context.clock, watchMs, signal);
  const jobs = jobsOf(main);
  context.findings.facts.jobs = jobs.length;
  checkJobSequence(jobs, context.findings);
  checkInterval(main, context);
}

function isMethod(name: string): (line: { readonly message: ProbeWire['lines'][number]['message'] }) => boolean {
  return ({ message }) => (message.kind === 'notification' || message.kind === 'request') && message.method === name;
}

async function checkFirstJob(main: MainConnection, context: ProbeContext): Promise<void> {
  const { findings, timeoutMs, clock } = context;
  const { wire } = main;
  const answeredMs = clock.monotonic();
  const line = await wire.next(0, isMethod('mining.notify'), main.authorized ? timeoutMs : context.shortMs);
  if (line === undefined) {
    const status = main.authorized ? 'wrong' : 'not checked';
    findings.add('first job', status, main.authorized ? 'No job came.' : 'Without an authorized worker no job came.');
    return;
  }
  findings.facts.firstJobMs = Math.max(0, line.atMs - answeredMs);
  const text = `${findings.facts.firstJobMs.toFixed(1)} ms after authorize, ${line.bytes} bytes`;
  if (line.bytes > 4096) findings.add('first job', 'warning', `${text}: small firmware keeps 4,096.`);
  else findings.add('first job', 'ok', `${text}.`);
  const difficultyAt = wire.lines.findIndex(isMethod('mining.set_difficulty'));
  if (difficultyAt < 0 || difficultyAt > wire.lines.indexOf(line)) {
    findings.add('difficulty', 'warning', 'The first job came without a difficulty before it: miners assume 1.');
  }
  if ('params' in line.message) {
    try {
      const notify = decodeNotify(line.message.params);
      refreshJob(main, context);
      checkJob(
        notify,
        {
          extranonce1: main.subscription?.extranonce1 ?? new Uint8Array(0),
          extranonce2Size: main.subscription?.extranonce2Size ?? 0,
          versionMask: main.versionMask,
          nowMs: clock.now(),
        },
        findings,
      );
    } catch (error) {
      findings.add(
        'first job',
        'wrong',
        `The job cannot be read: ${error instanceof Error ? error.message : 'unknown'}.`,
      );
    }
  }
  if (main.job !== undefined) {
    findings.facts.difficulty = main.job.difficulty;
    findings.add('difficulty', 'ok', `Difficulty ${main.job.difficulty}.`);
  }
}

/** Jobs that can be read, in their order. */
function jobsOf({ wire }: MainConnection): readonly NotifyFields[] {
  return wire.lines.flatMap((line) => {
    if (!isMethod('mining.notify')(line) || !('params' in line.message)) return [];
    try {
      return [decodeNotify(line.message.params)];
    } catch {
      return [];
    }
  });
}

/** Makes the newest job, with the difficulty before it, the current one. */
function refreshJob(main: MainConnection, { findings, clock }: ProbeContext): void {
  const { subscription, versionMask, wire } = main;
  if (subscription === undefined) return;
  let difficulty = 1;
  let { extranonce1, extranonce2Size }: Extranonce = subscription;
  for (const line of wire.lines) {
    if (!('params' in line.message)) continue;
    try {
      if (isMethod('mining.set_difficulty')(line)) difficulty = decodeSetDifficulty(line.message.params);
      else if (isMethod('mining.set_extranonce')(line)) {
        const list: readonly unknown[] = Array.isArray(line.message.params) ? line.message.params : [];
        ({ extranonce1, extranonce2Size } = decodeExtranonce(list[0], list[1]));
      } else if (isMethod('mining.notify')(line)) {
        const notify = decodeNotify(line.message.params);
        main.job = {
          jobId: notify.jobId,
          notify,
          difficulty,
          extranonce1,
          extranonce2Size,
          versionMask,
          receivedAtMs: clock.now(),
        };
      }
    } catch {
      if (isMethod('mining.notify')(line)) findings.add('first job', 'wrong', 'A job that cannot be read came.');
      else if (isMethod('mining.set_difficulty')(line)) {
        findings.add('difficulty', 'wrong', 'A difficulty that is no positive number came.');
      } else findings.add('extranonce', 'wrong', 'A set_extranonce that cannot be read came.');
    }
  }
}

function checkInterval({ wire }: MainConnection, { findings, clock }: ProbeContext): void {
  const times = wire.lines.filter(isMethod('mining.notify')).map(({ atMs }) => atMs);
  const [first] = times;
  if (first === undefined) return;
  const watchedMs = clock.monotonic() - first;
  const gaps = times.slice(1).map((atMs, i) => atMs - (times[i] ?? atMs));
  const longest = Math.max(0, ...gaps, clock.monotonic() - (times.at(-1) ?? first));
  const text = `${times.length} jobs in ${(watchedMs / 1000).toFixed(0)} s, longest gap ${(longest / 1000).toFixed(0)} s`;
  if (wire.closed) findings.add('notify interval', 'warning', `${text}; then the pool closed the connection.`);
  else if (longest >= SILENCE_MS)
    findings.add('notify interval', 'wrong', `${text}: miners declare the pool dead after 90 s.`);
  else findings.add('notify interval', 'ok', `${text}.`);
}

/** Whether a second connection gets the extranonce of the first. */
async function checkResume(main: MainConnection, context: ProbeContext): Promise<void> {
  const { findings, timeoutMs, agent } = context;
  const { subscription } = main;
  if (subscription?.sessionId === undefined) {
    const status = subscription === undefined ? 'not checked' : 'not supported';
    findings.add('resume', status, 'The pool gave no session id.');
    return;
  }
  const wire = await context.open();
  try {
    // The pool must have seen the end of the last connection, or the session is still in use there.
    await new Promise<void>((resolve) => context.clock.setTimeout(resolve, SETTLE_MS));
    const answer = await wire.ask('mining.subscribe', [agent, subscription.sessionId], timeoutMs);
    if (answer.kind !== 'result') {
      findings.add(
        'resume',
        'wrong',
        'mining.subscribe with the session id of the last connection was not answered well.',
      );
      return;
    }
    const { extranonce1 } = decodeSubscribeResult(answer.result);
    if (main.isShared) findings.add('resume', 'not checked', 'All connections get the same extranonce1.');
    else if (equalBytes(extranonce1, subscription.extranonce1))
      findings.add('resume', 'ok', 'The next connection got the same extranonce1.');
    else if (main.authorized) findings.add('resume', 'not supported', 'The next connection got another extranonce1.');
    else findings.add('resume', 'not checked', 'Without --user: many pools remember only who was logged in.');
  } finally {
    wire.close();
  }
}
