import type { BlockItem } from '@headframe/http';
import { render } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { getJson } from './api/client.js';
import { addressOf } from './api/endpoints.js';
import { Live, type LiveState } from './api/live.js';
import { Store } from './api/store.js';
import { LIVE_TOPICS, topicAction } from './api/topics.js';
import { App } from './app.js';
import { count } from './format/number.js';
import { middle } from './format/text.js';
import { type Services, ServicesContext } from './services.js';
import { Clock } from './state/clock.js';
import { memoryStorage, type TextStorage } from './state/recent.js';

/** Between renewals of relative times. */
const TICK_MS = 5_000;

/** How long a new block stays marked. */
const NEW_BLOCK_MS = 60_000;

/** Newly found blocks that are marked at a time. */
const MAX_NEW_BLOCKS = 20;

function pageStorage(): TextStorage {
  try {
    return localStorage;
  } catch {
    return memoryStorage();
  }
}

const clock = new Clock(() => Date.now());
const api = new URL('api/v1/', document.baseURI);
const store = new Store({
  load: (path) => getJson(new URL(addressOf(path, clock.now()), api).href, fetch),
  now: () => Date.now(),
  later: (run, ms) => setTimeout(run, ms),
});
const storage = pageStorage();

function later(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

function Root() {
  const [live, setLive] = useState<LiveState>('connecting');
  const [said, setSaid] = useState('');
  const [newBlocks, setNewBlocks] = useState<readonly string[]>([]);

  useEffect(() => {
    const onBlock = (block: BlockItem): void => {
      if (block.status !== 'candidate' && block.status !== 'confirmed') return;
      setNewBlocks((now) => {
        if (now.includes(block.hash)) return now;
        setSaid(`Block ${count(block.height)} found by ${middle(block.account)}`);
        setTimeout(() => setNewBlocks((list) => list.filter((hash) => hash !== block.hash)), NEW_BLOCK_MS);
        return [block.hash, ...now].slice(0, MAX_NEW_BLOCKS);
      });
    };
    const feed = new Live({
      open: () => new EventSource(new URL('events', api)),
      later,
      topics: LIVE_TOPICS,
      onState: setLive,
      onStale: () => store.refreshAll(),
      onEvent: (topic, data) => {
        const action = topicAction(topic, data);
        if (action.pool !== undefined) clock.adjust(action.pool.timeMs);
        if (action.put !== undefined) store.put(action.put.path, action.put.data);
        if (action.block !== undefined) onBlock(action.block);
        store.invalidate(topic);
      },
    });
    store.onOutcome((isReached) => feed.heard(isReached));
    feed.start();
    const ticks = setInterval(() => clock.tick(), TICK_MS);
    return () => {
      feed.close();
      clearInterval(ticks);
    };
  }, []);

  const services = useMemo<Services>(
    () => ({ store, storage, clock, announce: setSaid, newBlocks: new Set(newBlocks) }),
    [newBlocks],
  );
  return (
    <ServicesContext.Provider value={services}>
      <App live={live} said={said} />
    </ServicesContext.Provider>
  );
}

const root = document.getElementById('app');
if (root !== null) render(<Root />, root);
