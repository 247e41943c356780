import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveCoin } from '@headframe/coins';
import {
  createDaemonRegistry,
  createDaemonSupervisor,
  createNodePool,
  type DaemonSupervisor,
  type SupervisorOptions,
} from '@headframe/daemon';
import { RecordingLogger } from '@headframe/primitives/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LITECOIND_PATH } from '../nodes/litecoind.js';
import { freePort } from '../support/free-port.js';
import { startProcess } from '../support/process.js';
import { requireService } from '../support/require.js';
import { anyoneAddress } from '../support/script.js';
import { waitFor, within } from '../support/wait.js';
import { commandLine, cookieRpc, type IdlePeer, isAlive, litecoindArgs, startIdlePeer } from './support.js';

describe.runIf(requireService('litecoind'))('a supervised litecoind', { timeout: 120_000 }, () => {
  let peer: IdlePeer;
  let folder: string;
  let log: RecordingLogger;
  let port: number;
  let node: DaemonSupervisor | undefined;

  beforeAll(async () => {
    peer = await startIdlePeer();
  });
  afterAll(() => peer.close());
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'headframe-supervised-'));
    log = new RecordingLogger();
    port = await freePort();
  });
  afterEach(async () => {
    await node?.close();
    node = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const options = (more: Partial<SupervisorOptions> = {}): SupervisorOptions => ({
    daemon: 'litecoind',
    network: 'regtest',
    binary: LITECOIND_PATH,
    dataDir: join(folder, 'data'),
    rpc: { port },
    args: litecoindArgs(peer),
    restart: { minDelayMs: 100 },
    ...more,
  });
  async function start(more: Partial<SupervisorOptions> = {}): Promise<DaemonSupervisor> {
    node = createDaemonSupervisor(options(more), { log });
    await node.start();
    await within('the node to be ready', node.ready());
    return node;
  }
  const pidOf = (supervisor: DaemonSupervisor): number => {
    if (supervisor.state.kind !== 'ready') throw new Error(`not ready but ${supervisor.state.kind}`);
    return supervisor.state.pid;
  };
  const mine = (supervisor: DaemonSupervisor, count: number): Promise<unknown> =>
    supervisor.call('generatetoaddress', [count, anyoneAddress('rltc')]);
  const debugLog = (): string => readFileSync(join(folder, 'data', 'regtest', 'debug.log'), 'utf8');

  it('starts with a cookie and nothing secret in its arguments, and a pool of nodes takes templates from it', async () => {
    const supervisor = await start();
    const pid = pidOf(supervisor);
    const cookie = readFileSync(join(folder, 'data', 'regtest', '.cookie'), 'utf8');
    expect(commandLine(pid)).not.toContain(cookie.split(':')[1]);
    expect(commandLine(pid)).toContain(' -daemon=0 ');
    expect(await cookieRpc(join(folder, 'data'), port)('getblockcount')).toBe(0);
    const nodes = createNodePool({ daemons: [supervisor.daemonOptions], coin: resolveCoin('litecoin', 'regtest') });
    try {
      await waitFor('a template', async () => {
        await nodes.start();
        return nodes.status.ready;
      });
    } finally {
      nodes.close();
    }
    await waitFor('its log', () => log.lines.some(({ message }) => message === 'node says'));
  });

  it('stops in order: its blocks are there at the next start, and nothing has to be made up for', async () => {
    const supervisor = await start();
    await mine(supervisor, 5);
    const pid = pidOf(supervisor);
    const began = performance.now();
    expect(await supervisor.stop()).toBe('graceful');
    // It waits for connections that are kept open, which ours would be for ten seconds.
    expect(performance.now() - began).toBeLessThan(8000);
    expect(isAlive(pid)).toBe(false);
    expect(debugLog()).toMatch(/Shutdown: done/);
    const before = debugLog().length;
    await supervisor.start();
    await within('the node to be ready', supervisor.ready());
    expect(await supervisor.call('getblockcount')).toBe(5);
    expect(debugLog().slice(before)).not.toMatch(/Replaying|Rolling (forward|back)|Rescanning|Reindexing/);
  });

  it('is there again after kill -9', async () => {
    const supervisor = await start();
    await mine(supervisor, 3);
    const first = pidOf(supervisor);
    process.kill(first, 'SIGKILL');
    await waitFor('its end to be seen', () => supervisor.state.kind !== 'ready');
    await within('the node to be ready', supervisor.ready());
    expect(pidOf(supervisor)).not.toBe(first);
    expect(await supervisor.call('getblockcount')).toBeTypeOf('number');
    expect(supervisor.restarts).toBe(1);
  });

  it('takes a user and password from a file that only its owner can read', async () => {
    const password = 'correct-horse-battery';
    const supervisor = await start({ authentication: { kind: 'password', user: 'pool', password } });
    expect(await supervisor.call('getblockcount')).toBe(0);
    expect(commandLine(pidOf(supervisor))).not.toContain(password);
    expect(existsSync(join(folder, 'data', 'regtest', '.cookie'))).toBe(false);
    await supervisor.stop();
    expect(JSON.stringify(log.lines)).not.toContain(password);
  });

  it('does not touch a node that somebody else runs on the data directory, and says why it cannot start', async () => {
    const first = await start();
    await first.stop();
    const otherPort = await freePort();
    const other = startProcess(LITECOIND_PATH, [
      '-regtest',
      `-datadir=${join(folder, 'data')}`,
      `-rpcport=${otherPort}`,
      '-printtoconsole=0',
      ...litecoindArgs(peer),
    ]);
    try {
      await waitFor('the other node', () =>
        cookieRpc(join(folder, 'data'), otherPort)('getblockcount').then(() => true),
      );
      const second = createDaemonSupervisor(options({ restart: { maxRestarts: 1, minDelayMs: 100 } }), { log });
      await second.start();
      await expect(within('the end', second.ready())).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(/another node is using its data directory.*Cannot obtain a lock/),
      });
      expect(await cookieRpc(join(folder, 'data'), otherPort)('getblockcount')).toBe(0);
      await second.close();
      expect(other.child.exitCode).toBeNull();
    } finally {
      await other.stop();
    }
  });

  it('says what litecoind says of a wrong argument', async () => {
    node = createDaemonSupervisor(options({ args: ['-prune=2'], restart: { maxRestarts: 0 } }), { log });
    await node.start();
    await expect(within('the end', node.ready())).rejects.toMatchObject({
      code: 'worker_failed',
      message: expect.stringMatching(/Error: Prune configured below the minimum/),
    });
  });

  it('two of them in a registry are peers of each other', async () => {
    const registry = createDaemonRegistry({ log });
    const p2pPort = await freePort();
    const common = litecoindArgs(peer).filter((arg) => !arg.startsWith('-connect'));
    try {
      const a = registry.add(
        options({ name: 'a', p2pPort, args: [...common, '-dnsseed=0', '-bind=127.0.0.1', '-listenonion=0'] }),
      );
      const b = registry.add(
        options({
          name: 'b',
          dataDir: join(folder, 'b'),
          rpc: { port: await freePort() },
          args: [...common, `-connect=127.0.0.1:${p2pPort}`],
        }),
      );
      await registry.start();
      await within('both to be ready', Promise.all([a.ready(), b.ready()]));
      await waitFor('the peers', async () => Number(await a.call('getconnectioncount')) > 0);
      await mine(a, 2);
      await waitFor('the blocks to arrive', async () => (await b.call('getblockcount')) === 2);
    } finally {
      await registry.close();
    }
    expect(registry.list().map(({ state }) => state.kind)).toEqual(['stopped', 'stopped']);
  });
});
