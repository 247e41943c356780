import type { TextStorage } from './recent.js';

/** `system` follows the colours of the operating system. */
export type Theme = 'system' | 'light' | 'dark';

/** Read by `public/theme.js` too, before the first paint. */
const KEY = 'headframe.theme';

export function readTheme(storage: TextStorage): Theme {
  try {
    const value = storage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

export function writeTheme(storage: TextStorage, theme: Theme): void {
  try {
    if (theme === 'system') storage.removeItem(KEY);
    else storage.setItem(KEY, theme);
  } catch {
    // Forbidden: the choice lives as long as the page.
  }
}

/** Order of the toggle. */
export function nextTheme(theme: Theme): Theme {
  return theme === 'system' ? 'light' : theme === 'light' ? 'dark' : 'system';
}
