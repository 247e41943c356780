// Checks the code blocks of README and docs: every `ts` block must type-check on its own, every `json`, `jsonc` and
// `yaml` block that is a configuration must be valid, and every relative link must lead somewhere.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const snippets = join(root, 'examples', 'snippets');
const problems = [];
let blocks = 0;

function* pages(folder) {
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry);
    if (statSync(path).isDirectory()) yield* pages(path);
    else if (entry.endsWith('.md')) yield path;
  }
}

const { checkConfig } = await import(join(root, 'packages', 'pool', 'dist', 'index.js'));
const { parse: parseJsonc } = await import(join(root, 'apps', 'pool', 'node_modules', 'jsonc-parser', 'lib', 'esm', 'main.js')).catch(
  () => import(join(root, 'apps', 'pool', 'node_modules', 'jsonc-parser', 'lib', 'umd', 'main.js')),
);
const { parse: parseYaml } = await import(join(root, 'apps', 'pool', 'node_modules', 'yaml', 'dist', 'index.js'));

rmSync(snippets, { recursive: true, force: true });
mkdirSync(snippets, { recursive: true });
const origin = new Map();

const files = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'].map((name) => join(root, name));
for (const page of [...files, ...pages(join(root, 'docs'))]) {
  if (!existsSync(page)) {
    problems.push(`${relative(root, page)} is missing`);
    continue;
  }
  const text = readFileSync(page, 'utf8');
  const where = (index) => `${relative(root, page)}:${text.slice(0, index).split('\n').length}`;
  for (const match of text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)) {
    const [, language, code] = match;
    if (language === 'ts') {
      blocks++;
      const name = `${relative(root, page).replaceAll(/[^a-z0-9]+/gi, '-')}-${blocks}.ts`;
      origin.set(name, where(match.index));
      writeFileSync(join(snippets, name), `${code}\nexport {};\n`);
    } else if (['json', 'jsonc', 'yaml'].includes(language)) {
      const value = language === 'yaml' ? parseYaml(code) : parseJsonc(code);
      if (value === null || typeof value !== 'object' || !('listeners' in value)) continue;
      blocks++;
      const result = checkConfig(value);
      for (const problem of result.problems ?? []) problems.push(`${where(match.index)}: ${problem.path}: ${problem.message}`);
    }
  }
  for (const match of text.replaceAll(/^```[\s\S]*?^```/gm, (block) => block.replaceAll(/[^\n]/g, ' ')).matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)) {
    if (/^[a-z]+:/.test(match[1])) continue;
    if (!existsSync(resolve(dirname(page), match[1]))) problems.push(`${where(match.index)}: dead link ${match[1]}`);
  }
}

writeFileSync(
  join(snippets, 'tsconfig.json'),
  JSON.stringify({
    extends: '../../tsconfig.base.json',
    compilerOptions: { noEmit: true, composite: false, incremental: false, declaration: false, declarationMap: false, sourceMap: false, noUnusedLocals: false, noUnusedParameters: false },
    include: ['*.ts'],
  }),
);
const tsc = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', snippets, '--pretty', 'false'], { encoding: 'utf8', cwd: snippets });
if (tsc.status !== 0) {
  for (const line of `${tsc.stdout}${tsc.stderr}`.trim().split('\n')) {
    const name = /^([\w.-]+\.ts)/.exec(line)?.[1];
    problems.push(name && origin.has(name) ? `${origin.get(name)}: ${line}` : line);
  }
}
rmSync(snippets, { recursive: true, force: true });
for (const problem of problems) console.error(problem);
console.log(`docs: ${blocks} code blocks, ${problems.length} problems`);
process.exit(problems.length === 0 && blocks > 0 ? 0 : 1);
