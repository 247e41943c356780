import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  creditTotal,
  type Ledger,
  networkWork,
  openLedger,
  ppsCredits,
  ppsReward,
  workOfDifficulty,
} from '@headframe/ledger';
import type { ShareRecord } from '@headframe/mining';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Accountant, createAccountant, type PayoutScheme } from '../src/index.js';
import { coin, hashOf, POOL, REWARD, TARGET } from './accountant-world.js';

const fees = [{ account: 'fees', ppm: 10_000 }];

describe('on a database', () => {
  let folder: string;
  let ledgers: Ledger[] = [];
  let accountants: Accountant[] = [];
  let sequence = 0;
  let words = 0;
  let sent: ShareRecord[] = [];

  /** Another process on the same file. */
  async function open(): Promise<Ledger> {
    const ledger = await openLedger({ url: `sqlite:${join(folder, 'pool.db')}`, foldIntervalMs: 3_600_000 });
    ledgers.push(ledger);
    return ledger;
  }
  function accountant(ledger: Ledger, scheme: PayoutScheme): Accountant {
    const made = createAccountant({ scheme, coin, poolAccount: POOL, fees }, { ledger, accounting: ledger.accounting });
    accountants.push(made);
    return made;
  }
  async function shares(ledger: Ledger, ...list: readonly (readonly [string, number, string?])[]): Promise<void> {
    const made = list.map(
      ([account, difficulty, block]): ShareRecord => ({
        timeMs: Date.now() + 1,
        account,
        worker: `${account}.rig`,
        address: '',
        jobId: 1,
        height: 100,
        result: 'accepted',
        difficulty,
        achieved: difficulty,
        blockHash: block === undefined ? undefined : hashOf(block),
      }),
    );
    sent.push(...made);
    await ledger.commit({ epoch: 'test', sequence: sequence++, shares: made });
  }
  const outcome = (name: string, status: 'confirmed' | 'orphaned' | 'matured') => ({
    hash: hashOf(name),
    height: 100,
    status,
    account: 'alice',
    worker: 'alice.rig',
    reward: REWARD,
    confirmations: 1,
    nodes: {},
    // Each word is later than the one before.
    timeMs: Date.now() + ++words * 10,
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headframe-accountant-'));
    sent = [];
    const ledger = await open();
    const record = { networkTarget: TARGET, networkDifficulty: 256, reward: REWARD, subsidy: REWARD, fees: 0n };
    await ledger.accounting.recordHeight({ height: 100, timeMs: Date.now(), ...record });
  });
  afterEach(async () => {
    await Promise.all(accountants.map((one) => one.close()));
    await Promise.all(ledgers.map((one) => one.close()));
    [ledgers, accountants] = [[], []];
    await rm(folder, { recursive: true, force: true });
  });

  it('two processes pay each share once', async () => {
    const [first, second] = [ledgers[0] ?? (await open()), await open()];
    const both = [accountant(first, 'pps'), accountant(second, 'pps')];
    await Promise.all(both.map((one) => one.accrue()));
    for (let i = 0; i < 10; i++) {
      await shares(first, ['alice', 0.7 + i], ['bob', 3.3]);
      await Promise.all(both.map((one) => one.accrue()));
    }
    await both[0]?.accrue();
    const { credits } = ppsCredits({
      work: sent.map(({ account, difficulty }) => ({ account, work: workOfDifficulty(difficulty) })),
      network: networkWork(BigInt(`0x${TARGET}`), 1),
      reward: ppsReward(REWARD),
      fees: { recipients: fees },
    });
    const { accounting } = first;
    for (const { account, amount } of credits) expect((await accounting.balance(account)).available).toBe(amount);
    expect((await accounting.balance(POOL)).available).toBe(-creditTotal(credits));
    expect(await accounting.verify()).toEqual([]);
  });

  it('a block goes through its states, heard of by two processes', async () => {
    const [first, second] = [ledgers[0] ?? (await open()), await open()];
    const both = [accountant(first, 'pplns'), accountant(second, 'pplns')];
    for (const one of both) one.start();
    await Promise.all(both.map((one) => one.idle()));
    await shares(first, ['bob', 128], ['alice', 384, 'a']);
    const { accounting } = second;
    for (const [status, expected] of [
      ['confirmed', { immature: REWARD, available: 0n }],
      ['orphaned', { immature: 0n, available: 0n }],
      ['confirmed', { immature: REWARD, available: 0n }],
      ['matured', { immature: 0n, available: REWARD }],
    ] as const) {
      const said = outcome('a', status);
      for (const one of both) one.blockOutcome(said);
      await Promise.all(both.map((one) => one.idle()));
      expect(await accounting.totals()).toMatchObject(expected);
    }
    expect((await accounting.balance('bob')).available).toBe((REWARD - REWARD / 100n) / 4n);
    expect(await accounting.verify()).toEqual([]);
    const fresh = accountant(await open(), 'pplns');
    expect(await fresh.mend({ all: true })).toBe(0);
  });
});
