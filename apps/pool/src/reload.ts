import { closeSync, openSync } from 'node:fs';
import { type PoolConfig, parseConfig } from '@headframe/pool';
import { errorMessage, isPoolError, type Logger } from '@headframe/primitives';
import { loadConfig } from './load-config.js';

/** What came of a new configuration. Paths like `listeners[0].difficulty`. */
export interface ReloadReport {
  readonly applied: readonly string[];
  readonly needsRestart: readonly string[];
}

/** What a reload needs of a pool. */
export interface ReloadablePool {
  reload(config: PoolConfig): ReloadReport | Promise<ReloadReport>;
}

export interface ReloadOptions {
  /** The configuration file; undefined: the environment alone. */
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}

/**
 * Reads the configuration again and applies what can change while the pool runs.
 * @throws PoolError `invalid_config`: nothing changed then
 */
export async function reloadNow(
  pool: ReloadablePool,
  { file, env }: Pick<ReloadOptions, 'file' | 'env'>,
): Promise<ReloadReport> {
  return pool.reload(parseConfig(await loadConfig(file, env)));
}

/** As {@link reloadNow}, and logs what came of it. Never rejects. */
export async function reloadOnce(pool: ReloadablePool, options: ReloadOptions): Promise<boolean> {
  const { log } = options;
  try {
    const { applied, needsRestart } = await reloadNow(pool, options);
    if (needsRestart.length > 0)
      log.warn({ applied, needsRestart }, 'configuration reloaded; some of it needs a restart');
    else if (applied.length > 0) log.info({ applied }, 'configuration reloaded');
    else log.info({}, 'configuration read again: nothing changed');
    return true;
  } catch (error) {
    const problems = isPoolError(error, 'invalid_config') ? error.details.problems : undefined;
    for (const problem of Array.isArray(problems) ? problems : []) log.error({ ...problem }, 'configuration problem');
    const reason = problems === undefined ? errorMessage(error) : 'it is not valid';
    log.error({ reason }, 'configuration not reloaded; the pool goes on with the old one');
    return false;
  }
}

/** Whether the terminal this process was started on is still there. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

export interface HangUp {
  /** Resolves when the terminal went away: the pool is to stop. */
  readonly gone: Promise<string>;
  end(): void;
}

/**
 * Reloads on SIGHUP, one reload at a time; a signal during one leads to one more. A SIGHUP because the terminal was
 * closed is told apart by the terminal being gone, and ends the pool.
 */
export function reloadOnHangUp(pool: ReloadablePool, options: ReloadOptions): HangUp {
  const hadTerminal = hasTerminal();
  let resolveGone: (signal: string) => void = () => {};
  const gone = new Promise<string>((resolve) => {
    resolveGone = resolve;
  });
  let isRunning = false;
  let isAskedAgain = false;
  const work = async (): Promise<void> => {
    isRunning = true;
    do {
      isAskedAgain = false;
      await reloadOnce(pool, options);
    } while (isAskedAgain);
    isRunning = false;
  };
  const onSignal = (): void => {
    if (hadTerminal && !hasTerminal()) resolveGone('SIGHUP');
    else if (isRunning) isAskedAgain = true;
    else void work();
  };
  process.on('SIGHUP', onSignal);
  return { gone, end: () => void process.removeListener('SIGHUP', onSignal) };
}
