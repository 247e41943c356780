import { MiningClient as Client, type MiningClient, searchShare } from '@headframe/client';
import { networkDifficulty, networkTargetBytes } from '@headframe/mining';
import { createProxy } from '@headframe/proxy';
import { createServer } from '@headframe/server';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.js';

const MINERS = 1000;
const DIFFICULTY = 1e-8;

function job(id: number) {
  const networkTarget = networkTargetBytes(0x1702c4e4) ?? new Uint8Array(32);
  return {
    id,
    baseId: id,
    height: 1,
    previousHash: new Uint8Array(32).fill(id),
    version: 0x20000000,
    versionMask: 0x1fffe000,
    nbits: 0x1702c4e4,
    networkTarget,
    networkDifficulty: networkDifficulty(networkTarget, 1),
    ntime: Math.floor(Date.now() / 1000),
    minTime: Math.floor(Date.now() / 1000) - 600,
    merkleBranch: new Uint8Array(64).fill(3),
    variants: [
      {
        key: '12/main',
        extranonceLength: 12,
        coinbase1: new Uint8Array(60).fill(1),
        coinbase2: new Uint8Array(80).fill(2),
        stampOffset: 50,
      },
    ],
    algorithm: 'sha256d' as const,
    clean: true,
    createdAtMs: Date.now(),
    reward: 1n,
  };
}

describe('a proxy with a thousand miners', { timeout: 120_000 }, () => {
  it('keeps them on one upstream connection, each with work of its own', async () => {
    const pool = createServer({ listeners: [{ host: '127.0.0.1', port: 0, difficulty: DIFFICULTY }] });
    pool.publishJob(job(1));
    const [upstream] = await pool.listen();
    const proxy = createProxy({
      validation: 'inline',
      accounts: { mode: 'fixed' },
      upstreams: [{ url: `127.0.0.1:${upstream?.port}`, user: 'farm' }],
      listeners: [{ host: '127.0.0.1', port: 0, difficulty: DIFFICULTY }],
      limits: { overloadDelayMs: 60_000 },
    });
    const [listener] = await proxy.listen();
    const clients: MiningClient[] = [];
    const accepted: string[] = [];
    pool.on('share', ({ jobId, achieved }) => accepted.push(`${jobId}/${achieved}`));
    try {
      await waitFor('the upstream', () => proxy.upstream !== undefined);
      for (let i = 0; i < MINERS; i++) {
        clients.push(
          new Client({
            url: `127.0.0.1:${listener?.port}`,
            workers: [{ username: `rig${i}` }],
            idleTimeoutMs: 600_000,
          }),
        );
      }
      for (let i = 0; i < MINERS; i += 50) await Promise.all(clients.slice(i, i + 50).map((client) => client.start()));
      await waitFor('all jobs', () => clients.every((client) => client.job !== undefined));
      expect(pool.sessionCount).toBe(1);
      expect(proxy.stats().server.sessions.sessions).toBe(MINERS);
      expect(
        new Set(clients.map(({ subscription }) => Buffer.from(subscription?.extranonce1 ?? []).toString('hex'))).size,
      ).toBe(MINERS);

      const outcomes = await Promise.all(
        clients.map((client) => {
          const found = client.job && searchShare(client.job, { extranonce2: new Uint8Array(4), maxNonces: 100_000 });
          if (found === undefined) throw new Error('no share');
          return client.submit(found);
        }),
      );
      expect(outcomes.every((outcome) => outcome.accepted)).toBe(true);
      await waitFor('all answers of the upstream', () => proxy.stats().total.accepted === MINERS);
      expect(accepted).toHaveLength(MINERS);
      expect(proxy.stats().total.rejected).toEqual({});

      pool.publishJob(job(2));
      await waitFor('the next block everywhere', () =>
        clients.every((client) => client.job?.notify.previousHash[0] === 2),
      );
    } finally {
      proxy.destroy();
      await Promise.all(clients.map((client) => client.close()));
      pool.destroy();
    }
  });
});
