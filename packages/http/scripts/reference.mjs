// Writes docs/reference/http.md from the OpenAPI document of the built package (`--check` fails when the page is out of
// date). Exports the page for a script that writes several.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');
const target = join(root, 'docs', 'reference', 'http.md');
const load = (name) => import(join(root, 'packages', name, 'dist', 'index.js'));

const NOTE = '<!-- Written by scripts/reference.mjs from the sources; do not edit. -->\n\n';

const cell = (text) =>
  String(text ?? '')
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ');
const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
const table = (heads, rows) => [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
const nameOf = (reference) => reference.slice(reference.lastIndexOf('/') + 1);
const anchor = (name) => `[${name}](#${name.toLowerCase()})`;

function numberText(schema) {
  const { type, minimum, maximum, exclusiveMinimum } = schema;
  const low = exclusiveMinimum === undefined ? minimum : undefined;
  const top = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined)
    return `${type} above ${exclusiveMinimum}${top === undefined ? '' : `, to ${top}`}`;
  if (low === undefined || low === Number.MIN_SAFE_INTEGER) return type;
  return top === undefined ? `${type} from ${low}` : `${type}, ${low} to ${top}`;
}

function typeText(schema) {
  if (schema.$ref) return anchor(nameOf(schema.$ref));
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ');
  if (schema.allOf) return schema.allOf.map(typeText).join(' and ');
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {})}`;
  if (schema.type === 'integer' || schema.type === 'number') return numberText(schema);
  return schema.type ?? 'any';
}

/** Rows of the fields of an object; objects without a name of their own are spelled out below their key. */
function* fieldRows(schema, path = '') {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? key : `${path}.${key}`;
    yield [`\`${at}\``, typeText(child), child.description ?? ''];
    const nested = [child, child.items, ...(child.anyOf ?? [])].find((one) => one?.properties);
    if (nested) yield* fieldRows(nested, child.type === 'array' ? `${at}[]` : at);
  }
}

function operationText(path, method, operation) {
  const parts = [`### \`${method.toUpperCase()} ${path}\``, `${operation.summary}.`];
  if (operation.description) parts.push(operation.description);
  const parameters = (operation.parameters ?? []).map(({ name, in: where, schema, description, required }) => [
    `\`${name}\``,
    where,
    typeText(schema ?? {}),
    schema?.default === undefined ? (required ? '**required**' : '') : `\`${schema.default}\``,
    description ?? schema?.description ?? '',
  ]);
  if (parameters.length > 0) parts.push(table(['parameter', 'in', 'value', 'default', 'meaning'], parameters));
  const body = operation.requestBody?.content?.['application/json']?.schema;
  const fields = body === undefined ? [] : [...fieldRows(body.anyOf?.find((one) => one.properties) ?? body)];
  if (fields.length > 0) parts.push('Body:', table(['key', 'value', 'meaning'], fields));
  const [type, content] = Object.entries(operation.responses?.['200']?.content ?? {})[0] ?? [];
  parts.push(
    type === 'application/json'
      ? `Answer: ${typeText(content.schema)}.`
      : `Answer: \`${type}\`. ${operation.responses['200'].description}`,
  );
  return parts.join('\n\n');
}

function render(document, codes) {
  const sections = document.tags.map(({ name, description }) => {
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([, operation]) => operation.tags.includes(name))
        .map(([method, operation]) => operationText(path, method, operation)),
    );
    return [`## ${name}`, description, ...operations].join('\n\n');
  });
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => {
    const rows = [...fieldRows(schema)];
    const text = rows.length > 0 ? table(['field', 'value', 'meaning'], rows) : `${typeText(schema)}.`;
    return [`### ${name}`, ...(schema.description ? [schema.description] : []), text].join('\n\n');
  });
  return `# HTTP API

${document.info.description} The same as an OpenAPI document: \`GET /api/v1/openapi.json\`.

Errors are [problems](#codes-of-problems) (RFC 9457, \`application/problem+json\`); tell them apart by their \`code\`. Beside the API there are
\`/healthz\` (the process answers), \`/readyz\` (200 when a node is ready, there is a job and the storage works; else 503 with
the reasons), \`/metrics\` (Prometheus) and the dashboard at \`/\`.

The live feed, \`GET /api/v1/events\`, sends these events:

${table(
  ['event', 'data', 'when'],
  [
    ['`pool`', anchor('PoolInfo'), 'every few seconds, when something changed'],
    ['`share`', anchor('ShareEvent'), 'every few seconds, what shares came in'],
    ['`job`', anchor('JobEvent'), 'a job went out to the miners'],
    ['`node`', anchor('NodesInfo'), 'the state of a node changed'],
    ['`block`', anchor('Block'), 'a block was found, or its status changed'],
    ['`payment`', anchor('Payment'), 'a payment was sent or confirmed'],
  ],
)}

${sections.join('\n\n')}

## Codes of problems

${table(
  ['code', 'meaning'],
  Object.entries(codes).map(([code, meaning]) => [`\`${code}\``, meaning]),
)}

## Schemas

${schemas.join('\n\n')}
`;
}

/** The page, from the built packages. */
export async function httpReference() {
  const { createPool } = await load('pool');
  const { createHttpServer, PROBLEM_CODES } = await load('http');
  // Nothing is opened: a pool that does not listen has all routes.
  const pool = createPool({
    network: 'regtest',
    daemons: [{ url: 'http://127.0.0.1:1' }],
    payout: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
    listeners: [{ port: 0 }],
    log: { level: 'silent' },
  });
  const server = createHttpServer(pool, { adminToken: 'only-to-see-all-routes' });
  try {
    const { body } = await server.app.inject('/api/v1/openapi.json');
    return render(JSON.parse(body), PROBLEM_CODES);
  } finally {
    await server.close();
    await pool.close();
  }
}

if (process.argv[1] === import.meta.filename) {
  const page = NOTE + (await httpReference());
  if (!process.argv.includes('--check')) writeFileSync(target, page);
  else if (readFileSync(target, 'utf8') !== page) {
    console.error('docs/reference/http.md is out of date: run node packages/http/scripts/reference.mjs');
    process.exit(1);
  }
}
