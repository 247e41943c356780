import { resolveCoin } from '@headframe/coins';
import type { AccountSettings, AccountSettingsChange } from '@headframe/ledger';
import type { PayoutPlan, Payouts } from '@headframe/payouts';
import { silentLogger } from '@headframe/primitives';
import { FakeClock } from '@headframe/primitives/testing';
import { BanList } from '@headframe/sessions';
import { expect, it } from 'vitest';
import { type AdminTarget, PoolAdmin, toPlain } from '../src/admin.js';
import { exposeBuiltins } from '../src/control/builtins.js';
import { ControlMethods } from '../src/control/methods.js';
import { Readiness } from '../src/readiness.js';

const PLAN: PayoutPlan = {
  payments: [],
  skipped: [{ account: 'alice', amount: 12n, reason: 'below the minimum' }],
  total: 0n,
  wallet: { isReady: true, reason: undefined, spendable: 5_000_000_000n },
};

function setup(parts: Partial<AdminTarget> = {}) {
  const changes: AccountSettingsChange[] = [];
  const settings: AccountSettings = {
    account: 'alice',
    address: undefined,
    minimumPayout: 1_000_000n,
    donationPpm: 15_000,
    isHeld: false,
    updatedMs: 0,
  } as AccountSettings;
  const target: AdminTarget = {
    coin: resolveCoin('bitcoin', 'regtest'),
    log: silentLogger,
    isPaused: false,
    sessions: [],
    bans: new BanList({}, new FakeClock()),
    ledger: {
      accounting: {
        settings: async () => settings,
        changeSettings: async (_account, change) => {
          changes.push(change);
          return settings;
        },
      },
    },
    payouts: undefined,
    server: {
      channelOf: () => {
        throw new Error('none');
      },
      kick: () => {},
      setDifficulty: () => {
        throw new Error('none');
      },
      reconnect: () => {},
      notifyAll: () => 3,
    },
    pause: () => {},
    resume: () => {},
    refreshTemplate: () => {},
    ...parts,
  };
  const admin = new PoolAdmin(target);
  const methods = new ControlMethods(100);
  exposeBuiltins(methods, {
    admin,
    readiness: new Readiness(),
    tasks: () => [],
    status: () => ({}),
    notify: () => {},
  });
  const call = async (method: string, params: unknown = {}) =>
    methods.get(method)?.run(params, { method, address: '', signal: new AbortController().signal });
  return { admin, changes, call };
}

it('settings are told and changed in coins', async () => {
  const { call, changes } = setup();
  expect(await call('accounts.settings', ['alice'])).toEqual({
    account: 'alice',
    address: null,
    minimumPayout: '0.01000000',
    donationPercent: 1.5,
    isHeld: false,
  });
  await call('accounts.change', { account: 'alice', minimumPayout: '0.5', donationPercent: 0.0001, isHeld: true });
  await call('accounts.change', { account: 'alice', address: null, minimumPayout: null });
  expect(changes).toEqual([
    { minimumPayout: 50_000_000n, donationPpm: 1, isHeld: true },
    { address: null, minimumPayout: null },
  ]);
});

it.each(['1e8', '-1', '0.000000001', 'x', ''])('an amount %j is refused', async (minimumPayout) => {
  const { admin, changes } = setup();
  await expect(admin.changeSettings('alice', { minimumPayout })).rejects.toMatchObject({ code: 'invalid_argument' });
  expect(changes).toEqual([]);
});

it('a part of a percent that cannot be kept is refused', async () => {
  const { admin } = setup();
  await expect(admin.changeSettings('alice', { donationPercent: 0.00001 })).rejects.toMatchObject({
    code: 'invalid_argument',
  });
});

it('an address of another network is refused', async () => {
  const { admin, changes } = setup();
  const address = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4';
  await expect(admin.changeSettings('alice', { address })).rejects.toMatchObject({ code: 'wrong_network' });
  expect(changes).toEqual([]);
});

it('calls of payments reach the payer, with amounts as text', async () => {
  const seen: string[] = [];
  const note = async (what: string) => {
    seen.push(what);
    return { id: 'p1', total: 7n };
  };
  const payouts = {
    plan: async () => PLAN,
    run: async () => PLAN,
    status: async () => ({ wallet: PLAN.wallet, waiting: 0 }),
    reconcile: async () => ({ checked: 2, changed: [] }),
    approve: (id: string) => note(`approve ${id}`),
    cancel: (id: string, reason: string) => note(`cancel ${id} ${reason}`),
  } as unknown as Payouts;
  const { call } = setup({ payouts });
  expect(await call('payouts.plan')).toMatchObject({
    skipped: [{ amount: '12' }],
    wallet: { spendable: '5000000000' },
  });
  expect(await call('payouts.run')).toMatchObject({ total: '0' });
  expect(await call('payouts.status')).toMatchObject({ wallet: { reason: null } });
  expect(await call('payouts.reconcile')).toEqual({ checked: 2, changed: [] });
  expect(await call('payouts.approve', ['p1'])).toEqual({ id: 'p1', total: '7' });
  await call('payouts.cancel', { id: 'p1' });
  expect(seen).toEqual(['approve p1', 'cancel p1 by hand']);
});

it('what a target cannot do says so', async () => {
  const { admin } = setup({ ledger: undefined });
  await expect(admin.settings('alice')).rejects.toMatchObject({ code: 'not_supported' });
  await expect(admin.reload()).rejects.toMatchObject({ code: 'not_supported' });
  expect(() => admin.setLogLevel('debug')).toThrow(expect.objectContaining({ code: 'not_supported' }));
  expect(() => admin.payouts).toThrow(expect.objectContaining({ code: 'not_supported' }));
  expect(() => admin.kick(1)).toThrow(expect.objectContaining({ code: 'not_found' }));
  expect(() => admin.unban('account', 'x')).toThrow(expect.objectContaining({ code: 'not_found' }));
});

it('toPlain leaves nothing that JSON cannot hold', () => {
  expect(toPlain({ a: 1n, b: undefined, c: [undefined, { d: 2n }], e: null })).toEqual({
    a: '1',
    b: null,
    c: [null, { d: '2' }],
    e: null,
  });
});
