import { isPoolError } from '@headframe/primitives';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../nodes/postgres.js';
import { requireService } from '../support/require.js';
import { waitFor } from '../support/wait.js';
import { startCuttingProxy } from './cutting-proxy.js';
import { postgresHarness, shareNumber, wholeLog } from './support.js';

describe.skipIf(!requireService('postgresql'))('a PostgreSQL ledger in trouble', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  it('counts a batch once whose acknowledgement was lost between COMMIT and its answer', async () => {
    const harness = await postgresHarness(server);
    const proxy = await startCuttingProxy(server.port);
    const url = harness.url.replace(`:${server.port}/`, `:${proxy.port}/`);
    const ledger = await harness.open({ url });
    try {
      for (let sequence = 1; sequence <= 10; sequence++) {
        const batch = { epoch: 'epoch', sequence, shares: [shareNumber(sequence)] };
        if (sequence % 2 === 0) {
          await ledger.commit(batch);
          continue;
        }
        proxy.cutAfterCommit();
        await expect(ledger.commit(batch)).rejects.toMatchObject({
          code: 'storage_failed',
          details: { reason: 'unavailable' },
        });
        // The caller cannot know, but the batch is there.
        const direct = await harness.open();
        expect((await wholeLog(direct)).map((one) => one.sequence)).toContain(sequence);
        await direct.close();
        await ledger.commit(batch);
      }
      expect(proxy.cuts).toBe(5);
      await ledger.fold();
      expect((await wholeLog(ledger)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect((await ledger.summary())?.total.accepted).toBe(10);
    } finally {
      await ledger.close();
      await proxy.close();
    }
  });

  it('folds once when the acknowledgement of a fold is lost', async () => {
    const harness = await postgresHarness(server);
    const proxy = await startCuttingProxy(server.port);
    const ledger = await harness.open({ url: harness.url.replace(`:${server.port}/`, `:${proxy.port}/`) });
    try {
      await ledger.commit({ epoch: 'epoch', sequence: 1, shares: [shareNumber(1), shareNumber(2)] });
      // The fold reads first: each of its transactions may be the one that is cut.
      for (let i = 0; i < 4; i++) {
        proxy.cutAfterCommit();
        await ledger.fold().catch((error: unknown) => {
          if (!isPoolError(error, 'storage_failed')) throw error;
        });
      }
      const direct = await harness.open();
      await direct.fold();
      expect((await direct.summary())?.total.accepted).toBe(2);
      await direct.close();
    } finally {
      await ledger.close();
      await proxy.close();
    }
  });

  it('books and pays once when the acknowledgement is lost', async () => {
    const harness = await postgresHarness(server);
    const proxy = await startCuttingProxy(server.port);
    const ledger = await harness.open({ url: harness.url.replace(`:${server.port}/`, `:${proxy.port}/`) });
    const { accounting } = ledger;
    const unavailable = { code: 'storage_failed', details: { reason: 'unavailable' } };
    const timeMs = 1_700_000_000_000;
    try {
      const booking = {
        key: 'block:1',
        state: 'final',
        timeMs,
        entries: [{ account: 'alice', kind: 'reward', amount: 100n }],
        cursor: { name: 'shares', from: 0, to: 5 },
      } as const;
      proxy.cutAfterCommit();
      await expect(accounting.book(booking)).rejects.toMatchObject(unavailable);
      // The caller cannot know, but it is done; its cursor does not stand where it did.
      expect(await accounting.book(booking)).toBe(false);
      const plan = { id: 'p1', parts: [{ account: 'alice', address: 'a', amount: 60n }], isApproved: true, timeMs };
      proxy.cutAfterCommit();
      await expect(accounting.planPayment(plan)).rejects.toMatchObject(unavailable);
      expect(await accounting.planPayment(plan)).toBe(false);
      const step = { to: 'cancelled', timeMs } as const;
      proxy.cutAfterCommit();
      await expect(accounting.stepPayment('p1', ['approved'], step)).rejects.toMatchObject(unavailable);
      expect(await accounting.stepPayment('p1', ['approved'], step)).toBe(false);
      expect(await accounting.payment('p1')).toMatchObject({ status: 'cancelled' });
      expect(await accounting.balance('alice')).toMatchObject({ available: 100n, reserved: 0n });
      expect(await accounting.verify()).toEqual([]);
    } finally {
      await ledger.close();
      await proxy.close();
    }
  });

  it('refuses while the server is down, and goes on when it is back, with all it had acknowledged', async () => {
    const harness = await postgresHarness(server);
    const ledger = await harness.open();
    try {
      const acknowledged = new Set<number>();
      let sequence = 0;
      let isDown = false;
      const load = (async () => {
        while (!isDown) {
          const own = ++sequence;
          await ledger.commit({ epoch: 'epoch', sequence: own, shares: [shareNumber(own)] }).then(
            () => acknowledged.add(own),
            () => {
              isDown = true;
            },
          );
        }
      })();
      await waitFor('some commits', () => acknowledged.size > 20);
      await server.kill();
      await load;
      await expect(ledger.commit({ epoch: 'epoch', sequence: 1e6, shares: [] })).rejects.toMatchObject({
        code: 'storage_failed',
        details: { reason: 'unavailable' },
      });
      await expect(ledger.summary()).rejects.toMatchObject({ code: 'storage_failed' });
      await server.start();
      // What failed is tried again under its number, as the committer does.
      await ledger.commit({ epoch: 'epoch', sequence, shares: [shareNumber(sequence)] });
      const sequences = (await wholeLog(ledger)).map((one) => one.sequence);
      expect(new Set(sequences).size).toBe(sequences.length);
      for (const one of acknowledged) expect(sequences).toContain(one);
    } finally {
      await ledger.close();
    }
  });

  it('says that the server cannot be reached', async () => {
    const harness = await postgresHarness(server);
    const proxy = await startCuttingProxy(server.port);
    await proxy.close();
    const url = harness.url.replace(`:${server.port}/`, `:${proxy.port}/`);
    await expect(harness.open({ url })).rejects.toMatchObject({
      code: 'storage_failed',
      details: { reason: 'unavailable' },
    });
  });

  it('leaves backups to pg_dump', async () => {
    const ledger = await (await postgresHarness(server)).open();
    await expect(ledger.backup('/tmp/never')).rejects.toMatchObject({ code: 'not_supported' });
    await ledger.close();
  });
});
