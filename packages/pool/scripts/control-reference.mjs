// The page docs/reference/control.md, from the table of methods in the built package.
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');

const cell = (text) =>
  String(text ?? '')
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ');
const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
const table = (heads, rows) => [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');

function typeText(schema) {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ');
  if (schema.type === 'string') return 'text';
  const { type = 'any', minimum, maximum, exclusiveMinimum } = schema;
  const hasMaximum = maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER;
  if (exclusiveMinimum !== undefined) return `${type} above ${exclusiveMinimum}${hasMaximum ? `, to ${maximum}` : ''}`;
  if (minimum === undefined || minimum === Number.MIN_SAFE_INTEGER) return type;
  return hasMaximum ? `${type}, ${minimum} to ${maximum}` : `${type} from ${minimum}`;
}

/** `name (type; default 1): meaning`, one after the other. */
function paramsText(params, toJSONSchema) {
  if (params === undefined) return 'none';
  const { properties, required = [] } = toJSONSchema(params, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties)
    .map(([name, schema]) => {
      const preset =
        schema.default === undefined
          ? required.includes(name)
            ? ''
            : '; optional'
          : `; default \`${JSON.stringify(schema.default)}\``;
      return `\`${name}\` (${typeText(schema)}${preset}): ${schema.description ?? ''}`;
    })
    .join('<br>');
}

/** The text of the page. */
export async function controlPage() {
  const { CONTROL_METHODS, CONTROL_LOGIN, CONTROL_LIMITS, RPC_ERRORS } = await import(
    join(root, 'packages', 'pool', 'dist', 'index.js')
  );
  const { toJSONSchema } = await import(join(root, 'packages', 'pool', 'node_modules', 'zod', 'index.js'));
  const methods = [
    [`\`${CONTROL_LOGIN.name}\``, CONTROL_LOGIN.summary, '`secret`', CONTROL_LOGIN.answer],
    ['`control.methods`', 'Lists the methods, those of your own too.', 'none', 'list of `{ name, summary, params }`'],
    ...CONTROL_METHODS.map(({ name, summary, params, answer }) => [
      `\`${name}\``,
      summary,
      paramsText(params, toJSONSchema),
      answer,
    ]),
  ];
  return `# Control RPC

JSON-RPC 2.0 for the operator, for scripts and for nodes; how to switch it on and use it is in the
[guide](../guides/control.md). Params come by name, or as a list in the order of this table.

## Methods

${table(['method', 'what it does', 'params', 'answer'], methods)}

## Errors

\`error.data.code\` is a name to tell them apart by; with \`-32005\` it is the code of the [error](errors.md) itself.

${table(
  ['number', 'text', 'meaning'],
  Object.values(RPC_ERRORS).map(({ code, text, meaning }) => [`\`${code}\``, text, meaning]),
)}

Over HTTP a wrong secret is also status 401, too many of them 429, too much at once 503; a request that is no HTTP or too
long is 4xx and the connection closes.

## Limits

${table(
  ['limit', 'value'],
  Object.entries(CONTROL_LIMITS).map(([name, value]) => [`\`${name}\``, value]),
)}
`;
}
