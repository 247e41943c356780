import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestPool, type TestPool, until } from '@headframe/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

const TOKEN = 'token-of-the-control-tests';

let folder = '';
let socket = '';
let test: TestPool<unknown> | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-control-'));
  socket = join(folder, 'control.sock');
});
afterEach(async () => {
  await test?.close();
  test = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function start(config: Parameters<typeof createTestPool>[0] = {}) {
  test = await createTestPool<unknown>({
    ...config,
    config: { control: { port: 0, socket, token: TOKEN }, ...config.config },
  });
  return test;
}

/** Says lines over the UNIX socket, ends, and reads until the pool ends too. */
function say(...messages: unknown[]): Promise<Record<string, unknown>[]> {
  return new Promise((resolve, reject) => {
    const connection = createConnection({ path: socket, allowHalfOpen: true });
    let text = '';
    connection.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    connection.on('error', reject);
    connection.on('end', () => {
      connection.end();
      resolve(
        text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>),
      );
    });
    connection.end(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  });
}

const call = (method: string, params: unknown = {}, id = 1) => ({ jsonrpc: '2.0', id, method, params });
async function ask(method: string, params: unknown = {}): Promise<unknown> {
  const [answer] = await say(call(method, params));
  return answer?.result ?? answer?.error;
}

describe('the control RPC of a pool', () => {
  it('listens on a socket for its owner alone, and on one port for JSON and HTTP', async () => {
    const { pool } = await start();
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    expect(await ask('pool.status')).toMatchObject({ coin: 'bitcoin', isPaused: false, sessions: 0 });
    const port = pool.control.address?.port;
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(call('pool.pause')),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ jsonrpc: '2.0', id: 1, result: { isPaused: true } });
    expect(pool.isPaused).toBe(true);
    expect(await ask('pool.resume')).toEqual({ isPaused: false });
    await test?.close();
    test = undefined;
    await expect(stat(socket)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('answers everything that was said before the caller said its end', async () => {
    await start();
    const answers = await say(call('bans.list', {}, 1), call('control.methods', {}, 2), call('nothing', {}, 3));
    expect(answers.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('shows connections, and changes, tells and closes them', async () => {
    const { miner, pool } = await start();
    const rig = await miner({ username: 'alice.rig' });
    const page = (await ask('mining.connections')) as { items: Record<string, unknown>[] };
    expect(page).toMatchObject({
      hasMore: false,
      items: [{ account: 'alice', worker: 'alice.rig', agent: 'headframe', remoteAddress: '127.0.0.1', listener: 0 }],
    });
    const session = page.items[0]?.session;
    expect(await ask('sessions.list', [10, session])).toEqual({ items: [], hasMore: false });
    expect(await ask('sessions.difficulty', { session, difficulty: 1e-9 })).toMatchObject({ session });
    expect(await ask('sessions.message', ['maintenance at noon'])).toEqual({ sessions: 1 });
    expect(await ask('sessions.reconnect', { host: 'b.example' })).toMatchObject({ code: -32602 });
    expect(await ask('sessions.kick', { session })).toBe(true);
    await until('the miner to be gone', () => [...pool.sessions].length === 0);
    expect(await ask('sessions.kick', { session })).toMatchObject({ code: -32005, data: { code: 'not_found' } });
    const second = await miner({ username: 'bob.rig' });
    const [next] = [...pool.sessions];
    expect(await ask('sessions.reconnect', { session: next?.id, host: 'b.example', port: 3333 })).toEqual({
      sessions: 1,
    });
    await second.close();
    await rig.close();
  });

  it('bans by address, subnet, account and worker, and takes it back', async () => {
    const { miner, pool } = await start();
    const rig = await miner({ username: 'alice.rig' });
    for (const [scope, key] of [
      ['address', '192.0.2.1'],
      ['subnet', '198.51.100.0/24'],
      ['account', 'mallory'],
    ]) {
      expect(await ask('bans.add', { scope, key, seconds: 60 })).toMatchObject({ scope, key, reason: 'by hand' });
    }
    expect([...pool.sessions]).toHaveLength(1);
    await ask('bans.add', { scope: 'worker', key: 'alice.rig' });
    await until('the worker to be gone', () => [...pool.sessions].length === 0);
    await expect(miner({ username: 'alice.rig' })).rejects.toThrow();
    const other = await miner({ username: 'alice.other' });
    expect(((await ask('bans.list')) as { items: unknown[] }).items).toHaveLength(4);
    expect(await ask('bans.remove', { scope: 'worker', key: 'alice.rig' })).toBe(true);
    expect(await ask('bans.add', { scope: 'subnet', key: 'nonsense' })).toMatchObject({ code: -32602 });
    await (await miner({ username: 'alice.rig' })).close();
    await other.close();
    await rig.close();
  });

  it('keeps bans over a restart', async () => {
    const dataFolder = join(folder, 'data');
    const { pool } = await start({ config: { control: { socket }, dataFolder } });
    pool.bans.add('account', 'mallory', { reason: 'x', durationMs: 600_000 });
    await test?.close();
    const again = await start({ config: { control: { socket }, dataFolder } });
    expect(again.pool.bans.findAccount('mallory')).toMatchObject({ reason: 'x' });
  });

  it('has methods of the owner beside its own, tasks, and a readiness that callers can set', async () => {
    const { pool } = await start();
    pool.control.expose('rigs.count', z.object({ account: z.string() }), async ({ account }) => account.length);
    expect(await ask('rigs.count', { account: 'alice' })).toBe(5);
    let signal: AbortSignal | undefined;
    pool.task('watch', (given) => {
      signal = given;
      return new Promise<void>((resolve) => given.addEventListener('abort', () => resolve(), { once: true }));
    });
    const changes: boolean[] = [];
    pool.on('readiness', ({ isReady }) => changes.push(isReady));
    expect(await ask('readiness.set', { name: 'database', isOk: false, reason: 'moving' })).toBe(true);
    expect(pool.readiness.problems).toEqual(['database: moving']);
    expect(changes).toEqual([false]);
    expect(await ask('pool.status')).toMatchObject({
      readiness: [{ name: 'database', isOk: false, reason: 'moving' }],
      tasks: [{ name: 'watch', state: 'running' }],
    });
    await test?.close();
    test = undefined;
    expect(signal?.aborted).toBe(true);
  });

  it('says what a pool of this kind cannot do', async () => {
    await start();
    for (const method of ['payouts.status', 'payouts.plan', 'payouts.run', 'payouts.reconcile', 'pool.reload']) {
      expect(await ask(method)).toMatchObject({ code: -32005, data: { code: 'not_supported' } });
    }
    expect(await ask('accounts.settings', ['alice'])).toMatchObject({ data: { code: 'not_supported' } });
    expect(await ask('payouts.approve', ['x', 'y'])).toMatchObject({ code: -32602 });
  });

  it('reads the configuration again from where it came, and asks for a template', async () => {
    const { pool } = await start({ config: { control: { socket } } });
    pool.reloadSource = () => ({ applied: ['bans'], needsRestart: [] });
    expect(await ask('pool.reload')).toEqual({ applied: ['bans'], needsRestart: [] });
    expect(await ask('pool.template')).toBe(true);
    expect(await ask('pool.logLevel', ['loud'])).toMatchObject({ code: -32602 });
  });
});

describe('a storm on the control port', () => {
  it('does not keep a miner from its work: every share is judged while hundreds guess', async () => {
    const { miner, pool, shares } = await start();
    const rig = await miner({ username: 'alice.rig' });
    const port = pool.control.address?.port ?? 0;
    let guesses = 0;
    let refused = 0;
    const storm = Array.from({ length: 150 }, async (_, i) => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: 'POST',
        headers: { authorization: `Bearer guess-${i}` },
        body: JSON.stringify(call('pool.pause')),
      }).catch(() => undefined);
      guesses++;
      if (answer === undefined || answer.status !== 200) refused++;
      await answer?.arrayBuffer();
    });
    let accepted = 0;
    for (let i = 0; i < 20; i++) if ((await rig.submit(rig.solve({ want: 'share' }))).accepted) accepted++;
    await Promise.all(storm);
    expect({ guesses, refused, isPaused: pool.isPaused }).toEqual({ guesses: 150, refused: 150, isPaused: false });
    expect(accepted).toBe(20);
    expect(shares.shares).toHaveLength(20);
    await rig.close();
  });
});

it('the pool without the key has no control port, and methods all the same', async () => {
  test = await createTestPool<unknown>();
  expect(test.pool.control.address).toBeUndefined();
  expect(test.pool.control.names).toContain('mining.block');
});
