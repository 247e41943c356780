import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

export const CHROMIUM_PATH = '/usr/bin/chromium';

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM_PATH,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none'],
  });
}

export interface ViewOptions {
  readonly colors?: 'light' | 'dark';
  /** CSS pixels. */
  readonly width?: number;
  readonly height?: number;
  /** Time of the page's clock, unix milliseconds; it stands still. */
  readonly fixedMs?: number;
  readonly reducedMotion?: boolean;
}

/** A page with a watch on it: what it logged as an error and whom it asked. */
export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly errors: string[];
  /** Requests to anybody but the site; they were blocked. */
  readonly foreign: string[];
  close(): Promise<void>;
}

/** Opens a page that can reach `site` and nobody else. */
export async function openPage(browser: Browser, site: string, options: ViewOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.colors ?? 'light',
    reducedMotion: options.reducedMotion === false ? 'no-preference' : 'reduce',
    timezoneId: 'UTC',
    locale: 'en-GB',
  });
  const errors: string[] = [];
  const foreign: string[] = [];
  await context.route(
    (url) => url.origin !== new URL(site).origin,
    (route) => {
      foreign.push(route.request().url());
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  if (options.fixedMs !== undefined) await page.clock.setFixedTime(options.fixedMs);
  return { page, context, errors, foreign, close: () => context.close() };
}

/** Goes to a route and waits until it shows data: nothing is a skeleton any more. */
export async function goTo(page: Page, site: string, route: string): Promise<void> {
  await page.goto(`${site}#${route}`);
  await settled(page);
}

export async function settled(page: Page): Promise<void> {
  await page.locator('main h1, main h2').first().waitFor();
  await page.locator('main .skeleton').first().waitFor({ state: 'detached' });
}
