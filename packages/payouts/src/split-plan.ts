import type { Coin } from '@headframe/coins';
import {
  type Accounting,
  type CoinbaseSplitOptions,
  type Credit,
  creditsByAccount,
  type FeeRecipient,
  pplnsCredits,
  type WorkEntry,
} from '@headframe/ledger';
import { BoundedMap } from '@headframe/primitives';
import { feePolicy } from './accountant-blocks.js';
import { addressesOf, scriptOf } from './split-entries.js';
import { compareAccounts } from './split-order.js';

/** Credits are worked out once for a reward of this, and scaled to each template's: exact to a base unit. */
const REFERENCE = 10n ** 18n;
/**
 * Accounts that are looked at for one job. The largest coinbase in use (16,384 bytes) has room for 525 outputs; the rest
 * makes up for the order of the dues, which moves a little from one reward to the next.
 */
export const SHORTLIST = 600;
/** Scripts that are remembered. */
const SCRIPTS = 50_000;
/** Addresses decoded before other work gets its turn; one takes some 30 us. */
const SCRIPTS_PER_TURN = 100;
/** Stands for everybody who is not on the list; has no script, so it waits. */
const OTHERS = '';

/** Scripts of addresses, remembered. */
export class SplitScripts {
  readonly #coin: Coin;
  readonly #known = new BoundedMap<string, Uint8Array | null>(SCRIPTS);

  constructor(coin: Coin) {
    this.#coin = coin;
  }

  /** Scripts by account: of the address in its settings, else of its name where that is an address. */
  async of(accounts: readonly string[], addresses: ReadonlyMap<string, string>): Promise<Map<string, Uint8Array>> {
    const scripts = new Map<string, Uint8Array>();
    let decoded = 0;
    for (const account of accounts) {
      for (const address of new Set([addresses.get(account) ?? account, account])) {
        let script = this.#known.get(address);
        if (script === undefined) {
          script = scriptOf(this.#coin, address) ?? null;
          this.#known.set(address, script);
          if (++decoded % SCRIPTS_PER_TURN === 0) await new Promise<void>((resolve) => setImmediate(resolve));
        }
        if (script === null) continue;
        scripts.set(account, script);
        break;
      }
    }
    return scripts;
  }
}

interface Payable {
  readonly account: string;
  readonly script: Uint8Array;
  /** Of a reward of {@link REFERENCE}. */
  readonly credit: bigint;
  readonly carry: bigint;
}

/** Who earns how much of the next block, and what was open before. */
export class Plan {
  readonly #payable: Payable[];
  #shortlist: readonly Payable[] = [];
  #sortedFor = 0n;

  constructor(payable: Payable[]) {
    this.#payable = payable;
  }

  get payable(): number {
    return this.#payable.length;
  }

  /** What `splitCoinbase` needs for a reward; everybody beyond the shortlist is one account that waits. */
  at(reward: bigint): Pick<CoinbaseSplitOptions, 'carries' | 'credits' | 'scripts'> {
    this.#sort(reward);
    const credits: Credit[] = [];
    const carries = new Map<string, bigint>();
    const scripts = new Map<string, Uint8Array>();
    let [left, open] = [reward, 0n];
    for (const { account, script, credit, carry } of this.#shortlist) {
      const amount = (credit * reward) / REFERENCE;
      left -= amount;
      open += carry;
      if (amount > 0n) credits.push({ account, kind: 'reward', amount });
      if (carry !== 0n) carries.set(account, carry);
      scripts.set(account, script);
    }
    if (left > 0n) credits.push({ account: OTHERS, kind: 'reward', amount: left });
    if (open !== 0n) carries.set(OTHERS, -open);
    return { credits, carries, scripts };
  }

  /** The order holds while the reward does, about. */
  #sort(reward: bigint): void {
    const moved = reward > this.#sortedFor ? reward - this.#sortedFor : this.#sortedFor - reward;
    if (this.#sortedFor > 0n && moved * 50n <= this.#sortedFor) return;
    this.#sortedFor = reward;
    if (this.#payable.length <= SHORTLIST) {
      this.#shortlist = this.#payable;
      return;
    }
    const dues = this.#payable.map((entry) => ({ entry, due: (entry.credit * reward) / REFERENCE + entry.carry }));
    dues.sort((a, b) => (a.due === b.due ? compareAccounts(a.entry.account, b.entry.account) : a.due > b.due ? -1 : 1));
    this.#shortlist = dues.slice(0, SHORTLIST).map(({ entry }) => entry);
  }
}

/** Works a plan out of the window and the books. */
export async function loadPlan(
  about: {
    readonly accounts: readonly WorkEntry[];
    readonly poolAccount: string;
    readonly poolScript: Uint8Array;
    readonly fees: readonly FeeRecipient[];
  },
  modules: { readonly accounting: Pick<Accounting, 'openBalances' | 'settingsOf'>; readonly scripts: SplitScripts },
): Promise<Plan> {
  const { accounts, poolAccount, poolScript, fees } = about;
  const { accounting, scripts } = modules;
  const policy = await feePolicy({ poolAccount, fees }, accounting);
  const carries = new Map(await accounting.openBalances());
  // What was paid by other ways than a coinbase (by hand, from a wallet) came out of the pool's pocket.
  let open = 0n;
  for (const carry of carries.values()) open += carry;
  carries.set(poolAccount, (carries.get(poolAccount) ?? 0n) - open);

  const window = { accounts };
  const credits = creditsByAccount(pplnsCredits({ reward: REFERENCE, finder: poolAccount, window, fees: policy }));
  const names = [...new Set([...credits.keys(), ...carries.keys()])];
  const known = await scripts.of(names, await addressesOf(accounting, names));
  known.set(poolAccount, poolScript);
  const payable: Payable[] = [];
  for (const account of names) {
    const script = known.get(account);
    const [credit, carry] = [credits.get(account) ?? 0n, carries.get(account) ?? 0n];
    if (script !== undefined && (credit > 0n || carry !== 0n)) payable.push({ account, script, credit, carry });
  }
  return new Plan(payable);
}
