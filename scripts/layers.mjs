// Checks the layer rule of ARCHITECTURE.md: a package imports only declared packages of a lower layer, never a
// package's inside, and depends on nothing it does not declare. Prints each breach; exits 1 when there is one.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Layer of each package; an import must go down. The table stands in ARCHITECTURE.md too. */
export const LAYERS = {
  primitives: 0,
  hashing: 1,
  jsonrpc: 1,
  transport: 1,
  coins: 2,
  'stratum-v1': 2,
  'stratum-v2': 2,
  electrum: 2,
  mining: 3,
  btcagent: 3,
  sessions: 4,
  daemon: 4,
  jobs: 4,
  validator: 4,
  client: 4,
  server: 5,
  ledger: 5,
  devnode: 5,
  payouts: 6,
  'electrum-server': 6,
  pool: 7,
  proxy: 7,
  http: 8,
  testkit: 9,
};

/** Test tools that any test file may import; the workspace root provides them. */
const TEST_TOOLS = new Set(['vitest', 'fast-check']);

const IMPORT = /(?:from\s+|import\s*\(\s*|import\s+|import\.meta\.resolve\(\s*)['"]([^'"]+)['"]/g;

function* sources(folder) {
  let entries = [];
  try {
    entries = readdirSync(folder);
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = join(folder, entry);
    if (statSync(path).isDirectory()) {
      if (entry !== 'node_modules' && entry !== 'dist') yield* sources(path);
    } else if (/\.(ts|mjs|js)$/.test(entry) && !entry.endsWith('.d.ts')) yield path;
  }
}

/** @returns {string[]} one line per breach */
export function checkLayers() {
  const breaches = [];
  const seen = new Set(readdirSync(join(root, 'packages')));
  for (const name of seen) if (!(name in LAYERS)) breaches.push(`packages/${name}: has no layer in scripts/layers.mjs`);
  for (const name of Object.keys(LAYERS)) {
    if (!seen.has(name)) breaches.push(`layer table names packages/${name}, which does not exist`);
  }
  for (const [name, layer] of Object.entries(LAYERS)) {
    if (!seen.has(name)) continue;
    const folder = join(root, 'packages', name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const runtime = { ...manifest.dependencies, ...manifest.peerDependencies };
    const declared = { ...runtime, ...manifest.devDependencies };
    for (const dependency of Object.keys(declared)) {
      const other = dependency.startsWith('@headframe/') ? dependency.slice('@headframe/'.length) : undefined;
      if (other === undefined) continue;
      if (!(other in LAYERS)) breaches.push(`packages/${name}: depends on unknown ${dependency}`);
      else if (LAYERS[other] >= layer)
        breaches.push(`packages/${name} (layer ${layer}): depends on ${other} (layer ${LAYERS[other]})`);
    }
    for (const kind of ['src', 'test']) {
      for (const file of sources(join(folder, kind))) {
        const text = readFileSync(file, 'utf8');
        const where = relative(root, file);
        for (const [, specifier] of text.matchAll(IMPORT)) {
          // A backslash: part of a pattern in a test, not an import.
          if (specifier.startsWith('node:') || specifier.includes('\\')) continue;
          if (specifier.startsWith('.')) {
            const target = relative(folder, join(dirname(file), specifier));
            if (target.startsWith('..')) breaches.push(`${where}: relative import leaves the package (${specifier})`);
            continue;
          }
          const parts = specifier.split('/');
          const dependency = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
          if (dependency === manifest.name) continue;
          const allowed = kind === 'src' ? runtime : declared;
          if (!(dependency in allowed) && !(kind === 'test' && TEST_TOOLS.has(dependency))) {
            breaches.push(`${where}: imports ${dependency}, which package.json does not declare`);
          }
          if (dependency.startsWith('@headframe/') && parts.length > 2) {
            const other = join(root, 'packages', dependency.slice('@headframe/'.length), 'package.json');
            const subpath = `./${parts.slice(2).join('/')}`;
            if (!(subpath in (JSON.parse(readFileSync(other, 'utf8')).exports ?? {}))) {
              breaches.push(`${where}: deep import ${specifier}`);
            }
          }
        }
      }
    }
  }
  breaches.push(...checkTable(), ...checkDependencyList());
  return breaches;
}

const rowNames = (text, pattern) => new Set([...text.matchAll(pattern)].map((match) => match[1]));

/** The table of ARCHITECTURE.md says the same as {@link LAYERS}. */
function checkTable() {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const breaches = [];
  const rows = new Map(
    [...text.matchAll(/^\| (\d) \| `([a-z0-9-]+)` \|/gm)].map(([, layer, name]) => [name, Number(layer)]),
  );
  for (const [name, layer] of Object.entries(LAYERS)) {
    if (rows.get(name) !== layer) breaches.push(`ARCHITECTURE.md: ${name} is not in the table with layer ${layer}`);
  }
  for (const name of rows.keys())
    if (!(name in LAYERS)) breaches.push(`ARCHITECTURE.md: names ${name}, which does not exist`);
  return breaches;
}

/** Every dependency from outside that a manifest declares stands in docs/adr/0002, and nothing else does. */
function checkDependencyList() {
  const listed = new Set();
  for (const cell of rowNames(
    readFileSync(join(root, 'docs', 'adr', '0002-dependencies.md'), 'utf8'),
    /^\| ([^|]*[a-z][^|]*) \|/gm,
  )) {
    if (cell !== 'dependency') for (const name of cell.split(', ')) listed.add(name);
  }
  const breaches = [];
  const declared = new Set();
  const folders = [
    '.',
    ...['packages', 'apps'].flatMap((kind) => readdirSync(join(root, kind)).map((name) => join(kind, name))),
  ];
  for (const folder of [...folders, 'tests', 'bench', 'fuzz', 'examples']) {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies };
    for (const name of Object.keys({ ...all, ...manifest.optionalDependencies })) {
      if (name.startsWith('@headframe/')) continue;
      declared.add(name);
      if (!listed.has(name))
        breaches.push(`${join(folder, 'package.json')}: ${name} has no line in docs/adr/0002-dependencies.md`);
    }
  }
  for (const name of listed)
    if (!declared.has(name)) breaches.push(`docs/adr/0002-dependencies.md: nothing depends on ${name}`);
  return breaches;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const breaches = checkLayers();
  for (const breach of breaches) console.error(breach);
  console.log(breaches.length === 0 ? 'layers: in order' : `layers: ${breaches.length} breaches`);
  process.exit(breaches.length === 0 ? 0 : 1);
}
