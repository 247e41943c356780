import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireService } from '../support/require.js';
import { goTo, launchBrowser, openPage, settled, type ViewOptions } from './support/browser.js';
import { openSite, type Site } from './support/site.js';

// The pictures of the documentation. HEADFRAME_UPDATE_IMAGES=1 writes those; HEADFRAME_ALL_IMAGES=FOLDER writes a
// picture of every page in every guise there, to be looked at.
const NOW = Date.UTC(2026, 10, 20, 14, 3, 5);
const KEPT = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const MAX_BYTES = 200_000;
const PHONE = { width: 360, height: 780 } as const;

interface View extends ViewOptions {
  readonly name: string;
  readonly route: string;
  readonly isWhole?: boolean;
}

describe.skipIf(!requireService('chromium', 'dashboard'))('pictures of the page', () => {
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

  async function picture(view: View): Promise<Buffer> {
    const watched = await openPage(browser, site.url, { ...view, fixedMs: NOW });
    try {
      await goTo(watched.page, site.url, view.route);
      await settled(watched.page);
      return await watched.page.screenshot({ fullPage: view.isWhole ?? true });
    } finally {
      await watched.close();
    }
  }

  function routes(): Readonly<Record<string, string>> {
    const account = site.api.world.accounts[0]?.account ?? '';
    return {
      overview: '/',
      blocks: '/blocks',
      block: `/blocks/${site.api.world.blocks[1]?.hash}`,
      miners: '/miners',
      payments: '/payments',
      rejects: '/rejects',
      nodes: '/nodes',
      connect: '/connect',
      account: `/accounts/${account}`,
      worker: `/accounts/${account}/workers/${account}.garage-1`,
    };
  }

  it.each<Omit<View, 'route'> & { readonly route: string }>([
    { name: 'overview-light', route: 'overview', width: 1120, height: 1020, isWhole: false },
    { name: 'overview-dark', route: 'overview', colors: 'dark', width: 1120, height: 1020, isWhole: false },
    { name: 'overview-phone', route: 'overview', ...PHONE, isWhole: false },
    { name: 'account', route: 'account', height: 1100, isWhole: false },
    { name: 'connect', route: 'connect', height: 1000, isWhole: false },
  ])('$name is small enough to be kept', async (view) => {
    const png = await picture({ ...view, route: routes()[view.route] ?? '/' });
    expect(png.length).toBeLessThan(MAX_BYTES);
    expect(png.length, 'there is something on it').toBeGreaterThan(15_000);
    if (process.env.HEADFRAME_UPDATE_IMAGES !== '1') return;
    await mkdir(KEPT, { recursive: true });
    await writeFile(join(KEPT, `dashboard-${view.name}.png`), png);
  });

  it('every page in every guise, when asked for', async () => {
    const folder = process.env.HEADFRAME_ALL_IMAGES;
    if (folder === undefined) return;
    await mkdir(folder, { recursive: true });
    const only = process.env.HEADFRAME_IMAGES_ONLY;
    for (const scene of ['busy', 'empty', 'bare'] as const) {
      site.api.scene = scene;
      for (const [name, route] of Object.entries(routes())) {
        for (const guise of ['light', 'dark', 'phone'] as const) {
          if (scene !== 'busy' && (guise !== 'light' || name === 'worker' || name === 'block')) continue;
          const file = `${scene}-${name}-${guise}`;
          if (only !== undefined && !new RegExp(only).test(file)) continue;
          const colors = guise === 'dark' ? 'dark' : 'light';
          const png = await picture({ name, route, colors, ...(guise === 'phone' ? PHONE : {}) });
          await writeFile(join(folder, `${file}.png`), png);
        }
      }
    }
    site.api.scene = 'busy';
  }, 300_000);
});
