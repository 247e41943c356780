import { resolveCoin } from '@headframe/coins';
import { coreWallet } from '@headframe/payouts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Process } from '../../packages/payouts/test/support/faults.js';
import { requireService } from '../support/require.js';
import { type Backend, bcoinBackend, litecoinBackend } from './backends.js';
import { CONFIRMATIONS, PayoutCase } from './case.js';

/** A process that ends before the call of this name. */
async function upTo(one: PayoutCase, name: string): Promise<void> {
  const process = new Process();
  const boundary = process.boundary.bind(process);
  process.boundary = async (call, work, failure) => {
    if (call === name) process.dead = true;
    return boundary(call, work, failure);
  };
  const payouts = one.payouts(process);
  await expect(payouts.run()).rejects.toThrow('dead');
  await payouts.close();
}

describe.runIf(requireService('litecoind'))('trouble with payments on litecoind', { timeout: 120_000 }, () => {
  let backend: Backend;
  const cases: PayoutCase[] = [];
  const open = async (): Promise<PayoutCase> => {
    const one = await PayoutCase.open(backend);
    cases.push(one);
    return one;
  };
  beforeAll(async () => {
    backend = await litecoinBackend();
  });
  afterAll(async () => {
    for (const one of cases) await one.close();
    await backend.close();
  });

  it('sends again what a reorganisation has dropped from chain and mempool', async () => {
    const one = await open();
    await one.credit('ann', 1_000_000n);
    const payouts = one.payouts();
    await payouts.run();
    await backend.mine(1);
    expect((await payouts.reconcile()).changed).toEqual([]);
    const [before] = await one.payments();
    expect(before).toMatchObject({ status: 'sent', confirmations: 1 });

    await backend.invalidate(await backend.chain.tip());
    await payouts.reconcile();
    expect((await one.payments())[0]).toMatchObject({ status: 'sent', confirmations: 0 });
    await backend.mine(CONFIRMATIONS);
    expect((await payouts.reconcile()).changed).toMatchObject([{ from: 'sent', to: 'confirmed' }]);

    // Even what was final goes back when its blocks leave.
    const tip = await backend.chain.height();
    await backend.invalidate(await backend.node.rpc('getblockhash', tip - CONFIRMATIONS + 1));
    expect((await payouts.reconcile()).changed).toMatchObject([{ from: 'confirmed', to: 'sent' }]);
    await backend.mine(CONFIRMATIONS);
    await payouts.reconcile();
    await payouts.close();
    expect(await one.differences()).toEqual([]);
    expect((await one.payments())[0]?.txid).toBe(before?.txid);
  });

  it('pays anew when a spend outside of the pool took the coins, once that is buried', async () => {
    const one = await open();
    await one.credit('ann', 1_200_000n);
    await upTo(one, 'rpc sendrawtransaction');
    const [stored] = await one.payments();
    expect(stored?.status).toBe('signed');
    // Somebody sweeps the whole wallet before the payment leaves.
    const { node } = backend;
    const own = await node.rpc<string>('getnewaddress');
    const unspent = await node.rpc<{ txid: string; vout: number; amount: number }[]>('listunspent');
    const inputs = unspent.map(({ txid, vout }) => ({ txid, vout }));
    const sum = unspent.reduce((total, { amount }) => total + amount, 0);
    const raw = await node.rpc<string>('createrawtransaction', inputs, { [own]: (sum - 0.01).toFixed(8) });
    const { hex } = await node.rpc<{ hex: string }>('signrawtransactionwithwallet', raw);
    const sweep = await node.rpc<string>('sendrawtransaction', hex);

    const payouts = one.payouts();
    await payouts.reconcile();
    expect((await one.payments())[0]).toMatchObject({ status: 'signed', reason: expect.stringMatching(/refuses/) });
    await backend.mine(1);
    await payouts.reconcile();
    expect((await one.payments())[0]).toMatchObject({
      status: 'signed',
      reason: `${sweep} spent its coins, 1 of ${CONFIRMATIONS} confirmations deep`,
    });
    await backend.mine(CONFIRMATIONS - 1);
    expect((await payouts.reconcile()).changed).toMatchObject([{ from: 'signed', to: 'failed' }]);
    expect(await one.ledger.accounting.balance('ann')).toMatchObject({ available: 1_200_000n, reserved: 0n });
    await one.live(payouts);
    expect(await one.differences()).toEqual([]);
    const [second, first] = await one.payments();
    expect(first?.status).toBe('failed');
    expect(second?.txid).not.toBe(first?.txid);
  });

  it('waits while the node is away, and goes on when it is back with the wallet unloaded', async () => {
    const one = await open();
    await one.credit('ann', 1_300_000n);
    await upTo(one, 'rpc sendrawtransaction');
    const [stored] = await one.payments();
    await backend.node.halt();
    const payouts = one.payouts();
    await expect(payouts.reconcile()).rejects.toMatchObject({ code: 'rpc_unavailable' });
    const { wallet, underWay } = await payouts.status();
    expect(wallet).toMatchObject({ isReady: false, reason: expect.stringContaining('no connection') });
    expect(underWay).toBe(1);
    await backend.node.resume();
    expect((await payouts.reconcile()).changed).toMatchObject([{ from: 'signed', to: 'sent' }]);
    await one.live(payouts);
    expect(await one.differences()).toEqual([]);
    expect((await one.payments())[0]?.txid).toBe(stored?.txid);
  });

  it('pays fewer when the wallet has too little, most due first, and the rest when it has more', async () => {
    const one = await open();
    const { wallet } = await one.payouts().status();
    const all = wallet.spendable ?? 0n;
    await one.credit('large', (all * 6n) / 10n);
    await one.credit('middle', (all * 5n) / 10n);
    await one.credit('small', all / 10n);
    const payouts = one.payouts();
    const plan = await payouts.run();
    expect(plan.payments.flatMap(({ parts }) => parts.map(({ account }) => account))).toEqual(['large', 'small']);
    expect(plan.skipped).toMatchObject([{ account: 'middle', reason: 'the wallet has not enough left' }]);
    const address = await backend.node.rpc<string>('getnewaddress');
    await backend.node.rpc('generatetoaddress', 40, address);
    await backend.mine(100);
    await one.live(payouts);
    expect(await one.differences()).toEqual([]);
  });

  it('says that the node is on another network', async () => {
    const wallet = coreWallet({
      url: backend.node.url,
      user: backend.node.user,
      password: backend.node.password,
      coin: resolveCoin('litecoin', 'main'),
      name: 'pool',
    });
    expect(await wallet.status()).toEqual({
      isReady: false,
      reason: "the wallet's node is on regtest, the pool on main",
      spendable: undefined,
    });
    await expect(wallet.sign([])).rejects.toMatchObject({ code: 'not_supported' });
    wallet.close();
  });

  it('waits for a locked wallet, and opens and locks it with the passphrase', async () => {
    const one = await open();
    await one.credit('ann', 1_500_000n);
    await backend.encrypt('correct horse');
    const without = one.payouts();
    const plan = await without.run();
    expect(plan.payments).toEqual([]);
    expect(plan.skipped).toMatchObject([{ account: 'ann', reason: 'the wallet is not ready: the wallet is locked' }]);
    await without.close();
    const wrong = one.payouts(new Process(), { passphrase: 'wrong' });
    await expect(wrong.run()).rejects.toMatchObject({ code: 'wallet_locked' });
    await wrong.close();
    expect((await one.payments())[0]).toMatchObject({ status: 'approved', reason: 'the passphrase is wrong' });
    await one.live(one.payouts(new Process(), { passphrase: 'correct horse' }));
    expect(await one.differences()).toEqual([]);
    expect(await backend.node.rpc('getwalletinfo')).toMatchObject({ unlocked_until: 0 });
  });
});

describe.runIf(requireService('bcoin'))('trouble with payments on bcoin', { timeout: 120_000 }, () => {
  it('waits for a locked wallet, and opens it with the passphrase', async () => {
    const backend = await bcoinBackend();
    const one = await PayoutCase.open(backend);
    await one.credit('ann', 1_500_000n);
    await backend.encrypt('correct horse');
    const without = one.payouts();
    const { skipped } = await without.run();
    expect(skipped).toMatchObject([{ account: 'ann', reason: 'the wallet is not ready: the wallet is locked' }]);
    await without.close();
    const wrong = one.payouts(new Process(), { passphrase: 'wrong' });
    await expect(wrong.run()).rejects.toMatchObject({ code: 'wallet_locked' });
    await wrong.close();
    expect((await one.payments())[0]?.status).toBe('approved');
    await one.live(one.payouts(new Process(), { passphrase: 'correct horse' }));
    expect(await one.differences()).toEqual([]);
    const after = one.payouts();
    expect((await after.status()).wallet).toMatchObject({ isReady: false, reason: 'the wallet is locked' });
    await after.close();
    await one.close();
    await backend.close();
  });
});
