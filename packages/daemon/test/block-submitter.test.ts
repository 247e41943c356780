import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlockCandidate, type BlockOutcome, createDirectBus, type FoundBlock } from '@headframe/mining';
import { PoolError } from '@headframe/primitives';
import { FakeClock, RecordingLogger, settle } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type BlockJournal,
  type BlockSubmitter,
  type BlockSubmitterOptions,
  createBlockSubmitter,
  createNodePool,
  type JournalEntry,
  type NodePool,
  openBlockJournal,
} from '../src/index.js';
import { FakeChainNode, until } from './fake-chain.js';

const HASH = 'our block';
let folder: string;
let clock: FakeClock;
let log: RecordingLogger;
let outcomes: BlockOutcome[];
let cleanups: (() => unknown)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-submit-'));
  clock = new FakeClock();
  log = new RecordingLogger();
  outcomes = [];
  cleanups = [() => rm(folder, { recursive: true })];
});
afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function chainNode(height = 10): Promise<FakeChainNode> {
  const node = new FakeChainNode();
  for (let i = 1; i <= height; i++) node.extend(`block ${i}`);
  await node.listen();
  cleanups.push(() => node.kill());
  return node;
}

function nodePool(...nodes: FakeChainNode[]): NodePool {
  const daemons = nodes.map((node, index) => ({ name: `n${index}`, url: node.url }));
  const pool = createNodePool({ daemons, coin: { network: 'regtest', gbtRules: [] } }, { clock, log });
  cleanups.push(() => pool.close());
  return pool;
}

function submitter(pool: NodePool, options: Partial<BlockSubmitterOptions> = {}): BlockSubmitter {
  const bus = createDirectBus();
  bus.subscribe('block', (outcome) => outcomes.push(outcome));
  const made = createBlockSubmitter(
    { nodes: pool.nodes, coin: { coinbaseMaturity: 100 }, bus, ...options },
    { clock, log },
  );
  cleanups.push(() => made.close(0));
  return made;
}

function found(hash = HASH, height = 11): FoundBlock {
  const candidate: BlockCandidate = {
    hash: new Uint8Array(32).fill(1),
    header: new Uint8Array(80).fill(2),
    coinbase: new Uint8Array(100).fill(3),
    baseJobId: 77,
    height,
    previousHash: new Uint8Array(32),
    account: 'account',
    worker: 'rig',
    address: 'bcrt1q',
    difficulty: 1,
    achieved: 5,
    timeMs: clock.now(),
    reward: 5_000_000_000n,
  };
  return { hash, height, hex: 'ab'.repeat(200), workId: undefined, candidate };
}

const statuses = () => outcomes.map(({ status }) => status);
const openJournal = () => openBlockJournal({ path: join(folder, 'blocks.jsonl') }, { log });

describe('sending', () => {
  for (let index = 0; index < 4; index++) {
    test(`submitblock reaches configured URL ${index} of 4`, async () => {
      const nodes = await Promise.all([chainNode(), chainNode(), chainNode(), chainNode()]);
      submitter(nodePool(...nodes)).submit(found());
      await until(() => nodes[index]?.count('submitblock') === 1, `submitblock at node ${index}`);
      expect(nodes[index]?.paramsOf('submitblock')).toEqual([['ab'.repeat(200)]]);
    });
  }

  test('in the tick of the call: every node is called and the journal begins to write', async () => {
    const order: string[] = [];
    const [a, b] = [await chainNode(), await chainNode()];
    const pool = nodePool(a, b);
    for (const node of pool.nodes) {
      const call = node.call.bind(node);
      node.call = (method, params, options) => {
        order.push(`${node.name} ${method}`);
        return call(method, params, options);
      };
    }
    const journal: BlockJournal = {
      unsettled: [],
      append: (entry) => {
        order.push(`journal ${entry.type}`);
        return new Promise(() => {});
      },
      close: () => Promise.resolve(),
    };
    submitter(pool, { journal }).submit(found());
    expect(order).toEqual(['n0 submitblock', 'n1 submitblock', 'journal block']);
    expect(outcomes).toMatchObject([
      { status: 'candidate', nodes: { n0: 'sent', n1: 'sent' }, reward: 5_000_000_000n },
    ]);
    await until(() => a.count('submitblock') + b.count('submitblock') === 2, 'both nodes got it');
  });

  test('a hash is sent once', async () => {
    const node = await chainNode();
    const made = submitter(nodePool(node));
    made.submit(found());
    made.submit(found());
    await until(() => node.count('submitblock') === 1, 'sent');
    await settle();
    expect(node.count('submitblock')).toBe(1);
    expect(statuses()).toEqual(['candidate']);
  });

  test('one node hangs, one answers an error, one is dead, one accepts: the block is confirmed', async () => {
    const [hung, failing, dead, good] = [await chainNode(), await chainNode(), await chainNode(), await chainNode()];
    for (const method of ['submitblock', 'getblockcount', 'preciousblock']) hung.on(method, 'hang');
    failing.on('submitblock', { error: { code: -22, message: 'Block decode failed' } });
    const pool = nodePool(hung, failing, dead, good);
    await dead.kill();
    good.on('submitblock', () => {
      good.extend(HASH);
      return { result: null };
    });
    const made = submitter(pool);
    made.submit(found());
    await until(() => statuses().includes('confirmed'), 'confirmed by the good node');
    await until(() => failing.count('submitblock') === 1, 'the failing node was asked');
    expect(statuses()).toEqual(['candidate', 'confirmed']);
    expect(made.stats).toMatchObject({ submitted: 1, confirmed: 1, open: 1 });
    await dead.listen();
  });

  test('a node that was away gets the block when it is back', async () => {
    const [a, b] = [await chainNode(), await chainNode()];
    const pool = nodePool(a, b);
    await b.kill();
    submitter(pool).submit(found());
    await until(
      () => log.lines.some(({ details }) => 'answer' in details && details.answer === 'error: rpc_unavailable'),
      'b failed',
    );
    await b.listen();
    for (let i = 0; i < 20 && b.count('submitblock') === 0; i++) {
      clock.advance(1000);
      await settle();
    }
    await until(() => b.count('submitblock') === 1, 'b got it');
  });

  test.each([
    ['warming up', { error: { code: -28, message: 'Loading block index...' } }],
    ['the parent has not arrived', { result: 'prev-blk-not-found' }],
    ['garbage', { raw: 'oops', status: 502 }],
    ['connection cut', 'cut' as const],
  ])('is retried: %s', async (_name, answer) => {
    const node = await chainNode();
    let first = true;
    node.on('submitblock', () => {
      if (!first) return { result: null };
      first = false;
      return answer;
    });
    submitter(nodePool(node)).submit(found());
    await until(() => node.count('submitblock') === 1, 'first attempt');
    for (let i = 0; i < 50 && node.count('submitblock') === 1; i++) {
      clock.advance(250);
      await settle();
    }
    await until(() => node.count('submitblock') === 2, 'second attempt');
  });

  test('retries end after the bound', async () => {
    const node = await chainNode();
    node.on('submitblock', { raw: 'x', status: 502 });
    submitter(nodePool(node), { retryForMs: 10_000 }).submit(found());
    await until(() => node.count('submitblock') === 1, 'first attempt');
    for (let i = 0; i < 200; i++) {
      clock.advance(500);
      await settle();
    }
    const count = node.count('submitblock');
    expect(count).toBeLessThan(10);
    expect(log.messages('warn').join()).toContain('giving up');
  });

  test('the work id of the template goes along', async () => {
    const node = await chainNode();
    submitter(nodePool(node)).submit({ ...found(), workId: 'w7' });
    await until(() => node.count('submitblock') === 1, 'sent');
    expect(node.paramsOf('submitblock')[0]?.[1]).toEqual({ workid: 'w7' });
  });

  test('preciousblock is asked for, and not again where it is unknown', async () => {
    const [knows, unaware] = [await chainNode(), await chainNode()];
    knows.on('preciousblock', { result: null });
    const made = submitter(nodePool(knows, unaware));
    for (const [i, hash] of ['one', 'two', 'three'].entries()) {
      made.submit({ ...found(hash), hex: `0000002${i}`.repeat(40) });
      await until(() => knows.count('preciousblock') > 0 && unaware.count('preciousblock') > 0, 'asked');
      await until(() => knows.paramsOf('preciousblock').flat().includes(hash), `precious ${hash}`);
    }
    expect(unaware.count('preciousblock')).toBe(1);
    expect(knows.paramsOf('preciousblock').flat()).toEqual(['one', 'two', 'three']);
  });

  test('a second block of ours on the same parent is sent, but not preferred to the first', async () => {
    const node = await chainNode();
    node.on('preciousblock', { result: null });
    const made = submitter(nodePool(node));
    made.submit(found('one'));
    await until(() => node.paramsOf('preciousblock').flat().includes('one'), 'precious');
    made.submit(found('two'));
    await until(() => node.count('submitblock') === 2, 'sent');
    const elsewhere = { ...found('three'), hex: 'cd'.repeat(200) };
    made.submit(elsewhere);
    await until(() => node.paramsOf('preciousblock').flat().includes('three'), 'precious');
    expect(node.paramsOf('preciousblock').flat()).toEqual(['one', 'three']);
  });

  test('close waits for a send under way, but not for ever', async () => {
    const node = await chainNode();
    let release: () => void = () => {};
    node.on(
      'submitblock',
      () =>
        new Promise((resolve) => {
          release = () => resolve({ result: null });
        }),
    );
    const made = submitter(nodePool(node));
    made.submit(found());
    await until(() => node.count('submitblock') === 1, 'sent');
    let closed = false;
    const closing = made.close().then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
    release();
    await closing;

    const hung = await chainNode();
    hung.on('submitblock', 'hang');
    const second = submitter(nodePool(hung));
    second.submit(found());
    const gone = second.close(1000);
    await settle();
    clock.advance(1000);
    await gone;
  });
});

describe('confirmation', () => {
  async function confirmed(): Promise<{ node: FakeChainNode; made: BlockSubmitter }> {
    const node = await chainNode();
    node.on('submitblock', () => {
      node.extend(HASH);
      return { result: null };
    });
    const made = submitter(nodePool(node));
    made.submit(found());
    await until(() => statuses().includes('confirmed'), 'confirmed');
    return { node, made };
  }

  async function look(made: BlockSubmitter, node: FakeChainNode): Promise<void> {
    const before = node.count('getblockcount');
    made.tipChanged();
    await until(() => node.count('getblockcount') > before, 'asked for the chain');
    for (let i = 0; i < 5; i++) await settle();
  }

  test('matures after the confirmations of the coin, on the node and on the timer', async () => {
    const { node, made } = await confirmed();
    node.bury(98);
    await look(made, node);
    expect(statuses()).toEqual(['candidate', 'confirmed']);
    node.bury(1);
    clock.advance(10_000);
    await until(() => statuses().includes('matured'), 'matured');
    expect(outcomes.at(-1)).toMatchObject({ status: 'matured', confirmations: 100, height: 11, hash: HASH });
    expect(made.stats).toMatchObject({ matured: 1, open: 0 });
    const asked = node.count('getblockcount');
    clock.advance(60_000);
    await settle();
    expect(node.count('getblockcount')).toBe(asked);
  });

  test('regression: a sibling that lost is never counted as won, though submitblock said null', async () => {
    const node = await chainNode();
    // bcoin answers null for a valid block beside its chain.
    node.on('submitblock', () => {
      node.extend('the other one');
      return { result: null };
    });
    const made = submitter(nodePool(node));
    made.submit(found());
    await until(() => node.count('getblockhash') > 0, 'asked for the chain');
    for (let i = 0; i < 5; i++) {
      node.bury(1);
      await look(made, node);
    }
    expect(statuses()).toEqual(['candidate']);
    node.bury(1);
    await look(made, node);
    expect(statuses()).toEqual(['candidate', 'orphaned']);
    expect(outcomes.at(-1)?.nodes).toEqual({ n0: 'accepted' });
    node.bury(200);
    await look(made, node);
    expect(statuses()).toEqual(['candidate', 'orphaned']);
    expect(made.stats.open).toBe(0);
  });

  test('"inconclusive" waits for the chain as well', async () => {
    const node = await chainNode();
    node.extend('the other one');
    node.on('submitblock', { result: 'inconclusive' });
    const made = submitter(nodePool(node));
    made.submit(found());
    await until(() => node.count('getblockhash') > 0, 'asked for the chain');
    expect(statuses()).toEqual(['candidate']);
    node.reorganise(11, HASH, 'on top of ours');
    await look(made, node);
    expect(statuses()).toEqual(['candidate', 'confirmed']);
    expect(outcomes.at(-1)).toMatchObject({ confirmations: 2, nodes: { n0: 'inconclusive' } });
  });

  test('reorganised away and back before it is deep: said once', async () => {
    const { node, made } = await confirmed();
    node.reorganise(11, 'other 11', 'other 12');
    await look(made, node);
    node.reorganise(11, HASH, 'ours 12', 'ours 13');
    await look(made, node);
    expect(statuses()).toEqual(['candidate', 'confirmed']);
  });

  test('reorganised away for good, then back after all', async () => {
    const { node, made } = await confirmed();
    node.reorganise(11, 'other 11').bury(6);
    await look(made, node);
    expect(statuses()).toEqual(['candidate', 'confirmed', 'orphaned']);
    node.reorganise(11, HASH).bury(20);
    await look(made, node);
    expect(statuses()).toEqual(['candidate', 'confirmed', 'orphaned', 'confirmed']);
    expect(outcomes.at(-1)?.confirmations).toBe(21);
  });

  test('refused by every node: rejected, with what each one said', async () => {
    const [a, b] = [await chainNode(), await chainNode()];
    a.on('submitblock', { result: 'rejected: bad-cb-amount' });
    b.on('submitblock', { error: { code: -22, message: 'Block decode failed' } });
    const made = submitter(nodePool(a, b));
    made.submit(found());
    await until(() => statuses().includes('rejected'), 'rejected');
    expect(outcomes.at(-1)?.nodes).toEqual({ n0: 'bad-cb-amount', n1: 'error -22: Block decode failed' });
    expect(statuses()).toEqual(['candidate', 'rejected']);
    expect(made.stats.open).toBe(0);
  });

  test('refused by one node, but in the chain of another: confirmed', async () => {
    const [a, b] = [await chainNode(), await chainNode()];
    a.on('submitblock', { result: 'bad-txnmrklroot' });
    b.on('submitblock', () => {
      b.extend(HASH);
      return { result: 'duplicate' };
    });
    submitter(nodePool(a, b)).submit(found());
    await until(() => statuses().includes('confirmed'), 'confirmed');
    await settle();
    expect(statuses()).toEqual(['candidate', 'confirmed']);
  });

  test('a node that lags keeps a block open; one that is down has no say', async () => {
    const [ahead, lagging] = [await chainNode(), await chainNode()];
    ahead.extend('other').bury(10);
    const pool = nodePool(ahead, lagging);
    const made = submitter(pool);
    made.submit(found());
    await until(() => ahead.count('getblockhash') > 0 && lagging.count('getblockcount') > 0, 'both asked');
    await look(made, ahead);
    expect(statuses()).toEqual(['candidate']);
    await lagging.kill();
    await pool.nodes[1]?.call('getblockcount').catch(() => {});
    await look(made, ahead);
    await until(() => statuses().includes('orphaned'), 'orphaned');
    await lagging.listen();
  });

  test('a node on another chain has no say', async () => {
    const foreign = await chainNode(500);
    foreign.on('getblockchaininfo', { result: { chain: 'main' } });
    foreign.on('submitblock', { result: 'rejected: prev-blk-not-found' });
    const pool = nodePool(foreign);
    await pool.start();
    const made = submitter(pool);
    made.submit(found());
    await look(made, foreign);
    expect(statuses()).toEqual(['candidate']);
  });

  test('many open blocks are asked for in batches', async () => {
    const node = await chainNode();
    const made = submitter(nodePool(node));
    for (let i = 0; i < 250; i++) made.submit(found(`block of ours ${i}`, 11 + i));
    for (let i = 0; i < 250; i++) node.extend(`block of ours ${i}`);
    await until(() => node.count('submitblock') === 250, 'all sent');
    await look(made, node);
    await until(() => made.stats.confirmed === 250, 'all confirmed');
  });

  test('the number of open blocks is bounded', async () => {
    const node = await chainNode();
    const made = submitter(nodePool(node), { maxOpenBlocks: 3 });
    for (let i = 0; i < 5; i++) made.submit(found(`block ${i}`));
    expect(made.stats.open).toBe(3);
    expect(log.messages('error')).toEqual(Array(2).fill('too many open blocks: no longer followed'));
    await until(() => node.count('submitblock') === 5, 'all were sent all the same');
  });
});

describe('journal', () => {
  test('a block cut off by kill -9 is sent again at the next start, and settled after that', async () => {
    const journal = await openJournal();
    cleanups.push(() => journal.close());
    const dead = await chainNode();
    const pool = nodePool(dead);
    await dead.kill();
    submitter(pool, { journal }).submit(found());
    await journal.append({ type: 'status', hash: 'unrelated', status: 'matured', timeMs: 1 });
    // Nothing is closed: the process is gone.

    const node = await chainNode();
    const again = await openJournal();
    cleanups.push(() => again.close());
    node.on('submitblock', ([hex]) => {
      expect(hex).toBe('ab'.repeat(200));
      node.extend(HASH);
      return { result: null };
    });
    outcomes = [];
    const made = submitter(nodePool(node), { journal: again });
    made.start();
    await until(() => statuses().includes('confirmed'), 'confirmed after the restart');
    expect(outcomes[0]).toMatchObject({
      status: 'candidate',
      account: 'account',
      worker: 'rig',
      reward: 5_000_000_000n,
    });
    await again.close();

    const third = await openJournal();
    cleanups.push(() => third.close());
    outcomes = [];
    const last = submitter(nodePool(node), { journal: third });
    last.start();
    node.bury(99);
    last.tipChanged();
    await until(() => statuses().includes('matured'), 'matured after the second restart');
    expect(statuses()).toEqual(['matured']);
    expect(node.count('submitblock')).toBe(1);
    await third.close();
    const fourth = await openJournal();
    expect(fourth.unsettled).toEqual([]);
    await fourth.close();
    await dead.listen();
  });

  test('a journal that fails is reported and stops nothing', async () => {
    const node = await chainNode();
    node.on('submitblock', () => {
      node.extend(HASH);
      return { result: null };
    });
    const failing: BlockJournal = {
      unsettled: [],
      append: () => Promise.reject(new PoolError('storage_failed', 'no space left on device')),
      close: () => Promise.resolve(),
    };
    const made = submitter(nodePool(node), { journal: failing });
    made.submit(found());
    await until(() => statuses().includes('confirmed'), 'confirmed');
    await settle();
    expect(made.stats.journalFailures).toBe(2);
    expect(log.messages('error')).toContain('block journal failed');
  });

  test('a candidate without its job is kept: header and coinbase', async () => {
    const journal = await openJournal();
    const made = submitter(nodePool(await chainNode()), { journal });
    made.keep(found().candidate, 'unknown job 0000004d');
    made.keep(found().candidate, 'unknown job 0000004d');
    await journal.close();
    const lines = (await readFile(join(folder, 'blocks.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as JournalEntry)).toMatchObject([
      { type: 'kept', hash: '01'.repeat(32), header: '02'.repeat(80), coinbase: '03'.repeat(100), baseJobId: 77 },
    ]);
    expect(log.messages('error').length).toBe(1);
    expect(outcomes).toEqual([]);
  });

  test('after close a block is at least in the log', async () => {
    const made = submitter(nodePool(await chainNode()));
    await made.close();
    made.submit(found());
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', details: { hex: 'ab'.repeat(200) } });
    await made.close();
  });
});
