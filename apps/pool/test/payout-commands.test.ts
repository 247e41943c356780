import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dialogue, type Run, run } from './run.js';
import { ALICE, BOB, fillLedger, PAYMENT, PLANNED } from './sample-ledger.js';

// Each run of the binary is a process, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder = '';
let url = '';
let node: DevNode;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-payouts-cli-'));
  url = `sqlite:${join(folder, 'pool.db')}`;
  await fillLedger(url);
  node = createDevNode({ user: 'u', password: 'p' });
  await node.start();
  node.mineBlocks(110);
  const config = {
    network: 'regtest',
    daemons: [{ url: node.url, user: 'u', password: 'p' }],
    payout: { scheme: 'pplns', address: node.walletAddress, payments: { minimum: '0.01', approval: 'manual' } },
    listeners: [{ port: 0 }],
    storage: { url },
  };
  await writeFile(join(folder, 'pool.json'), JSON.stringify(config));
  const solo = { ...config, payout: { address: ALICE } };
  await writeFile(join(folder, 'solo.json'), JSON.stringify(solo));
});
afterAll(async () => {
  await node.close();
  await rm(folder, { recursive: true, force: true });
});

const cli = (...args: string[]): Promise<Run> => run(args, { cwd: folder });
const payouts = (...args: string[]): Promise<Run> => cli('payouts', ...args, '--config', 'pool.json');

async function json(...args: string[]): Promise<unknown> {
  const { code, out, err } = await payouts(...args, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

const coins = (units: number, text: string) => ({ units: String(units), coins: text });

describe('headframe payouts', () => {
  it('lists payments, and by status and account', async () => {
    const all = await json();
    expect(all).toMatchObject({
      items: [
        { id: PLANNED, status: 'planned', total: coins(9_375_000, '0.09375000'), txid: null, fee: null },
        { id: PAYMENT, status: 'confirmed', confirmations: 120, txid: 'ab'.repeat(32), fee: coins(1000, '0.00001000') },
      ],
      next: null,
    });
    expect(await json('list')).toEqual(all);
    expect(await json('list', '--status', 'planned,sent')).toMatchObject({ items: [{ id: PLANNED }] });
    expect(await json('list', '--account', ALICE)).toMatchObject({ items: [{ id: PAYMENT }] });
    expect(await payouts('list', '--status', 'paid')).toMatchObject({
      code: 64,
      err: expect.stringContaining('planned'),
    });
    const { out } = await cli('payouts', '--url', url);
    expect(out).toMatchInlineSnapshot(`
      "id                                    status          total  parts  conf  created              txid
      22222222-2222-4222-8222-222222222222  planned    0.09375000      1     0  2023-11-14 22:20:00
      11111111-1111-4111-8111-111111111111  confirmed  1.50000000      1   120  2023-11-14 22:10:00  abababababababababababababababababababababababababababababababab
      "
    `);
  });

  it('shows one with its parts', async () => {
    expect(await json('show', PAYMENT)).toMatchObject({
      parts: [{ account: ALICE, address: ALICE, amount: coins(150_000_000, '1.50000000') }],
    });
    const { out } = await payouts('show', PAYMENT);
    expect(out).toContain('txid');
    expect(await payouts('show', 'nothing')).toMatchObject({ code: 1, err: 'there is no payment nothing\n' });
    expect(await payouts('show')).toMatchObject({ code: 64, err: expect.stringContaining('which payment?') });
  });

  it('plans without changing anything', async () => {
    const plan = await json('plan');
    expect(plan).toMatchObject({
      total: coins(50_000_000, '0.50000000'),
      payments: [{ id: null, parts: [{ account: ALICE, amount: coins(50_000_000, '0.50000000') }] }],
      skipped: expect.arrayContaining([
        { account: BOB, amount: coins(100_000_000, '1.00000000'), reason: expect.stringContaining('held') },
      ]),
      wallet: { isReady: true },
    });
    expect(await json('plan')).toEqual(plan);
    const { out } = await payouts('plan');
    expect(out).toContain('Would pay 1 account in 1 transaction, 0.50000000 in all');
    expect(out).toContain('Due, and not paid');
  });

  it('does not run where nobody can be asked', async () => {
    expect(await payouts('run')).toMatchObject({ code: 64, out: '', err: expect.stringContaining('--yes') });
    expect(await json('list', '--status', 'planned')).toMatchObject({ items: [{ id: PLANNED }] });
  });

  it('asks on a terminal; the answer at hand is no', async () => {
    const args = ['payouts', 'run', '--config', 'pool.json'];
    const shown = await dialogue(args, { cwd: folder, columns: 100 }, [['Pay 0.50000000?', '\r']]);
    expect(shown).toContain('Would pay 1 account');
    expect(shown).toContain('Nothing was paid.');
    expect(await json('list', '--status', 'planned')).toMatchObject({ items: [{ id: PLANNED }] });
  });

  it('runs, approves, cancels and reconciles', async () => {
    const made = (await json('run', '--yes')) as { payments: { id: string }[] };
    expect(made.payments).toHaveLength(1);
    const id = made.payments[0]?.id ?? '';
    expect(await json('cancel', PLANNED, '--reason', 'a test')).toMatchObject({
      status: 'cancelled',
      reason: 'a test',
    });
    expect(await payouts('approve', PLANNED)).toMatchObject({ code: 1 });
    for (const args of [['--failed'], ['--reason', 'x'], ['--failed', '--confirmed', '--reason', 'x']]) {
      expect(await payouts('settle', PLANNED, ...args)).toMatchObject({ code: 64 });
    }
    expect(await payouts('settle', 'nothing', '--failed', '--reason', 'x')).toMatchObject({ code: 1 });
    expect(await payouts('settle', PLANNED, '--failed', '--reason', 'x')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is cancelled'),
    });
    expect(await json('approve', id)).toMatchObject({ id, status: 'approved' });
    const { out } = await payouts('run', '--yes');
    expect(out).toContain('Approved, not paid yet');
    expect(await json('show', id)).toMatchObject({ status: 'sent', txid: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await payouts('settle', id, '--failed', '--reason', 'x')).toMatchObject({
      code: 1,
      err: expect.stringContaining('waits for a block'),
    });
    node.mineBlocks(10);
    expect(await json('reconcile')).toMatchObject({ checked: 1, changed: [{ id, from: 'sent', to: 'confirmed' }] });
    expect(await json('show', id)).toMatchObject({ status: 'confirmed', confirmations: 10 });
    expect(await payouts('run', '--yes')).toMatchObject({ code: 0, out: expect.stringContaining('Nobody is due.') });
    expect(await payouts('reconcile')).toMatchObject({ out: '1 payments looked at, 0 changed.\n' });
  });

  it('is refused where the configuration pays nobody from a wallet', async () => {
    const result = await cli('payouts', 'plan', '--config', 'solo.json');
    expect(result).toMatchObject({ code: 1, err: expect.stringContaining('payout.payments') });
  });
});
