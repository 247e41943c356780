import { type ProbeFinding, type ProbeReport, type ProbeStatus, parseStratumUrl, probePool } from '@headframe/client';
import { errorMessage, isPoolError } from '@headframe/primitives';
import { type Args, type Command, UsageError } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { TLS_OPTIONS, tlsOptions } from '../pool-address.js';
import { stopSignal } from '../stop-signal.js';
import { version } from '../version.js';

/** A conformance report about any pool. */
export const probe: Command = {
  name: 'probe',
  summary: 'Look at any Stratum V1 pool from outside: what it supports and what looks wrong.',
  positionals: { usage: 'URL', max: 1 },
  options: {
    user: { type: 'string', short: 'u', value: 'NAME', help: 'Worker to authorize; without, shares are not tried.' },
    password: { type: 'string', short: 'p', value: 'TEXT', help: 'Password of the worker.', default: 'x' },
    algorithm: {
      type: 'string',
      short: 'a',
      value: 'NAME',
      help: 'sha256d or scrypt, for shares.',
      default: 'sha256d',
    },
    timeout: { type: 'string', value: 'SECONDS', help: 'For each connection and answer.', default: '10' },
    watch: { type: 'string', value: 'SECONDS', help: 'How long to listen for further jobs.', default: '10' },
    json: { type: 'boolean', help: 'Print the report as JSON.' },
    ...TLS_OPTIONS,
  },
  details: `
URL is stratum+tcp://host:port (the scheme may be left out) or stratum+ssl://host:port. Five connections are made one
after the other; at most four shares are submitted that a pool must refuse, and one good one, twice, where the
difficulty allows to find one in seconds.
Exit code 0 when nothing is wrong, 1 when something is, 69 when the pool cannot be reached.`,
  run: (args) => runProbe(args),
};

async function runProbe(args: Args): Promise<number> {
  const [url] = args.positionals;
  if (url === undefined) throw new UsageError('which pool? headframe probe stratum+tcp://host:port');
  const algorithm = args.text('algorithm');
  if (algorithm !== 'sha256d' && algorithm !== 'scrypt') throw new UsageError('--algorithm is sha256d or scrypt');
  try {
    parseStratumUrl(url);
  } catch (error) {
    throw new UsageError(errorMessage(error));
  }
  const username = args.text('user');
  const timeoutMs = (args.number('timeout', 0.1, 600) ?? 10) * 1000;
  const watchMs = (args.number('watch', 0, 86_400) ?? 10) * 1000;
  const tls = tlsOptions(args);
  const abort = new AbortController();
  void stopSignal().first.then(() => abort.abort());
  try {
    const report = await probePool({
      url,
      tls,
      timeoutMs,
      watchMs,
      algorithm,
      agent: `headframe-probe/${version()}`,
      signal: abort.signal,
      ...(username !== undefined && { worker: { username, password: args.text('password') ?? 'x' } }),
    });
    process.stdout.write(args.flag('json') ? `${JSON.stringify(report, null, 2)}\n` : reportText(url, report));
    return report.verdict === 'ok' ? EXIT.ok : EXIT.failure;
  } catch (error) {
    if (abort.signal.aborted) return EXIT.failure;
    if (!isPoolError(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.unavailable;
  }
}

const STATUSES: readonly ProbeStatus[] = ['ok', 'warning', 'wrong', 'not supported', 'not checked'];

/** The report as a table, and a line that sums it up. */
function reportText(url: string, { findings }: ProbeReport): string {
  const width = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length)) + 2;
  const checkWidth = width(findings.map(({ check }) => check));
  const statusWidth = width(findings.map(({ status }) => status));
  const row = ({ check, status, text }: ProbeFinding): string =>
    `${check.padEnd(checkWidth)}${status.padEnd(statusWidth)}${text}\n`;
  const counts = STATUSES.map(
    (status) => [status, findings.filter((found) => found.status === status).length] as const,
  );
  const sum = counts.filter(([, count]) => count > 0).map(([status, count]) => `${count} ${status}`);
  return `${url}\n\n${findings.map(row).join('')}\n${sum.join(', ')}\n`;
}
