/** The part of `localStorage` that is needed; tests give another. Every call may throw where storage is forbidden. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const KEY = 'headframe.recent';

/** Accounts looked up last that are offered again. */
export const MAX_RECENT = 8;

const MAX_LENGTH = 256;

/** Accounts looked up last, latest first. They stay in this browser. */
export function readRecent(storage: TextStorage): readonly string[] {
  try {
    const value: unknown = JSON.parse(storage.getItem(KEY) ?? '[]');
    if (!Array.isArray(value)) return [];
    return value
      .filter((item): item is string => typeof item === 'string' && item !== '' && item.length <= MAX_LENGTH)
      .slice(0, MAX_RECENT);
  } catch {
    return [];
  }
}

/** Puts an account first. @returns the new list */
export function addRecent(storage: TextStorage, account: string): readonly string[] {
  return write(storage, [account, ...readRecent(storage).filter((item) => item !== account)].slice(0, MAX_RECENT));
}

export function removeRecent(storage: TextStorage, account: string): readonly string[] {
  return write(
    storage,
    readRecent(storage).filter((item) => item !== account),
  );
}

function write(storage: TextStorage, list: readonly string[]): readonly string[] {
  try {
    if (list.length === 0) storage.removeItem(KEY);
    else storage.setItem(KEY, JSON.stringify(list));
  } catch {
    // Full or forbidden: the list lives as long as the page.
  }
  return list;
}

/** Storage that lives as long as the page, where the browser forbids the real one. */
export function memoryStorage(): TextStorage {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}
