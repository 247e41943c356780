import { createConnection, createServer } from 'node:net';
import { createDevNode } from '@headframe/devnode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { poolConfig } from '../support/pool-config.js';
import { HEADFRAME, poolFolder, startPool, writeConfig } from '../support/pool-process.js';
import { startProcess } from '../support/process.js';
import { requireService } from '../support/require.js';
import { ScriptedMiner } from '../support/scripted-miner.js';
import { waitFor, within } from '../support/wait.js';

/** Sends bytes and returns what comes back until the pool closes. */
function exchange(port: number, bytes: string): Promise<string> {
  const socket = createConnection(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', () => {});
  socket.write(bytes, 'latin1');
  return within('the pool to hang up', new Promise((resolve) => socket.on('close', () => resolve(answer))), 60_000);
}

describe.runIf(requireService('pool binary'))('the headframe binary', { timeout: 120_000 }, () => {
  const node = createDevNode();
  const folder = poolFolder();
  beforeAll(() => node.start());
  afterAll(async () => {
    await node.close();
    folder.remove();
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s, with replies sent and shares kept', async (signal) => {
    const pool = await startPool({ config: poolConfig('bitcoin', [node]), folder: folder.path });
    const miner = await ScriptedMiner.start({ port: pool.port });
    const pending = Array.from({ length: 20 }, () => miner.submit(miner.solve(miner.job, { want: 'share' })));
    const replies = await Promise.all(pending);
    expect(replies.every(({ result }) => result === true)).toBe(true);
    pool.process.child.kill(signal);
    expect(await within('the end of the pool', pool.process.exited)).toEqual({ code: 0, signal: null });
    await waitFor('the miner to be let go', () => miner.closed);
  });

  it('takes values from the environment', async () => {
    const config = poolConfig('bitcoin', [{ url: 'http://127.0.0.1:1', user: 'no', password: 'no' }]);
    const env = {
      HEADFRAME_DAEMONS__0__URL: node.url,
      HEADFRAME_DAEMONS__0__USER: node.user,
      HEADFRAME_DAEMONS__0__PASSWORD: node.password,
    };
    const pool = await startPool({ config, env, folder: folder.path });
    const miner = await ScriptedMiner.start({ port: pool.port });
    expect(await miner.submit(miner.solve(miner.job, { want: 'share' }))).toMatchObject({ result: true });
    miner.close();
    expect(await pool.stop()).toEqual({ code: 0, signal: null });
  });

  it('says everything that is wrong with a configuration and exits 78 before it opens a port', async () => {
    const listening = createServer();
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const address = listening.address();
    // The port is taken: had the pool tried to open it, it would have failed another way.
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const file = writeConfig(folder.path, {
      ...poolConfig('bitcoin', [node]),
      network: 'regtest',
      payout: { scheme: 'luck', address: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' },
      listeners: [{ host: '127.0.0.1', port, difficulty: 'easy' }],
      storage: { url: 'mysql://pool:secret@db/pool' },
      listners: [],
    });
    const pool = startProcess(process.execPath, [HEADFRAME, 'start', '--config', file]);
    expect(await within('the pool to give up', pool.exited)).toEqual({ code: 78, signal: null });
    const output = pool.output();
    for (const path of ['payout.scheme', 'listeners[0].difficulty', 'storage.url', 'listners']) {
      expect(output).toContain(path);
    }
    expect(output).not.toContain('secret');
    expect(output).not.toContain('EADDRINUSE');
    expect(output).not.toContain('"msg":"listening"');
    await new Promise((resolve) => listening.close(resolve));
  });

  it('refuses an address of another network by name', async () => {
    const file = writeConfig(folder.path, {
      ...poolConfig('bitcoin', [node]),
      payout: { scheme: 'solo', address: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' },
    });
    const pool = startProcess(process.execPath, [HEADFRAME, 'start', '--config', file]);
    expect(await within('the pool to give up', pool.exited)).toEqual({ code: 78, signal: null });
    expect(pool.output()).toMatch(/payout\.address.*bitcoin main/s);
  });

  it('is not moved by what is no Stratum', async () => {
    const pool = await startPool({ config: poolConfig('bitcoin', [node]), folder: folder.path });
    const miner = await ScriptedMiner.start({ port: pool.port });
    const lines = [
      '{"id":1,"method":"mining.submit","params":["rig.1","00000000","00","00"]}',
      '{"id":2,"method":"mining.submit","params":null}',
      '{"id":3,"method":"mining.submit","params":{}}',
      '{"id":4,"method":"mining.authorize"}',
      '{"id":5,"method":"mining.subscribe","params":"text"}',
      '{"id":6,"method":"mining.configure","params":[[[]],7]}',
      '{"id":7,"method":"__proto__","params":[]}',
      '{"id":8,"method":"mining.suggest_difficulty","params":["NaN"]}',
      '[[[[[[[[',
      'null',
      '\\u0000',
      '{"id":9}',
      '',
    ];
    for (const line of lines) {
      const rude = await ScriptedMiner.open({ port: pool.port });
      rude.send(line);
      rude.send('{"id":99,"method":"mining.ping","params":[]}');
      await waitFor(
        `an answer or the end after ${line}`,
        () => rude.closed || rude.messages.some(({ id }) => id === 99),
      );
      rude.close();
    }
    for (const bytes of [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      '\x16\x03\x01\x02\x00'.padEnd(80, '\x07'),
      '\x7f\x01\x00'.repeat(40),
    ]) {
      const answer = await exchange(pool.port, bytes);
      if (bytes.startsWith('GET')) expect(answer).toMatch(/^HTTP\/1\.1 \d{3}[\s\S]*X-Stratum: stratum\+tcp:/i);
    }
    expect(await miner.submit(miner.solve(miner.job, { want: 'share' }))).toEqual({ result: true, error: null });
    miner.close();
    expect(await pool.stop()).toEqual({ code: 0, signal: null });
  });

  it('mines with its own miner, and checks a configuration against the node', async () => {
    const pool = await startPool({ config: poolConfig('bitcoin', [node]), folder: folder.path });
    const args = ['mine', `stratum+tcp://127.0.0.1:${pool.port}`, '--user', 'rig.9', '--shares', '5', '--rate', '50'];
    const miner = startProcess(process.execPath, [HEADFRAME, ...args]);
    expect(await within('five shares', miner.exited)).toEqual({ code: 0, signal: null });
    expect(miner.output().match(/accepted [0-9a-f]{64}/g)?.length).toBeGreaterThanOrEqual(5);
    expect(await pool.stop()).toEqual({ code: 0, signal: null });

    const file = writeConfig(folder.path, poolConfig('bitcoin', [node]));
    const check = startProcess(process.execPath, [HEADFRAME, 'check', '--config', file]);
    expect(await within('the check', check.exited)).toEqual({ code: 0, signal: null });
    expect(check.output()).toContain('accepted: blocks built like this are valid');

    const away = writeConfig(
      folder.path,
      poolConfig('bitcoin', [{ url: 'http://127.0.0.1:1', user: 'u', password: 'p' }]),
    );
    const alone = startProcess(process.execPath, [HEADFRAME, 'check', '--config', away]);
    expect(await within('the check without a node', alone.exited)).toEqual({ code: 69, signal: null });
  });

  it('shows the help of every command and refuses an unknown one', async () => {
    for (const command of ['start', 'demo', 'check', 'mine']) {
      const help = startProcess(process.execPath, [HEADFRAME, command, '--help']);
      expect(await within(`the help of ${command}`, help.exited), command).toEqual({ code: 0, signal: null });
      expect(help.output()).toContain(`headframe ${command}`);
    }
    const unknown = startProcess(process.execPath, [HEADFRAME, 'frobnicate']);
    expect(await within('the usage error', unknown.exited)).toEqual({ code: 64, signal: null });
  });
});
