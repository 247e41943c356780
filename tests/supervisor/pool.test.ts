import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createPool, type PoolConfigInput } from '@headframe/pool';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LITECOIND_PATH } from '../nodes/litecoind.js';
import { freePort } from '../support/free-port.js';
import type { NodeCall } from '../support/node-rpc.js';
import { poolConfig } from '../support/pool-config.js';
import { saysBlock } from '../support/pool-logs.js';
import { HEADFRAME, type PoolProcess, poolFolder, startPool, writeConfig } from '../support/pool-process.js';
import { startProcess } from '../support/process.js';
import { requireService } from '../support/require.js';
import { anyoneAddress } from '../support/script.js';
import { ScriptedMiner } from '../support/scripted-miner.js';
import { waitFor, within } from '../support/wait.js';
import { commandLine, cookieRpc, type IdlePeer, isAlive, litecoindArgs, startIdlePeer } from './support.js';

const services = requireService('litecoind', 'pool binary');

describe.runIf(services)('a pool that supervises its litecoind', { timeout: 120_000 }, () => {
  let peer: IdlePeer;
  let folder: ReturnType<typeof poolFolder>;
  let dataDir: string;
  let rpcPort: number;
  let rpc: NodeCall;
  let pool: PoolProcess | undefined;
  const miners: ScriptedMiner[] = [];

  beforeAll(async () => {
    peer = await startIdlePeer();
  });
  afterAll(() => peer.close());
  beforeEach(async () => {
    folder = poolFolder();
    dataDir = join(folder.path, 'litecoin');
    rpcPort = await freePort();
    rpc = cookieRpc(dataDir, rpcPort);
  });
  afterEach(async () => {
    for (const miner of miners.splice(0)) miner.close();
    await pool?.stop();
    pool = undefined;
    folder.remove();
  });

  function config(supervise: object = {}, extra: object = {}): Record<string, unknown> {
    return {
      ...poolConfig('litecoin', []),
      daemons: [
        {
          url: `http://127.0.0.1:${rpcPort}`,
          supervise: {
            binary: LITECOIND_PATH,
            dataDir,
            args: litecoindArgs(peer),
            restart: { minDelay: 0.2 },
            ...supervise,
          },
        },
      ],
      shutdown: { spreadSeconds: 0 },
      ...extra,
    };
  }
  async function run(supervise: object = {}, extra: object = {}): Promise<PoolProcess> {
    pool = await startPool({ config: config(supervise, extra), folder: folder.path });
    return pool;
  }
  async function miner(port: number): Promise<ScriptedMiner> {
    const started = await ScriptedMiner.start({ port, algorithm: 'scrypt' });
    miners.push(started);
    return started;
  }
  async function mineBlock(rig: ScriptedMiner): Promise<string> {
    const solution = rig.solve(rig.job, { want: 'block' });
    expect(await rig.submit(solution)).toEqual({ result: true, error: null });
    await waitFor('the node to have the block', async () => (await rpc('getbestblockhash')) === solution.hash);
    return solution.hash;
  }
  /** The process of the node, as the log tells. */
  const pids = (started: PoolProcess): number[] =>
    started.logs.filter(({ msg }) => msg === 'the node was started').map(({ pid }) => Number(pid));

  it('starts it, mines a block on it, and stops both', async () => {
    const started = await run();
    const rig = await miner(started.port);
    const hash = await mineBlock(rig);
    await started.waitForLog('the block is in the chain', saysBlock(hash));
    const [pid = 0] = pids(started);
    expect(isAlive(pid)).toBe(true);
    started.process.child.kill('SIGTERM');
    expect(await within('the end', started.process.exited)).toEqual({ code: 0, signal: null });
    expect(isAlive(pid)).toBe(false);
    expect(readFileSync(join(dataDir, 'regtest', 'debug.log'), 'utf8')).toMatch(/Shutdown: done\s*$/);
    // What was mined is there when it is started again.
    const again = await run();
    await waitFor('the chain', async () => (await rpc('getbestblockhash')) === hash);
    expect(pids(again)[0]).not.toBe(pid);
  });

  it('mines on after kill -9 of the node, and its miners stay', async () => {
    const started = await run();
    const rig = await miner(started.port);
    const tip = await mineBlock(rig);
    await rig.jobOn(tip);
    await rpc('gettxoutsetinfo'); // writes the chain to disk, which a node does once an hour
    const [first = 0] = pids(started);
    const seen = started.logs.length;
    process.kill(first, 'SIGKILL');
    await started.waitForLog('the restart', ({ msg }) => /it will be started again/.test(msg), { from: seen });
    await waitFor('the node to be back', async () => (await rpc('getbestblockhash')) === tip);
    // Once with the job from before, once with one of the node that came back.
    const hash = await mineBlock(rig);
    await started.waitForLog('the block is in the chain', saysBlock(hash));
    await rig.jobOn(hash);
    await mineBlock(rig);
    expect(pids(started)).toHaveLength(2);
    expect(rig.closed).toBe(false);
  });

  it('hears of blocks from the node itself, through `headframe notify` and the socket of the pool', async () => {
    const socket = join(folder.path, 'control.sock');
    const here = createPool(
      {
        ...(config({}, { control: { socket }, validation: 'inline', log: { level: 'silent' } }) as PoolConfigInput),
        dataFolder: join(folder.path, 'data'),
      },
      { notifyCommand: [process.execPath, HEADFRAME, 'notify'] },
    );
    try {
      const heard: unknown[] = [];
      here.on('notified', (notification) => heard.push(notification));
      await here.listen();
      const [daemon] = here.daemons?.list() ?? [];
      if (daemon === undefined) throw new Error('there is no supervised node');
      await within('the node to be ready', daemon.ready());
      const { state } = daemon;
      expect(state.kind).toBe('ready');
      if (state.kind === 'ready') expect(commandLine(state.pid)).toContain(`--socket ${socket} --data %s`);
      const [hash] = await rpc<string[]>('generatetoaddress', 1, anyoneAddress('rltc'));
      await waitFor('the notification', () => heard.length > 0);
      expect(heard).toEqual([expect.objectContaining({ type: 'block', data: hash, source: 'litecoind' })]);
      expect(here.daemons?.get('litecoind')).toBe(daemon);
    } finally {
      await here.close();
    }
    await expect(rpc('getblockcount')).rejects.toThrow();
  });

  it('ends the node when it is killed itself, and the next one takes over', async () => {
    const started = await run();
    const rig = await miner(started.port);
    const hash = await mineBlock(rig);
    const [pid = 0] = pids(started);
    started.process.child.kill('SIGKILL');
    await started.process.exited;
    await waitFor('the node to end', () => !isAlive(pid));
    const again = await run();
    await waitFor('the chain', async () => (await rpc('getbestblockhash')) === hash);
    expect(pids(again)[0]).not.toBe(pid);
  });

  it('stops the node again when the pool itself cannot start', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const listeners = [{ host: '127.0.0.1', port, difficulty: 1 }];
    const file = writeConfig(folder.path, config({}, { listeners }));
    const child = startProcess(process.execPath, [HEADFRAME, 'start', '--config', file]);
    expect(await within('the end', child.exited)).toMatchObject({ code: 1 });
    const pid = Number(/"pid":(\d+)[^}]*"the node was started"/.exec(child.output())?.[1]);
    expect(pid).toBeGreaterThan(0);
    expect(isAlive(pid)).toBe(false);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('a program that is not there ends the start with its name', async () => {
    const file = writeConfig(folder.path, config({ binary: 'no-such-litecoind' }));
    const child = startProcess(process.execPath, [HEADFRAME, 'start', '--config', file]);
    expect(await within('the end', child.exited)).toMatchObject({ code: 1 });
    expect(child.output()).toMatch(/cannot find the program no-such-litecoind/);
  });

  it.each([
    [{ args: ['-rpcpassword=hidden'] }, {}, /daemons\[0\]\.supervise.*would show a secret/],
    [{ preset: 'ethereumd' }, {}, /daemons\[0\]\.supervise\.preset/],
    [{}, { url: 'http://10.0.0.7:9332' }, /daemons\[0\]\.url.*127\.0\.0\.1/],
    [{}, { cookieFile: '/x' }, /daemons\[0\]\.cookieFile/],
    [{ dataDir: undefined }, {}, /daemons\[0\]\.supervise\.dataDir/],
  ])('a configuration with %j %j exits 78 and starts nothing', async (supervise, daemon, message) => {
    const base = config(supervise);
    const [entry] = base.daemons as object[];
    mkdirSync(dataDir);
    const file = writeConfig(folder.path, { ...base, daemons: [{ ...entry, ...daemon }] });
    const child = startProcess(process.execPath, [HEADFRAME, 'start', '--config', file]);
    expect(await within('the end', child.exited)).toMatchObject({ code: 78 });
    expect(child.output()).toMatch(message);
    expect(child.output()).not.toContain('hidden');
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('its login can be a user and password, which are in no command line and no log', async () => {
    const base = config();
    const [entry] = base.daemons as object[];
    const password = 'correct-horse-battery';
    pool = await startPool({
      config: { ...base, daemons: [{ ...entry, user: 'pool', password }] },
      folder: folder.path,
    });
    const rig = await miner(pool.port);
    expect(rig.job.id).toBeTypeOf('string');
    const [pid = 0] = pids(pool);
    expect(commandLine(pid)).not.toContain(password);
    expect(pool.process.output()).not.toContain(password);
  });
});
