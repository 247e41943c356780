import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.js';
import { startProcess, type TrackedProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';

const ROOT = '/usr/lib/postgresql';

/** Folder of PostgreSQL's programs, newest version first; undefined when it is not installed. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(ROOT)) return undefined;
  const versions = readdirSync(ROOT).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(ROOT, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

export interface PostgresServer {
  readonly port: number;
  /** URL of a new, empty database; its tables are in `folder` when one is given. */
  createDatabase(folder?: string): Promise<string>;
  /** Stops every process of the server (true) or lets them go on: sockets stay open, nothing answers. */
  freeze(frozen: boolean): void;
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The server refuses to run as root: there it becomes the user that Debian's package has made. */
function asUser(bin: string, program: string, args: readonly string[]): [string, string[]] {
  const path = join(bin, program);
  return userInfo().uid === 0
    ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', path, ...args]]
    : [path, [...args]];
}

async function run(bin: string, program: string, args: readonly string[]): Promise<string> {
  const [command, all] = asUser(bin, program, args);
  const started = startProcess(command, all, { cwd: '/' });
  const { code } = await started.exited;
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${started.output()}`);
  return started.output();
}

/** Processes that a process has started: the server has one for each connection. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

async function idOf(flag: '-u' | '-g'): Promise<number> {
  const id = startProcess('id', [flag, 'postgres']);
  await id.exited;
  return Number(id.output());
}

/** Starts Debian's PostgreSQL on 127.0.0.1, in a folder of its own, syncing to disk as a real one does. */
export async function startPostgres(): Promise<PostgresServer> {
  const bin = postgresPrograms();
  if (bin === undefined) throw new Error('PostgreSQL is not installed');
  const folder = mkdtempSync('/tmp/headframe-postgres-');
  if (userInfo().uid === 0) {
    const [uid = 0, gid = 0] = [await idOf('-u'), await idOf('-g')];
    chownSync(folder, uid, gid);
  }
  const data = join(folder, 'data');
  const port = await freePort();
  let running: TrackedProcess | undefined;
  let databases = 0;

  const query = (sql: string): Promise<string> =>
    run(bin, 'psql', ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-XAtqc', sql]);

  const start = async (): Promise<void> => {
    const [command, args] = asUser(bin, 'postgres', [
      '-D',
      data,
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-k',
      folder,
      '-c',
      'autovacuum=off',
    ]);
    const server = startProcess(command, args, { cwd: '/' });
    running = server;
    await waitFor('PostgreSQL to answer', async () => {
      if (server.child.exitCode !== null) throw new Error(`PostgreSQL ended: ${server.output()}`);
      return (await query('SELECT 1').catch(() => '')) !== '';
    });
  };

  await run(bin, 'initdb', [
    '-D',
    data,
    '-A',
    'trust',
    '-U',
    'postgres',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ]);
  await start();
  return {
    port,
    createDatabase: async (place) => {
      const name = `ledger${++databases}`;
      if (place !== undefined) {
        if (userInfo().uid === 0) chownSync(place, await idOf('-u'), await idOf('-g'));
        await query(`CREATE TABLESPACE ${name} LOCATION '${place}'`);
      }
      await query(`CREATE DATABASE ${name}${place === undefined ? '' : ` TABLESPACE ${name}`}`);
      return `postgres://postgres@127.0.0.1:${port}/${name}`;
    },
    freeze: (frozen) => {
      const main = running?.child.pid;
      if (main === undefined) return;
      for (const pid of [main, ...childrenOf(main)]) process.kill(pid, frozen ? 'SIGSTOP' : 'SIGCONT');
    },
    // SIGQUIT is the immediate shutdown: no checkpoint, recovery from the log at the next start.
    kill: async () => {
      running?.child.kill('SIGQUIT');
      await running?.exited;
    },
    start,
    stop: async () => {
      running?.child.kill('SIGINT');
      await running?.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
