import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeAddress } from '@headframe/coins';
import { type Ledger, openLedger, type PaymentRecord } from '@headframe/ledger';
import { createPayouts, type PayoutOptions, type Payouts } from '@headframe/payouts';
import { bytesToHex } from '@headframe/primitives';
import { Process } from '../../packages/payouts/test/support/faults.js';
import { segwitAddress } from '../support/script.js';
import type { Backend } from './backends.js';

export const CONFIRMATIONS = 2;
const WORKER_URL = new URL('../../packages/ledger/dist/worker.js', import.meta.url);

/** A ledger of its own on a chain that many share, with accounts that were credited. */
export class PayoutCase {
  readonly backend: Backend;
  readonly ledger: Ledger;
  readonly #folder: string;
  readonly #startHeight: number;
  readonly #credited = new Map<string, { amount: bigint; readonly address: string }>();

  static async open(backend: Backend): Promise<PayoutCase> {
    const folder = await mkdtemp(join(tmpdir(), 'headframe-payouts-'));
    const ledger = await openLedger({ url: `sqlite:${join(folder, 'pool.db')}`, workerUrl: WORKER_URL });
    return new PayoutCase(backend, ledger, folder, await backend.chain.height());
  }

  private constructor(backend: Backend, ledger: Ledger, folder: string, startHeight: number) {
    this.backend = backend;
    this.ledger = ledger;
    this.#folder = folder;
    this.#startHeight = startHeight;
  }

  newAddress(): string {
    return segwitAddress(this.backend.prefix, randomBytes(20));
  }

  async credit(account: string, amount: bigint, address: string = this.newAddress()): Promise<void> {
    const known = this.#credited.get(account);
    this.#credited.set(account, { amount: (known?.amount ?? 0n) + amount, address: known?.address ?? address });
    await this.ledger.accounting.changeSettings(account, { address: known?.address ?? address });
    await this.ledger.accounting.book({
      key: `adjustment:${randomUUID()}`,
      state: 'final',
      timeMs: Date.now(),
      entries: [{ account, kind: 'adjustment', amount }],
    });
  }

  /** Payouts as a new process has them. */
  payouts(
    process: Process = new Process(),
    options: Partial<PayoutOptions> & { readonly passphrase?: string } = {},
  ): Payouts {
    const { passphrase, ...rest } = options;
    return createPayouts(
      { coin: this.backend.coin, minimum: 100_000n, confirmations: CONFIRMATIONS, ...rest },
      {
        accounting: process.accounting(this.ledger.accounting),
        wallet: this.backend.wallet(process, passphrase === undefined ? {} : { passphrase }),
      },
    );
  }

  /** What a process does from the first run to the confirmation; errors end only the operation they come in. */
  async live(payouts: Payouts): Promise<void> {
    await payouts.run().catch(() => {});
    for (let block = 0; block < CONFIRMATIONS; block++) {
      await this.backend.mine(1);
      await payouts.reconcile().catch(() => {});
    }
    await payouts.close();
  }

  async payments(): Promise<readonly PaymentRecord[]> {
    return (await this.ledger.accounting.payments()).items;
  }

  /** What credits, books and chain disagree on; empty when everybody was paid exactly once. */
  async differences(): Promise<string[]> {
    const problems: string[] = [];
    const received = await this.backend.receivedSince(this.#startHeight);
    const owed = new Map<string, bigint>();
    for (const [account, { amount, address }] of this.#credited) {
      const { available, reserved, paid } = await this.ledger.accounting.balance(account);
      if (available !== 0n || reserved !== 0n || paid !== amount) {
        problems.push(`${account}: credited ${amount}, available ${available}, reserved ${reserved}, paid ${paid}`);
      }
      const script = bytesToHex(decodeAddress(this.backend.coin, address).script);
      owed.set(script, (owed.get(script) ?? 0n) + amount);
    }
    for (const [script, amount] of owed) {
      if (received.get(script) !== amount) problems.push(`${script}: owed ${amount}, on chain ${received.get(script)}`);
    }
    for (const { part, message } of await this.ledger.accounting.verify()) problems.push(`${part}: ${message}`);
    return problems;
  }

  async close(): Promise<void> {
    await this.ledger.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
