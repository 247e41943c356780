import { PoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import { Process } from './support/faults.js';
import { addressOf, CONFIRMATIONS, scriptOf, World } from './support/world.js';

async function worldWith(coins: readonly bigint[], ...credits: readonly (readonly [string, bigint])[]): Promise<World> {
  const world = new World();
  world.chain.give(...coins);
  for (const [account, amount] of credits) await world.credit(account, amount);
  return world;
}

const only = async (world: World) => {
  const { items } = await world.accounting.payments();
  const [payment] = items;
  if (payment === undefined) throw new Error('no payment');
  return payment;
};

describe('a run', () => {
  it('plans without changing anything', async () => {
    const world = await worldWith([500_000n], ['ann', 100_000n], ['ben', 50_000n], ['cid', 20_000n]);
    const process = new Process();
    const plan = await world.payouts({}, process).plan();
    expect(plan.total).toBe(170_000n);
    expect(plan.payments.map(({ id, total }) => [id, total])).toEqual([
      [undefined, 150_000n],
      [undefined, 20_000n],
    ]);
    expect(plan.wallet).toEqual({ isReady: true, reason: undefined, spendable: 500_000n });
    for (const name of ['planPayment', 'stepPayment', 'sign', 'broadcast']) expect(process.trace).not.toContain(name);
    expect((await world.accounting.payments()).items).toEqual([]);
  });

  it('leaves out whom it must not or cannot pay, and says why', async () => {
    const world = await worldWith([500_000n], ['ann', 50_000n]);
    await world.credit('main', 60_000n, '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2');
    await world.credit('typo', 60_000n, 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq');
    await world.credit('held', 60_000n);
    await world.accounting.changeSettings('held', { isHeld: true });
    await world.credit('nowhere', 60_000n);
    await world.accounting.changeSettings('nowhere', { address: null });
    const { payments, skipped } = await world.payouts({ dust: 546n }).run();
    expect(payments.flatMap(({ parts }) => parts.map(({ account }) => account))).toEqual(['ann']);
    expect(Object.fromEntries(skipped.map(({ account, reason }) => [account, reason]))).toEqual({
      main: expect.stringContaining('belongs to bitcoin main'),
      typo: expect.stringContaining('not a valid address'),
      held: 'the account is held',
      nowhere: 'the account has no address',
    });
  });

  it('waits for approval when payments are approved by hand', async () => {
    const world = await worldWith([500_000n], ['ann', 100_000n], ['ben', 50_000n]);
    const payouts = world.payouts({ approval: 'manual', maxOutputs: 1 });
    const { payments } = await payouts.run();
    const [first, second] = payments.map(({ id }) => id ?? '');
    expect(world.wallet.broadcasts).toEqual([]);
    expect(await payouts.status()).toMatchObject({ waiting: 2, underWay: 0 });
    expect((await payouts.run()).payments).toEqual([]);
    expect(await payouts.approve(first ?? '')).toMatchObject({ status: 'approved' });
    expect(await payouts.cancel(second ?? '', 'not this one')).toMatchObject({
      status: 'cancelled',
      reason: 'not this one',
    });
    await expect(payouts.approve(first ?? '')).rejects.toMatchObject({ code: 'conflict' });
    await expect(payouts.approve(second ?? '')).rejects.toMatchObject({ code: 'conflict' });
    await expect(payouts.approve('nobody')).rejects.toMatchObject({ code: 'not_found' });
    expect((await payouts.run()).payments.map(({ id }) => id)).toContain(first);
    expect(world.wallet.broadcasts).toHaveLength(1);
    await expect(payouts.cancel(first ?? '', 'too late')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('plans less when the wallet has too little for outputs and fee', async () => {
    const world = await worldWith([150_000n], ['ann', 100_000n], ['ben', 50_000n]);
    const { payments, skipped } = await world.payouts().run();
    expect(payments.map(({ total }) => total)).toEqual([100_000n]);
    expect(skipped).toMatchObject([{ account: 'ben', amount: 50_000n }]);
    world.chain.give(100_000n);
    await world.live(world.payouts(), CONFIRMATIONS + 1);
    expect(await world.differences()).toEqual([]);
  });

  it('halves a transaction that is too large for the wallet', async () => {
    const world = await worldWith(
      Array.from({ length: 10 }, () => 200_000n),
      ...Array.from({ length: 9 }, (_, i) => [`worker${i}`, 20_000n] as const),
    );
    world.wallet.maxOutputs = 3;
    await world.live(world.payouts({ maxOutputs: 9 }), CONFIRMATIONS + 2);
    expect(await world.differences()).toEqual([]);
  });

  it('pays the others when the wallet refuses an address', async () => {
    const world = await worldWith([500_000n], ['ann', 100_000n], ['ben', 50_000n]);
    world.wallet.refused.add(addressOf('ben'));
    const { payments, skipped } = await world.payouts().run();
    expect(payments.map(({ total }) => total)).toEqual([100_000n]);
    expect(skipped).toMatchObject([
      { account: 'ben', reason: expect.stringContaining('the wallet refuses the address') },
    ]);
  });

  it('plans nothing while the wallet is locked, and says so', async () => {
    const world = await worldWith([500_000n], ['ann', 100_000n]);
    world.wallet.locked = true;
    const { payments, skipped } = await world.payouts().run();
    expect(payments).toEqual([]);
    expect(skipped).toEqual([{ account: 'ann', amount: 100_000n, reason: 'the wallet is not ready: locked' }]);
  });

  it('never signs with coins of a transaction that nobody has seen yet', async () => {
    const world = await worldWith([150_000n, 150_000n], ['ann', 100_000n]);
    const process = new Process({ at: 1_000, kind: 'fails' });
    const boundary = process.boundary.bind(process);
    process.boundary = async (name, call, failure) => {
      if (name === 'broadcast') process.dead = true;
      return boundary(name, call, failure);
    };
    await world
      .payouts({}, process)
      .run()
      .catch(() => {});
    const { txid, transaction, fee } = await only(world);
    const signed = { txid: txid ?? '', transaction: transaction ?? '', fee: fee ?? 0n };
    const again = await world.wallet.sign([], { avoid: [signed] });
    expect(again.txid).not.toBe(txid);
    await world.credit('ben', 100_000n);
    const avoided: unknown[] = [];
    const sign = world.wallet.sign.bind(world.wallet);
    world.wallet.sign = (outputs, options) => {
      avoided.push(options?.avoid);
      return sign(outputs, options);
    };
    await world.payouts().run();
    expect(avoided).toEqual([[signed]]);
  });
});

describe('the chain', () => {
  it('fails a payment only when what took its coins is buried, and pays anew', async () => {
    const world = await worldWith([150_000n], ['ann', 100_000n]);
    const payouts = world.payouts();
    await payouts.run();
    world.chain.forgetMempool();
    const [coin] = world.chain.coins();
    const spender = world.chain.spendOutside(coin?.outpoint ?? '');
    await payouts.reconcile();
    expect(await only(world)).toMatchObject({
      status: 'sent',
      reason: expect.stringContaining('txn-mempool-conflict'),
    });
    for (let depth = 1; depth < CONFIRMATIONS; depth++) {
      world.chain.mine();
      await payouts.reconcile();
      const reason = `${spender} spent its coins, ${depth} of ${CONFIRMATIONS} confirmations deep`;
      expect(await only(world)).toMatchObject({ status: 'sent', reason });
    }
    world.chain.mine();
    expect((await payouts.reconcile()).changed).toMatchObject([{ from: 'sent', to: 'failed' }]);
    expect(await world.accounting.balance('ann')).toMatchObject({ available: 100_000n, reserved: 0n });
    world.chain.give(150_000n);
    await world.live(world.payouts(), CONFIRMATIONS + 1);
    expect(await world.differences()).toEqual([]);
  });

  it('takes a replacement that pays the same people for the payment', async () => {
    const world = await worldWith([150_000n], ['ann', 100_000n]);
    const payouts = world.payouts();
    await payouts.run();
    world.chain.forgetMempool();
    const [coin] = world.chain.coins();
    world.chain.spendOutside(coin?.outpoint ?? '', [{ script: scriptOf(addressOf('ann')), amount: 100_000n }]);
    world.chain.mine(CONFIRMATIONS);
    await payouts.reconcile();
    expect(await only(world)).toMatchObject({ status: 'confirmed', confirmations: CONFIRMATIONS });
    expect(await world.differences()).toEqual([]);
  });

  it('asks for a person when a replacement pays some of the same people', async () => {
    const world = await worldWith([150_000n], ['ann', 100_000n]);
    const payouts = world.payouts();
    await payouts.run();
    world.chain.forgetMempool();
    const [coin] = world.chain.coins();
    world.chain.spendOutside(coin?.outpoint ?? '', [{ script: scriptOf(addressOf('ann')), amount: 60_000n }]);
    world.chain.mine(2 * CONFIRMATIONS);
    await payouts.reconcile();
    expect(await only(world)).toMatchObject({ status: 'sent', reason: expect.stringContaining('by hand') });
    expect((await payouts.run()).payments).toEqual([]);
  });

  it.each(['confirmed', 'failed'] as const)('lets a person settle it as %s, and leaves it so', async (to) => {
    const world = await worldWith([150_000n], ['ann', 100_000n]);
    const payouts = world.payouts();
    await payouts.run();
    const { id } = await only(world);
    const settle = () => payouts.settle(id, to, 'paid the rest from the treasury');
    // While its own transaction may confirm, nobody may say that it failed.
    await expect(settle()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('waits') });
    world.chain.forgetMempool();
    await expect(settle()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('unspent') });
    const [coin] = world.chain.coins();
    world.chain.spendOutside(coin?.outpoint ?? '', [{ script: scriptOf(addressOf('ann')), amount: 60_000n }]);
    world.chain.mine();
    await expect(settle()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('1 of 3') });
    world.chain.mine(CONFIRMATIONS);
    await payouts.reconcile();
    expect((await only(world)).status).toBe('sent');
    world.wallet.away = true;
    await expect(settle()).rejects.toMatchObject({ code: 'rpc_unavailable' });
    world.wallet.away = false;

    expect(await settle()).toMatchObject({
      status: to,
      isSettledByHand: true,
      reason: 'by hand: paid the rest from the treasury',
    });
    const [available, paid] = to === 'failed' ? [100_000n, 0n] : [0n, 100_000n];
    expect(await world.accounting.balance('ann')).toMatchObject({ available, reserved: 0n, paid });
    await expect(settle()).rejects.toMatchObject({ code: 'conflict' });
    await expect(payouts.settle('nothing', to, 'x')).rejects.toMatchObject({ code: 'not_found' });
    world.chain.mine(2 * CONFIRMATIONS);
    expect((await payouts.reconcile()).changed).toEqual([]);
    expect((await only(world)).status).toBe(to);
  });

  it('takes a failed payment back when it is in the chain after all', async () => {
    const world = await worldWith([150_000n], ['ann', 100_000n]);
    const payouts = world.payouts();
    await payouts.run();
    const { id } = await only(world);
    world.chain.mine(CONFIRMATIONS);
    await world.accounting.stepPayment(id, ['sent'], { to: 'failed', timeMs: world.clock.now() });
    expect((await payouts.reconcile()).changed).toMatchObject([{ from: 'failed', to: 'confirmed' }]);
    expect(await world.differences()).toEqual([]);
  });

  it('goes on with the others when the node cannot tell about one', async () => {
    const world = await worldWith([150_000n, 150_000n], ['ann', 100_000n], ['ben', 90_000n]);
    const payouts = world.payouts({ maxOutputs: 1 });
    await payouts.run();
    world.chain.mine(CONFIRMATIONS);
    const find = world.wallet.find.bind(world.wallet);
    const odd = (await only(world)).txid;
    world.wallet.find = (transaction) =>
      transaction.txid === odd
        ? Promise.reject(new PoolError('rpc_error', 'Block not available (pruned data)', { details: { code: -1 } }))
        : find(transaction);
    expect((await payouts.reconcile()).changed).toMatchObject([{ to: 'confirmed' }]);
    expect((await only(world)).reason).toContain('pruned');
    world.wallet.find = () => Promise.reject(new PoolError('rpc_timeout', 'no answer'));
    await expect(payouts.reconcile()).rejects.toMatchObject({ code: 'rpc_timeout' });
    world.wallet.find = find;
    await payouts.reconcile();
    expect(await world.differences()).toEqual([]);
  });

  it('pauses longer and longer between broadcasts that are refused', async () => {
    const world = await worldWith([150_000n], ['ann', 100_000n]);
    const payouts = world.payouts({ everyMs: 10 * 86_400_000 });
    await payouts.run();
    world.chain.forgetMempool();
    const [coin] = world.chain.coins();
    world.chain.spendOutside(coin?.outpoint ?? '');
    world.wallet.broadcasts.length = 0;
    payouts.start();
    await world.clock.advanceAsync(86_400_000, 60_000);
    await payouts.close();
    // 1, 2, 4, 8, 16 and 32 minutes, then every hour.
    expect(world.wallet.broadcasts.length).toBeGreaterThan(20);
    expect(world.wallet.broadcasts.length).toBeLessThan(35);
    expect(new Set(world.wallet.broadcasts).size).toBe(1);
  });
});

describe('the schedule', () => {
  it('gets over a clock that was ten years ahead', async () => {
    const world = await worldWith([900_000n], ['ann', 100_000n]);
    world.clock.offsetMs = 10 * 365 * 86_400_000;
    const early = world.payouts({ everyMs: 600_000, checkMs: 60_000 });
    early.start();
    await world.clock.advanceAsync(60_000);
    expect(world.wallet.broadcasts).toHaveLength(1);
    world.clock.offsetMs = 0;
    await world.credit('ben', 50_000n);
    await world.clock.advanceAsync(700_000);
    expect(world.wallet.broadcasts).toHaveLength(2);
    await early.close();
    // The next process sees a latest payment of the time that never was.
    await world.credit('cid', 40_000n);
    const next = world.payouts({ everyMs: 600_000, checkMs: 60_000 });
    next.start();
    await world.clock.advanceAsync(700_000);
    expect(world.wallet.broadcasts).toHaveLength(3);
    await next.close();
  });

  it('pays at the start when that is due, then every so often, and tells the state', async () => {
    const world = await worldWith([900_000n], ['ann', 100_000n]);
    const payouts = world.payouts({ everyMs: 600_000, checkMs: 60_000 });
    payouts.start();
    await world.clock.advanceAsync(60_000);
    expect(world.wallet.broadcasts).toHaveLength(1);
    await world.credit('ben', 50_000n);
    world.chain.mine(CONFIRMATIONS);
    await world.clock.advanceAsync(300_000);
    expect(world.wallet.broadcasts).toHaveLength(1);
    expect(await payouts.status()).toMatchObject({ underWay: 0, waiting: 0, lastError: undefined });
    await world.clock.advanceAsync(400_000);
    expect(world.wallet.broadcasts).toHaveLength(2);
    world.wallet.away = true;
    await world.clock.advanceAsync(120_000);
    expect(await payouts.status()).toMatchObject({ lastError: 'no connection', wallet: { isReady: false } });
    world.wallet.away = false;
    world.chain.mine(CONFIRMATIONS);
    await world.clock.advanceAsync(120_000);
    expect((await payouts.status()).lastError).toBeUndefined();
    await payouts.close();
    await payouts.close();
    await expect(payouts.run()).rejects.toMatchObject({ code: 'closed' });
    expect(await world.differences()).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });
});
