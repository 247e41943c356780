import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/regressions.md', root), 'utf8');

/** Rows of the page: the file and the name of the test. */
const rows = [...page.matchAll(/\| `([^`]+\.test\.ts)`: "(.+)" \|$/gm)].map(([, file = '', name = '']) => ({
  file,
  name,
}));

describe('docs/regressions.md', () => {
  it('names a test in every row', () => {
    const lines = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| fault '));
    expect(rows.length).toBe(lines.length);
    expect(rows.length).toBeGreaterThan(60);
  });

  it.each(rows)('$file has the test "$name"', ({ file, name }) => {
    const text = readFileSync(new URL(file, root), 'utf8').replaceAll("\\'", "'");
    expect(
      ["'", '"', '`'].some(
        (quote) => text.includes(`(${quote}${name}${quote}`) || text.includes(`${quote}${name}${quote},`),
      ),
    ).toBe(true);
  });
});
