import { createHash } from 'node:crypto';
import { type Coin, decodeAddress, resolveCoin } from '@headframe/coins';
import type { Accounting } from '@headframe/ledger';
import { bytesToHex } from '@headframe/primitives';
import { FakeClock, RecordingLogger } from '@headframe/primitives/testing';
import { createPayouts, type PayoutOptions, type Payouts } from '../../src/index.js';
import { base58check } from './base58check.js';
import { FakeChain, FakeWallet } from './fake-chain.js';
import { Process } from './faults.js';
import { MemoryAccounting } from './memory-accounting.js';

export const COIN: Coin = resolveCoin('bitcoin', 'regtest');
export const CONFIRMATIONS = 3;

/** A pay-to-key-hash address of regtest that nobody else has. */
export function addressOf(name: string): string {
  return base58check(111, createHash('sha256').update(name).digest().subarray(0, 20));
}

export function scriptOf(address: string): string {
  return bytesToHex(decodeAddress(COIN, address).script);
}

let ids = 0;

/** A clock whose time of day can be set; what has passed stays passed. */
class SettableClock extends FakeClock {
  offsetMs = 0;

  override now(): number {
    return super.now() + this.offsetMs;
  }
}

/** A ledger, a wallet and a chain that outlive the processes that work on them. */
export class World {
  readonly chain = new FakeChain();
  readonly wallet = new FakeWallet(this.chain);
  readonly accounting: Accounting;
  readonly clock = new SettableClock();
  readonly log = new RecordingLogger();
  readonly credited = new Map<string, bigint>();

  constructor(accounting: Accounting = new MemoryAccounting()) {
    this.accounting = accounting;
  }

  async credit(account: string, amount: bigint, address: string = addressOf(account)): Promise<void> {
    await this.accounting.changeSettings(account, { address });
    await this.accounting.book({
      key: `adjustment:${++ids}`,
      state: 'final',
      timeMs: this.clock.now(),
      entries: [{ account, kind: 'adjustment', amount }],
    });
    this.credited.set(account, (this.credited.get(account) ?? 0n) + amount);
  }

  payouts(options: Partial<PayoutOptions> = {}, process: Process = new Process()): Payouts {
    return createPayouts(
      { coin: COIN, minimum: 10_000n, confirmations: CONFIRMATIONS, maxOutputs: 2, ...options },
      {
        accounting: process.accounting(this.accounting),
        wallet: process.wallet(this.wallet),
        clock: this.clock,
        log: this.log,
        newId: () => `payment-${++ids}`,
      },
    );
  }

  /** Everything that one process does in the life of the payments. */
  async live(payouts: Payouts, rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await payouts.run().catch(() => {});
      this.clock.advance(7_200_000);
      this.chain.mine();
      await payouts.reconcile().catch(() => {});
    }
  }

  /** Differences between what was credited, what the books say, and what the chain says. Empty when all is right. */
  async differences(): Promise<string[]> {
    const problems: string[] = [];
    const owed = new Map<string, bigint>();
    for (const [name, amount] of this.credited) {
      const { available, reserved, paid } = await this.accounting.balance(name);
      const { address } = await this.accounting.settings(name);
      if (available !== 0n || reserved !== 0n || paid !== amount) {
        problems.push(`${name}: credited ${amount}, available ${available}, reserved ${reserved}, paid ${paid}`);
      }
      const script = scriptOf(address ?? '');
      owed.set(script, (owed.get(script) ?? 0n) + amount);
    }
    for (const [script, amount] of owed) {
      const received = this.chain.receivedBy(script);
      if (received !== amount) problems.push(`${script}: owed ${amount}, received ${received}`);
    }
    for (const { part, message } of await this.accounting.verify()) problems.push(`${part}: ${message}`);
    return problems;
  }
}
