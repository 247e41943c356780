import { readdirSync, readFileSync } from 'node:fs';
import { CpuMiner, connectStratum, MiningClient, type StratumClient } from '@headframe/client';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { createElectrumFramework } from '@headframe/electrum-server';
import { reject } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningExample, runProgram, startExample } from './support/example.js';

let node: DevNode;
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  node = createDevNode();
  await node.start();
  node.mineBlocks(1);
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await node.close();
});

async function run(name: string): Promise<RunningExample> {
  const example = await startExample(name, node);
  closing.push(() => example.stop());
  return example;
}

async function connect(example: RunningExample): Promise<StratumClient> {
  const client = await connectStratum({ url: example.url });
  closing.push(() => client.close());
  return client;
}

/** Mines as `username`; every share is a block on the development chain, so a few a second are enough. */
async function mine(example: RunningExample, username: string, password = 'x'): Promise<CpuMiner> {
  const client = new MiningClient({ url: example.url, workers: [{ username, password }], reconnect: false });
  closing.push(() => client.close());
  await client.start();
  const miner = new CpuMiner(client, { maxSharesPerSecond: 4 });
  closing.push(() => miner.stop());
  miner.start();
  return miner;
}

const once = <Value>(subscribe: (listener: (value: Value) => void) => unknown): Promise<Value> =>
  new Promise((resolve) => subscribe(resolve));

const sources = new URL('../src/', import.meta.url);

it.each(readdirSync(sources))('%s is short enough to be read at once', (name) => {
  expect(readFileSync(new URL(name, sources), 'utf8').split('\n').length).toBeLessThan(60);
});

describe('hello-pool', () => {
  it('lets a miner find a block', async () => {
    const example = await run('hello-pool');
    await mine(example, 'me.rig1');
    expect(await example.line(/^share of /)).toMatch(/^share of me\.rig1, difficulty /);
    expect(await example.line(/^block /)).toMatch(/^block 2 [0-9a-f]{64} by me\.rig1$/);
    expect(await example.stop()).toBe(0);
  });
});

describe('custom-method', () => {
  it('answers the method, checks its params, and notifies when the mark is reached', async () => {
    const example = await run('custom-method');
    const client = new MiningClient({ url: example.url, workers: [{ username: 'alice.rig1' }], reconnect: false });
    closing.push(() => client.close());
    await client.start();
    expect(await client.request('mining.get_balance', [])).toEqual({ account: 'alice', work: 0, balance: 0 });
    await expect(client.request('mining.get_balance', ['much'])).rejects.toMatchObject({ stratumCode: 20 });
    await client.request('mining.get_balance', [1e-12]);
    const reached = once((resolve) => client.on('message', (n) => n.method === 'mining.mark_reached' && resolve(n)));
    const miner = new CpuMiner(client, { maxSharesPerSecond: 4 });
    closing.push(() => miner.stop());
    miner.start();
    expect(await reached).toMatchObject({ params: [expect.any(Number)] });
    expect(await client.request('mining.get_balance', [])).not.toMatchObject({ balance: 0 });
  });

  it('refuses who has not authorized', async () => {
    const client = await connect(await run('custom-method'));
    await expect(client.request('mining.get_balance', [])).rejects.toMatchObject({ stratumCode: 24 });
  });
});

describe('custom-authorisation', () => {
  it('knows its accounts', async () => {
    const client = await connect(await run('custom-authorisation'));
    await client.request('mining.subscribe', []);
    await expect(client.request('mining.authorize', ['carol.rig', 'x'])).rejects.toMatchObject({
      stratumCode: 24,
      reason: 'unknown account',
    });
    await expect(client.request('mining.authorize', ['alice.rig', 'x'])).rejects.toMatchObject({
      reason: 'wrong password',
    });
    expect(await client.request('mining.authorize', ['alice.rig', 'secret'])).toBe(true);
  });

  it('takes no share of a suspended account, and its block all the same', async () => {
    const example = await run('custom-authorisation');
    const block = once((resolve) => node.on('block', resolve));
    const bob = await mine(example, 'bob.rig');
    const refused = await once<{ readonly error: Error }>((resolve) => bob.on('rejected', resolve));
    expect(refused.error).toMatchObject({ stratumCode: 24, reason: 'suspended' });
    expect(await block).toMatchObject({ height: 2 });
    await mine(example, 'alice.rig', 'secret');
    expect(await example.line(/^alice did /)).not.toBe('');
  });

  it('suspends an account while it mines', async () => {
    const example = await run('custom-authorisation');
    const alice = await mine(example, 'alice.rig', 'secret');
    await example.line(/^alice did /);
    example.child.kill('SIGUSR2');
    await example.line(/^alice is suspended/);
    await once((resolve) => alice.on('rejected', resolve));
  });
});

describe('shared-state', () => {
  it('shares a state between connections, and keeps one of each', async () => {
    const example = await run('shared-state');
    const [alice, bob] = [await connect(example), await connect(example)];
    await expect(bob.request('auth', ['alice', 'wrong'])).rejects.toMatchObject({ reason: 'try 1' });
    await expect(bob.request('auth', ['alice', 'wrong'])).rejects.toMatchObject({ reason: 'try 2' });
    await expect(alice.request('auth', ['alice', 'no'])).rejects.toMatchObject({ reason: 'try 1' });
    expect(await alice.request('auth', ['alice', 'secret'])).toBe(true);
    const told = new Promise((resolve) =>
      alice.on('message', ({ method, params }) => method === 'stats.logins' && resolve(params)),
    );
    expect(await told).toEqual([1, 2]);
    const farewell = once<{ readonly text: string }>((resolve) => alice.on('client.show_message', resolve));
    expect(await example.stop()).toBe(0);
    expect((await farewell).text).toBe('back in a minute');
  });
});

describe('stratum-client', () => {
  it('asks for work, logs in, and is told why its share is refused', async () => {
    const example = await run('hello-pool');
    const lines = await runProgram('stratum-client', { POOL_URL: example.url });
    expect(lines).toContain('authorized true');
    expect(lines.find((line) => line.startsWith('difficulty'))).toMatch(/^difficulty \S+$/);
    expect(lines).toContain('says mining.notify');
    expect(lines.find((line) => line.startsWith('subscribed'))).toContain('mining.notify');
    expect(lines.find((line) => line.startsWith('refused'))).toMatch(/^refused 2[0-3] /);
    expect(lines.at(-1)).toBe('closed in order');
  });
});

describe('electrum-client', () => {
  it('asks, subscribes, and is told why its transaction is refused', async () => {
    const server = createElectrumFramework({ listeners: [{ host: '127.0.0.1', port: 0 }] });
    closing.push(() => server.close());
    const header = { height: 5, hex: '00'.repeat(80) };
    server.method('blockchain.headers.subscribe', { handler: () => header });
    server.method('blockchain.scripthash.subscribe', { handler: () => null });
    server.method('blockchain.scripthash.get_history', { handler: () => [] });
    server.method('blockchain.scripthash.get_balance', { handler: () => ({ confirmed: 7, unconfirmed: 0 }) });
    server.method('blockchain.transaction.broadcast', { handler: () => reject('other', 'no such inputs') });
    const [listener] = await server.listen();
    const lines = await runProgram('electrum-client', { ELECTRUM_SERVER: `tcp://127.0.0.1:${listener?.port}` });
    expect(lines).toEqual([
      'server Headframe 1.6',
      'tip 5 0',
      'history 0 as announced',
      'balance 7',
      expect.stringMatching(/^refused .*no such inputs/),
    ]);
  });
});

describe('bare-server', () => {
  it('serves methods of its own, without a node', async () => {
    const example = await run('bare-server');
    const [alice, bob] = [await connect(example), await connect(example)];
    await expect(alice.request('chat.say', ['too early'])).rejects.toMatchObject({ stratumCode: 24 });
    expect(await alice.request('chat.join', ['alice'])).toBe(true);
    await expect(bob.request('chat.join', ['alice'])).rejects.toMatchObject({ reason: 'the name is taken' });
    expect(await bob.request('chat.join', ['bob'])).toBe(true);
    const said = once((resolve) => alice.on('message', resolve));
    expect(await bob.request('chat.say', ['hello'])).toBe(1);
    expect(await said).toMatchObject({ method: 'chat.said', params: ['bob', 'hello'] });
    await expect(bob.request('mining.authorize', ['bob'])).rejects.toMatchObject({ reason: 'use chat.join' });
    await bob.close();
    expect(await example.line(/left/)).toBe('bob left: client-closed');
    expect(await example.stop()).toBe(0);
  });
});
