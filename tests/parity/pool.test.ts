import type { DefaultAccount } from '@headframe/server';
import { createTestPool, type TestPool, until } from '@headframe/testkit';
import { afterEach, expect, it } from 'vitest';

let test: TestPool<DefaultAccount>;
afterEach(() => test.close());

it('gives out where it listens, who is there, who is banned, whether it is ready, and how it does', async () => {
  test = await createTestPool();
  const { pool } = test;
  const miner = await test.miner({ username: 'alice.rig' });
  expect((await miner.submit(miner.solve({ want: 'share' }))).accepted).toBe(true);

  const sessions = [...pool.sessions];
  expect(sessions).toHaveLength(1);
  const [session] = sessions;
  if (session === undefined) throw new Error('no session');
  expect([...pool.server.channelOf(session).workers].map(({ name }) => name)).toEqual(['alice.rig']);
  expect(pool.status()).toMatchObject({
    coin: { name: 'bitcoin', network: 'regtest' },
    node: { ready: true },
    sessions: 1,
    listening: pool.addresses,
    server: { workers: 1, shares: { accepted: 1 } },
  });
  expect(pool.status().job).toBe(pool.server.job);

  expect(pool.readiness.isReady).toBe(true);
  pool.readiness.set('cache', false, 'loading');
  expect(pool.readiness.problems).toEqual(['cache: loading']);
  pool.readiness.set('cache', true);
  expect(pool.readiness.isReady).toBe(true);

  expect(pool.bans.list()).toEqual([]);
  pool.bans.add('account', 'alice', { reason: 'by hand', durationMs: 60_000 });
  expect(pool.bans.list()).toMatchObject([{ scope: 'account', key: 'alice', reason: 'by hand' }]);
  await until('the session of the banned account to close', () => pool.server.sessionCount === 0);
});

it('background tasks end with it, and a second close is the same close', async () => {
  test = await createTestPool();
  const { pool } = test;
  let ended = false;
  let isReady: () => void = () => {};
  const running = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  pool.task(
    'watch',
    (signal) =>
      new Promise<void>((resolve) => {
        isReady();
        signal.addEventListener('abort', () => {
          ended = true;
          resolve();
        });
      }),
  );
  await running;
  expect(ended).toBe(false);
  const closing = pool.close();
  expect(pool.close()).toBe(closing);
  await closing;
  expect(ended).toBe(true);
  expect(() => pool.task('late', () => {})).toThrow(expect.objectContaining({ code: 'closed' }));
});
