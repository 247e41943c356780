import { type Coin, decodeAddress, encodeAddress } from '@headframe/coins';
import { type BlockRecord, type BookingEntry, type Credit, creditTotal, entriesOf } from '@headframe/ledger';
import type { CoinbaseOutput } from '@headframe/mining';
import { bytesToHex, hexToBytes, isPoolError, type Logger } from '@headframe/primitives';
import type { AccountantBooks } from './accountant-types.js';

/** Accounts asked for their settings at once. */
const SETTINGS_PAGE = 500;

/** The script of an address of the coin; undefined for anything else. */
export function scriptOf(coin: Coin, address: string): Uint8Array | undefined {
  try {
    return decodeAddress(coin, address).script;
  } catch (error) {
    if (isPoolError(error)) return undefined;
    throw error;
  }
}

/** Addresses of accounts by their settings; those without any are missing. */
export async function addressesOf(
  accounting: Pick<AccountantBooks, 'settingsOf'>,
  accounts: readonly string[],
): Promise<Map<string, string>> {
  const addresses = new Map<string, string>();
  for (let at = 0; at < accounts.length; at += SETTINGS_PAGE) {
    for (const { account, address } of await accounting.settingsOf(accounts.slice(at, at + SETTINGS_PAGE))) {
      if (address !== undefined) addresses.set(account, address);
    }
  }
  return addresses;
}

/**
 * Entries of a block that paid in its coinbase: the credits, and against them what its outputs really paid, by account.
 * Who is paid is told by script: an account's address, or the account's name itself where that is an address. What went to
 * scripts of nobody here is charged to the pool's account, which answers for the outputs. So they always sum to zero.
 */
export async function splitEntries(block: {
  readonly block: BlockRecord;
  readonly credits: readonly Credit[];
  readonly outputs: readonly CoinbaseOutput[];
  readonly coin: Coin;
  readonly poolAccount: string;
  readonly accounting: Pick<AccountantBooks, 'openBalances' | 'settingsOf'>;
  readonly log: Logger;
}): Promise<BookingEntry[]> {
  const { credits, outputs, coin, poolAccount, accounting, log } = block;
  const paidTo = new Map<string, bigint>();
  for (const { script, amount } of outputs) {
    if (amount === 0n) continue;
    const key = bytesToHex(script);
    paidTo.set(key, (paidTo.get(key) ?? 0n) + amount);
  }
  const accounts = new Set(credits.map(({ account }) => account));
  for (const account of (await accounting.openBalances()).keys()) accounts.add(account);
  accounts.delete(poolAccount);
  const names = [poolAccount, ...accounts];
  const addresses = await addressesOf(accounting, names);

  let left = creditTotal(credits);
  const entries = entriesOf(credits);
  // Each script once: two accounts of one address are one receiver, the pool before others, then by work.
  for (const account of names) {
    for (const address of new Set([addresses.get(account), account])) {
      const script = address === undefined ? undefined : scriptOf(coin, address);
      const key = script === undefined ? '' : bytesToHex(script);
      const amount = paidTo.get(key);
      if (amount === undefined) continue;
      paidTo.delete(key);
      left -= amount;
      entries.push({ account, kind: 'coinbase', amount: -amount });
    }
  }
  if (left !== 0n && coin.payees.length === 0) {
    // An account that has neither work in the window nor anything open by now. Where a coin prescribes outputs of its own,
    // those cannot be told from it.
    for (const [key, amount] of paidTo) {
      const account = encodeAddress(coin, hexToBytes(key));
      if (account === undefined) continue;
      left -= amount;
      entries.push({ account, kind: 'coinbase', amount: -amount });
    }
  }
  if (left !== 0n) {
    const { hash, height } = block.block;
    log.warn({ hash, height, amount: `${left}` }, 'the coinbase paid scripts of no account here: charged to the pool');
    entries.push({ account: poolAccount, kind: 'coinbase', amount: -left });
  }
  return entries;
}
