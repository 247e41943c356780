import type { NodeStatus } from '@headframe/mining';
import { FakeClock, RecordingLogger, settle } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNodePool, type NodePool, type NodePoolOptions, templateRequest } from '../src/index.js';
import { FakeChainNode, until } from './fake-chain.js';
import { blockHash, template } from './scripted-node.js';

let clock: FakeClock;
let log: RecordingLogger;
let nodes: FakeChainNode[];
let pool: NodePool;
let statuses: NodeStatus[];

async function start(count: number, options: Partial<NodePoolOptions> = {}): Promise<void> {
  for (let i = 0; i < count; i++) {
    const node = new FakeChainNode();
    node.on('getblocktemplate', { result: template(2, blockHash(1)) });
    node.on('getblockcount', { result: i });
    nodes.push(await node.listen());
  }
  const daemons = nodes.map(({ url }, index) => ({ name: `n${index}`, url, user: 'u', password: 'hidden' }));
  pool = createNodePool({ daemons, coin: { network: 'regtest', gbtRules: ['segwit'] }, ...options }, { clock, log });
  pool.on('status', (status) => statuses.push(status));
}

/** Turns the clock second by second until the condition holds. */
async function eventually(condition: () => boolean, what: string): Promise<void> {
  for (let second = 0; second < 60 && !condition(); second++) {
    clock.advance(1000);
    for (let i = 0; i < 20 && !condition(); i++) await settle();
  }
  expect(condition(), what).toBe(true);
}

beforeEach(() => {
  clock = new FakeClock();
  log = new RecordingLogger();
  nodes = [];
  statuses = [];
});
afterEach(async () => {
  pool?.close();
  for (const node of nodes) await node.kill();
});

const kinds = () => pool.nodes.map(({ state }) => state.kind);

describe('readiness', () => {
  test('ready nodes are ready after start, and the template was tried with the rules of the coin', async () => {
    await start(2);
    expect(kinds()).toEqual(['unknown', 'unknown']);
    expect(pool.status.ready).toBe(false);
    await pool.start();
    expect(kinds()).toEqual(['ready', 'ready']);
    expect(pool.status).toEqual({
      ready: true,
      reason: undefined,
      nodes: [
        { name: 'n0', up: true, detail: 'ready' },
        { name: 'n1', up: true, detail: 'ready' },
      ],
    });
    expect(nodes[0]?.paramsOf('getblocktemplate')).toEqual([[templateRequest(['segwit'])]]);
    expect(statuses.at(-1)).toEqual(pool.status);
  });

  test.each([
    ['no peers', -9, 'Litecoin Core is not connected!'],
    ['initial download', -10, 'Litecoin Core is in initial sync and waiting for blocks...'],
    ['a rule is missing', -8, 'getblocktemplate must be called with the segwit & mweb rule sets'],
  ])('%s: the node answers, but is not ready until it gives a template', async (_name, code, message) => {
    await start(1);
    nodes[0]?.on('getblocktemplate', { error: { code, message } });
    await pool.start();
    expect(kinds()).toEqual(['not-ready']);
    expect(pool.status).toMatchObject({
      ready: false,
      reason: `n0: ${message}`,
      nodes: [{ up: true, detail: message }],
    });
    // Other calls work all the while, and do not make it ready.
    expect(await pool.call('getblockcount')).toBe(0);
    expect(kinds()).toEqual(['not-ready']);
    nodes[0]?.on('getblocktemplate', { result: template(2, blockHash(1)) });
    await eventually(() => pool.status.ready, 'ready again');
    expect(log.messages('warn')).toEqual(['node is not-ready']);
    expect(log.messages('info')).toEqual(['node is ready', 'node is ready']);
  });

  test('warming up', async () => {
    await start(1);
    const warming = { error: { code: -28, message: 'Loading block index...' } };
    nodes[0]?.on('getblockchaininfo', warming);
    await pool.start();
    expect(pool.status.reason).toBe('n0: Loading block index...');
    nodes[0]?.on('getblockchaininfo', { result: { chain: 'regtest' } });
    await eventually(() => pool.status.ready, 'ready');
  });

  test('a node on another chain is never used', async () => {
    await start(2);
    nodes[0]?.on('getblockchaininfo', { result: { chain: 'main' } });
    await pool.start();
    expect(pool.nodes[0]?.state).toMatchObject({ kind: 'not-ready', cause: 'wrong-chain' });
    expect(pool.status.nodes[0]?.detail).toBe('the node is on chain "main", the pool on "regtest"');
    expect(await pool.call('getblockcount')).toBe(1);
    expect(kinds()[0]).toBe('not-ready');
    nodes[0]?.on('getblockchaininfo', { result: { chain: 'regtest' } });
    await eventually(() => kinds()[0] === 'ready', 'the right chain');
  });

  test('wrong password: down, with a reason that holds no secret', async () => {
    await start(1);
    const [node] = nodes;
    if (node !== undefined) node.authorization = 'Basic other';
    await pool.start();
    expect(kinds()).toEqual(['down']);
    expect(pool.status.reason).toContain('401');
    expect(JSON.stringify([pool.status, log.lines])).not.toMatch(/hidden|aGlkZGVu/);
  });

  test('an old node without getblockchaininfo is judged by its templates', async () => {
    await start(1);
    nodes[0]?.methods.delete('getblockchaininfo');
    await pool.start();
    expect(kinds()).toEqual(['ready']);
  });
});

describe('failover', () => {
  test('the preferred node is called; when it dies the next one; when it is back it is preferred again', async () => {
    await start(2);
    await pool.start();
    expect(await pool.call('getblockcount')).toBe(0);
    await nodes[0]?.kill();
    expect(await pool.call('getblockcount')).toBe(1);
    expect(kinds()).toEqual(['down', 'ready']);
    expect(pool.status.ready).toBe(true);
    // The dead node is not asked again by calls, only by its own check.
    expect(await pool.call('getblockcount')).toBe(1);
    await nodes[0]?.listen();
    await eventually(() => kinds()[0] === 'ready', 'the first node is back');
    expect(await pool.call('getblockcount')).toBe(0);
  });

  test('a node that is not ready is passed over', async () => {
    await start(2);
    nodes[0]?.on('getblocktemplate', { error: { code: -9, message: 'not connected' } });
    await pool.start();
    expect(await pool.call('getblockcount')).toBe(1);
    expect(pool.candidates().map(({ name }) => name)).toEqual(['n1', 'n0']);
  });

  test('a node that hangs is left after the time limit', async () => {
    await start(2);
    await pool.start();
    nodes[0]?.on('getblockcount', 'hang');
    const answer = pool.call('getblockcount', [], { timeoutMs: 2000 });
    await until(() => nodes[0]?.count('getblockcount') === 1, 'the first node was asked');
    clock.advance(2000);
    expect(await answer).toBe(1);
    expect(kinds()[0]).toBe('down');
  });

  test('an error a healthy node answers is final', async () => {
    await start(2);
    await pool.start();
    nodes[0]?.on('getblockhash', { error: { code: -8, message: 'Block height out of range' } });
    await expect(pool.call('getblockhash', [99])).rejects.toMatchObject({ code: 'rpc_error', details: { code: -8 } });
    expect(nodes[1]?.count('getblockhash')).toBe(0);
  });

  test('all nodes away: the last error, then no_node with every reason, at once', async () => {
    await start(2);
    await pool.start();
    for (const node of nodes) await node.kill();
    await expect(pool.call('getblockcount')).rejects.toMatchObject({ code: 'rpc_unavailable' });
    await expect(pool.call('getblockcount')).rejects.toMatchObject({ code: 'no_node' });
    await expect(pool.call('getblockcount')).rejects.toThrow(/n0: .*n1: /);
    expect(statuses.at(-1)?.ready).toBe(false);
    // The same trouble with another method is no news.
    const told = statuses.length;
    await pool.nodes[0]?.call('getbestblockhash').catch(() => {});
    expect(statuses.length).toBe(told);
    expect(statuses.at(-1)?.nodes[0]?.detail).toMatch(/^no connection: connect ECONNREFUSED/);
  });

  test('a dead node is checked less and less often, a healthy one every 5 s', async () => {
    await start(2);
    await pool.start();
    nodes[0]?.on('getblockchaininfo', { raw: 'x', status: 502 });
    const before = nodes.map((node) => node.count('getblockchaininfo'));
    for (let second = 0; second < 120; second++) {
      clock.advance(1000);
      for (let i = 0; i < 5; i++) await settle();
    }
    const [dead = 0, healthy = 0] = nodes.map((node, index) => node.count('getblockchaininfo') - (before[index] ?? 0));
    expect(dead).toBeLessThanOrEqual(13);
    expect(healthy).toBeGreaterThanOrEqual(15);
  });
});

describe('construction and end', () => {
  test('no nodes, equal names, a bad URL', () => {
    const coin = { network: 'regtest', gbtRules: [] };
    expect(() => createNodePool({ daemons: [], coin })).toThrow('at least one');
    const daemon = { url: 'http://127.0.0.1:1' };
    expect(() => createNodePool({ daemons: [daemon, daemon], coin })).toThrow('same name');
    expect(() => createNodePool({ daemons: [{ url: 'nope' }], coin })).toThrow('URL');
    pool = createNodePool({ daemons: [daemon], coin });
    expect(pool.nodes[0]?.name).toBe('127.0.0.1:1');
  });

  test('close ends the checks and calls under way', async () => {
    await start(1);
    await pool.start();
    nodes[0]?.on('getblockcount', 'hang');
    const hanging = pool.call('getblockcount');
    await until(() => nodes[0]?.count('getblockcount') === 1, 'asked');
    pool.close();
    pool.close();
    await expect(hanging).rejects.toMatchObject({ code: 'closed' });
    await settle();
    expect(clock.pending).toBe(0);
  });
});
