import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PoolError } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DaemonSupervisor, SupervisorOptions } from '../src/index.js';
import { SupervisorBench } from './supervisor-bench.js';

let bench: SupervisorBench;
let supervisor: DaemonSupervisor;
beforeEach(() => {
  bench = new SupervisorBench();
});
afterEach(async () => {
  bench.answer = () => {
    throw new PoolError('rpc_unavailable', 'gone');
  };
  for (const process of bench.processes) {
    process.onSignal = () => process.end(null, 'SIGTERM');
    process.end(0);
  }
  await supervisor?.close();
  bench.close();
});

const warmingUp = () => {
  throw new PoolError('rpc_error', 'Verifying blocks...', {
    details: { code: -28, rpcMessage: 'Verifying blocks...' },
  });
};

async function startReady(options: Partial<SupervisorOptions> = {}): Promise<void> {
  supervisor = bench.make(options);
  bench.healthy();
  await supervisor.start();
  await supervisor.ready();
}

describe('start', () => {
  it('is ready when the node answers, not while it is warming up', async () => {
    supervisor = bench.make({ startTimeoutMs: 2000 });
    const started = supervisor.start();
    expect(supervisor.start()).toBe(started);
    await started;
    await bench.until(() => bench.calls.length > 2, 'some calls in vain');
    expect(supervisor.state).toEqual({ kind: 'starting', pid: 1000 });
    bench.answer = warmingUp;
    // Far beyond the time to start: it says that it is at work.
    await bench.until(() => bench.calls.length > 40, 'many answers');
    expect(supervisor.state.kind).toBe('starting');
    expect(bench.log.messages('info').filter((text) => /warming up/.test(text))).toHaveLength(1);
    const ready = supervisor.ready();
    bench.answer = () => 0;
    await bench.until(() => supervisor.state.kind === 'ready', 'ready');
    await ready;
    await supervisor.ready();
    expect(bench.states).toEqual(['starting', 'starting 1000', 'ready 1000']);
    expect(bench.processes[0]?.request).toMatchObject({ binary: process.execPath, orphanSeconds: 120 });
    await expect(supervisor.call('getblockcount')).resolves.toBe(0);
  });

  it('an answer other than "warming up" is that of a node at work', async () => {
    supervisor = bench.make();
    bench.answer = () => {
      throw new PoolError('rpc_error', 'Method not found', { details: { code: -32601 } });
    };
    await supervisor.start();
    await supervisor.ready();
  });

  it('gives the options for a pool of nodes', () => {
    supervisor = bench.make({ name: 'mine', rpc: { port: 7, timeoutMs: 500 } });
    expect(supervisor.daemonOptions).toEqual({
      name: 'mine',
      url: 'http://127.0.0.1:7',
      cookieFile: join(bench.dataDir, 'regtest', '.cookie'),
      timeoutMs: 500,
    });
  });

  it('a program that is not there is told at once, with the state', async () => {
    supervisor = bench.make({ binary: 'no-such-coin-node' });
    const error = await supervisor.start().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'not_found', message: expect.stringMatching(/no folder of PATH/) });
    expect(supervisor.state).toEqual({ kind: 'gaveUp', error });
    await expect(supervisor.ready()).rejects.toBe(error);
    expect(await supervisor.stop()).toBe('not-running');
    expect(supervisor.state.kind).toBe('stopped');
    await expect(bench.make({ binary: bench.dataDir }).start()).rejects.toThrow(/not a file/);
    await expect(bench.make({ binary: '/no/such' }).start()).rejects.toThrow(/ENOENT/);
  });

  it('a data directory that cannot be made is told too', async () => {
    writeFileSync(join(bench.dataDir, 'file'), '');
    supervisor = bench.make({ dataDir: join(bench.dataDir, 'file', 'below') });
    await expect(supervisor.start()).rejects.toMatchObject({ code: 'storage_failed' });
  });

  it('makes the data directory and the file with the password for the owner alone', async () => {
    const dataDir = join(bench.dataDir, 'new');
    const authentication = { kind: 'password', user: 'u', password: 'pass-word' } as const;
    await startReady({ dataDir, authentication });
    const file = join(dataDir, 'headframe-node.conf');
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toBe('rpcuser=u\nrpcpassword=pass-word\n');
    bench.processes[0]?.say('starting with pass-word');
    expect(JSON.stringify(bench.log.lines)).not.toContain('pass-word');
  });

  it('replaces a file with the password that others could read', async () => {
    const file = join(bench.dataDir, 'headframe-node.conf');
    mkdirSync(bench.dataDir, { recursive: true });
    writeFileSync(file, 'old', { mode: 0o644 });
    await startReady({ authentication: { kind: 'password', user: 'u', password: 'p' } });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('does not start a node where another program answers: it could be taken for ours', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    supervisor = bench.make({ rpc: { port }, restart: { maxRestarts: 1 } });
    bench.answer = () => 0;
    await supervisor.start();
    await bench.until(() => supervisor.state.kind === 'gaveUp', 'giving up');
    expect(bench.processes).toHaveLength(0);
    await expect(supervisor.ready()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`listening on 127.0.0.1:${port}`),
    });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('two supervisors', () => {
  it('do not run two nodes on one data directory; on another network they do', async () => {
    await startReady();
    const second = bench.make();
    await expect(second.start()).rejects.toMatchObject({
      code: 'conflict',
      message: `another supervisor is using ${bench.dataDir}`,
    });
    expect(bench.processes).toHaveLength(1);
    const other = bench.make({ network: 'test', rpc: { port: 2 } });
    await other.start();
    await other.stop();
    await supervisor.stop();
    await second.start();
    await second.stop();
  });
});

describe('an end that nobody asked for', () => {
  it('is followed by a restart after a pause that grows', async () => {
    await startReady({ restart: { minDelayMs: 1000, maxDelayMs: 60_000 } });
    bench.processes[0]?.end(null, 'SIGKILL');
    await bench.until(() => supervisor.state.kind === 'waiting', 'waiting');
    expect(supervisor.state).toMatchObject({ delayMs: 1000, error: { code: 'worker_failed' } });
    const ready = supervisor.ready();
    await bench.until(() => bench.processes.length === 2 && supervisor.state.kind === 'ready', 'the second');
    await ready;
    bench.processes[1]?.end(1);
    await bench.until(() => bench.processes.length === 3 && supervisor.state.kind === 'ready', 'the third');
    expect(bench.states.filter((state) => state.startsWith('waiting'))).toEqual(['waiting 1000', 'waiting 2000']);
    expect(bench.exits).toEqual([
      { pid: 1000, code: null, signal: 'SIGKILL', isExpected: false },
      { pid: 1001, code: 1, signal: null, isExpected: false },
    ]);
    expect(supervisor.restarts).toBe(2);
  });

  it('counts as a crash also with code 0: the pool needs the node', async () => {
    await startReady();
    bench.processes[0]?.end(0);
    await bench.until(() => bench.processes.length === 2, 'the second');
  });

  it('pauses are short again after a node was ready for long', async () => {
    await startReady({ restart: { minDelayMs: 10, stableAfterMs: 5000 } });
    bench.processes[0]?.end(1);
    await bench.until(() => bench.processes.length === 2 && supervisor.state.kind === 'ready', 'the second', 5);
    bench.clock.advance(6000);
    bench.processes[1]?.end(1);
    await bench.until(() => bench.processes.length === 3 && supervisor.state.kind === 'ready', 'the third', 5);
    expect(bench.states.filter((state) => state.startsWith('waiting'))).toEqual(['waiting 10', 'waiting 10']);
  });

  it('a node that always crashes is given up, with what it said; start() tries again', async () => {
    supervisor = bench.make({ restart: { maxRestarts: 3 } });
    await supervisor.start();
    const ready = supervisor.ready();
    ready.catch(() => {});
    for (let i = 0; i < 4; i++) {
      await bench.until(() => bench.processes.length === i + 1, `process ${i + 1}`);
      bench.processes[i]?.say('Error: Cannot obtain a lock on data directory /d. Litecoin Core is probably running.');
      bench.processes[i]?.end(1);
    }
    await bench.until(() => supervisor.state.kind === 'gaveUp', 'giving up');
    expect(bench.processes).toHaveLength(4);
    await expect(ready).rejects.toMatchObject({ code: 'conflict' });
    bench.clock.advance(10_000_000);
    expect(bench.processes).toHaveLength(4);
    bench.healthy();
    await supervisor.start();
    await supervisor.ready();
    expect(supervisor.restarts).toBe(0);
  });

  it('a full disk is known, and waits the longest pause', async () => {
    await startReady({ restart: { minDelayMs: 1, maxDelayMs: 30_000 } });
    bench.processes[0]?.say('Error: Disk space is too low!');
    bench.processes[0]?.end(1);
    await bench.until(() => supervisor.state.kind === 'waiting', 'waiting');
    expect(supervisor.state).toMatchObject({ delayMs: 30_000, error: { code: 'storage_failed' } });
  });

  it('a program that is gone at a restart is tried again: it may be being replaced', async () => {
    await startReady();
    bench.beforeSpawn = () => {
      bench.beforeSpawn = () => {};
      throw new PoolError('not_found', 'spawn ENOENT');
    };
    bench.processes[0]?.end(1);
    await bench.until(() => bench.processes.length === 2 && supervisor.state.kind === 'ready', 'the second');
    expect(bench.states.filter((state) => state.startsWith('waiting'))).toHaveLength(2);
  });

  it('a process that cannot be started is tried again', async () => {
    bench.beforeSpawn = (count) => {
      bench.beforeSpawn = () => {};
      if (count === 0) throw new PoolError('worker_failed', 'spawn EAGAIN');
    };
    supervisor = bench.make();
    bench.healthy();
    await supervisor.start();
    await bench.until(() => supervisor.state.kind === 'ready', 'ready');
    expect(bench.states).toContain('waiting 1000');
  });
});

describe('a node that hangs', () => {
  it('at its start is ended and started again', async () => {
    supervisor = bench.make({ startTimeoutMs: 3000, killTimeoutMs: 1000 });
    await supervisor.start();
    await bench.until(() => bench.processes[0]?.signals.length === 2, 'SIGTERM and SIGKILL');
    expect(bench.processes[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    bench.processes[0]?.end(null, 'SIGKILL');
    await bench.until(() => supervisor.state.kind === 'waiting', 'waiting');
    expect(supervisor.state).toMatchObject({
      error: { code: 'request_timeout', message: expect.stringContaining('connection refused') },
    });
    bench.healthy();
    await bench.until(() => supervisor.state.kind === 'ready', 'ready');
  });

  it('in the kernel, so that not even SIGKILL ends it, is given up: a second one would meet it', async () => {
    supervisor = bench.make({ startTimeoutMs: 1000, killTimeoutMs: 1000 });
    await supervisor.start();
    await bench.until(() => supervisor.state.kind === 'gaveUp', 'giving up');
    expect(bench.processes).toHaveLength(1);
    await expect(supervisor.ready()).rejects.toThrow(/not even by SIGKILL/);
  });

  it('when it is to stop gets SIGTERM, then SIGKILL', async () => {
    await startReady({ stopTimeoutMs: 5000, killTimeoutMs: 2000 });
    bench.answer = () => 'stopping';
    const [process] = bench.processes;
    if (process !== undefined) process.onSignal = (signal) => signal === 'SIGKILL' && process.end(null, 'SIGKILL');
    const startMs = bench.clock.now();
    let outcome = '';
    void supervisor.stop().then((result) => {
      outcome = result;
    });
    await bench.until(() => outcome !== '', 'the end');
    expect(outcome).toBe('killed');
    expect(process?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(bench.clock.now() - startMs).toBeGreaterThanOrEqual(7000);
    expect(bench.exits).toMatchObject([{ signal: 'SIGKILL', isExpected: true }]);
  });

  it('for ever does not keep stop() waiting for ever', async () => {
    await startReady({ stopTimeoutMs: 1000, killTimeoutMs: 1000 });
    bench.answer = () => 'stopping';
    const stopped = supervisor.stop();
    stopped.catch(() => {});
    await bench.until(() => supervisor.state.kind === 'gaveUp', 'the end of patience');
    await expect(stopped).rejects.toMatchObject({ code: 'request_timeout' });
  });
});

describe('stop', () => {
  it('calls the node to stop and waits until it is gone', async () => {
    await startReady();
    const [stopped, again] = [supervisor.stop(), supervisor.stop()];
    await expect(supervisor.start()).rejects.toMatchObject({ code: 'conflict' });
    expect(await stopped).toBe('graceful');
    expect(await again).toBe('graceful');
    expect(bench.processes[0]?.signals).toEqual([]);
    expect(bench.states.slice(-2)).toEqual(['stopping 1000', 'stopped']);
    expect(bench.processes).toHaveLength(1);
    await supervisor.start();
    expect(bench.processes).toHaveLength(2);
  });

  it('sends SIGTERM to a node that cannot be called', async () => {
    supervisor = bench.make({ stopTimeoutMs: 5000 });
    bench.answer = warmingUp; // every call is refused then, also this one
    await supervisor.start();
    const [process] = bench.processes;
    if (process !== undefined) process.onSignal = () => process.end(0);
    expect(await supervisor.stop()).toBe('terminated');
    expect(process?.signals).toEqual(['SIGTERM']);
  });

  it('during the pause before a restart starts nothing any more', async () => {
    await startReady();
    bench.processes[0]?.end(1);
    await bench.until(() => supervisor.state.kind === 'waiting', 'waiting');
    expect(await supervisor.stop()).toBe('not-running');
    bench.clock.advance(1_000_000);
    expect(bench.processes).toHaveLength(1);
    expect(supervisor.state.kind).toBe('stopped');
  });

  it('before the process is there: start() is told', async () => {
    supervisor = bench.make();
    const started = supervisor.start();
    const waiting = supervisor.ready();
    waiting.catch(() => {});
    expect(await supervisor.stop()).toBe('not-running');
    await expect(started).rejects.toMatchObject({ code: 'aborted' });
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
    expect(bench.processes).toHaveLength(0);
  });

  it('lets go of everybody who waits for the node', async () => {
    supervisor = bench.make();
    await expect(supervisor.ready()).rejects.toMatchObject({ code: 'closed' });
    await supervisor.start();
    const abort = new AbortController();
    const [waiting, aborted] = [supervisor.ready(), supervisor.ready(abort.signal)];
    waiting.catch(() => {});
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    await expect(supervisor.ready(abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    bench.healthy();
    bench.answer = (method, process) => {
      if (method === 'stop') process?.end(0);
      else throw new PoolError('rpc_unavailable', 'not yet');
      return 0;
    };
    await supervisor.stop();
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
  });

  it('a crash at the same moment is an end as well', async () => {
    await startReady();
    bench.answer = () => {
      throw new PoolError('rpc_unavailable', 'gone');
    };
    bench.processes[0]?.end(1);
    await supervisor.stop();
    expect(bench.processes).toHaveLength(1);
    expect(supervisor.state.kind).toBe('stopped');
  });

  it('close() is for good', async () => {
    await startReady();
    await supervisor.close();
    await supervisor.close();
    expect(bench.calls).toContain('close');
    await expect(supervisor.start()).rejects.toMatchObject({ code: 'closed' });
    expect(bench.clock.pending).toBe(0);
  });
});
