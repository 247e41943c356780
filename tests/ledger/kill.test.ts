import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ledger, openLedger, workOfDifficulty } from '@headframe/ledger';
import { describe, expect, it } from 'vitest';
import { startPostgres } from '../nodes/postgres.js';
import { startProcess } from '../support/process.js';
import { requireService } from '../support/require.js';
import { waitFor } from '../support/wait.js';
import { WORKER_URL, wholeLog } from './support.js';

const CHILD = fileURLToPath(new URL('./kill-child.mjs', import.meta.url));

/** Runs a child under load and kills it at a random moment. Gives the numbers it saw acknowledged. */
async function killedChild(url: string, epoch: string): Promise<number[]> {
  const child = startProcess(process.execPath, [CHILD, url, epoch]);
  const lines = (): string[] => child.output().split('\n');
  // Not before the first commits, and then anywhere in the next ones.
  const least = 5 + Math.floor(Math.random() * 150);
  await waitFor('commits of the child', () => {
    if (child.child.exitCode !== null) throw new Error(`the child ended: ${child.output()}`);
    return lines().length > least;
  });
  child.child.kill('SIGKILL');
  await child.exited;
  // The last line may be torn.
  return lines().slice(0, -1).map(Number);
}

/** Every acknowledged batch is there, no batch is there twice, and the statistics say what the log says. */
async function expectWhole(ledger: Ledger, acknowledged: ReadonlyMap<string, readonly number[]>): Promise<number> {
  const log = await wholeLog(ledger);
  const found = new Map<string, Set<number>>();
  let shares = 0;
  for (const batch of log) {
    const own = found.get(batch.epoch) ?? new Set();
    expect(own.has(batch.sequence), `batch ${batch.epoch}/${batch.sequence} is there twice`).toBe(false);
    found.set(batch.epoch, own.add(batch.sequence));
    expect(batch.shares).toHaveLength(1 + (batch.sequence % 40));
    shares += batch.shares.length;
  }
  for (const [epoch, sequences] of acknowledged) {
    for (const one of sequences) expect(found.get(epoch)?.has(one), `batch ${epoch}/${one} is lost`).toBe(true);
  }
  await ledger.fold();
  const total = (await ledger.summary())?.total;
  expect(total).toMatchObject({ accepted: shares, work: workOfDifficulty(0.1) * BigInt(shares) });
  let inAccounts = 0;
  for (let i = 0; i < 7; i++) inAccounts += (await ledger.summary({ account: `account${i}` }))?.total.accepted ?? 0;
  expect(inAccounts).toBe(shares);
  const rounds = await ledger.rounds(500);
  const current = await ledger.currentRound();
  expect(rounds.reduce((sum, { accepted }) => sum + accepted, current.accepted)).toBe(shares);
  return log.length;
}

async function killTimes(times: number, url: string): Promise<void> {
  const acknowledged = new Map<string, readonly number[]>();
  let last = 0;
  for (let i = 0; i < times; i++) {
    const epoch = `run${i}-`;
    acknowledged.set(epoch, await killedChild(url, epoch));
    const ledger = await openLedger({ url, workerUrl: WORKER_URL });
    const batches = await expectWhole(ledger, acknowledged);
    expect(batches).toBeGreaterThan(last);
    last = batches;
    await ledger.close();
  }
}

describe.skipIf(!requireService('pool binary'))('a ledger killed under load', () => {
  it('SQLite: 20 times, has every share that was acknowledged, none twice', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headframe-kill-'));
    await killTimes(20, `sqlite:${join(folder, 'pool.db')}`);
    await rm(folder, { recursive: true, force: true });
  }, 180_000);

  it.skipIf(!requireService('postgresql'))(
    'PostgreSQL: 5 times, has every share that was acknowledged, none twice',
    async () => {
      const server = await startPostgres();
      try {
        await killTimes(5, await server.createDatabase());
      } finally {
        await server.stop();
      }
    },
    180_000,
  );
});
