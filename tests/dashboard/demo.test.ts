import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEADFRAME, poolFolder } from '../support/pool-process.js';
import { startProcess, type TrackedProcess } from '../support/process.js';
import { requireService } from '../support/require.js';
import { waitFor } from '../support/wait.js';
import { goTo, launchBrowser, openPage, settled, type WatchedPage } from './support/browser.js';
import { FIND_FLAWS } from './support/in-page.js';

/** The address in the line that the demo prints when everything runs. */
const WEB_PAGE = /Web page on (http:\/\/[^\s;]+)/;

describe.skipIf(!requireService('chromium', 'dashboard', 'pool binary'))('the page on the demo', () => {
  let folder: ReturnType<typeof poolFolder>;
  let demo: TrackedProcess;
  let url: string;
  let browser: Browser;
  let watched: WatchedPage;

  beforeAll(async () => {
    folder = poolFolder();
    const args = ['demo', '--port', '0', '--web', '0', '--data', folder.path, '--difficulty', '0.0005'];
    demo = startProcess(process.execPath, [HEADFRAME, ...args], { cwd: folder.path });
    const address = await waitFor('the address of the page', () => WEB_PAGE.exec(demo.output())?.[1]);
    url = new URL(address).href;
    browser = await launchBrowser();
    watched = await openPage(browser, url);
  });

  afterAll(async () => {
    await browser?.close();
    const exit = await demo?.stop();
    folder?.remove();
    expect(exit, 'end of the demo').toEqual({ code: 0, signal: null });
  });

  /** Keeps a picture to be looked at, when a folder is named. */
  async function keep(name: string): Promise<void> {
    const images = process.env.HEADFRAME_ALL_IMAGES;
    if (images !== undefined)
      await writeFile(join(images, `demo-${name}.png`), await watched.page.screenshot({ fullPage: true }));
  }

  it('shows a block that the demo mines, without being loaded again', async () => {
    const { page } = watched;
    await goTo(page, url, '/');
    await page.getByRole('status').getByText('Live').waitFor();
    await page.locator('tr.is-new').first().waitFor({ timeout: 60_000 });
    expect(await page.locator('[aria-live=polite]').last().textContent()).toMatch(/^Block [\d,]+ found by /);
    await keep('overview');
    expect(await page.evaluate<string[]>(FIND_FLAWS)).toEqual([]);
  }, 90_000);

  it('leads from the block to its account and worker', async () => {
    const { page } = watched;
    await page.locator('tbody tr').first().locator('td[data-label="Found by"] a').click();
    await page.getByRole('heading', { name: 'Statement' }).waitFor();
    await settled(page);
    await keep('account');
    expect(await page.evaluate<string[]>(FIND_FLAWS)).toEqual([]);
    await page.getByRole('link', { name: 'cpu' }).click();
    await page.getByRole('heading', { name: 'Worker cpu' }).waitFor();
    await page.getByText('Online').first().waitFor();
    await keep('worker');
  }, 60_000);

  it.each(['blocks', 'miners', 'payments', 'rejects', 'nodes', 'connect'])('shows %s', async (name) => {
    const { page } = watched;
    await goTo(page, url, `/${name}`);
    await keep(name);
    expect(await page.evaluate<string[]>(FIND_FLAWS), name).toEqual([]);
    expect(await page.getByRole('alert').count(), 'problems').toBe(0);
  });

  it('asked nobody but the pool, and logged no error', () => {
    expect(watched.foreign).toEqual([]);
    expect(watched.errors).toEqual([]);
  });
});
