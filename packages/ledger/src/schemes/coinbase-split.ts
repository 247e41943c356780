import { PoolError } from '@headframe/primitives';
import { apportion, compareAccounts } from './apportion.js';
import type { CarryChange } from './coinbase-carry.js';
import { type CoinbaseRoom, OutputBudget } from './coinbase-size.js';
import { type Credit, creditsByAccount } from './credits.js';

/** An output of a split coinbase. */
export interface SplitOutput {
  readonly account: string;
  readonly script: Uint8Array;
  /** Base units. */
  readonly amount: bigint;
}

/** Which accounts one coinbase pays, and what it leaves open. */
export interface CoinbaseSplit {
  /** Highest amount first, ties by account. They sum to the reward. */
  readonly outputs: readonly SplitOutput[];
  /** To be booked when this very coinbase is in the chain; they sum to zero. Sorted by account, never zero. */
  readonly changes: readonly CarryChange[];
  /** Size of the coinbase without witness. */
  readonly bytes: number;
}

export interface CoinbaseSplitOptions {
  /** What everybody earns by the block: credits of `pplnsCredits` (or another scheme) on the job's reward. */
  readonly credits: readonly Credit[];
  /** What is still owed by account (negative: paid in advance). Sums to zero; accounts at zero may be missing. */
  readonly carries: ReadonlyMap<string, bigint>;
  /** Where an account is paid. An account without a script waits. */
  readonly scripts: ReadonlyMap<string, Uint8Array>;
  readonly room: CoinbaseRoom;
  /** Most bytes of the coinbase without witness, for the firmware it is made for. */
  readonly maxBytes: number;
  /** Least amount of an output, base units. 546 is what nodes relay; below the cost of spending it is of no use. */
  readonly dustLimit: bigint;
  /**
   * Account that holds what others wait for and owes it to them. Without one the coinbase holds nothing back: those
   * who are paid get it in advance, in proportion, and less later.
   */
  readonly keeper?: string;
}

interface Due {
  readonly account: string;
  readonly script: Uint8Array;
  readonly due: bigint;
}

/**
 * Coinbase split: pays the credits of a block straight in its coinbase.
 *
 * What is due to an account is its credit plus its carry, and nothing while that is negative. The highest dues are paid,
 * as many as the bytes allow and the dust limit permits; the reward is divided among them in proportion to what is due
 * (to the last unit, {@link apportion}), or, with a keeper and enough to go round, each is paid exactly what is due and
 * the keeper takes the rest. When nothing is due to anybody who can be paid, those who earn by the block are paid
 * further in advance. Then carry after = carry before + credit - paid for every account, so all carries always
 * sum to zero: nothing is kept, nothing is lost.
 *
 * @throws PoolError `invalid_argument` when the credits sum to nothing, the carries do not sum to zero, the keeper has
 *   no script or nobody can be paid; `coinbase_too_large` when not a single output fits.
 */
export function splitCoinbase(options: CoinbaseSplitOptions): CoinbaseSplit {
  const credits = creditsByAccount(options.credits);
  const reward = sum(credits.values());
  if (reward <= 0n) throw new PoolError('invalid_argument', `a coinbase pays a positive reward, not ${reward}`);
  if (options.dustLimit < 0n) throw new PoolError('invalid_argument', 'a dust limit is not negative');
  const open = sum(options.carries.values());
  if (open !== 0n) throw new PoolError('invalid_argument', `carries must sum to zero, not ${open}`);

  const budget = new OutputBudget(options.room, options.maxBytes);
  const keeper = keeperDue(options, credits);
  if (keeper !== undefined) take(budget, keeper, options);
  const paid = choosePaid(dues(options, credits), reward, keeper, budget, options);
  if (paid.size === 0) throw new PoolError('invalid_argument', 'nobody who earns by the block has a script');

  const outputs = [...paid].flatMap(([account, amount]): SplitOutput[] => {
    const script = options.scripts.get(account);
    // Only accounts with a script are chosen; a keeper whose part comes to nothing needs no output.
    return script === undefined || amount === 0n ? [] : [{ account, script, amount }];
  });
  outputs.sort((a, b) =>
    a.amount === b.amount ? compareAccounts(a.account, b.account) : a.amount > b.amount ? -1 : 1,
  );
  const final = new OutputBudget(options.room, options.maxBytes);
  for (const { script } of outputs) final.take(script.length);
  return { outputs, changes: changesOf(credits, paid), bytes: final.bytes };
}

function keeperDue(options: CoinbaseSplitOptions, credits: ReadonlyMap<string, bigint>): Due | undefined {
  const { keeper: account } = options;
  if (account === undefined) return undefined;
  const script = options.scripts.get(account);
  if (script === undefined) throw new PoolError('invalid_argument', `the keeper ${account} has no script`);
  return { account, script, due: dueOf(account, options, credits) };
}

function dueOf(account: string, options: CoinbaseSplitOptions, credits: ReadonlyMap<string, bigint>): bigint {
  const due = (credits.get(account) ?? 0n) + (options.carries.get(account) ?? 0n);
  return due > 0n ? due : 0n;
}

/** Who could be paid, highest due first. The keeper is not among them. */
function dues(options: CoinbaseSplitOptions, credits: ReadonlyMap<string, bigint>): Due[] {
  const accounts = new Set([...credits.keys(), ...options.carries.keys()]);
  const list = payable(accounts, (account) => dueOf(account, options, credits), options);
  if (list.length > 0 || options.keeper !== undefined) return list;
  // Nothing is due to anybody with a script, but a block must pay somebody: those who earn by it, further in advance.
  return payable(credits.keys(), (account) => credits.get(account) ?? 0n, options);
}

function payable(
  accounts: Iterable<string>,
  dueTo: (account: string) => bigint,
  { scripts, keeper }: CoinbaseSplitOptions,
): Due[] {
  const list: Due[] = [];
  for (const account of accounts) {
    const script = scripts.get(account);
    const due = dueTo(account);
    if (script !== undefined && due > 0n && account !== keeper) list.push({ account, script, due });
  }
  return list.sort((a, b) => (a.due === b.due ? compareAccounts(a.account, b.account) : a.due > b.due ? -1 : 1));
}

/** Amounts by account: the longest run of the highest dues in which no amount is dust. */
function choosePaid(
  list: readonly Due[],
  reward: bigint,
  keeper: Due | undefined,
  budget: OutputBudget,
  options: CoinbaseSplitOptions,
): ReadonlyMap<string, bigint> {
  const chosen: Due[] = [];
  let total = keeper?.due ?? 0n;
  for (const entry of list) {
    // Lowest amount in the run, before rounding. It only shrinks as the run grows, so the first dust ends the run.
    const scaled = (reward * entry.due) / (total + entry.due);
    const lowest = keeper !== undefined && scaled > entry.due ? entry.due : scaled;
    // Without a keeper somebody must take the reward, however little it is.
    if (lowest < options.dustLimit && (chosen.length > 0 || keeper !== undefined)) break;
    if (!budget.take(entry.script.length)) {
      if (chosen.length === 0 && keeper === undefined) throw tooLarge(entry, options);
      break;
    }
    chosen.push(entry);
    total += entry.due;
  }
  return divide(chosen, reward, keeper, options.dustLimit);
}

function divide(
  chosen: readonly Due[],
  reward: bigint,
  keeper: Due | undefined,
  dustLimit: bigint,
): ReadonlyMap<string, bigint> {
  if (keeper === undefined) return chosen.length === 0 ? new Map() : apportion(reward, weights(chosen));
  const others = sum(chosen.map(({ due }) => due));
  if (others + keeper.due > reward) {
    const amounts = apportion(reward, weights([...chosen, keeper]));
    if ((amounts.get(keeper.account) ?? 0n) >= dustLimit || chosen.length === 0) return amounts;
  } else if (reward - others >= dustLimit || chosen.length === 0) {
    const amounts = new Map(chosen.map(({ account, due }) => [account, due]));
    return amounts.set(keeper.account, reward - others);
  }
  // What the keeper would hold is dust: the others get it.
  return apportion(reward, weights(chosen));
}

function weights(list: readonly Due[]): { account: string; weight: bigint }[] {
  return list.map(({ account, due }) => ({ account, weight: due }));
}

function take(budget: OutputBudget, { script, account }: Due, options: CoinbaseSplitOptions): void {
  if (!budget.take(script.length)) throw tooLarge({ script, account, due: 0n }, options);
}

function tooLarge({ account, script }: Due, { room, maxBytes }: CoinbaseSplitOptions): PoolError {
  return new PoolError(
    'coinbase_too_large',
    `the output of ${account} (script of ${script.length} bytes) does not fit: ${room.fixedBytes} of ${Math.min(room.maxBytes, maxBytes)} bytes are taken by the rest of the coinbase`,
  );
}

function changesOf(credits: ReadonlyMap<string, bigint>, paid: ReadonlyMap<string, bigint>): CarryChange[] {
  return [...new Set([...credits.keys(), ...paid.keys()])]
    .map((account) => ({ account, amount: (credits.get(account) ?? 0n) - (paid.get(account) ?? 0n) }))
    .filter(({ amount }) => amount !== 0n)
    .sort((a, b) => compareAccounts(a.account, b.account));
}

function sum(amounts: Iterable<bigint>): bigint {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}
