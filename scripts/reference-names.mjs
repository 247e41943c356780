// Compares the reference pages written by hand (handlers, hooks, events, metrics) with the declarations in the code:
// every name and every field of what it carries must have its place in a table, and nothing else may.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Packages that declare the interfaces the pages describe. */
const PACKAGES = ['pool', 'server', 'sessions', 'mining', 'daemon', 'jobs', 'validator'];

/** Types that are told as one thing. */
const OPAQUE = new Set(['Coin', 'JobRecord', 'Session', 'Channel', 'Worker', 'Ban', 'PoolAddress', 'WorkerName']);

/** The text between the braces that open at or after `from`. */
function body(text, from) {
  let depth = 0;
  const start = text.indexOf('{', from);
  for (let i = start; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return text.slice(start + 1, i);
  }
  throw new Error('braces do not match');
}

/** Name and type of the members of an interface body, comments left out. */
function members(text) {
  const clean = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*$/gm, '');
  const found = [];
  for (let rest = clean; ; ) {
    const match = /^\s*(?:readonly\s+)?([A-Za-z]\w*)\??:\s*/.exec(rest);
    if (!match) return found;
    rest = rest.slice(match[0].length);
    let depth = 0;
    let end = 0;
    for (; end < rest.length; end++) {
      if ('{(['.includes(rest[end])) depth++;
      else if ('})]'.includes(rest[end])) depth--;
      else if (rest[end] === ';' && depth === 0) break;
    }
    found.push([match[1], rest.slice(0, end).trim()]);
    rest = rest.slice(end + 1);
  }
}

const texts = PACKAGES.flatMap((name) => {
  const folder = join(root, 'packages', name, 'src');
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.ts'));
  return files.map((file) => readFileSync(join(folder, file), 'utf8'));
});

/** Members of an interface by name; undefined when none is declared. */
function interfaceOf(name) {
  for (const text of texts) {
    const at = new RegExp(`export interface ${name}\\b[^{]*\\{`).exec(text);
    if (at) return members(body(text, at.index + at[0].length - 1));
  }
  return undefined;
}

/** The members of a type, where it has some that are worth telling. */
function fieldsOf(type) {
  if (type.startsWith('{')) return members(body(type, 0));
  const name = /^([A-Za-z]\w*)/.exec(type.replace(/^readonly /, ''))?.[1] ?? '';
  return name === '' || OPAQUE.has(name) || type.endsWith('[]') ? undefined : interfaceOf(name);
}

function* paths(list, prefix) {
  for (const [name, type] of list) {
    const inner = fieldsOf(type);
    if (inner === undefined) yield `${prefix}${name}`;
    else yield* paths(inner, `${prefix}${name}.`);
  }
}

/** First cell (a name in backticks) and second cell of each table row of a page, below the heading given. */
function rows(page, heading) {
  const text = readFileSync(join(root, 'docs', 'reference', `${page}.md`), 'utf8');
  const at = heading === undefined ? 0 : text.indexOf(`## ${heading}\n`);
  if (at < 0) throw new Error(`${page}.md has no heading "${heading}"`);
  const end = heading === undefined ? -1 : text.indexOf('\n## ', at + 3);
  const part = text.slice(at, end < 0 ? undefined : end);
  return new Map([...part.matchAll(/^\| `([^`]+)` \|([^|]*)\|/gm)].map(([, name, cell]) => [name, cell]));
}

const ticked = (cell) => [...cell.matchAll(/`([A-Za-z]\w*)`/g)].map(([, name]) => name);

/** @returns {string[]} what is missing on a page or stands there without being in the code */
function compare(where, code, page) {
  const inCode = new Set(code);
  const onPage = new Set(page);
  return [
    ...[...inCode]
      .filter((name) => !onPage.has(name))
      .map((name) => `${where}: ${name} is in the code, not on the page`),
    ...[...onPage]
      .filter((name) => !inCode.has(name))
      .map((name) => `${where}: ${name} is on the page, not in the code`),
  ];
}

function compareTable(page, heading, declared) {
  const table = rows(page, heading);
  const where = `docs/reference/${page}.md`;
  const problems = compare(
    where,
    declared.map(([name]) => name),
    table.keys(),
  );
  for (const [name, type] of declared) {
    const fields = fieldsOf(type);
    const cell = table.get(name);
    if (cell === undefined || fields === undefined) continue;
    problems.push(
      ...compare(
        `${where}, ${name}`,
        fields.map(([field]) => field),
        ticked(cell),
      ),
    );
  }
  return problems;
}

/** @returns {Promise<string[]>} one line per difference */
export async function referenceProblems() {
  const { CLOSE_REASONS } = await import(join(root, 'packages', 'sessions', 'dist', 'index.js'));
  const events = ['SessionEvents', 'MiningEvents', 'PoolEvents'].flatMap((name) => interfaceOf(name) ?? []);
  const hooks = [...(interfaceOf('SessionHooks') ?? []), ...(interfaceOf('MiningHooks') ?? [])];
  const handlers = interfaceOf('PoolHandlers') ?? [];
  const status = interfaceOf('PoolStatus') ?? [];
  return [
    ...compareTable('events', 'All events', events),
    ...compare('docs/reference/events.md, close reasons', CLOSE_REASONS, rows('events', 'Why sessions close').keys()),
    ...compareTable('hooks', 'All hooks', hooks),
    ...compare(
      'docs/reference/hooks.md, onRequest',
      ['method', 'params', 'session', 'wantsReply', 'signal', 'channel', 'account', 'subscribe', 'authorize'],
      ticked(rows('hooks', 'All hooks').get('onRequest') ?? ''),
    ),
    ...compare(
      'docs/reference/handlers.md',
      handlers.map(([name]) => name),
      rows('handlers', 'All handlers').keys(),
    ),
    ...compare(
      'docs/reference/handlers.md, authorize',
      (interfaceOf('AuthorizeRequest') ?? []).map(([name]) => name),
      rows('handlers', 'What `authorize` is asked').keys(),
    ),
    ...compare(
      'docs/reference/handlers.md, admit',
      (interfaceOf('AdmitContext') ?? []).map(([name]) => name),
      rows('handlers', 'What `admit` is asked').keys(),
    ),
    ...compare('docs/reference/metrics.md', paths(status, ''), rows('metrics', 'In code').keys()),
  ];
}
