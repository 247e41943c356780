import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/parity.md'), 'utf8');
const FILE = 'packages/primitives/test/emitter.test.ts';
const TITLE = 'a listener that throws or rejects is reported and hurts no other';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headframe-parity-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly problems: string;
}

interface Result {
  readonly file: string;
  readonly title: string;
  readonly status: string;
}

/** Runs the script on a text, and with a report of results. */
function run(text: string, results?: readonly Result[], env: NodeJS.ProcessEnv = {}): Outcome {
  const pageFile = join(folder, 'page.md');
  writeFileSync(pageFile, text);
  const args = [join(root, 'scripts/parity.mjs'), '--page', pageFile];
  if (results !== undefined) {
    const reportFile = join(folder, 'report.json');
    const testResults = results.map(({ file, title, status }) => ({
      name: join(root, file),
      assertionResults: [{ title, status }],
    }));
    writeFileSync(reportFile, JSON.stringify({ testResults }));
    args.push('--report', reportFile);
  }
  const { HEADFRAME_REQUIRE_SERVICES: _, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...rest, ...env } });
  return { status, out: stdout, problems: stderr };
}

const row = (tests: string, here = '[events](reference/events.md)'): string =>
  `| NS-03 | events | ${here} | ${tests} |`;
/** Only what the script says of the row under test; all others are missing here. */
const problemsOf = ({ problems }: Outcome): string[] => problems.split('\n').filter((line) => /:\d+: NS-03/.test(line));

describe('scripts/parity.mjs', () => {
  it('is content with the page as it is', () => {
    const { status, problems } = run(page);
    expect(problems).toBe('');
    expect(status).toBe(0);
  });

  it('misses a row, and sees one twice or too many', () => {
    const lines = page.split('\n');
    const at = lines.findIndex((line) => line.startsWith('| RS-07 '));
    const without = run(lines.filter((_, index) => index !== at).join('\n'));
    expect(without).toMatchObject({ status: 1, problems: 'docs/parity.md: no row RS-07\n' });
    const twice = run([...lines, lines[at]].join('\n'));
    expect(twice.problems).toMatch(/RS-07: there is a row for it on line \d+/);
    const more = run([...lines, (lines[at] ?? '').replace('RS-07', 'RS-37')].join('\n'));
    expect(more.problems).toContain('RS-37: no such id');
  });

  it.each([
    ['', 'no test'],
    [`\`${FILE}\`: "${TITLE}, and more"`, `no test ${FILE}: "${TITLE}, and more"`],
    [`\`packages/primitives/test/nothing.test.ts\`: "${TITLE}"`, 'no file packages/primitives/test/nothing.test.ts'],
    [`\`${FILE}\`: "${TITLE}"<br>see also the others`, 'not a test: see also the others'],
  ])('says of the tests %j: %s', (tests, problem) => {
    expect(problemsOf(run(row(tests))).map((line) => line.replace(/^.*?NS-03: /, ''))).toEqual([problem]);
  });

  it.each([
    ['none at all', 'no link to documentation'],
    ['[x](reference/nothing.md)', 'dead link reference/nothing.md'],
    ['[x](reference/events.md#no-such-part)', 'reference/events.md has no heading #no-such-part'],
  ])('says of the documentation %j: %s', (here, problem) => {
    const found = problemsOf(run(row(`\`${FILE}\`: "${TITLE}"`, here)));
    expect(found.map((line) => line.replace(/^.*?NS-03: /, ''))).toEqual([problem]);
  });

  it('finds titles that each makes, by what is written and by what comes of it', () => {
    const each = 'tests/parity/electrum.test.ts';
    const written = `\`${each}\`: "%s: asks %s and reads the answer"`;
    const made = `\`${each}\`: "getBanner: asks server.banner and reads the answer"`;
    expect(problemsOf(run(row(`${written}<br>${made}`)))).toEqual([]);
    const results = (status: string): Result[] => [
      { file: each, title: 'getBanner: asks server.banner and reads the answer', status },
      { file: FILE, title: TITLE, status: 'passed' },
    ];
    expect(problemsOf(run(row(`${written}<br>${made}`), results('passed')))).toEqual([]);
    expect(problemsOf(run(row(written), results('failed')))).toHaveLength(1);
    expect(problemsOf(run(row(made.replace('Banner:', 'Nothing:')), results('passed')))).toHaveLength(1);
  });

  it('wants every test to have run and passed; a skipped one is told, and wrong where nothing may be skipped', () => {
    const text = row(`\`${FILE}\`: "${TITLE}"`);
    const result = (status: string): Result[] => [{ file: FILE, title: TITLE, status }];
    expect(problemsOf(run(text, result('passed')))).toEqual([]);
    expect(problemsOf(run(text, result('failed')))[0]).toContain(`failed: ${FILE}`);
    expect(problemsOf(run(text, []))[0]).toContain(`did not run: ${FILE}`);
    const skipped = run(text, result('skipped'));
    expect(problemsOf(skipped)).toEqual([]);
    expect(skipped.out).toContain(`not run: NS-03: ${FILE}: "${TITLE}"`);
    const strict = run(text, result('skipped'), { HEADFRAME_REQUIRE_SERVICES: '1' });
    expect(strict.problems).toContain(`not run: NS-03: ${FILE}: "${TITLE}"`);
  });
});
