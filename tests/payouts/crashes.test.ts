import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaultKind, Process } from '../../packages/payouts/test/support/faults.js';
import { requireService } from '../support/require.js';
import { type Backend, bcoinBackend, litecoinBackend } from './backends.js';
import { PayoutCase } from './case.js';

/** A payment of two outputs, one of them for two accounts. */
async function openCase(backend: Backend): Promise<PayoutCase> {
  const one = await PayoutCase.open(backend);
  const shared = one.newAddress();
  await one.credit('ann', 1_100_000n, shared);
  await one.credit('ben', 1_000_000n);
  await one.credit('ann2', 900_000n, shared);
  return one;
}

describe.each([
  { service: 'litecoind', start: litecoinBackend },
  { service: 'bcoin', start: bcoinBackend },
] as const)('payments on $service', ({ service, start }) => {
  describe.runIf(requireService(service))('with a fault at every call', { timeout: 400_000 }, () => {
    let backend: Backend;
    let calls: readonly string[] = [];

    beforeAll(async () => {
      backend = await start();
      const one = await openCase(backend);
      const process = new Process();
      await one.live(one.payouts(process));
      calls = process.trace;
      expect(await one.differences()).toEqual([]);
      await one.close();
    });
    afterAll(() => backend.close());

    it('makes every call that is tried', () => {
      expect(calls).toContain('planPayment');
      expect(calls).toContain('stepPayment');
      const wallet =
        service === 'litecoind'
          ? ['rpc fundrawtransaction', 'rpc sendrawtransaction']
          : ['POST /wallet/primary/create', 'POST /broadcast'];
      for (const name of wallet) expect(calls).toContain(name);
    });

    it.each(['dies-after', 'answer-lost'] satisfies FaultKind[])('pays everybody once: %s', async (kind) => {
      for (let at = 1; at <= calls.length; at++) {
        const one = await openCase(backend);
        await one.live(one.payouts(new Process({ at, kind })));
        // A second one only where the first had to wait for the chain.
        for (let life = 0; life < 2 && (await one.differences()).length > 0; life++) await one.live(one.payouts());
        expect(await one.differences(), `${kind} at call ${at}, ${calls[at - 1]}`).toEqual([]);
        await one.close();
      }
    });
  });
});
