// Nodes that are dead, come and go, lie, lag or disagree, in front of a whole pool. Miners are kept, blocks land.
import { once } from 'node:events';
import type { RpcOverride } from '@headframe/devnode';
import type { BlockOutcome } from '@headframe/mining';
import type { Pool } from '@headframe/pool';
import type { Logger } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PoolBench } from '../support/pool-bench.js';
import { waitFor } from '../support/wait.js';
import type { WireMiner } from '../support/wire-miner.js';

/** Regtest's network difficulty. */
const BLOCK = 4.6565423739069247e-10;
/** One hash in 4,096 is a block: shares that are none are found easily. */
const HARDER_BITS = 0x1f0fffff;
const HARDER_DIFFICULTY = 9.6e-7;
const JOBS = { poll: 0.05, spread: 0, keepAlive: 30 };

let world: PoolBench;
beforeEach(async () => {
  world = await PoolBench.create();
});
afterEach(() => world.close());

function heard(pool: Pool): Record<'blockCandidate' | 'block' | 'blockOrphaned', string[]> {
  const seen = { blockCandidate: [] as string[], block: [] as string[], blockOrphaned: [] as string[] };
  pool.on('blockCandidate', ({ hash }) => seen.blockCandidate.push(Buffer.from(hash).reverse().toString('hex')));
  for (const name of ['block', 'blockOrphaned'] as const) {
    pool.on(name, ({ hash }: BlockOutcome) => seen[name].push(hash));
  }
  return seen;
}

async function started(pool: Pool): Promise<WireMiner> {
  await waitFor('a template', () => pool.status().job !== undefined);
  return world.connect(pool).start();
}

/** A logger that keeps what was said. */
function recorder(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const say = (level: string) => (fields: unknown, message?: string) => {
    lines.push(
      `${level} ${message ?? ''} ${JSON.stringify(fields, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
    );
  };
  const log: Logger = {
    trace: () => {},
    debug: () => {},
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    fatal: say('fatal'),
    child: () => log,
  } as Logger;
  return { log, lines };
}

describe('a node that', () => {
  it('public-pool#47: is dead at the start, comes, dies with a solved block under way, and comes back', async () => {
    const node = await world.node();
    const { url } = node;
    await node.close();
    const pool = await world.pool([{ url }], { jobs: JOBS });
    const seen = heard(pool);
    const early = world.connect(pool);
    await early.subscribe();
    expect((await early.authorize()).result).toBe(true);
    expect(early.jobs).toEqual([]);
    await node.start();
    await waitFor('a job', () => early.jobs.length > 0);
    expect((await early.mine({ meets: BLOCK })).result).toBe(true);
    await waitFor('the block', () => seen.block.length === 1);
    await waitFor('work on it', () => early.job.params[1] !== early.jobs[0]?.params[1]);
    // The node dies; the miner goes on and finds a block that nobody can take yet.
    await node.close();
    const share = early.search({ meets: BLOCK });
    expect((await early.submit(share)).result).toBe(true);
    expect(seen.blockCandidate).toHaveLength(2);
    expect(node.height).toBe(1);
    await node.start();
    await waitFor('the block that waited', () => node.tipHash === share.hash, 20_000);
    await waitFor('its confirmation', () => seen.block.includes(share.hash), 20_000);
    expect(early.closed).toBe(false);
  }, 60_000);

  it('goes back to an older template keeps its miners where they are', async () => {
    const node = await world.node();
    const old = node.template();
    node.mineBlocks(2);
    const pool = await world.pool([node], { jobs: JOBS });
    const miner = await started(pool);
    const { params } = miner.job;
    let asked = 0;
    node.override('getblocktemplate', () => {
      asked++;
      return old;
    });
    await waitFor('the old template to be offered', () => {
      pool.refreshTemplate();
      return asked > 3;
    });
    expect(pool.status().job?.height).toBe(3);
    expect(miner.job.params[1]).toBe(params[1]);
    node.override('getblocktemplate', undefined);
    expect((await miner.mine()).result).toBe(true);
  });

  const refusals: readonly (readonly [string, (template: Record<string, unknown>) => Record<string, unknown>])[] = [
    ['a rule nobody knows', (template) => ({ ...template, rules: ['csv', '!tomorrow'] })],
    ['no previous block', ({ previousblockhash: _, ...rest }) => rest],
    ['a target of zero', (template) => ({ ...template, bits: '00000000' })],
    ['a negative reward', (template) => ({ ...template, coinbasevalue: -1 })],
    ['an endless coinbaseaux', (template) => ({ ...template, coinbaseaux: { flags: 'ab'.repeat(100) } })],
    ['a transaction that is none', (template) => ({ ...template, transactions: [{ data: 'zz', txid: 'nonsense' }] })],
    ['an answer of another kind', () => ({ nonsense: true })],
  ];
  it.each(refusals)(
    'sends %s: said in the log, miners keep what they have, and go on after it',
    async (_name, change) => {
      const node = await world.node({ bits: HARDER_BITS });
      const { log, lines } = recorder();
      let isLying = false;
      const lie: RpcOverride = async (_params, next) => {
        const template = (await next()) as Record<string, unknown>;
        return isLying ? change(template) : template;
      };
      node.override('getblocktemplate', lie);
      const pool = await world.pool([node], { jobs: JOBS }, { log });
      const miner = await started(pool);
      isLying = true;
      const [hash = ''] = node.mineBlocks(1);
      await waitFor('a word in the log', () => lines.some((line) => line.startsWith('error') && /template/.test(line)));
      expect(pool.status().job?.height).toBe(1);
      expect((await miner.mine({ meets: 1e-9, misses: HARDER_DIFFICULTY })).result).toBe(true);
      isLying = false;
      const wire = Buffer.from(hash, 'hex').reverse().swap32().toString('hex');
      await waitFor('work on the new block', () => {
        // What the node feed took for good is asked for again every 15 s only, or when the operator says so.
        pool.refreshTemplate();
        return miner.job.params[1] === wire;
      });
      expect((await miner.mine({ meets: 1e-9, misses: HARDER_DIFFICULTY })).result).toBe(true);
    },
  );

  it('is alone in having a coinbase too large for the configured bound: refused before any miner sees it', async () => {
    const node = await world.node();
    const { log, lines } = recorder();
    const pool = await world.pool([node], { jobs: { ...JOBS, maxCoinbaseBytes: 100 } }, { log });
    await waitFor('the refusal', () => lines.some((line) => line.startsWith('error') && /coinbase/i.test(line)));
    const miner = world.connect(pool);
    await miner.subscribe();
    await miner.authorize();
    expect(miner.jobs).toEqual([]);
    expect(pool.status().jobs?.refused).toBeGreaterThan(0);
  });

  it('public-pool 2025: answers submitblock with null, an error, or never: only the chain says what is a block', async () => {
    const node = await world.node();
    const pool = await world.pool([node], { jobs: JOBS });
    const seen = heard(pool);
    const miner = await started(pool);
    // Null, and the block is thrown away.
    node.override('submitblock', () => null);
    expect((await miner.mine({ meets: BLOCK })).result).toBe(true);
    await waitFor('the candidate', () => seen.blockCandidate.length === 1);
    expect(node.height).toBe(0);
    // An error that means nothing, and the block was taken.
    node.override('submitblock', async (_params, next) => {
      await next();
      throw new Error('database is locked');
    });
    const share = miner.search({ meets: BLOCK });
    expect((await miner.submit(share)).result).toBe(true);
    await waitFor('the block', () => seen.block.length > 0);
    expect(seen.block).toEqual([share.hash]);
  });
});

describe('several nodes', () => {
  it('datum_gateway#193: each of them gets each block, whatever the others do', async () => {
    const nodes = [await world.node(), await world.node(), await world.node()];
    const gone = await world.node();
    const dead = { url: gone.url };
    await gone.close();
    const [first, second, third] = nodes;
    if (!first || !second || !third) throw new Error('three nodes');
    second.override('submitblock', () => new Promise(() => {}));
    const pool = await world.pool([...nodes, dead], { jobs: JOBS });
    const got: string[] = [];
    first.on('submitted', ({ hash }) => got.push(`first ${hash}`));
    third.on('submitted', ({ hash }) => got.push(`third ${hash}`));
    const miner = await started(pool);
    const share = miner.search({ meets: BLOCK });
    expect((await miner.submit(share)).result).toBe(true);
    await waitFor('all that can', () => got.length === 2);
    expect(got.sort()).toEqual([`first ${share.hash}`, `third ${share.hash}`]);
  });

  it('that disagree: the pool stays with one chain, and moves when the other is longer', async () => {
    const [a, b] = [await world.node(), await world.node()];
    a.mineBlocks(2);
    b.mineBlocks(1);
    const pool = await world.pool([a, b], { jobs: JOBS });
    const miner = await started(pool);
    await waitFor('the longer chain', () => pool.status().job?.height === 3);
    const tips = new Set(miner.jobs.map(({ params }) => params[1]));
    expect(tips.size).toBeLessThanOrEqual(2);
    const [, , last = ''] = b.mineBlocks(3);
    const wire = Buffer.from(last, 'hex').reverse().swap32().toString('hex');
    await waitFor('the chain that is longer now', () => miner.job.params[1] === wire);
    expect(miner.job.clean).toBe(true);
    expect((await miner.mine()).result).toBe(true);
  });

  it('a sibling block that lost is never counted as won', { timeout: 60_000 }, async () => {
    const node = await world.node();
    const pool = await world.pool([node], { jobs: JOBS });
    const seen = heard(pool);
    const miner = await started(pool);
    const solved = miner.search({ meets: BLOCK });
    const [rival = ''] = node.mineBlocks(1);
    const wire = Buffer.from(rival, 'hex').reverse().swap32().toString('hex');
    await waitFor('work on the rival', () => miner.job.params[1] === wire);
    const submitted: (string | null)[] = [];
    node.on('submitted', ({ result }) => submitted.push(result));
    // ckpool rule 1: a solve on a stale job still reaches the node, and its miner is told that it is stale.
    expect((await miner.submit(solved)).error).toEqual([21, 'Stale share', null]);
    await waitFor('the submission', () => submitted.length > 0);
    expect(submitted).toEqual(['inconclusive']);
    expect(seen.blockCandidate).toEqual([solved.hash]);
    node.mineBlocks(7);
    await waitFor('the verdict of the chain', () => seen.blockOrphaned.length > 0, 30_000);
    expect(seen).toMatchObject({ block: [], blockOrphaned: [solved.hash] });
    expect(pool.status().blocks).toMatchObject({ confirmed: 0, orphaned: 1 });
  });
});

describe('a pool that starts again', () => {
  it('yiimp, NiceHash: gives job ids it never gave before, and no extranonce of a minute ago', async () => {
    const node = await world.node();
    const jobs = new Set<string>();
    const extranonces = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const pool = await world.pool([node], { jobs: JOBS });
      const miner = await started(pool);
      for (const { id } of miner.jobs) {
        expect(jobs.has(id), id).toBe(false);
        jobs.add(id);
      }
      expect(extranonces.has(miner.extranonce1)).toBe(false);
      extranonces.add(miner.extranonce1);
      await pool.close();
      // Ids go by sixteenths of a second; no process is back sooner than that.
      const closedMs = Date.now();
      await waitFor('the next sixteenth of a second', () => Date.now() - closedMs > 63);
    }
  });

  it('has a block that found no node in its journal, and lands it', { timeout: 60_000 }, async () => {
    const node = await world.node();
    const { url } = node;
    const first = await world.pool([{ url }], { jobs: JOBS, shutdownGrace: 0.2 });
    const miner = await started(first);
    await node.close();
    const share = miner.search({ meets: BLOCK });
    expect((await miner.submit(share)).result).toBe(true);
    await first.close();
    await node.start();
    expect(node.height).toBe(0);
    const second = await world.pool([node], { jobs: JOBS });
    const seen = heard(second);
    await waitFor('the block', () => node.tipHash === share.hash, 20_000);
    await waitFor('the event', () => seen.block.includes(share.hash), 20_000);
  });
});

describe('bad luck with sockets', () => {
  it('200 submits pipelined over TCP in one packet, with the handshake in front', async () => {
    const node = await world.node();
    const pool = await world.pool([node], {
      jobs: JOBS,
      listeners: [{ host: '127.0.0.1', port: 0, difficulty: 1e-9 }],
    });
    const known = await started(pool);
    // Shares of a session that is resumed in the same packet.
    const shares = Array.from({ length: 200 }, () => known.search({ misses: BLOCK, meets: 2.4e-10 }));
    const real = shares.filter(Boolean).map((share, i) => known.submitLine(share, 1000 + i));
    known.connection.destroy();
    await waitFor('the end of the session', () => pool.server.sessionCount === 0);
    const socket = await world.socket(pool);
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    socket.write(
      `${JSON.stringify({ id: 1, method: 'mining.subscribe', params: ['t', known.sessionId] })}\n` +
        `${JSON.stringify({ id: 2, method: 'mining.authorize', params: [known.worker, 'x'] })}\n${real.join('')}`,
    );
    const ids = (): number[] =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { id: number | null; method?: string })
        .filter(({ method, id }) => method === undefined && id !== null)
        .map(({ id }) => id ?? 0);
    await waitFor('all answers', () => ids().length === 202);
    expect(ids()).toEqual([1, 2, ...Array.from({ length: 200 }, (_, i) => 1000 + i)]);
    socket.end();
    await once(socket, 'close');
  });
});
