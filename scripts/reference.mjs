// Writes the generated reference pages from the sources (`--check` fails when one is out of date).
// Needs a build. The prose pages beside them (hooks, events, handlers) are written by hand.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const load = (name) => import(join(root, 'packages', name, 'dist', 'index.js'));
const NOTE = '<!-- Written by scripts/reference.mjs from the sources; do not edit. -->\n\n';
const cell = (text) => String(text ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (heads, rows) =>
  [`| ${heads.join(' | ')} |`, `|${heads.map(() => '---').join('|')}|`, ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`)].join('\n');

function typeText(schema) {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeText(schema.items) : 'values'}`;
  return schema.type ?? 'any';
}

function* configRows(schema, path, required) {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? key : `${path}.${key}`;
    if (child.not) continue;
    const preset = child.default === undefined ? (schema.required?.includes(key) && required ? '**required**' : '') : `\`${JSON.stringify(child.default)}\``;
    yield [`\`${at}\``, typeText(child), preset, child.description ?? ''];
    if (child.properties) yield* configRows(child, at, false);
    if (child.items?.properties) yield* configRows(child.items, `${at}[]`, true);
    for (const option of child.anyOf ?? []) if (option.properties) yield* configRows(option, at, false);
  }
}

async function configPage() {
  const { poolConfigSchema } = await load('pool');
  const { toJSONSchema } = await import(join(root, 'packages', 'pool', 'node_modules', 'zod', 'index.js'));
  const schema = toJSONSchema(poolConfigSchema, { io: 'input', unrepresentable: 'any' });
  return `# Configuration

The same keys are what \`createPool()\` takes and what a configuration file holds (JSON, JSONC or YAML). Every key can be set by
an environment variable: \`HEADFRAME_\`, the path in capitals, parts joined by two underscores, one underscore before a capital
inside a part: \`HEADFRAME_LISTENERS__0__PORT=3333\`, \`HEADFRAME_DATA_FOLDER=/var/lib/headframe\`. \`headframe check --config FILE\`
tells what a file would do.

${table(['key', 'value', 'default', 'meaning'], [...configRows(schema, '', true)])}
`;
}

async function limitsPage() {
  const { LIMITS } = await load('sessions');
  return `# Limits

Each is a key of \`limits\` in the configuration. A limit that is hit is logged and counted; the session is told where the
protocol allows it.

${table(['limit', 'default', 'unit', 'the attack or fault it stops'], Object.entries(LIMITS).map(([name, limit]) => [`\`${name}\``, limit.default, limit.unit, limit.stops]))}
`;
}

async function errorsPage() {
  const { STRATUM_ERRORS } = await load('stratum-v1');
  return `# Errors

A handler or hook refuses with \`reject(code, reason)\`. On the Stratum V1 wire that becomes \`[number, text, null]\`; a reason, where
given, is the text.

${table(['code', 'number', 'text'], Object.entries(STRATUM_ERRORS).map(([code, { number, text }]) => [`\`${code}\``, number, text]))}
`;
}

async function methodsPage() {
  const { METHODS } = await load('stratum-v1');
  return `# Methods on the wire

${table(
  ['method', 'direction', 'phase', 'params', 'what it does'],
  METHODS.map((method) => [`\`${method.name}\``, method.direction, method.phase, method.params, method.summary]),
)}
`;
}

const PAGES = { config: configPage, limits: limitsPage, errors: errorsPage, methods: methodsPage };

let stale = 0;
for (const [name, make] of Object.entries(PAGES)) {
  const path = join(root, 'docs', 'reference', `${name}.md`);
  const text = NOTE + (await make());
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (old === text) continue;
  if (process.argv.includes('--check')) {
    stale++;
    console.error(`docs/reference/${name}.md is out of date: run \`node scripts/reference.mjs\``);
  } else {
    writeFileSync(path, text);
    console.log(`wrote docs/reference/${name}.md`);
  }
}
process.exit(stale === 0 ? 0 : 1);
