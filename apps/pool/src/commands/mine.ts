import { CpuMiner, MiningClient } from '@headframe/client';
import { errorMessage, toDisplayHex } from '@headframe/primitives';
import { type Args, type Command, UsageError } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { difficultyText, durationText, hashrateText } from '../format.js';
import { TLS_OPTIONS, tlsOptions } from '../pool-address.js';
import { StatusLine } from '../status-line.js';
import { stopSignal } from '../stop-signal.js';

const STATUS_MS = 500;
/** Failed connections in a row after which the pool is given up. */
const MAX_FAILURES = 4;
/** In a pipe, where no line can be rewritten, the pace is told this often. */
const PIPE_STATUS_MS = 10_000;

/** A small CPU miner: for tests and demos, not for profit. */
export const mine: Command = {
  name: 'mine',
  summary: 'Mine on the CPU against any Stratum V1 pool: for tests and demos.',
  positionals: { usage: 'URL...', max: 16 },
  options: {
    user: { type: 'string', short: 'u', value: 'NAME', help: 'Worker: account or address, with .rig if you like.' },
    password: {
      type: 'string',
      short: 'p',
      value: 'TEXT',
      help: 'Password; pools read options like d=0.01 here.',
      default: 'x',
    },
    threads: { type: 'string', short: 't', value: 'N', help: 'Threads that hash.', default: '1' },
    algorithm: { type: 'string', short: 'a', value: 'NAME', help: 'sha256d or scrypt.', default: 'sha256d' },
    shares: { type: 'string', value: 'N', help: 'Stop after so many accepted shares.' },
    rate: { type: 'string', value: 'N', help: 'Shares per second at most.' },
    ...TLS_OPTIONS,
  },
  details: `
URL is stratum+tcp://host:port (the scheme may be left out) or stratum+ssl://host:port. Further ones are fallbacks: they
are used while the ones before them cannot be.
Exit code 0 after --shares or a signal, 69 when the pool cannot be reached.`,
  run: (args) => runMiner(args),
};

async function runMiner(args: Args): Promise<number> {
  const [url, ...fallbacks] = args.positionals;
  if (url === undefined) throw new UsageError('which pool? headframe mine stratum+tcp://host:port --user NAME');
  const username = args.text('user');
  if (username === undefined) throw new UsageError('--user is needed: the name or address to mine for');
  const algorithm = args.text('algorithm');
  if (algorithm !== 'sha256d' && algorithm !== 'scrypt') throw new UsageError('--algorithm is sha256d or scrypt');
  const wanted = args.number('shares', 1, Number.MAX_SAFE_INTEGER);
  const rate = args.number('rate', 0.001, 1e6);

  const client = new MiningClient({
    pools: [url, ...fallbacks].map((address) => ({ url: address })),
    workers: [{ username, password: args.text('password') ?? 'x' }],
    reconnect: { maxFailures: MAX_FAILURES },
    tls: tlsOptions(args),
  });
  const miner = new CpuMiner(client, {
    threads: args.number('threads', 1, 256) ?? 1,
    algorithm,
    ...(rate !== undefined && { maxSharesPerSecond: rate }),
  });
  const line = new StatusLine();
  const startedMs = Date.now();
  const enough = new Promise<void>((resolve) => {
    miner.on('accepted', ({ share, difficulty }) => {
      line.print(`accepted ${toDisplayHex(share.hash)} difficulty ${difficultyText(difficulty)}`);
      if (wanted !== undefined && miner.stats.accepted >= wanted) resolve();
    });
  });
  miner.on('rejected', ({ error }) => line.print(`rejected: ${error.message}`));
  miner.on('problem', ({ error }) => line.print(`problem: ${error.message}`));
  client.on('notice', (text) => line.print(`the pool says: ${text}`));
  client.on('disconnected', ({ error, retryInMs }) =>
    line.print(
      `connection lost: ${error.message}${retryInMs === undefined ? '' : `; trying again in ${(retryInMs / 1000).toFixed(1)} s`}`,
    ),
  );
  client.on('redirectRefused', ({ host }) => line.print(`the pool wants to send us to ${host}: not followed`));
  client.on('ready', ({ pool }) => {
    if (fallbacks.length > 0) line.print(`mining at ${args.positionals[pool] ?? url} as ${username}`);
  });
  client.on('job', (job) => line.update(`job ${job.jobId}`));

  const status = (): string => {
    const { hashesPerSecond, accepted, rejected } = miner.stats;
    return `${hashrateText(hashesPerSecond)}  accepted ${accepted}  rejected ${rejected}  ${durationText(Date.now() - startedMs)}`;
  };
  const timer = setInterval(() => line.update(status()), STATUS_MS);
  const pipeTimer = process.stdout.isTTY ? undefined : setInterval(() => line.print(status()), PIPE_STATUS_MS);
  const stop = stopSignal();
  try {
    const first = await Promise.race([client.start().then(() => undefined), stop.first]);
    if (first === undefined) {
      if (fallbacks.length === 0) line.print(`connected to ${url} as ${username}`);
      miner.start();
      await Promise.race([enough, stop.first]);
    }
    return EXIT.ok;
  } catch (error) {
    line.print(`cannot mine at ${url}: ${errorMessage(error)}`);
    return EXIT.unavailable;
  } finally {
    clearInterval(timer);
    clearInterval(pipeTimer);
    await miner.stop();
    await client.close();
    line.end(status());
  }
}
