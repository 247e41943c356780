import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { requireService } from '../support/require.js';
import { DIST } from './support/site.js';

const APP = fileURLToPath(new URL('../../apps/dashboard/', import.meta.url));

/** What a phone on a slow line can be asked to fetch. */
const MAX_SCRIPT_BYTES = 60_000;
const MAX_STYLE_BYTES = 10_000;

async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path), await readFile(path));
  }
  return files;
}

function sizeOf(files: ReadonlyMap<string, Buffer>, ending: string): number {
  let sum = 0;
  for (const [name, content] of files) if (extname(name) === ending) sum += gzipSync(content).length;
  return sum;
}

describe.skipIf(!requireService('dashboard'))('build of the dashboard', () => {
  it('is small', async () => {
    const files = await filesOf(DIST);
    expect(sizeOf(files, '.js')).toBeLessThan(MAX_SCRIPT_BYTES);
    expect(sizeOf(files, '.css')).toBeLessThan(MAX_STYLE_BYTES);
  });

  it('holds nothing inline and names nothing on other machines', async () => {
    const files = await filesOf(DIST);
    const html = files.get('index.html')?.toString() ?? '';
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)| on\w+=/);
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
    for (const [name, content] of files) {
      const addresses = content.toString().match(/\bhttps?:\/\/[\w.-]+/g) ?? [];
      // Names of XML vocabularies are no addresses: nobody asks there.
      expect(
        addresses.filter((text) => !text.endsWith('//www.w3.org')),
        name,
      ).toEqual([]);
      if (name.endsWith('.css')) expect(content.toString()).not.toMatch(/@import|url\(/);
    }
  });

  it('finds its files from wherever it is served', async () => {
    const html = (await filesOf(DIST)).get('index.html')?.toString() ?? '';
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect(link).toMatch(/^(\.\/|api\/)/);
  });

  it('is the same every time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headframe-dashboard-'));
    try {
      const vite = join(APP, 'node_modules/vite/bin/vite.js');
      const built = spawnSync(process.execPath, [vite, 'build', '--outDir', folder, '--logLevel', 'error'], {
        cwd: APP,
        encoding: 'utf8',
        // The runner of the tests says `test`, which is another build.
        env: { ...process.env, NODE_ENV: 'production' },
      });
      expect(built.status, built.stderr).toBe(0);
      const again = await filesOf(folder);
      const first = await filesOf(DIST);
      expect([...again.keys()].sort()).toEqual([...first.keys()].sort());
      for (const [name, content] of first) expect(again.get(name)?.equals(content), name).toBe(true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

describe('colours of the dashboard', () => {
  const GROUNDS = ['--bg', '--surface', '--sunken'] as const;
  const TEXTS = ['--text', '--muted', '--accent', '--good', '--warn', '--bad', '--info'] as const;

  function themes(css: string): readonly ReadonlyMap<string, string>[] {
    return [...css.matchAll(/\{([^{}]*--bg:[^{}]*)\}/g)].map(
      ([, body = '']) =>
        new Map([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name = '', value = '']) => [name, value])),
    );
  }

  function luminance(hex: string): number {
    const parts = [1, 3, 5].map((at) => {
      const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    const [red = 0, green = 0, blue = 0] = parts;
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(one: string, other: string): number {
    const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((left, right) => right - left);
    return (high + 0.05) / (low + 0.05);
  }

  it('can be read: 4.5 for texts, 3 for edges of controls and the focus', async () => {
    const all = themes(await readFile(join(APP, 'src/styles/tokens.css'), 'utf8'));
    expect(all).toHaveLength(3);
    for (const [index, theme] of all.entries()) {
      const color = (name: string): string => {
        const value = theme.get(name) ?? '';
        expect(value, `${name} of theme ${index}`).toMatch(/^#[0-9a-f]{6}$/);
        return value;
      };
      for (const ground of GROUNDS) {
        for (const text of TEXTS)
          expect(contrast(color(text), color(ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
        for (const edge of ['--line-strong', '--focus', '--accent-fill']) {
          expect(contrast(color(edge), color(ground)), `${edge} on ${ground}, theme ${index}`).toBeGreaterThanOrEqual(
            3,
          );
        }
      }
      expect(contrast(color('--on-accent'), color('--accent-fill'))).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('are the same dark ones when chosen and when the system asks', async () => {
    const [, chosen, system] = themes(await readFile(join(APP, 'src/styles/tokens.css'), 'utf8'));
    expect(Object.fromEntries(system ?? [])).toEqual(Object.fromEntries(chosen ?? []));
  });
});
