import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as answers from '../../apps/dashboard/dev/answers.js';
import { requireService } from '../support/require.js';
import { goTo, launchBrowser, openPage, type WatchedPage } from './support/browser.js';
import { FOCUSED, type Focused } from './support/in-page.js';
import { openSite, type Site } from './support/site.js';

const NOW = Date.UTC(2026, 10, 20, 14, 3, 5);

describe.skipIf(!requireService('chromium', 'dashboard'))('use of the dashboard', () => {
  let site: Site;
  let browser: Browser;
  let watched: WatchedPage;

  beforeAll(async () => {
    browser = await launchBrowser();
  });

  beforeEach(async () => {
    site = await openSite(() => NOW);
    watched = await openPage(browser, site.url, { fixedMs: NOW });
  });

  afterEach(async () => {
    await watched.close();
    await site.close();
  });

  afterAll(async () => {
    await browser?.close();
  });

  const isLive = () => watched.page.getByRole('status').getByText('Live').waitFor();

  it('shows a block as it is found, marks it and says so', async () => {
    const { page } = watched;
    await goTo(page, site.url, '/');
    await isLive();
    const block = site.api.findBlock();
    const height = block.height.toLocaleString('en-US');
    const row = page.locator('tbody tr').first();
    await row.getByText(height).first().waitFor();
    await page.locator('tr.is-new').waitFor();
    expect(await page.locator('[aria-live=polite]').last().textContent()).toContain(`Block ${height} found by`);
    expect(watched.errors).toEqual([]);
  });

  it('takes the numbers of the pool from the stream, without asking', async () => {
    const { page } = watched;
    await goTo(page, site.url, '/');
    await isLive();
    const info = answers.poolInfo(site.api.world, 'busy', NOW);
    site.api.emit('pool', { ...info, hashrate: { tenMinutes: 4.56e18, hour: 1, day: 1 } });
    await page.getByText('4.56').waitFor();
  });

  it('says when the stream is gone and when it is back', async () => {
    const { page } = watched;
    await goTo(page, site.url, '/');
    await isLive();
    site.api.isBroken = true;
    site.api.cutStreams();
    await page
      .getByRole('status')
      .getByText(/Delayed|Offline/)
      .waitFor();
    expect(await page.getByText('Round effort').count(), 'what is known stays').toBe(1);
    site.api.isBroken = false;
    await isLive();
    expect(site.api.streamCount).toBe(1);
  });

  it('finds an account and offers it again', async () => {
    const { page } = watched;
    const account = site.api.world.accounts[3]?.account ?? '';
    await goTo(page, site.url, '/');
    await page.getByRole('combobox', { name: 'Account or address' }).fill(` ${account} `);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1 }).getByText(account.slice(0, 12)).waitFor();
    await page.getByRole('heading', { name: 'Statement' }).waitFor();
    await page.getByRole('combobox').focus();
    expect(await page.locator('#recent-accounts option').first().getAttribute('value')).toBe(account);
    await page.reload();
    expect(await page.locator('#recent-accounts option').first().getAttribute('value')).toBe(account);
    expect(watched.errors).toEqual([]);
  });

  it('explains an account that it does not know', async () => {
    const { page } = watched;
    await page.goto(`${site.url}#/accounts/nobody.rig1`);
    await page.getByText('has not sent a share yet').waitFor();
    await page.getByRole('link', { name: 'nobody', exact: true }).click();
    await page.getByRole('heading', { level: 1 }).getByText('Account nobody').waitFor();
  });

  it('can be walked through by keyboard', async () => {
    const { page } = watched;
    await goTo(page, site.url, '/miners');
    await page.keyboard.press('Tab');
    expect(await page.evaluate<Focused>(FOCUSED)).toMatchObject({ name: 'Skip to the content', isInView: true });
    await page.keyboard.press('Enter');
    expect((await page.evaluate<Focused>(FOCUSED)).tag).toBe('main');
    expect(await page.evaluate<string>('location.hash'), 'the route stays').toBe('#/miners');

    await page.reload();
    await page.locator('tbody tr').first().waitFor();
    const names: string[] = [];
    for (let step = 0; step < 45; step++) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate<Focused | null>(FOCUSED);
      if (focused === null) break;
      names.push(focused.name);
      expect(focused, `step ${step}`).toMatchObject({ isOutlined: true, isInView: true });
    }
    expect(names).toEqual(expect.arrayContaining(['Account or address', 'Search', 'Overview', 'Connect']));
    expect(names.some((name) => name.startsWith('Colours'))).toBe(true);
  });

  it('begins a new page at its top, with its title', async () => {
    const { page } = watched;
    await goTo(page, site.url, '/miners');
    await page.locator('tbody tr').last().scrollIntoViewIfNeeded();
    await page.locator('tbody tr').last().getByRole('link').first().click();
    await page.getByRole('heading', { level: 1 }).getByText('Worker').waitFor();
    expect(await page.title()).toBe('Worker - Headframe');
    expect((await page.evaluate<Focused>(FOCUSED)).tag).toBe('main');
    expect(await page.evaluate<number>('scrollY')).toBe(0);
    await page.goBack();
    await page.getByRole('heading', { level: 1 }).getByText('Miners').waitFor();
    expect(await page.title()).toBe('Miners - Headframe');
  });

  it('sorts by the header buttons and says how', async () => {
    const { page } = watched;
    await goTo(page, site.url, '/miners');
    const table = page.getByRole('table', { name: 'Connections of miners' });
    const header = table.getByRole('columnheader', { name: 'Accepted' });
    expect(await header.getAttribute('aria-sort')).toBe('none');
    const values = async (): Promise<number[]> => {
      const texts = await table.locator('td[data-label=Accepted]').allTextContents();
      return texts.map((text) => Number(text.replaceAll(',', '')));
    };
    await header.getByRole('button').focus();
    await page.keyboard.press('Enter');
    expect(await header.getAttribute('aria-sort')).toBe('descending');
    const down = await values();
    expect(down).toEqual(down.toSorted((left, right) => right - left));
    await page.keyboard.press('Enter');
    expect(await header.getAttribute('aria-sort')).toBe('ascending');
    expect(await values()).toEqual(down.toReversed());
  });

  it('keeps the colours that were chosen', async () => {
    const { page } = watched;
    await goTo(page, site.url, '/');
    const theme = (): Promise<string | null> => page.locator('html').getAttribute('data-theme');
    const ground = (): Promise<string> => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    await page.getByRole('button', { name: /^Colours/ }).click();
    await page.getByRole('button', { name: /^Colours: light/ }).click();
    await page.locator('html[data-theme=dark]').waitFor();
    expect(await ground()).not.toBe(light);
    await page.reload({ waitUntil: 'commit' });
    await page.waitForLoadState('domcontentloaded');
    expect(await theme(), 'before the page draws').toBe('dark');
  });

  it('lives under any path of a reverse proxy', async () => {
    const inner = await openSite(() => NOW, '/some/pool/');
    const guest = await openPage(browser, inner.url, { fixedMs: NOW });
    try {
      await goTo(guest.page, inner.url, '/miners');
      await guest.page.getByRole('status').getByText('Live').waitFor();
      expect(guest.errors).toEqual([]);
    } finally {
      await guest.close();
      await inner.close();
    }
  });

  it('moves nothing when the system asks for that, and shimmers otherwise', async () => {
    const animations = async (reducedMotion: boolean): Promise<number> => {
      const guest = await openPage(browser, site.url, { reducedMotion });
      try {
        await guest.page.route('**/api/v1/pool', () => {});
        await guest.page.goto(site.url);
        await guest.page.locator('.tile .skeleton').first().waitFor();
        return await guest.page.evaluate<number>('document.getAnimations().length');
      } finally {
        await guest.close();
      }
    };
    expect(await animations(true)).toBe(0);
    expect(await animations(false)).toBeGreaterThan(0);
  });

  it('copies settings', async () => {
    const { page, context } = watched;
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await goTo(page, site.url, '/connect');
    await page.getByRole('button', { name: 'Copy the address stratum+tcp://pool.example.com:3333' }).click();
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe('stratum+tcp://pool.example.com:3333');
    await page.locator('[aria-live=polite]').getByText('Copied').waitFor();
  });

  it('pages through blocks and back', async () => {
    const { page } = watched;
    await goTo(page, site.url, '/blocks');
    const first = page.locator('tbody tr').first();
    const top = await first.textContent();
    await page.getByRole('button', { name: 'Older' }).click();
    await page.getByText('Page 2').waitFor();
    await page.locator('tbody tr').first().waitFor();
    expect(await first.textContent()).not.toBe(top);
    await page.getByRole('button', { name: 'Newer' }).click();
    await page.getByText('Page 1').waitFor();
    expect(await first.textContent()).toBe(top);
  });

  it('tells what a chart shows in words and in a table', async () => {
    const { page } = watched;
    await goTo(page, site.url, '/');
    const chart = page.getByRole('img', { name: /^In the last 24 hours: .* PH\/s on average/ });
    await chart.waitFor();
    await page.getByRole('button', { name: '7 d' }).click();
    await page.getByRole('img', { name: /^In the last 7 days/ }).waitFor();
    await page.getByText('Values as a table').click();
    const rows = page.getByRole('region', { name: 'Values of the chart' }).locator('tbody tr');
    expect(await rows.count()).toBeGreaterThan(160);
    await page.getByRole('img', { name: /^In the last 7 days/ }).hover();
    await page
      .locator('figcaption')
      .getByText(/^2026-11-\d\d .*H\/s$/)
      .waitFor();
    expect(watched.errors).toEqual([]);
  });
});
