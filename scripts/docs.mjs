// Checks the documentation: every `ts` block type-checks on its own, every `json`, `jsonc` and `yaml` block that is a
// configuration or a coin is valid, every `headframe` command line has options that exist, every relative link leads
// somewhere, and the reference pages written by hand name what the code has.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { referenceProblems } from './reference-names.mjs';

const root = join(import.meta.dirname, '..');
const snippets = join(root, 'examples', 'snippets');
const built = (name) => import(join(root, 'packages', name, 'dist', 'index.js'));
const { checkConfig, setUp } = await built('pool');
const { parseElectrumConfig } = await built('electrum-server');
const { parseCoinDefinition } = await built('coins');
const { parse: parseJsonc } = await import(
  join(root, 'apps', 'pool', 'node_modules', 'jsonc-parser', 'lib', 'umd', 'main.js')
);
const { parse: parseYaml } = await import(join(root, 'apps', 'pool', 'node_modules', 'yaml', 'dist', 'index.js'));

const problems = [];
let blocks = 0;
/** Coin definitions met so far, by name. */
const coins = new Map();
/** Where each file of `snippets` came from. */
const origin = new Map();

function* pages(folder) {
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry);
    if (statSync(path).isDirectory()) yield* pages(path);
    else if (entry.endsWith('.md')) yield path;
  }
}

function* allPages() {
  for (const name of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'])
    yield join(root, name);
  yield join(root, 'examples', 'README.md');
  for (const name of readdirSync(join(root, 'packages'))) yield join(root, 'packages', name, 'README.md');
  for (const name of readdirSync(join(root, 'apps'))) yield join(root, 'apps', name, 'README.md');
  yield* pages(join(root, 'docs'));
}

/** A JSON or YAML block that is a configuration, a coin, or neither (then it is only parsed). */
function checkData(language, code, where) {
  const errors = [];
  const value =
    language === 'yaml' ? parseYaml(code) : parseJsonc(code, errors, { allowTrailingComma: language === 'jsonc' });
  if (errors.length > 0) problems.push(`${where}: not ${language}`);
  if (value === null || typeof value !== 'object') return;
  blocks++;
  try {
    if ('algorithm' in value && 'networks' in value) coins.set(parseCoinDefinition(value).name, value);
    if (!('listeners' in value)) return;
    if ('dataFile' in value) {
      // Of an Electrum server, not of a pool.
      parseElectrumConfig(value);
      return;
    }
    const result = checkConfig(value);
    for (const problem of result.problems ?? []) problems.push(`${where}: ${problem.path}: ${problem.message}`);
    if (!result.config) return;
    // A coin by path is a file that the page told to write.
    const { coin } = result.config;
    const file = typeof coin === 'string' ? /^\.\/(.*)\.json$/.exec(coin)?.[1] : undefined;
    if (file !== undefined && !coins.has(file)) problems.push(`${where}: ${coin} is not on a page before`);
    setUp(file === undefined ? result.config : { ...result.config, coin: coins.get(file) });
  } catch (error) {
    problems.push(`${where}: ${error.message}`);
  }
}

const helpTexts = new Map();
/** Options of a command of the binary (`db`, or `db backup`), from its own help. */
function optionsOf(command) {
  if (!helpTexts.has(command)) {
    const binary = join(root, 'apps', 'pool', 'bin', 'headframe.js');
    const args = [binary, ...command.split(' '), '--help'];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    helpTexts.set(command, status === 0 ? new Set(stdout.match(/--[a-z-]+/g)) : undefined);
  }
  return helpTexts.get(command);
}

/** Commands that have others below them. */
const GROUPS = new Set(['accounts', 'db', 'payouts']);

function checkCommands(code, where) {
  for (const line of code.split('\n')) {
    // `sudo -u headframe headframe db backup FILE`: the first one is a user.
    const match = /(?:headframe(?:\.js"?)?|\$HEADFRAME) (?!headframe\b)([a-z]+)([^#|>]*)/.exec(line);
    const [, name = 'demo', rest] = match ?? /^npm start -- ?()(.*)/.exec(line) ?? [];
    if (rest === undefined) continue;
    const below = GROUPS.has(name) ? /^ ([a-z]+)(?![\w.])/.exec(rest)?.[1] : undefined;
    const command = below === undefined ? name : `${name} ${below}`;
    blocks++;
    const options = optionsOf(command || 'demo');
    if (options === undefined) problems.push(`${where}: there is no command "${command}"`);
    for (const [option] of rest.matchAll(/--[a-z-]+/g)) {
      if (options && !options.has(option)) problems.push(`${where}: ${command || 'demo'} has no option ${option}`);
    }
  }
}

function checkPage(page) {
  const text = readFileSync(page, 'utf8');
  const name = relative(root, page);
  const where = (index) => `${name}:${text.slice(0, index).split('\n').length}`;
  for (const match of text.matchAll(/(?:^<!-- given: ([^\n]*) -->\n)?^```(\w+)\n([\s\S]*?)^```/gm)) {
    const [, given = '', language, code] = match;
    if (language === 'ts') {
      blocks++;
      const file = `${name.replaceAll(/[^a-z0-9]+/gi, '-')}-${blocks}.ts`;
      origin.set(file, where(match.index));
      writeFileSync(join(snippets, file), `${code}\n${given}\nexport {};\n`);
    } else if (['json', 'jsonc', 'yaml'].includes(language)) checkData(language, code, where(match.index));
    else if (language === 'sh') checkCommands(code, where(match.index));
  }
  for (const match of text.matchAll(/`([a-z0-9-]+\/src\/[\w./-]+\.ts)`/g)) {
    if (!existsSync(join(root, 'packages', match[1]))) problems.push(`${where(match.index)}: no file ${match[1]}`);
  }
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, (block) => block.replaceAll(/[^\n]/g, ' '));
  for (const match of prose.matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)) {
    if (/^[a-z]+:/.test(match[1])) continue;
    if (!existsSync(resolve(dirname(page), match[1]))) problems.push(`${where(match.index)}: dead link ${match[1]}`);
  }
}

function checkTypes() {
  const compilerOptions = { noEmit: true, noUnusedLocals: false, noUnusedParameters: false };
  for (const name of ['composite', 'incremental', 'declaration', 'declarationMap', 'sourceMap'])
    compilerOptions[name] = false;
  writeFileSync(
    join(snippets, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions, include: ['*.ts'] }),
  );
  const command = join(root, 'node_modules', '.bin', 'tsc');
  const tsc = spawnSync(command, ['-p', snippets, '--pretty', 'false'], { encoding: 'utf8', cwd: snippets });
  if (tsc.status === 0) return;
  for (const line of `${tsc.stdout}${tsc.stderr}`.trim().split('\n')) {
    const file = /^([\w.-]+\.ts)/.exec(line)?.[1];
    problems.push(file && origin.has(file) ? `${origin.get(file)}: ${line}` : line);
  }
}

rmSync(snippets, { recursive: true, force: true });
mkdirSync(snippets, { recursive: true });
try {
  for (const page of allPages()) {
    if (existsSync(page)) checkPage(page);
    else problems.push(`${relative(root, page)} is missing`);
  }
  checkTypes();
} finally {
  rmSync(snippets, { recursive: true, force: true });
}
problems.push(...(await referenceProblems()));
for (const problem of problems) console.error(problem);
console.log(`docs: ${blocks} code blocks, ${problems.length} problems`);
process.exit(problems.length === 0 && blocks > 0 ? 0 : 1);
