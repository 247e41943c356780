import { type Ledger, openLedger, type PaymentRecord } from '@headframe/ledger';
import { expect } from 'vitest';
import { WORKER_URL } from '../ledger/support.js';
import type { NodeCall } from '../support/node-rpc.js';

export interface PaymentReckoning {
  readonly payments: number;
  readonly confirmed: number;
  /** Payments whose transaction is in the chain. */
  readonly inChain: number;
  /** Base units paid to miners by the chain's word. */
  readonly paid: bigint;
}

interface ChainTransaction {
  readonly txid: string;
  readonly vin: readonly { readonly coinbase?: string }[];
  readonly vout: readonly { readonly value: number; readonly scriptPubKey: { readonly address?: string } }[];
}

async function allPayments(ledger: Ledger): Promise<PaymentRecord[]> {
  const all: PaymentRecord[] = [];
  for (let after: string | undefined; ; ) {
    const page = await ledger.accounting.payments({}, after === undefined ? {} : { after });
    all.push(...page.items);
    if (page.next === undefined) return all;
    after = page.next;
  }
}

/** What the chain pays to each of these addresses, by transaction. Coinbases pay the pool alone. */
async function paidByChain(rpc: NodeCall, payees: ReadonlySet<string>): Promise<Map<string, Map<string, bigint>>> {
  const found = new Map<string, Map<string, bigint>>();
  const height = await rpc<number>('getblockcount');
  for (let h = 1; h <= height; h++) {
    const { tx } = await rpc<{ tx: ChainTransaction[] }>('getblock', await rpc<string>('getblockhash', h), 2);
    for (const { txid, vin, vout } of tx) {
      if (vin.some(({ coinbase }) => coinbase !== undefined)) continue;
      const paid = new Map<string, bigint>();
      for (const { value, scriptPubKey } of vout) {
        const { address } = scriptPubKey;
        if (address === undefined || !payees.has(address)) continue;
        paid.set(address, (paid.get(address) ?? 0n) + BigInt(Math.round(value * 1e8)));
      }
      if (paid.size > 0) found.set(txid, paid);
    }
  }
  return found;
}

/**
 * Compares the payments of the ledger with the chain: a payment that is confirmed is in the chain, every transaction
 * that pays a miner is that of one payment and pays what the payment says, and the books add up.
 */
export async function reckonPayments(
  url: string,
  rpc: NodeCall,
  accounts: readonly string[],
): Promise<PaymentReckoning> {
  const ledger = await openLedger({ url, workerUrl: WORKER_URL });
  try {
    expect(await ledger.accounting.verify(), 'what is wrong with the books').toEqual([]);
    const payments = await allPayments(ledger);
    const chain = await paidByChain(rpc, new Set(accounts));
    const byTxid = new Map<string, PaymentRecord>();
    for (const payment of payments) {
      const { txid, status } = payment;
      if (status === 'confirmed') expect(chain.has(txid ?? ''), `confirmed payment ${txid} is in the chain`).toBe(true);
      if (txid === undefined) continue;
      expect(byTxid.has(txid), `two payments with the transaction ${txid}`).toBe(false);
      byTxid.set(txid, payment);
    }
    let paid = 0n;
    for (const [txid, outputs] of chain) {
      const payment = byTxid.get(txid);
      expect(payment, `transaction ${txid} pays miners and is no payment of the ledger`).toBeDefined();
      expect(['cancelled', 'failed'], `${txid} is in the chain`).not.toContain(payment?.status);
      const planned = new Map<string, bigint>();
      for (const { address, amount } of payment?.parts ?? []) {
        planned.set(address, (planned.get(address) ?? 0n) + amount);
      }
      expect(outputs, `what ${txid} pays`).toEqual(planned);
      for (const amount of outputs.values()) paid += amount;
    }
    const confirmed = payments.filter(({ status }) => status === 'confirmed').length;
    return { payments: payments.length, confirmed, inChain: chain.size, paid };
  } finally {
    await ledger.close();
  }
}
