import { resolveCoin } from '@headframe/coins';
import type { BlockTemplate } from '@headframe/mining';
import { PoolError, toDisplayHex } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTemplateFeed, type TemplateEvent, type TemplateFeed, type TemplateFeedOptions } from '../src/index.js';
import { blockHash, ScriptedNode } from './scripted-node.js';

const coin = resolveCoin('bitcoin', 'regtest');
let clock: FakeClock;
let feed: TemplateFeed;
let received: BlockTemplate[];
let events: TemplateEvent[];
let failures: unknown[];

beforeEach(() => {
  clock = new FakeClock();
  received = [];
  events = [];
  failures = [];
});
afterEach(() => feed.close());

async function start(nodes: ScriptedNode[], options: Partial<TemplateFeedOptions> = {}): Promise<void> {
  feed = createTemplateFeed({ nodes, coin, ...options }, { clock });
  feed.on('template', (event) => events.push(event));
  feed.on('failure', ({ error }) => failures.push(error));
  const started = feed.start((template) => received.push(template), new AbortController().signal);
  await settle();
  return started;
}

const heights = () => received.map(({ height }) => height);
const tips = () => received.map(({ previousHash }) => toDisplayHex(previousHash));

describe('block changes', () => {
  test('start resolves with the first template', async () => {
    const node = new ScriptedNode('a');
    await start([node]);
    expect(heights()).toEqual([101]);
    expect(events[0]).toMatchObject({ node: 'a', trigger: 'start', newBlock: true });
    expect(node.calls[0]?.params).toEqual([
      { capabilities: ['coinbasevalue', 'longpoll', 'workid', 'proposal'], rules: coin.gbtRules },
    ]);
  });

  test('a long poll delivers the block at once, and the poll after it changes nothing', async () => {
    const node = new ScriptedNode('a');
    await start([node]);
    expect(node.waitingLongPolls).toBe(1);
    node.setTip(101);
    await settle();
    expect(heights()).toEqual([101, 102]);
    expect(events[1]?.trigger).toBe('longpoll');
    await clock.advanceAsync(5000);
    expect(heights()).toEqual([101, 102]);
    expect(node.waitingLongPolls).toBe(1);
  });

  test('polling finds it when the long poll hangs; the hung one is given up and a new one starts', async () => {
    const node = new ScriptedNode('a');
    await start([node]);
    node.hanging.add('longpoll');
    node.setTip(101);
    await clock.advanceAsync(1000);
    expect(heights()).toEqual([101, 102]);
    expect(events[1]?.trigger).toBe('poll');
    node.hanging.clear();
    const before = node.count('longpoll');
    await clock.advanceAsync(7000);
    expect(node.count('longpoll')).toBe(before + 1);
    expect(node.waitingLongPolls).toBe(1);
    node.setTip(102);
    await settle();
    expect(events.at(-1)).toMatchObject({ trigger: 'longpoll', newBlock: true });
  });

  test('without long polling (no id) polling alone does', async () => {
    const node = new ScriptedNode('a');
    node.longPolling = false;
    await start([node]);
    expect(node.count('longpoll')).toBe(0);
    node.setTip(101);
    await clock.advanceAsync(1000);
    expect(heights()).toEqual([101, 102]);
  });

  test('a node without getbestblockhash is polled by its templates', async () => {
    const node = new ScriptedNode('a');
    node.longPolling = false;
    await start([node]);
    const call = node.call.bind(node);
    node.call = (method, params, options) => call(method === 'getbestblockhash' ? 'unknown' : method, params, options);
    node.setTip(101);
    await clock.advanceAsync(2000);
    expect(heights()).toEqual([101, 102]);
  });

  test('a node that answers long polls at once is not hammered', async () => {
    const node = new ScriptedNode('a');
    const call = node.call.bind(node);
    node.call = (method, params = [], options = {}) => {
      const [request] = params as [{ longpollid?: string }];
      if (request?.longpollid === undefined) return call(method, params, options);
      node.calls.push({ method: 'longpoll', params });
      return call('getblocktemplate', [{}], options);
    };
    await start([node]);
    await clock.advanceAsync(60_000, 250);
    expect(node.count('longpoll')).toBeLessThanOrEqual(5);
  });

  test('a node that announces a block but still has the old template is asked again', async () => {
    const node = new ScriptedNode('a');
    node.longPolling = false;
    await start([node]);
    node.setTip(101, undefined, { slowTemplate: true });
    await clock.advanceAsync(1000);
    expect(heights()).toEqual([101]);
    await clock.advanceAsync(750, 250);
    node.catchUp();
    await clock.advanceAsync(250, 250);
    expect(heights()).toEqual([101, 102]);
    expect(events[1]?.latencyMs).toBe(1000);
    expect(node.count('getblocktemplate')).toBe(6);
  });

  test('and given up after the retries, until polling comes back to it', async () => {
    const node = new ScriptedNode('a');
    node.longPolling = false;
    await start([node], { oldTemplateRetries: 4 });
    node.setTip(101, undefined, { slowTemplate: true });
    await clock.advanceAsync(4000, 250);
    node.catchUp();
    await clock.advanceAsync(2000, 250);
    expect(heights()).toEqual([101, 102]);
  });

  test('a template that hangs does not hold up the next block', async () => {
    const node = new ScriptedNode('a');
    await start([node]);
    node.hanging.add('getblocktemplate').add('longpoll');
    node.setTip(101);
    await clock.advanceAsync(2000);
    node.hanging.delete('getblocktemplate');
    node.setTip(102);
    await clock.advanceAsync(1000);
    expect(heights()).toEqual([101, 103]);
  });
});

describe('refresh', () => {
  test('same tip every 15 s and on request', async () => {
    const node = new ScriptedNode('a');
    await start([node]);
    await clock.advanceAsync(15_000);
    expect(tips()).toEqual([blockHash(100), blockHash(100)]);
    expect(events[1]).toMatchObject({ trigger: 'refresh', newBlock: false });
    feed.refresh();
    await settle();
    expect(received.length).toBe(3);
    expect(feed.stats).toMatchObject({ templates: 3, blockChanges: 1, failures: 0 });
  });

  test('failures keep the last template, are reported, and end by themselves', async () => {
    const node = new ScriptedNode('a');
    await start([node]);
    node.broken = new PoolError('rpc_unavailable', 'gone');
    await clock.advanceAsync(40_000);
    expect(received.length).toBe(1);
    expect(failures.length).toBeGreaterThan(0);
    node.broken = undefined;
    node.setTip(101);
    await clock.advanceAsync(1000);
    expect(heights()).toEqual([101, 102]);
  });

  test('a template that cannot be used is reported and not taken', async () => {
    const node = new ScriptedNode('a');
    await start([node]);
    node.extra.bits = 'zz';
    node.setTip(101);
    await clock.advanceAsync(1000);
    expect(heights()).toEqual([101]);
    expect(failures[0]).toMatchObject({ code: 'invalid_template' });
    delete node.extra.bits;
    await clock.advanceAsync(4000);
    expect(heights()).toEqual([101, 102]);
  });

  test('a node that is not ready at the start is asked until it is', async () => {
    const node = new ScriptedNode('a');
    node.state = { kind: 'not-ready', reason: 'no peers', cause: 'template' };
    node.broken = new PoolError('rpc_error', 'not connected', { details: { code: -9 } });
    const started = start([node]);
    await clock.advanceAsync(10_000);
    expect(received).toEqual([]);
    node.broken = undefined;
    node.state = { kind: 'ready' };
    await clock.advanceAsync(3000);
    await started;
    expect(heights()).toEqual([101]);
  });
});

describe('guards', () => {
  test('a lower height is held back, and believed when it lasts', async () => {
    const node = new ScriptedNode('a');
    await start([node]);
    node.setTip(98, blockHash('fork'));
    await clock.advanceAsync(8000);
    expect(heights()).toEqual([101]);
    expect(feed.stats.regressions).toBe(1);
    await clock.advanceAsync(6000);
    expect(tips()).toEqual([blockHash(100), blockHash('fork')]);
  });

  test('a lower height that does not last changes nothing', async () => {
    const node = new ScriptedNode('a');
    await start([node]);
    node.setTip(99, blockHash('fork'));
    await clock.advanceAsync(5000);
    node.setTip(101);
    await clock.advanceAsync(60_000);
    expect(heights().slice(0, 2)).toEqual([101, 102]);
    expect(new Set(heights())).toEqual(new Set([101, 102]));
  });

  test('a reorganisation at the same height is taken at once', async () => {
    const node = new ScriptedNode('a');
    await start([node]);
    node.setTip(100, blockHash('sibling'));
    await clock.advanceAsync(1000);
    expect(tips()).toEqual([blockHash(100), blockHash('sibling')]);
  });
});

describe('several nodes', () => {
  test('the fastest node delivers the block, once', async () => {
    const [a, b] = [new ScriptedNode('a'), new ScriptedNode('b')];
    await start([a, b]);
    expect(received.length).toBe(1);
    b.setTip(101);
    await settle();
    expect(events.at(-1)).toMatchObject({ node: 'b', trigger: 'longpoll' });
    a.setTip(101);
    await clock.advanceAsync(5000);
    expect(heights()).toEqual([101, 102]);
    // Refreshes come from the preferred node again.
    await clock.advanceAsync(15_000);
    expect(events.at(-1)).toMatchObject({ node: 'a', trigger: 'refresh' });
  });

  test('the first node dead: the second serves; when the first is back it is preferred again', async () => {
    const [a, b] = [new ScriptedNode('a'), new ScriptedNode('b')];
    a.state = { kind: 'down', reason: 'refused' };
    a.broken = new PoolError('rpc_unavailable', 'refused');
    await start([a, b]);
    expect(events[0]?.node).toBe('b');
    b.setTip(101);
    await clock.advanceAsync(20_000);
    expect(events.at(-1)).toMatchObject({ node: 'b' });
    a.broken = undefined;
    a.state = { kind: 'ready' };
    a.setTip(101);
    await clock.advanceAsync(40_000);
    expect(events.at(-1)).toMatchObject({ node: 'a', trigger: 'refresh' });
    expect(new Set(heights())).toEqual(new Set([101, 102]));
  });

  test('a hung first node delays nothing', async () => {
    const [a, b] = [new ScriptedNode('a'), new ScriptedNode('b')];
    for (const method of ['getblocktemplate', 'getbestblockhash', 'longpoll']) a.hanging.add(method);
    await start([a, b]);
    expect(events[0]?.node).toBe('b');
    b.setTip(101);
    await settle();
    expect(heights()).toEqual([101, 102]);
  });

  test('a node on a competing block of the same height is ignored while the other stands', async () => {
    const [a, b] = [new ScriptedNode('a'), new ScriptedNode('b')];
    await start([a, b]);
    a.setTip(101);
    await settle();
    b.setTip(101, blockHash('sibling'));
    await clock.advanceAsync(30_000);
    expect(new Set(tips())).toEqual(new Set([blockHash(100), blockHash(101)]));
    // Nobody can accept a block on a's tip any more: work on what is left.
    a.state = { kind: 'down', reason: 'gone' };
    a.broken = new PoolError('rpc_unavailable', 'gone');
    await clock.advanceAsync(4000);
    expect(tips().at(-1)).toBe(blockHash('sibling'));
  });

  test('a lagging node is neither taken nor hammered', async () => {
    const [a, b] = [new ScriptedNode('a'), new ScriptedNode('b', 90)];
    await start([a, b]);
    const before = b.count('getblocktemplate');
    await clock.advanceAsync(60_000);
    expect(new Set(heights())).toEqual(new Set([101]));
    expect(b.count('getblocktemplate') - before).toBeLessThanOrEqual(31);
  });

  test('a node on another chain is not listened to', async () => {
    const node = new ScriptedNode('a', 900_000);
    node.state = { kind: 'not-ready', reason: 'chain main', cause: 'wrong-chain' };
    void start([node]);
    await clock.advanceAsync(5000);
    expect(received).toEqual([]);
  });
});

describe('life', () => {
  test('abort and close settle start, stop all timers and deliver nothing more', async () => {
    const node = new ScriptedNode('a');
    node.broken = new PoolError('rpc_unavailable', 'gone');
    feed = createTemplateFeed({ nodes: [node], coin }, { clock });
    const abort = new AbortController();
    const started = feed.start((template) => received.push(template), abort.signal);
    await settle();
    abort.abort();
    await started;
    await settle();
    expect(clock.pending).toBe(0);
    node.broken = undefined;
    await clock.advanceAsync(5000);
    expect(received).toEqual([]);
    await feed.start(() => {}, abort.signal);
  });

  test('a listener that throws stops nothing', async () => {
    const node = new ScriptedNode('a');
    feed = createTemplateFeed({ nodes: [node], coin }, { clock });
    feed.on('template', (event) => events.push(event));
    await feed.start(() => {
      throw new Error('listener');
    }, new AbortController().signal);
    node.setTip(101);
    await settle();
    expect(events.length).toBe(2);
  });
});
