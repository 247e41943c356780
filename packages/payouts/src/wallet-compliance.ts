import { bytesToHex } from '@headframe/primitives';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SignedTransaction, Wallet, WalletOutput } from './types.js';
import { inputsOf, parseRawTransaction } from './wallets/raw-transaction.js';

/** A wallet with several coins, on a chain that the suite may mine on. */
export interface WalletHarness {
  readonly wallet: Wallet;
  /** An output to an address that is nobody's, another one each time. */
  output(amount: bigint): WalletOutput;
  /** Mines blocks that pay somebody else; resolves when the wallet has seen them. */
  mine(count: number): Promise<void>;
  /** Takes the last block off the chain. */
  invalidateTip(): Promise<void>;
  close(): Promise<void>;
}

/** What every {@link Wallet} does: one suite for all of them. The wallet needs at least 4 coins of some size. */
export function describeWallet(name: string, open: () => Promise<WalletHarness>): void {
  describe(`wallet: ${name}`, { timeout: 60_000 }, () => {
    let harness: WalletHarness;
    let wallet: Wallet;

    const spendable = async (): Promise<bigint> => {
      const status = await wallet.status();
      expect(status).toMatchObject({ isReady: true, reason: undefined });
      return status.spendable ?? 0n;
    };
    /** Two transactions of this size need at least one coin twice. */
    const most = async (): Promise<bigint> => ((await spendable()) * 6n) / 10n;
    const coinsOf = (transaction: SignedTransaction): string[] =>
      inputsOf([transaction]).map(({ txid, index }) => `${txid}:${index}`);

    beforeAll(async () => {
      harness = await open();
      ({ wallet } = harness);
    });
    afterAll(() => harness.close());

    it('signs exactly what is asked, and nothing leaves', async () => {
      const before = await spendable();
      expect(before).toBeGreaterThan(1_000_000n);
      const outputs = [harness.output(123_456n), harness.output(234_567n)];
      const signed = await wallet.sign(outputs);
      const parsed = parseRawTransaction(signed.transaction);
      expect(parsed.txid).toBe(signed.txid);
      expect(parsed.outputs.length).toBeLessThanOrEqual(3);
      for (const { script, amount } of outputs) {
        const found = parsed.outputs.filter((output) => bytesToHex(output.script) === bytesToHex(script));
        expect(found.map((output) => output.amount)).toEqual([amount]);
      }
      expect(signed.fee).toBeGreaterThan(0n);
      expect(signed.fee).toBeLessThan(1_000_000n);
      expect(await wallet.find(signed)).toEqual({ state: 'unknown' });
      expect(await spendable()).toBe(before);
    });

    it('broadcasts, any number of times, and counts confirmations', async () => {
      const signed = await wallet.sign([harness.output(150_000n)]);
      await wallet.broadcast(signed);
      expect(await wallet.find(signed)).toEqual({ state: 'mempool' });
      await wallet.broadcast(signed);
      await harness.mine(1);
      expect(await wallet.find(signed)).toEqual({ state: 'chain', confirmations: 1 });
      await wallet.broadcast(signed);
      await harness.mine(2);
      expect(await wallet.find(signed)).toEqual({ state: 'chain', confirmations: 3 });
    });

    it('takes a transaction again whose block left the chain', async () => {
      const signed = await wallet.sign([harness.output(160_000n)]);
      await wallet.broadcast(signed);
      await harness.mine(1);
      await harness.invalidateTip();
      expect((await wallet.find(signed)).state).toMatch(/^(mempool|unknown)$/);
      await wallet.broadcast(signed);
      expect(await wallet.find(signed)).toEqual({ state: 'mempool' });
      await harness.mine(1);
      expect(await wallet.find(signed)).toEqual({ state: 'chain', confirmations: 1 });
    });

    it('leaves coins alone that it is told to avoid, until they are released', async () => {
      const first = await wallet.sign([harness.output(170_000n)]);
      const second = await wallet.sign([harness.output(170_000n)], { avoid: [first] });
      expect(coinsOf(second).filter((coin) => coinsOf(first).includes(coin))).toEqual([]);
      const large = await wallet.sign([harness.output(await most())]);
      const again = wallet.sign([harness.output(await most())], { avoid: [large] });
      await expect(again).rejects.toMatchObject({ code: 'insufficient_funds' });
      await wallet.release(first);
      await wallet.release(large);
      await wallet.release(large);
      await wallet.sign([harness.output(await most())]);
    });

    it('tells when there is too little', async () => {
      const output = harness.output((await spendable()) * 2n);
      await expect(wallet.sign([output])).rejects.toMatchObject({ code: 'insufficient_funds' });
    });

    it('refuses what another transaction has spent, and names that one', async () => {
      const amount = await most();
      const paid = harness.output(amount);
      const first = await wallet.sign([paid]);
      const second = await wallet.sign([harness.output(amount)]);
      await wallet.broadcast(first);
      await expect(wallet.broadcast(second)).rejects.toMatchObject({ code: 'rejected' });
      expect(await wallet.find(second)).toEqual({ state: 'unknown' });
      await harness.mine(1);
      await expect(wallet.broadcast(second)).rejects.toMatchObject({ code: 'rejected' });
      const signedMs = Date.now();
      expect(await wallet.find(second, { signedMs })).toMatchObject({
        state: 'conflicted',
        confirmations: 1,
        txid: first.txid,
      });
      await harness.mine(2);
      const found = await wallet.find(second, { signedMs });
      expect(found).toMatchObject({ state: 'conflicted', confirmations: 3, txid: first.txid });
      const outputs = found.state === 'conflicted' ? found.outputs : [];
      expect(
        outputs.some((output) => output.amount === amount && bytesToHex(output.script) === bytesToHex(paid.script)),
      ).toBe(true);
    });
  });
}
