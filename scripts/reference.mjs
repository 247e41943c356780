// Writes the generated reference pages from the sources (`--check` fails when one is out of date).
// Needs a build. The prose pages beside them (handlers, hooks, events, metrics) are written by hand and compared with
// the code by scripts/docs.mjs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { electrumReference } from '../packages/electrum/scripts/reference.mjs';
import { httpReference } from '../packages/http/scripts/reference.mjs';
import { controlPage } from '../packages/pool/scripts/control-reference.mjs';
import { proxyReference } from '../packages/proxy/scripts/reference.mjs';
import { stratumV2Reference } from '../packages/stratum-v2/scripts/reference.mjs';
import { cliPage } from './reference-cli.mjs';

const root = join(import.meta.dirname, '..');
const load = (name) => import(join(root, 'packages', name, 'dist', 'index.js'));
const NOTE = '<!-- Written by scripts/reference.mjs from the sources; do not edit. -->\n\n';

function cell(text) {
  return String(text ?? '')
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ');
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function typeText(schema) {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeText(schema.items) : 'values'}s`;
  if (schema.type === 'integer' || schema.type === 'number') return numberText(schema);
  return schema.type ?? 'any';
}

/** A number with its range, where the schema names one that says something. */
function numberText(schema) {
  const { minimum, maximum, exclusiveMinimum } = schema;
  const hasMaximum = maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER;
  if (exclusiveMinimum !== undefined)
    return `${schema.type} above ${exclusiveMinimum}${hasMaximum ? `, to ${maximum}` : ''}`;
  if (minimum === undefined || minimum === Number.MIN_SAFE_INTEGER) return schema.type;
  return hasMaximum ? `${schema.type}, ${minimum} to ${maximum}` : `${schema.type} from ${minimum}`;
}

/** What stands in the column "default": nothing for what may be left out without anything taking its place. */
function presetText(schema, key, child, required) {
  const isGroup = child.type === 'object' && Object.keys(child.default ?? {}).length === 0;
  if (child.default !== undefined && !isGroup) return `\`${JSON.stringify(child.default)}\``;
  return required && schema.required?.includes(key) ? '**required**' : '';
}

/** Keys of parts that are not built yet take no value at all. */
const isRefused = (schema) => schema.not !== undefined || Object.keys(schema).length === 0;

function* configRows(schema, path, required) {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? key : `${path}.${key}`;
    if (isRefused(child)) continue;
    yield [`\`${at}\``, typeText(child), presetText(schema, key, child, required), child.description ?? ''];
    if (child.properties) yield* configRows(child, at, true);
    if (child.items?.properties) yield* configRows(child.items, `${at}[]`, true);
    for (const option of child.anyOf ?? []) if (option.properties) yield* configRows(option, at, true);
  }
}

async function configPage() {
  const { poolConfigSchema } = await load('pool');
  const { toJSONSchema } = await import(join(root, 'packages', 'pool', 'node_modules', 'zod', 'index.js'));
  const schema = toJSONSchema(poolConfigSchema, { io: 'input', unrepresentable: 'any' });
  const refused = Object.entries(schema.properties).filter(([, child]) => isRefused(child));
  return `# Configuration

The same keys are what \`createPool()\` takes and what a configuration file holds (JSON, JSONC or YAML). A key that is not
in this table is an error. \`headframe check --config FILE\` tells what a file would do.

Every key can be set by an environment variable, which wins over the file: \`HEADFRAME_\`, then the path in capitals, parts
joined by two underscores, one underscore before a capital inside a part. \`HEADFRAME_LISTENERS__0__PORT=3333\` is
\`listeners[0].port\`, \`HEADFRAME_DATA_FOLDER=/var/lib/headframe\` is \`dataFolder\`. Values that read as JSON (numbers, \`true\`,
lists) are taken as such, anything else as text. \`HEADFRAME_CONFIG\` names the file where \`--config\` is not given.

A key with parts below it is optional as a whole; "required" below such a key means: when the part is there.

${table(['key', 'value', 'default', 'meaning'], [...configRows(schema, '', true)])}

${refused.length === 0 ? '' : `Not built yet, and refused with a message: ${refused.map(([key]) => `\`${key}\``).join(', ')}.\n`}`;
}

async function limitsPage() {
  const { LIMITS } = await load('sessions');
  const { MINING_LIMITS } = await load('server');
  const rows = (limits) =>
    Object.entries(limits).map(([name, limit]) => [`\`${name}\``, limit.default, limit.unit, limit.stops]);
  const heads = ['limit', 'default', 'unit', 'the attack or fault it stops'];
  return `# Limits

Each is a key of \`limits\` in the configuration and of the option \`limits\` of \`createServer()\`. A limit that is hit is
counted (the counter is on the page of [metrics](metrics.md)) and logged at \`debug\`; the miner is told where the protocol
allows it. \`.inf\` in YAML, and \`Infinity\` in code, switches a limit off.

## Of sessions

${table(heads, rows(LIMITS))}

\`connections\` is lowered at start to 90 % of the descriptors that the process may open (\`ulimit -n\`).

## Of mining

${table(heads, rows(MINING_LIMITS))}

\`leaseMs\` is the key \`leaseSeconds\` of the configuration.
`;
}

/** The members of the union of error codes, from the source: a type has no value at run time. */
function poolErrorCodes() {
  const source = readFileSync(join(root, 'packages', 'primitives', 'src', 'errors.ts'), 'utf8');
  const [, union = ''] = /export type PoolErrorCode =([^;]*);/.exec(source) ?? [];
  return [...union.matchAll(/'([a-z_]+)'/g)].map(([, code]) => code);
}

/** What each code means; a code without an entry, or an entry without a code, stops this script. */
const POOL_ERRORS = {
  invalid_argument: 'A function was called with a value it cannot take.',
  invalid_hex: 'A text that should be hex is not, or has the wrong length.',
  invalid_data: 'Bytes or a text from outside do not follow their format.',
  end_of_data: 'Bytes ended before the format says so.',
  invalid_config:
    '`createPool`, `createServer`: the configuration is wrong; `details.problems` lists path and message of each problem.',
  invalid_address: 'Not an address: the reason (checksum, length, characters) is in the message.',
  wrong_network: 'An address of another network or coin.',
  invalid_coin: 'An unknown coin, an unknown network of it, or a definition that does not follow the schema.',
  invalid_template: 'The node gave a block template that cannot be used; the message says why.',
  coinbase_too_large:
    'The coinbase of a template would not fit the limits (100 bytes of scriptSig, `jobs.maxCoinbaseBytes`).',
  invalid_difficulty: 'A difficulty that is not a number above zero, or below the lowest of the algorithm.',
  invalid_block: 'A block or transaction could not be put together or read.',
  rpc_error: 'The node answered an error; `details.code` has its number.',
  rpc_http: 'The node answered an HTTP status without a JSON-RPC answer, for example 401.',
  rpc_timeout: 'The node did not answer in time.',
  rpc_unavailable: 'The node cannot be reached.',
  no_node: 'No node of the configuration is usable now.',
  connection_closed: 'The connection ended before the answer came.',
  connection_refused: 'The connection could not be opened.',
  request_timeout: 'The other side did not answer a request in time.',
  request_failed:
    'The other side answered an error. As `StratumError` it also has `rejectCode`, `stratumCode`, `reason`.',
  queue_full: 'A bound was reached: too many requests, calls or messages wait already.',
  aborted: 'The `AbortSignal` of the call was triggered.',
  closed: 'The object was closed.',
  listen_failed: 'A port cannot be opened.',
  worker_failed: 'A hashing thread died.',
  storage_failed:
    'A file of the data folder or the database cannot be opened, written or read; `reason`: `full`, `locked`, `unavailable` or `failed`.',
  conflict: 'Something else changed it first, or its state does not allow this: read it again.',
  not_found: 'There is nothing of that name.',
  insufficient_funds: 'The wallet has less than is to be paid.',
  wallet_locked: 'The wallet is encrypted and was not unlocked.',
  rejected: 'A node refused a transaction; the message has its reason.',
  protocol_violation: 'The other side broke the protocol.',
  not_supported: 'Known, but not offered here; on the bus: nobody answers this call.',
};

async function errorsPage() {
  const { STRATUM_ERRORS } = await load('stratum-v1');
  const codes = poolErrorCodes();
  const wrong = [
    ...codes.filter((code) => !(code in POOL_ERRORS)),
    ...Object.keys(POOL_ERRORS).filter((code) => !codes.includes(code)),
  ];
  if (wrong.length > 0 || codes.length === 0)
    throw new Error(`POOL_ERRORS and PoolErrorCode differ: ${wrong.join(', ')}`);
  return `# Errors

## What a miner reads

A handler or hook refuses with \`reject(code, reason)\`. On the Stratum V1 wire that becomes the error
\`[number, text, null]\`; a reason, where given, is the text (at most 200 characters). Many miners tell a stale share from a bad
one by the text, so the reason of \`stale\` should keep the word. The old number is sent by servers with the option
\`errorCodes: 'legacy'\`.

${table(
  ['code', 'number', 'old number', 'text', 'when'],
  Object.entries(STRATUM_ERRORS).map(([code, entry]) => [
    `\`${code}\``,
    entry.code,
    entry.legacyCode,
    entry.text,
    entry.summary,
  ]),
)}

## What your code catches

Everything Headframe throws on purpose is a \`PoolError\` with a \`code\` and \`details\`. Tell errors apart by \`code\`
(\`isPoolError(error, 'no_node')\`), never by message or \`instanceof\`.

${table(
  ['code', 'meaning'],
  codes.map((code) => [`\`${code}\``, POOL_ERRORS[code]]),
)}
`;
}

/** Methods of the table that the server never sends by itself. */
const SENT_BY_PLUGINS = ['mining.set_goal', 'client.get_version'];
/** Answers to a ping that miners write as messages; ours are plain replies. */
const ANSWERS = ['mining.pong', 'pong'];

async function methodsPage() {
  const { METHODS } = await load('stratum-v1');
  const { createServer } = await load('server');
  const server = createServer({});
  const registered = new Set(server.methods.names());
  server.destroy();
  const called = METHODS.filter(({ direction }) => direction !== 'to-client');
  const sent = METHODS.filter(({ name, direction }) => direction !== 'to-server' && !ANSWERS.includes(name));
  const wrong = [...called.filter(({ name }) => !registered.has(name)).map(({ name }) => name)];
  for (const name of registered) if (!called.some((method) => method.name === name)) wrong.push(name);
  if (wrong.length > 0) throw new Error(`METHODS and the methods of a server differ: ${wrong.join(', ')}`);
  const rows = (methods) =>
    methods.map(({ name, kind, phase, params, result, summary }) => [
      `\`${name}\``,
      kind,
      phase === 'any' ? '' : phase,
      `\`${params}\``,
      result,
      SENT_BY_PLUGINS.includes(name) ? `${summary} Sent by plugins only.` : summary,
    ]);
  const heads = ['method', 'kind', 'needs', 'params', 'result', 'what it does'];
  return `# Methods on the wire

Stratum V1: one JSON object per line. "Needs" is what must have happened on the connection first; params that miners leave
out, \`null\` and nothing at all are taken where the method can do without. A method added by \`pool.method(name, definition)\`
joins the first table, or takes the place of a row: see [add a method](../guides/add-a-method.md).

## From miners

${table(heads, rows(called))}

The argument of \`mining.suggest_difficulty\` and \`mining.suggest_target\` may stand in the method name, as some firmware has it.
Any other name is answered with \`unknown-method\` ([errors](errors.md)).

## To miners

${table(heads, rows(sent))}

Before the reply to \`mining.authorize\` a miner is sent only what every firmware reads there; other messages of yours wait
(at most \`heldMessages\`, see [limits](limits.md)).
`;
}

const PAGES = {
  config: configPage,
  control: controlPage,
  electrum: electrumReference,
  proxy: proxyReference,
  'stratum-v2': stratumV2Reference,
  http: httpReference,
  limits: limitsPage,
  errors: errorsPage,
  methods: methodsPage,
  cli: () => cliPage(root),
};

/** The page of metrics is written by hand but for one table. */
async function metricsPage() {
  const { METRICS } = await import(join(root, 'packages', 'http', 'dist', 'index.js'));
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    `${help[0].toLowerCase()}${help.slice(1)}`,
  ]);
  const page = readFileSync(join(root, 'docs', 'reference', 'metrics.md'), 'utf8');
  const made = table(['metric', 'type', 'labels', 'meaning'], rows);
  return page.replace(
    /<!-- metrics -->[\s\S]*<!-- \/metrics -->/,
    () => `<!-- metrics -->\n${made}\n<!-- /metrics -->`,
  );
}

const texts = Object.entries(PAGES).map(([name, make]) => [name, async () => NOTE + (await make())]);
texts.push(['metrics', metricsPage]);

let stale = 0;
for (const [name, make] of texts) {
  const path = join(root, 'docs', 'reference', `${name}.md`);
  const text = await make();
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
