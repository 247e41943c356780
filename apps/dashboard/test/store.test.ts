import { describe, expect, it } from 'vitest';
import { ApiError, type Fetch, getJson } from '../src/api/client.js';
import { addressOf } from '../src/api/endpoints.js';
import { Store } from '../src/api/store.js';

/** A store whose questions are answered by hand. */
function setup() {
  let now = 100_000;
  const asked: string[] = [];
  const open: { resolve: (data: unknown) => void; reject: (error: unknown) => void }[] = [];
  const waiting: { run: () => void; atMs: number }[] = [];
  const reached: boolean[] = [];
  const store = new Store({
    load: (path) => {
      asked.push(path);
      return new Promise((resolve, reject) => open.push({ resolve, reject }));
    },
    now: () => now,
    later: (run, ms) => waiting.push({ run, atMs: now + ms }),
  });
  store.onOutcome((isReached) => reached.push(isReached));
  return {
    store,
    asked,
    reached,
    waiting,
    answer: async (data: unknown) => {
      open.shift()?.resolve(data);
      await Promise.resolve();
    },
    fail: async (error: unknown) => {
      open.shift()?.reject(error);
      await Promise.resolve();
      await Promise.resolve();
    },
    pass: (ms: number) => {
      now += ms;
      for (const item of waiting.splice(0)) item.atMs <= now ? item.run() : waiting.push(item);
    },
  };
}

describe('store', () => {
  it('asks once for many listeners and tells all of them', async () => {
    const { store, asked, answer } = setup();
    const told: string[] = [];
    store.watch('pool', [], () => told.push('a'));
    store.watch('pool', [], () => told.push('b'));
    expect(asked).toEqual(['pool']);
    await answer({ name: 'x' });
    expect(told.slice(0, 2)).toEqual(['a', 'b']);
    expect(store.read('pool').data).toEqual({ name: 'x' });
  });

  it('keeps the last answer when asking again fails, and says why', async () => {
    const { store, answer, fail, pass, reached } = setup();
    store.watch('pool', [], () => {});
    await answer(1);
    pass(5_000);
    store.refresh('pool');
    await fail(new ApiError(0, 'The pool does not answer.'));
    expect(store.read('pool')).toMatchObject({ data: 1, updatedMs: 100_000, error: { status: 0 } });
    expect(reached).toEqual([true, false]);
  });

  it('forgets what does not exist any more', async () => {
    const { store, answer, fail } = setup();
    store.watch('accounts/a', [], () => {});
    await answer(1);
    store.refresh('accounts/a');
    await fail(new ApiError(404, 'no such account'));
    expect(store.read('accounts/a')).toMatchObject({ data: undefined, error: { status: 404 } });
  });

  it('asks again on an event, at once when the answer is old, else as soon as it may', async () => {
    const { store, asked, answer, pass } = setup();
    store.watch('blocks', ['block'], () => {});
    await answer([]);
    store.invalidate('block');
    store.invalidate('block');
    expect(asked).toHaveLength(1);
    pass(2_000);
    expect(asked).toHaveLength(2);
    await answer([]);
    pass(10_000);
    store.invalidate('payment');
    expect(asked, 'another topic').toHaveLength(2);
    store.invalidate('block');
    expect(asked).toHaveLength(3);
  });

  it('lets events that come all the time ask seldom', async () => {
    const { store, asked, answer, pass } = setup();
    store.watch('miners', ['pool'], () => {});
    await answer([]);
    for (let second = 0; second < 60; second++) {
      pass(1_000);
      store.invalidate('pool');
      await answer([]);
    }
    expect(asked).toHaveLength(1 + 3);
  });

  it('asks nothing for pages that are left', async () => {
    const { store, asked, answer, pass } = setup();
    const leave = store.watch('blocks', ['block'], () => {});
    await answer([]);
    leave();
    pass(60_000);
    store.invalidate('block');
    store.refreshAll();
    expect(asked).toHaveLength(1);
  });

  it('asks once more when asked while a question is open', async () => {
    const { store, asked, answer } = setup();
    store.watch('pool', [], () => {});
    store.refresh('pool');
    store.refresh('pool');
    expect(asked).toHaveLength(1);
    await answer(1);
    expect(asked).toHaveLength(2);
    await answer(2);
    expect(asked).toHaveLength(2);
    expect(store.read('pool').data).toBe(2);
  });

  it('forgets answers that nobody looks at, oldest first', async () => {
    const { store, answer } = setup();
    for (let index = 0; index < 60; index++) {
      const leave = store.watch(`blocks/${index}`, [], () => {});
      await answer(index);
      leave();
    }
    expect(store.read('blocks/0').data).toBeUndefined();
    expect(store.read('blocks/59').data).toBe(59);
  });
});

describe('questions', () => {
  const answering =
    (status: number, body: unknown): Fetch =>
    () =>
      Promise.resolve({ ok: status < 400, status, json: () => Promise.resolve(body) });

  it('reads an answer', async () => {
    expect(await getJson('x', answering(200, { a: 1 }))).toEqual({ a: 1 });
  });

  it.each([
    [404, { detail: 'no such account', title: 'Not found' }, 'no such account'],
    [503, { title: 'Service Unavailable' }, 'Service Unavailable'],
    [500, '<html>', 'The pool has a problem (status 500).'],
    [418, null, 'The pool refused the question (418).'],
    [429, {}, 'Too many requests from this address. The page tries again shortly.'],
  ])('tells the problem of status %s', async (status, body, message) => {
    await expect(getJson('x', answering(status, body))).rejects.toMatchObject({ status, message });
  });

  it('tells when nobody answers, or not with JSON', async () => {
    await expect(getJson('x', () => Promise.reject(new TypeError('failed')))).rejects.toMatchObject({ status: 0 });
    const page: Fetch = () =>
      Promise.resolve({ ok: true, status: 200, json: () => Promise.reject(new SyntaxError('<')) });
    await expect(getJson('x', page)).rejects.toMatchObject({ status: 0 });
  });

  it('moves the window of a series with the time', () => {
    expect(addressOf('series?from={now-3600000}', 7_265_000)).toBe('series?from=3660000');
    expect(addressOf('pool', 5)).toBe('pool');
  });
});
