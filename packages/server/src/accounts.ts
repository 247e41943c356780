/** How shares are booked on what `authorize` returned. */
export interface Accounts<Account> {
  key(account: Account): string;
  address(account: Account): string;
}

function field(account: unknown, name: string): string | undefined {
  if (typeof account !== 'object' || account === null || !(name in account)) return undefined;
  const value: unknown = Reflect.get(account, name);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : undefined;
}

/** The key of an account that brings no function for it: itself when it is a text or number, else its `id` or `address`. */
export function defaultAccountKey(account: unknown): string {
  if (typeof account === 'string' || typeof account === 'number' || typeof account === 'bigint') return String(account);
  return field(account, 'id') ?? field(account, 'address') ?? field(account, 'name') ?? '';
}

/** The address of an account that brings no function for it. */
export function defaultAccountAddress(account: unknown): string {
  return field(account, 'address') ?? '';
}
