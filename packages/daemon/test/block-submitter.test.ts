import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PoolError } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BlockJournal, JournalEntry } from '../src/index.js';
import { OUR_HASH, SubmitBench, until } from './fake-chain.js';

let bench: SubmitBench;
beforeEach(async () => {
  bench = await SubmitBench.open();
});
afterEach(() => bench.close());

describe('sending', () => {
  for (let index = 0; index < 4; index++) {
    test(`submitblock reaches configured URL ${index} of 4`, async () => {
      const nodes = await Promise.all([bench.chainNode(), bench.chainNode(), bench.chainNode(), bench.chainNode()]);
      bench.submitter(bench.nodePool(...nodes)).submit(bench.found());
      await until(() => nodes[index]?.count('submitblock') === 1, `submitblock at node ${index}`);
      expect(nodes[index]?.paramsOf('submitblock')).toEqual([['ab'.repeat(200)]]);
    });
  }

  test('in the tick of the call: every node is called and the journal begins to write', async () => {
    const order: string[] = [];
    const [a, b] = [await bench.chainNode(), await bench.chainNode()];
    const pool = bench.nodePool(a, b);
    for (const node of pool.nodes) {
      const call = node.call.bind(node);
      node.call = (method, params, options) => {
        order.push(`${node.name} ${method}`);
        return call(method, params, options);
      };
    }
    const journal: BlockJournal = {
      unsettled: [],
      settled: [],
      append: (entry) => {
        order.push(`journal ${entry.type}`);
        return new Promise(() => {});
      },
      close: () => Promise.resolve(),
    };
    bench.submitter(pool, { journal }).submit(bench.found());
    expect(order).toEqual(['n0 submitblock', 'n1 submitblock', 'journal block']);
    expect(bench.outcomes).toMatchObject([
      { status: 'candidate', nodes: { n0: 'sent', n1: 'sent' }, reward: 5_000_000_000n },
    ]);
    await until(() => a.count('submitblock') + b.count('submitblock') === 2, 'both nodes got it');
  });

  test('a hash is sent once', async () => {
    const node = await bench.chainNode();
    const made = bench.submitter(bench.nodePool(node));
    made.submit(bench.found());
    made.submit(bench.found());
    await until(() => node.count('submitblock') === 1, 'sent');
    await settle();
    expect(node.count('submitblock')).toBe(1);
    expect(bench.statuses()).toEqual(['candidate']);
  });

  test('one node hangs, one answers an error, one is dead, one accepts: the block is confirmed', async () => {
    const [hung, failing, dead, good] = [
      await bench.chainNode(),
      await bench.chainNode(),
      await bench.chainNode(),
      await bench.chainNode(),
    ];
    for (const method of ['submitblock', 'getblockcount', 'preciousblock']) hung.on(method, 'hang');
    failing.on('submitblock', { error: { code: -22, message: 'Block decode failed' } });
    const pool = bench.nodePool(hung, failing, dead, good);
    await dead.kill();
    good.on('submitblock', () => {
      good.extend(OUR_HASH);
      return { result: null };
    });
    const made = bench.submitter(pool);
    made.submit(bench.found());
    await until(() => bench.statuses().includes('confirmed'), 'confirmed by the good node');
    await until(() => failing.count('submitblock') === 1, 'the failing node was asked');
    expect(bench.statuses()).toEqual(['candidate', 'confirmed']);
    expect(made.stats).toMatchObject({ submitted: 1, confirmed: 1, open: 1 });
    await dead.listen();
  });

  test('a node that was away gets the block when it is back', async () => {
    const [a, b] = [await bench.chainNode(), await bench.chainNode()];
    const pool = bench.nodePool(a, b);
    await b.kill();
    bench.submitter(pool).submit(bench.found());
    await until(
      () => bench.log.lines.some(({ details }) => 'answer' in details && details.answer === 'error: rpc_unavailable'),
      'b failed',
    );
    await b.listen();
    for (let i = 0; i < 20 && b.count('submitblock') === 0; i++) {
      bench.clock.advance(1000);
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
    const node = await bench.chainNode();
    let first = true;
    node.on('submitblock', () => {
      if (!first) return { result: null };
      first = false;
      return answer;
    });
    bench.submitter(bench.nodePool(node)).submit(bench.found());
    await until(() => node.count('submitblock') === 1, 'first attempt');
    for (let i = 0; i < 50 && node.count('submitblock') === 1; i++) {
      bench.clock.advance(250);
      await settle();
    }
    await until(() => node.count('submitblock') === 2, 'second attempt');
  });

  test('retries end after the bound', async () => {
    const node = await bench.chainNode();
    node.on('submitblock', { raw: 'x', status: 502 });
    bench.submitter(bench.nodePool(node), { retryForMs: 10_000 }).submit(bench.found());
    await until(() => node.count('submitblock') === 1, 'first attempt');
    for (let i = 0; i < 200; i++) {
      bench.clock.advance(500);
      await settle();
    }
    const count = node.count('submitblock');
    expect(count).toBeLessThan(10);
    expect(bench.log.messages('warn').join()).toContain('giving up');
  });

  test('the work id of the template goes along', async () => {
    const node = await bench.chainNode();
    bench.submitter(bench.nodePool(node)).submit({ ...bench.found(), workId: 'w7' });
    await until(() => node.count('submitblock') === 1, 'sent');
    expect(node.paramsOf('submitblock')[0]?.[1]).toEqual({ workid: 'w7' });
  });

  test('preciousblock is asked for, and not again where it is unknown', async () => {
    const [knows, unaware] = [await bench.chainNode(), await bench.chainNode()];
    knows.on('preciousblock', { result: null });
    const made = bench.submitter(bench.nodePool(knows, unaware));
    for (const [i, hash] of ['one', 'two', 'three'].entries()) {
      made.submit({ ...bench.found(hash), hex: `0000002${i}`.repeat(40) });
      await until(() => knows.count('preciousblock') > 0 && unaware.count('preciousblock') > 0, 'asked');
      await until(() => knows.paramsOf('preciousblock').flat().includes(hash), `precious ${hash}`);
    }
    expect(unaware.count('preciousblock')).toBe(1);
    expect(knows.paramsOf('preciousblock').flat()).toEqual(['one', 'two', 'three']);
  });

  test('a second block of ours on the same parent is sent, but not preferred to the first', async () => {
    const node = await bench.chainNode();
    node.on('preciousblock', { result: null });
    const made = bench.submitter(bench.nodePool(node));
    made.submit(bench.found('one'));
    await until(() => node.paramsOf('preciousblock').flat().includes('one'), 'precious');
    made.submit(bench.found('two'));
    await until(() => node.count('submitblock') === 2, 'sent');
    const elsewhere = { ...bench.found('three'), hex: 'cd'.repeat(200) };
    made.submit(elsewhere);
    await until(() => node.paramsOf('preciousblock').flat().includes('three'), 'precious');
    expect(node.paramsOf('preciousblock').flat()).toEqual(['one', 'three']);
  });

  test('close waits for a send under way, but not for ever', async () => {
    const node = await bench.chainNode();
    let release: () => void = () => {};
    node.on(
      'submitblock',
      () =>
        new Promise((resolve) => {
          release = () => resolve({ result: null });
        }),
    );
    const made = bench.submitter(bench.nodePool(node));
    made.submit(bench.found());
    await until(() => node.count('submitblock') === 1, 'sent');
    let closed = false;
    const closing = made.close().then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
    release();
    await closing;

    const hung = await bench.chainNode();
    hung.on('submitblock', 'hang');
    const second = bench.submitter(bench.nodePool(hung));
    second.submit(bench.found());
    const gone = second.close(1000);
    await settle();
    bench.clock.advance(1000);
    await gone;
  });
});

describe('journal', () => {
  test('a block cut off by kill -9 is sent again at the next start, and settled after that', async () => {
    const journal = await bench.openJournal();
    bench.cleanups.push(() => journal.close());
    const dead = await bench.chainNode();
    const pool = bench.nodePool(dead);
    await dead.kill();
    bench.submitter(pool, { journal }).submit(bench.found());
    await journal.append({ type: 'status', hash: 'unrelated', status: 'matured', timeMs: 1 });
    // Nothing is closed: the process is gone.

    const node = await bench.chainNode();
    const again = await bench.openJournal();
    bench.cleanups.push(() => again.close());
    node.on('submitblock', ([hex]) => {
      expect(hex).toBe('ab'.repeat(200));
      node.extend(OUR_HASH);
      return { result: null };
    });
    bench.outcomes = [];
    const made = bench.submitter(bench.nodePool(node), { journal: again });
    made.start();
    await until(() => bench.statuses().includes('confirmed'), 'confirmed after the restart');
    expect(bench.outcomes[0]).toMatchObject({
      status: 'candidate',
      account: 'account',
      worker: 'rig',
      reward: 5_000_000_000n,
    });
    await again.close();

    const third = await bench.openJournal();
    bench.cleanups.push(() => third.close());
    bench.outcomes = [];
    const last = bench.submitter(bench.nodePool(node), { journal: third });
    last.start();
    node.bury(99);
    last.tipChanged();
    await until(() => bench.statuses().includes('matured'), 'matured after the second restart');
    expect(bench.statuses()).toEqual(['matured']);
    expect(node.count('submitblock')).toBe(1);
    await third.close();
    const fourth = await bench.openJournal();
    expect(fourth.unsettled).toEqual([]);
    // Its fate is in the journal, but whoever books it may have been cut off by a crash: the next start says it again, once.
    bench.outcomes = [];
    bench.submitter(bench.nodePool(node), { journal: fourth }).start();
    expect(bench.statuses()).toEqual(['matured']);
    expect(bench.outcomes[0]).toMatchObject({ hash: OUR_HASH, confirmations: 100 });
    await fourth.close();
    const fifth = await bench.openJournal();
    expect(fifth.settled).toEqual([]);
    await fifth.close();
    await dead.listen();
  });

  test('a journal that fails is reported and stops nothing', async () => {
    const node = await bench.chainNode();
    node.on('submitblock', () => {
      node.extend(OUR_HASH);
      return { result: null };
    });
    const failing: BlockJournal = {
      unsettled: [],
      settled: [],
      append: () => Promise.reject(new PoolError('storage_failed', 'no space left on device')),
      close: () => Promise.resolve(),
    };
    const made = bench.submitter(bench.nodePool(node), { journal: failing });
    made.submit(bench.found());
    await until(() => bench.statuses().includes('confirmed'), 'confirmed');
    await settle();
    expect(made.stats.journalFailures).toBe(2);
    expect(bench.log.messages('error')).toContain('block journal failed');
  });

  test('a candidate without its job is kept: header and coinbase', async () => {
    const journal = await bench.openJournal();
    const made = bench.submitter(bench.nodePool(await bench.chainNode()), { journal });
    made.keep(bench.found().candidate, 'unknown job 0000004d');
    made.keep(bench.found().candidate, 'unknown job 0000004d');
    await journal.close();
    const lines = (await readFile(join(bench.folder, 'blocks.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as JournalEntry)).toMatchObject([
      { type: 'kept', hash: '01'.repeat(32), header: '02'.repeat(80), coinbase: '03'.repeat(100), baseJobId: 77 },
    ]);
    expect(bench.log.messages('error').length).toBe(1);
    expect(bench.outcomes).toEqual([]);
  });

  test('after close a block is at least in the log', async () => {
    const made = bench.submitter(bench.nodePool(await bench.chainNode()));
    await made.close();
    made.submit(bench.found());
    expect(bench.log.lines.at(-1)).toMatchObject({ level: 'error', details: { hex: 'ab'.repeat(200) } });
    await made.close();
  });
});
