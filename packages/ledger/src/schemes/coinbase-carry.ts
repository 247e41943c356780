/** A signed change of what an account is still owed by later coinbases. */
export interface CarryChange {
  readonly account: string;
  /** Base units: credited less paid. Negative when the account was paid in advance. */
  readonly amount: bigint;
}

/**
 * Books changes into the carries. Changes are differences, so blocks may be booked in any order, also when a second one
 * was found before the first was booked.
 * @returns the carries after, without accounts at zero.
 */
export function applyCarryChanges(
  carries: ReadonlyMap<string, bigint>,
  changes: readonly CarryChange[],
): Map<string, bigint> {
  const after = new Map(carries);
  for (const { account, amount } of changes) {
    const carry = (after.get(account) ?? 0n) + amount;
    if (carry === 0n) after.delete(account);
    else after.set(account, carry);
  }
  return after;
}

/** What takes changes back when the block was orphaned: its payments are gone with it. */
export function reverseCarryChanges(changes: readonly CarryChange[]): CarryChange[] {
  return changes.map(({ account, amount }) => ({ account, amount: -amount }));
}
