import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RecordingLogger } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDaemonSupervisor, type DaemonDefinition, type DaemonSupervisor } from '../src/index.js';

// Real processes, files and sockets: a program that plays a coin node.

const PROGRAM = fileURLToPath(new URL('./fake-node-program.mjs', import.meta.url));
const PARENT = fileURLToPath(new URL('./supervisor-parent.mjs', import.meta.url));
const BUILT = new URL('../dist/index.js', import.meta.url);

let folder: string;
let dataDir: string;
let log: RecordingLogger;
let supervisor: DaemonSupervisor | undefined;
let port: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headframe-fakenode-'));
  dataDir = join(folder, 'data with space');
  log = new RecordingLogger();
  port = await freePort();
});
afterEach(async () => {
  await supervisor?.close();
  supervisor = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** A port that was free a moment ago: a node cannot be told to pick one. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Behaviour {
  readonly warmUp?: number;
  readonly exit?: number;
  readonly says?: string;
  readonly floodBytes?: number;
  readonly ignoreStop?: boolean;
  readonly ignoreTerm?: boolean;
  readonly deaf?: boolean;
  readonly env?: boolean;
}

function options(behaviour: Behaviour = {}, more: object = {}) {
  const definition: DaemonDefinition = {
    name: 'fakenode',
    binary: process.execPath,
    networks: { regtest: { flags: ['-regtest'], folder: 'regtest', rpcPort: port, p2pPort: 1 } },
    args: [PROGRAM, '-datadir={dataDir}', '-rpcport={rpcPort}'],
  };
  return {
    daemon: definition,
    network: 'regtest',
    dataDir,
    env: { FAKE_NODE: JSON.stringify(behaviour) },
    restart: { minDelayMs: 1, maxDelayMs: 10, maxRestarts: 2 },
    ...more,
  };
}

function make(behaviour: Behaviour = {}, more: object = {}): DaemonSupervisor {
  supervisor = createDaemonSupervisor(options(behaviour, more), { log });
  return supervisor;
}

async function until<T>(what: string, probe: () => T | undefined | false, timeoutMs = 15_000): Promise<T> {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await sleep(10)) {
    const value = probe();
    if (value !== undefined && value !== false) return value;
  }
  throw new Error(`did not happen: ${what}; ${JSON.stringify(log.lines.slice(-5))}`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function starts(): { readonly pid: number; readonly args: readonly string[] }[] {
  const text = readFileSync(join(dataDir, 'regtest', 'starts'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('a supervised process', () => {
  it('starts, warms up, is called with its cookie, and stops with its state written', async () => {
    const node = make({ warmUp: 2 });
    await node.start();
    await node.ready();
    expect(await node.call('getblockcount')).toBe(7);
    await expect(node.call('nonsense')).rejects.toMatchObject({ code: 'rpc_error' });
    expect(log.messages('info')).toContain('the node is warming up');
    const pid = node.state.kind === 'ready' ? node.state.pid : 0;
    expect(isAlive(pid)).toBe(true);
    expect(await node.stop()).toBe('graceful');
    expect(isAlive(pid)).toBe(false);
    expect(readFileSync(join(dataDir, 'regtest', 'state'), 'utf8')).toBe('written');
    expect(starts()[0]?.args).toEqual([`-datadir=${dataDir}`, `-rpcport=${port}`, '-regtest']);
  });

  it('is started again after kill -9, with a cookie of its own, and calls work again', async () => {
    const node = make();
    await node.start();
    await node.ready();
    const [first] = starts();
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await until('the end to be seen', () => node.state.kind !== 'ready');
    await node.ready();
    expect(starts()).toHaveLength(2);
    expect(await node.call('getblockcount')).toBe(7);
  });

  it('a crash loop ends with what the node said', async () => {
    const node = make({ exit: 3, says: 'Error: something is wrong with rpcpassword=abc' });
    await node.start();
    await expect(node.ready()).rejects.toMatchObject({
      code: 'worker_failed',
      message: 'fakenode ended with code 3; it said: Error: something is wrong with rpcpassword=***',
      details: { code: 3, signal: null },
    });
    expect(starts()).toHaveLength(3);
  });

  it('a node that never answers, nor heeds SIGTERM, is killed and tried again until it is given up', async () => {
    const node = make(
      { deaf: true, ignoreTerm: true },
      { startTimeoutMs: 2500, killTimeoutMs: 100, restart: { minDelayMs: 1, maxRestarts: 1 } },
    );
    await node.start();
    await expect(node.ready()).rejects.toMatchObject({ code: 'request_timeout' });
    expect(starts()).toHaveLength(2);
    for (const { pid } of starts()) expect(isAlive(pid)).toBe(false);
  });

  it.each([
    ['terminated', { ignoreStop: true }],
    ['killed', { ignoreStop: true, ignoreTerm: true }],
  ] as const)('one that does not stop when asked is %s', async (outcome, behaviour) => {
    const node = make(behaviour, { stopTimeoutMs: 200, killTimeoutMs: outcome === 'killed' ? 200 : 10_000 });
    await node.start();
    await node.ready();
    expect(await node.stop()).toBe(outcome);
    expect(existsSync(join(dataDir, 'regtest', 'state'))).toBe(outcome === 'terminated');
  });

  it('a flood of output neither stops the node nor fills the log', async () => {
    const node = make({ floodBytes: 20_000_000 });
    await node.start();
    await node.ready();
    await node.stop();
    expect(log.lines.filter(({ message }) => message === 'node says').length).toBeLessThan(10_000);
    const leftOut = log.lines.filter(({ message }) => /left out/.test(message));
    expect(leftOut.length).toBeGreaterThan(0);
  });

  it('has no secret in its arguments, and of the environment nothing of the pool', async () => {
    process.env.HEADFRAME_TEST_SECRET = 'hidden';
    try {
      const node = make({ env: true }, { notify: { token: 'token-of-the-node', socket: join(folder, 's') } });
      await node.start();
      await node.ready();
      const file = readFileSync(join(dataDir, 'regtest', 'env'), 'utf8');
      expect(file).not.toContain('hidden');
      expect(JSON.parse(file)).toMatchObject({ HEADFRAME_CONTROL_TOKEN: 'token-of-the-node', PATH: process.env.PATH });
      const [start] = starts();
      expect(start?.args.join(' ')).toMatch(
        /-blocknotify=headframe notify --type block --source fakenode --socket .*--data %s/,
      );
      expect(readFileSync(`/proc/${start?.pid}/cmdline`, 'utf8')).not.toContain('token-of-the-node');
    } finally {
      delete process.env.HEADFRAME_TEST_SECRET;
    }
  });

  it('a file that cannot be run is told', async () => {
    const binary = join(folder, 'node');
    writeFileSync(binary, 'not a program');
    await expect(make({}, { binary }).start()).rejects.toMatchObject({ code: 'not_found' });
    chmodSync(binary, 0o755);
    const node = make({}, { binary, restart: { maxRestarts: 0 } });
    await node.start();
    await expect(node.ready()).rejects.toMatchObject({ code: 'worker_failed' });
  });

  it('is in a process group of its own: a Ctrl-C in the terminal is left to the pool', async () => {
    const node = make();
    await node.start();
    await node.ready();
    const pid = starts()[0]?.pid ?? 0;
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ');
    expect(fields?.[2]).toBe(String(pid));
  });
});

describe.runIf(existsSync(BUILT))('when the supervisor dies', () => {
  async function parentOf(behaviour: Behaviour, more: object = {}) {
    const parent = spawn(process.execPath, [PARENT, BUILT.href, JSON.stringify(options(behaviour, more))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = await once(parent.stdout, 'data');
    return { parent, pid: Number(/pid (\d+)/.exec(String(text))?.[1]) };
  }

  it.each(['SIGKILL', 'SIGTERM'] as const)('by %s, its node ends in order', async (signal) => {
    const { parent, pid } = await parentOf({});
    expect(isAlive(pid)).toBe(true);
    parent.kill(signal);
    await once(parent, 'exit');
    await until('the node to end', () => !isAlive(pid));
    expect(readFileSync(join(dataDir, 'regtest', 'state'), 'utf8')).toBe('written');
    // Nothing is left that would be in the way of the next one.
    const node = make();
    await node.start();
    await node.ready();
  });

  it('a node that does not heed SIGTERM is killed', async () => {
    const { parent, pid } = await parentOf({ ignoreTerm: true }, { stopTimeoutMs: 1000 });
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await until('the node to be killed', () => !isAlive(pid));
    expect(existsSync(join(dataDir, 'regtest', 'state'))).toBe(false);
  });
});
