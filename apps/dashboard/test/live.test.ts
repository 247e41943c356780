import { describe, expect, it } from 'vitest';
import { Live, type LiveSource, type LiveState, POLL_MS, SLOW_POLL_MS } from '../src/api/live.js';
import { topicAction } from '../src/api/topics.js';

class FakeSource implements LiveSource {
  readonly listeners = new Map<string, ((event: { readonly data: string }) => void)[]>();
  isClosed = false;

  addEventListener(name: string, listener: (event: { readonly data: string }) => void): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }

  close(): void {
    this.isClosed = true;
  }

  fire(name: string, data = ''): void {
    for (const listener of this.listeners.get(name) ?? []) listener({ data });
  }
}

function setup() {
  let now = 0;
  let timers: { run: () => void; atMs: number }[] = [];
  const sources: FakeSource[] = [];
  const states: LiveState[] = [];
  const events: [string, unknown][] = [];
  let stale = 0;
  const live = new Live({
    open: () => {
      const source = new FakeSource();
      sources.push(source);
      return source;
    },
    later: (run, ms) => {
      const timer = { run, atMs: now + ms };
      timers.push(timer);
      return () => {
        timers = timers.filter((item) => item !== timer);
      };
    },
    topics: ['pool', 'block'],
    onEvent: (topic, data) => events.push([topic, data]),
    onState: (state) => states.push(state),
    onStale: () => {
      stale++;
    },
  });
  const pass = (ms: number): void => {
    const end = now + ms;
    for (let turn = 0; ; turn++) {
      expect(turn, 'timers settle').toBeLessThan(1_000);
      const next = timers.toSorted((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined || next.atMs > end) break;
      timers = timers.filter((item) => item !== next);
      now = next.atMs;
      next.run();
    }
    now = end;
  };
  return { live, sources, states, events, pass, staleCount: () => stale, timerCount: () => timers.length };
}

describe('live feed', () => {
  it('hands events on, and what is no JSON as nothing', () => {
    const { live, sources, events, states } = setup();
    live.start();
    sources[0]?.fire('open');
    sources[0]?.fire('block', '{"hash":"00"}');
    sources[0]?.fire('pool', '{');
    sources[0]?.fire('unheard', '{}');
    expect(states).toEqual(['live']);
    expect(events).toEqual([
      ['block', { hash: '00' }],
      ['pool', undefined],
    ]);
  });

  it('opens a broken stream again, later and later, and asks for everything when it is back', () => {
    const { live, sources, states, pass, staleCount } = setup();
    live.start();
    sources[0]?.fire('open');
    sources[0]?.fire('error');
    expect(sources[0]?.isClosed).toBe(true);
    expect(states).toEqual(['live', 'polling']);
    pass(999);
    expect(sources).toHaveLength(1);
    pass(1);
    expect(sources).toHaveLength(2);
    sources[1]?.fire('error');
    pass(1_999);
    expect(sources).toHaveLength(2);
    pass(1);
    const before = staleCount();
    sources[2]?.fire('open');
    expect(staleCount()).toBe(before + 1);
    expect(states).toEqual(['live', 'polling', 'live']);
    sources[2]?.fire('error');
    pass(1_000);
    expect(sources, 'the pause begins anew').toHaveLength(4);
  });

  it('polls without a stream, and seldom beside one', () => {
    const { live, sources, pass, staleCount } = setup();
    live.start();
    sources[0]?.fire('open');
    pass(SLOW_POLL_MS - 1);
    expect(staleCount()).toBe(0);
    pass(1);
    expect(staleCount()).toBe(1);
    sources[0]?.fire('error');
    // Streams that fail at once must not put off the poll.
    for (let second = 0; second < 40; second++) {
      pass(1_000);
      const latest = sources.at(-1);
      if (latest !== undefined && !latest.isClosed) latest.fire('error');
    }
    expect(staleCount()).toBe(1 + Math.floor(40_000 / POLL_MS));
  });

  it('is offline when questions fail too, until one is answered', () => {
    const { live, sources, states } = setup();
    live.start();
    live.heard(false);
    expect(states, 'still connecting').toEqual([]);
    sources[0]?.fire('error');
    live.heard(true);
    live.heard(false);
    expect(states).toEqual(['offline', 'polling', 'offline']);
  });

  it('leaves nothing behind', () => {
    const { live, sources, timerCount } = setup();
    live.start();
    sources[0]?.fire('error');
    live.close();
    expect(timerCount()).toBe(0);
    expect(sources.every(({ isClosed }) => isClosed)).toBe(true);
  });
});

describe('what events bring', () => {
  it('puts whole answers in place', () => {
    expect(topicAction('pool', { timeMs: 1 })).toMatchObject({ put: { path: 'pool' }, pool: { timeMs: 1 } });
    expect(topicAction('node', { nodes: [] }).put?.path).toBe('nodes');
    expect(topicAction('block', { hash: '00' }).block).toEqual({ hash: '00' });
  });

  it('ignores what it does not know', () => {
    expect([topicAction('pool', undefined), topicAction('pool', 'x'), topicAction('job', {})]).toEqual([{}, {}, {}]);
  });
});
