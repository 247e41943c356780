import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Exit, startProcess, type TrackedProcess } from './process.js';
import { waitFor } from './wait.js';

/** The binary as it is installed. */
export const HEADFRAME = fileURLToPath(new URL('../../apps/pool/bin/headframe.js', import.meta.url));

/** One line of the pool's JSON log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface PoolProcess {
  /** Ports of the listeners, in the order of the configuration. */
  readonly ports: readonly number[];
  readonly port: number;
  readonly logs: readonly LogLine[];
  readonly folder: string;
  readonly process: TrackedProcess;
  /** The first line from `from` on that `matches`; waits for it. */
  waitForLog(what: string, matches: (line: LogLine) => boolean, options?: LogWait): Promise<LogLine>;
  /** SIGTERM; the exit. Removes the folder unless it was given. */
  stop(): Promise<Exit>;
  /** SIGKILL: no chance to tidy up. The folder stays. */
  kill(): Promise<Exit>;
}

export interface LogWait {
  readonly from?: number;
  readonly timeoutMs?: number;
}

export interface PoolOptions {
  /** Written as JSON; `dataFolder` is set to a folder in `folder` unless given. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Default: a new one, removed by `stop`. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A new folder for configuration, journal and logs of a pool. Remove it. */
export function poolFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'headframe-pool-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes the configuration into `folder` and returns the path of the file. */
export function writeConfig(folder: string, config: Readonly<Record<string, unknown>>): string {
  const file = join(folder, 'pool.json');
  writeFileSync(file, JSON.stringify({ dataFolder: join(folder, 'data'), ...config }, null, 2));
  return file;
}

function parseLine(line: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'msg' in value ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

/** Starts `headframe start --config FILE` as a user would and waits until every listener is open. */
export async function startPool(options: PoolOptions): Promise<PoolProcess> {
  const own = options.folder === undefined ? poolFolder() : undefined;
  const folder = options.folder ?? own?.path ?? '';
  const file = writeConfig(folder, options.config);
  const logs: LogLine[] = [];
  const child = startProcess(process.execPath, [HEADFRAME, 'start', '--config', file], {
    env: options.env ?? {},
    onLine: (line) => {
      const parsed = parseLine(line);
      if (parsed !== undefined) logs.push(parsed);
    },
  });
  const { listeners } = options.config;
  const count = Array.isArray(listeners) ? listeners.length : 1;
  const portsOf = (): number[] => logs.filter(({ msg }) => msg === 'listening').map(({ port }) => Number(port));
  await waitFor('the pool to listen', () => {
    if (child.child.exitCode !== null) throw new Error(`the pool ended: ${child.output()}`);
    return portsOf().length >= count;
  }).catch(async (error: unknown) => {
    await child.stop(0);
    own?.remove();
    throw new Error(`${String(error)}\n${child.output()}`);
  });
  const ports = portsOf();
  return {
    ports,
    port: ports[0] ?? 0,
    logs,
    folder,
    process: child,
    waitForLog: async (what, matches, wait = {}) => {
      const found = waitFor(`the log to say ${what}`, () => logs.slice(wait.from ?? 0).find(matches), wait.timeoutMs);
      return found.catch((error: unknown) => {
        throw new Error(
          `${String(error)}; the last lines are\n${logs
            .slice(-15)
            .map((l) => JSON.stringify(l))
            .join('\n')}`,
        );
      });
    },
    stop: async () => {
      const exit = await child.stop();
      own?.remove();
      return exit;
    },
    kill: () => {
      child.child.kill('SIGKILL');
      return child.exited;
    },
  };
}
