import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as answers from '../../apps/dashboard/dev/answers.js';
import { requireService } from '../support/require.js';
import { goTo, launchBrowser, openPage, settled, type ViewOptions, type WatchedPage } from './support/browser.js';
import { FIND_FLAWS, LAYOUT_SHIFT } from './support/in-page.js';
import { openSite, type Site } from './support/site.js';

const NOW = Date.UTC(2026, 10, 20, 14, 3, 5);

const GUISES: Readonly<Record<string, ViewOptions>> = {
  light: {},
  dark: { colors: 'dark' },
  phone: { width: 360, height: 740 },
};

describe.skipIf(!requireService('chromium', 'dashboard'))('pages of the dashboard', () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    site = await openSite(() => NOW);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  /** Runs with a page and then wants it to have asked nobody else and logged no error. */
  async function onPage(options: ViewOptions, run: (watched: WatchedPage) => Promise<void>): Promise<void> {
    const watched = await openPage(browser, site.url, { fixedMs: NOW, ...options });
    try {
      await run(watched);
      expect(watched.foreign, 'requests to others').toEqual([]);
      expect(watched.errors, 'errors in the console').toEqual([]);
    } finally {
      await watched.close();
    }
  }

  function routes(): readonly (readonly [route: string, text: string])[] {
    const account = site.api.world.accounts[0]?.account ?? '';
    const block = site.api.world.blocks[1];
    return [
      ['/', 'Round effort'],
      ['/blocks', 'Found blocks'],
      [`/blocks/${block?.hash}`, block?.height.toLocaleString('en-US') ?? ''],
      ['/miners', 'NerdQAxe'],
      ['/payments', 'Confirmed'],
      ['/rejects', 'Low difficulty'],
      ['/nodes', 'Witness commitment'],
      ['/connect', 'stratum+ssl://pool.example.com:3443'],
      [`/accounts/${account}`, 'Immature'],
      [`/accounts/${account}/workers/${account}.garage-1`, 'Connections'],
      ['/nowhere', 'There is no such page'],
    ];
  }

  it.each(Object.keys(GUISES))(
    'every page is there, whole and without a flaw: %s',
    async (guise) => {
      await onPage(GUISES[guise] ?? {}, async ({ page }) => {
        for (const [route, text] of routes()) {
          if (route === '/nowhere') {
            await page.goto(`${site.url}#${route}`);
            await page.getByText(text).waitFor();
            continue;
          }
          await goTo(page, site.url, route);
          await page.getByText(text).first().waitFor();
          const flaws = await page.evaluate<string[]>(FIND_FLAWS);
          expect(flaws, `${route} as ${guise}`).toEqual([]);
        }
      });
    },
    60_000,
  );

  it('would see flaws if there were any', async () => {
    const watched = await openPage(browser, site.url, { width: 360, height: 740 });
    try {
      await watched.page.setContent(`<html><body style="background:#fff"><header></header>
        <button></button><a href="javascript:x()">x</a><table><tr><th>a</th></tr></table>
        <p style="color:#999">pale</p><main><h3>deep</h3></main><i id=a></i><i id=a></i>
        <div style="width:900px">wide</div></body></html>`);
      const flaws = (await watched.page.evaluate<string[]>(FIND_FLAWS)).join('\n');
      for (const flaw of ['a control without a name', 'a link to javascript:', 'without a caption', 'without scope']) {
        expect(flaws).toContain(flaw);
      }
      for (const flaw of [
        'contrast 2.85',
        'heading level',
        'the id a',
        'px too wide',
        'no language',
        '0 of <footer>',
      ]) {
        expect(flaws).toContain(flaw);
      }
    } finally {
      await watched.close();
    }
  });

  it('an empty pool tells what to do', async () => {
    site.api.scene = 'empty';
    try {
      await onPage({}, async ({ page }) => {
        for (const [route, text] of [
          ['/', 'stratum+tcp://pool.example.com:3333'],
          ['/blocks', 'No block found yet'],
          ['/payments', 'No payment yet'],
          ['/miners', 'No miner is connected'],
          ['/rejects', 'No shares yet'],
        ] as const) {
          await goTo(page, site.url, route);
          await page.locator('main').getByText(text).first().waitFor();
          expect(await page.evaluate<string[]>(FIND_FLAWS), route).toEqual([]);
        }
      });
    } finally {
      site.api.scene = 'busy';
    }
  });

  it('a pool without storage shows what it has and says what it has not', async () => {
    site.api.scene = 'bare';
    const watched = await openPage(browser, site.url, { fixedMs: NOW });
    try {
      for (const [route, text] of [
        ['/', 'This pool keeps no statistics'],
        ['/payments', 'This pool makes no payments'],
        ['/accounts/anybody', 'This pool keeps no statistics'],
        ['/nodes', 'Off'],
      ] as const) {
        await goTo(watched.page, site.url, route);
        await watched.page.locator('main').getByText(text, { exact: true }).first().waitFor();
        expect(await watched.page.getByRole('alert').count(), route).toBe(0);
        expect(await watched.page.evaluate<string[]>(FIND_FLAWS), route).toEqual([]);
      }
    } finally {
      site.api.scene = 'busy';
      await watched.close();
    }
  });

  it('does not move what is already there while answers come in', async () => {
    await onPage({}, async ({ page }) => {
      await page.route('**/api/v1/*', async (route) => {
        // One after the other, the slowest last.
        const path = new URL(route.request().url()).pathname;
        if (!path.endsWith('/events')) await new Promise((resolve) => setTimeout(resolve, path.length * 8));
        await route.continue();
      });
      await goTo(page, site.url, '/');
      expect(await page.evaluate<number>(LAYOUT_SHIFT)).toBeLessThan(0.05);
    });
  });

  it('shows hostile names as text and links nowhere but to web pages', async () => {
    const [block] = site.api.world.blocks;
    if (block === undefined) throw new Error('the world has no block');
    const kept = { ...block };
    const hostile = '<img src=x onerror=alert(1)>';
    Object.assign(block, { account: hostile, worker: hostile, link: 'javascript:alert(1)' });
    try {
      await onPage({}, async (watched) => {
        const { page } = watched;
        await goTo(page, site.url, '/blocks');
        await page.locator('tbody tr').first().getByText('<img src').waitFor();
        expect(await page.locator('main img').count()).toBe(0);
        expect(await page.evaluate<string[]>(FIND_FLAWS)).toEqual([]);
        await page.goto(`${site.url}#/accounts/${encodeURIComponent(hostile)}`);
        await page.getByRole('heading', { level: 1 }).getByText('<img src').waitFor();
        await page.getByText('has not sent a share yet').waitFor();
        expect(await page.locator('main img').count()).toBe(0);
        // The browser logs each 404; the account does not exist.
        watched.errors.splice(0, watched.errors.length, ...watched.errors.filter((text) => !text.includes('404')));
      });
    } finally {
      Object.assign(block, kept);
    }
  });

  it('says what is wrong when the pool does not answer, and recovers', async () => {
    site.api.isBroken = true;
    const watched = await openPage(browser, site.url, { fixedMs: NOW });
    try {
      await watched.page.goto(site.url);
      await watched.page.getByRole('alert').first().waitFor();
      expect(await watched.page.getByRole('alert').first().textContent()).toContain('Service Unavailable');
      site.api.isBroken = false;
      await watched.page.getByRole('button', { name: 'Try again' }).first().click();
      await watched.page.getByText('Bitcoin mainnet').first().waitFor();
    } finally {
      site.api.isBroken = false;
      await watched.close();
    }
  });

  it.each([
    ['storage that fails', { storage: { state: 'failing', reason: 'the disk is full' } }, 'the disk is full'],
    ['a node that is not ready', { node: { ready: false, reason: 'is syncing' } }, 'is syncing'],
    ['a pause', { isPaused: true }, 'new ones are turned away'],
  ])('warns on every page of %s', async (_, change, text) => {
    await onPage({}, async ({ page }) => {
      const info = answers.poolInfo(site.api.world, 'busy', NOW);
      await page.route('**/api/v1/pool', (route) => route.fulfill({ json: { ...info, ...change } }));
      await goTo(page, site.url, '/blocks');
      await page.locator('main .notice').getByText(text).waitFor();
      expect(await page.evaluate<string[]>(FIND_FLAWS)).toEqual([]);
    });
  });

  it('survives an answer it cannot show', async () => {
    const watched = await openPage(browser, site.url, { fixedMs: NOW });
    try {
      await watched.page.route('**/api/v1/template', (route) => route.fulfill({ json: { height: 1 } }));
      await watched.page.goto(`${site.url}#/nodes`);
      await watched.page.getByText('This page failed').waitFor();
      await watched.page.getByRole('link', { name: 'Blocks', exact: true }).click();
      await watched.page.getByRole('heading', { name: 'Found blocks' }).waitFor();
      await settled(watched.page);
    } finally {
      await watched.close();
    }
  });
});
