// Checks docs/parity.md: every id once, a link to documentation that leads somewhere, and tests that exist in the files
// named. With the report of a test run it also checks that each of them ran and passed.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const HELP = `Usage: node scripts/parity.mjs [--report FILE] [--page FILE]

  --report FILE   JSON report of vitest: each test named on the page must have passed in it. One that was skipped is
                  listed; with HEADFRAME_REQUIRE_SERVICES=1 it is an error
  --page FILE     a text to check in place of docs/parity.md; links are read as if it lay there`;

const root = join(import.meta.dirname, '..');
const PAGE = join(root, 'docs', 'parity.md');
/** Ids of the page: prefix and number of the last one. */
const SERIES = [
  ['NS', 45],
  ['SP', 40],
  ['RS', 36],
];
/** Capabilities of the next release; they say so and name no test. */
const LATER = new Set(['RS-29', 'RS-30', 'RS-31']);
const LATER_WORDS = 'next release';

function option(name) {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** Rows `| id | capability | here | tests |` of the page. */
function readRows(text) {
  const rows = [];
  for (const [index, line] of text.split('\n').entries()) {
    const id = /^\| ([A-Z]{2}-\d\d) \|/.exec(line)?.[1];
    if (id === undefined) continue;
    const cells = line.slice(2, line.lastIndexOf(' |')).split(' | ');
    const [, capability = '', here = '', ...rest] = cells;
    const tests = [];
    const leftover = rest.join(' | ').replaceAll(/`([^`]+)`: "((?:[^"]|"(?!<br>|$))+)"(?:<br>|$)/g, (_, file, name) => {
      tests.push({ file, name: name.replaceAll('\\|', '|') });
      return '';
    });
    rows.push({ id, line: index + 1, capability, here, tests, leftover: leftover.trim() });
  }
  return rows;
}

/** The anchor of a heading, as GitHub makes it. */
function slug(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

const anchors = new Map();
function anchorsOf(file) {
  if (!anchors.has(file)) {
    const text = readFileSync(file, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
    anchors.set(file, new Set([...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => slug(heading))));
  }
  return anchors.get(file);
}

function* linkProblems({ here }) {
  const links = [...here.matchAll(/\]\(([^)#\s]*)(?:#([^)\s]*))?\)/g)];
  if (links.length === 0) yield 'no link to documentation';
  for (const [, path, anchor] of links) {
    if (/^[a-z]+:/.test(path)) continue;
    const file = path === '' ? PAGE : resolve(dirname(PAGE), path);
    if (!existsSync(file)) yield `dead link ${path}`;
    else if (anchor !== undefined && !anchorsOf(file).has(anchor)) yield `${path} has no heading #${anchor}`;
  }
}

/** Escapes of a literal of JavaScript that names of tests may have. */
function literalText(text) {
  return text.replaceAll(/\\(u([0-9a-fA-F]{4})|.)/g, (_, char, code) =>
    code === undefined ? char : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

const titles = new Map();
/** Titles of the tests in a file: as written, and as a pattern where `each` or a template fills them in. */
function titlesOf(file) {
  if (titles.has(file)) return titles.get(file);
  const found = [];
  const text = readFileSync(join(root, file), 'utf8');
  // `it('...'`, `test.each(...)('...'`, `it.runIf(...)('...'`: a literal where a test has its title.
  for (const match of text.matchAll(/(?:\b(?:it|test)(?:\.\w+)*\(|\)\()\s*(['"`])((?:\\.|(?!\1)[\s\S])*)\1/g)) {
    const [, quote, raw] = match;
    const title = literalText(raw);
    found.push({ title, pattern: patternOf(title, quote === '`') });
  }
  titles.set(file, found);
  return found;
}

const ESCAPED = /[.*+?^${}()|[\]\\]/g;
/** What `%s`, `$name` and `${...}` stand for is anything. */
function patternOf(title, isTemplate) {
  const holes = isTemplate
    ? /%[sdifjoO#$]|\$\{(?:[^{}]|\{[^{}]*\})*\}|\$[a-zA-Z_][\w.]*/g
    : /%[sdifjoO#$]|\$[a-zA-Z_][\w.]*/g;
  const parts = title.split(holes).map((part) => part.replaceAll('%%', '%').replaceAll(ESCAPED, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`);
}

/** The title in the source that the page names, by its text or as one that it makes. */
function findTitle({ file, name }) {
  const all = titlesOf(file);
  return all.find(({ title }) => title === name) ?? all.find(({ pattern }) => pattern.test(name));
}

function readReport(path) {
  const byFile = new Map();
  for (const { name, assertionResults } of JSON.parse(readFileSync(path, 'utf8')).testResults) {
    byFile.set(relative(root, name), assertionResults);
  }
  return byFile;
}

/** What became of a test named on the page: `passed`, `skipped`, or what is wrong. */
function outcomeOf(test, report) {
  const { title, pattern } = findTitle(test);
  const results = (report.get(test.file) ?? []).filter((result) =>
    // A name that is the title as written stands for all that `each` makes of it.
    title === test.name ? pattern.test(result.title) : result.title === test.name,
  );
  if (results.length === 0) return 'did not run';
  if (results.some(({ status }) => status === 'failed')) return 'failed';
  return results.every(({ status }) => status === 'passed') ? 'passed' : 'skipped';
}

function check(text, report) {
  const rows = readRows(text);
  const problems = [];
  const skipped = [];
  const byId = new Map();
  const expected = SERIES.flatMap(([prefix, count]) =>
    Array.from({ length: count }, (_, i) => `${prefix}-${String(i + 1).padStart(2, '0')}`),
  );
  for (const row of rows) {
    const say = (message) => problems.push(`docs/parity.md:${row.line}: ${row.id}: ${message}`);
    if (byId.has(row.id)) say(`there is a row for it on line ${byId.get(row.id).line}`);
    byId.set(row.id, row);
    if (!expected.includes(row.id)) say('no such id');
    if (row.capability === '') say('no capability');
    for (const problem of linkProblems(row)) say(problem);
    if (LATER.has(row.id)) {
      if (!row.here.includes(LATER_WORDS)) say(`does not say "${LATER_WORDS}"`);
      continue;
    }
    if (row.leftover !== '') say(`not a test: ${row.leftover}`);
    if (row.tests.length === 0) say('no test');
    for (const test of row.tests) {
      const where = `${test.file}: "${test.name}"`;
      if (!existsSync(join(root, test.file))) say(`no file ${test.file}`);
      else if (findTitle(test) === undefined) say(`no test ${where}`);
      else if (report !== undefined) {
        const outcome = outcomeOf(test, report);
        if (outcome === 'skipped') skipped.push(`${row.id}: ${where}`);
        else if (outcome !== 'passed') say(`${outcome}: ${where}`);
      }
    }
  }
  for (const id of expected) if (!byId.has(id)) problems.push(`docs/parity.md: no row ${id}`);
  return { rows, problems, skipped };
}

if (process.argv.includes('--help')) {
  console.log(HELP);
  process.exit(0);
}
const reportFile = option('--report');
const { rows, problems, skipped } = check(
  readFileSync(option('--page') ?? PAGE, 'utf8'),
  reportFile === undefined ? undefined : readReport(reportFile),
);
const mustRun = process.env.HEADFRAME_REQUIRE_SERVICES === '1';
for (const name of skipped) {
  if (mustRun) problems.push(`not run: ${name}`);
  else console.log(`not run: ${name}`);
}
for (const problem of problems) console.error(problem);
const tests = rows.reduce((sum, row) => sum + row.tests.length, 0);
console.log(`parity: ${rows.length} rows, ${tests} tests named, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
