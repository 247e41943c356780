import { resolveCoin } from '@headframe/coins';
import { describeTemplateSource } from '@headframe/mining/compliance';
import { FakeClock } from '@headframe/primitives/testing';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createNodePool,
  createTemplateFeed,
  type NodePool,
  type TemplateEvent,
  type TemplateFeed,
} from '../src/index.js';
import { FakeChainNode, until } from './fake-chain.js';
import { blockHash, ScriptedNode, template } from './scripted-node.js';

const coin = resolveCoin('bitcoin', 'regtest');

describeTemplateSource('template feed', () => {
  const clock = new FakeClock();
  const node = new ScriptedNode('a');
  return {
    source: createTemplateFeed({ nodes: [node], coin }, { clock }),
    newBlock: () => node.setTip(node.height + 1),
    settle: () => clock.advanceAsync(2000),
  };
});

describe('over HTTP', () => {
  let node: FakeChainNode;
  let pool: NodePool | undefined;
  let feed: TemplateFeed | undefined;
  afterEach(async () => {
    await feed?.close();
    pool?.close();
    await node.kill();
  });

  /** A node whose long poll answers when its tip moves. */
  async function longPollingNode(): Promise<{
    readonly setTip: (height: number) => void;
    /** A long poll waits for the next tip. */
    readonly isWaiting: () => boolean;
  }> {
    let height = 1;
    let waiting: (() => void)[] = [];
    node = new FakeChainNode();
    const current = () => ({ result: template(height + 1, blockHash(height)) });
    node.on('getbestblockhash', () => ({ result: blockHash(height) }));
    node.on('getblocktemplate', ([request]) => {
      const { longpollid } = request as { longpollid?: string };
      if (longpollid !== `${blockHash(height)}1`) return current();
      return new Promise((resolve) => {
        waiting.push(() => resolve(current()));
      });
    });
    await node.listen();
    return {
      isWaiting: () => waiting.length > 0,
      setTip: (next) => {
        height = next;
        for (const answer of waiting.splice(0)) answer();
        waiting = [];
      },
    };
  }

  test('long poll through a restart of the node: the first block after it is noticed', async () => {
    const clock = new FakeClock();
    const { setTip, isWaiting } = await longPollingNode();
    const events: TemplateEvent[] = [];
    pool = createNodePool({ daemons: [{ name: 'a', url: node.url }], coin }, { clock });
    await pool.start();
    feed = createTemplateFeed({ nodes: pool.nodes, coin }, { clock });
    feed.on('template', (event) => events.push(event));
    await feed.start(() => {}, new AbortController().signal);
    await until(isWaiting, 'long poll waits');
    setTip(2);
    await until(() => events.length === 2, 'first block');
    expect(events[1]).toMatchObject({ trigger: 'longpoll', newBlock: true });
    await until(() => {
      clock.advance(100);
      return isWaiting();
    }, 'long poll waits again');

    setTip(2);
    await node.kill();
    await until(() => pool?.nodes[0]?.state.kind === 'down', 'the node is down');
    await node.listen();
    setTip(3);
    await until(() => {
      clock.advance(100);
      return events.at(-1)?.template.height === 4;
    }, 'block after the restart');
    expect(pool.status.ready).toBe(true);
    await until(() => {
      clock.advance(100);
      return isWaiting();
    }, 'long poll after the restart');
    setTip(4);
    await until(() => events.at(-1)?.template.height === 5, 'next block');
    expect(events.at(-1)?.trigger).toBe('longpoll');
  });
});
