// The reference page of the proxy's configuration, from its schema. Needs a build. `scripts/reference.mjs` of the
// workspace writes it with the other pages; run by itself, this prints it.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(import.meta.dirname, '..');

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
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ');
  if (schema.type === 'array') return `list of ${typeText(schema.items)}s`;
  if (schema.type !== 'integer' && schema.type !== 'number') return schema.type ?? 'any';
  const { minimum, maximum, exclusiveMinimum } = schema;
  const hasMost = maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER;
  const most = hasMost ? ` to ${maximum}` : '';
  if (exclusiveMinimum !== undefined && exclusiveMinimum !== Number.MIN_SAFE_INTEGER) {
    return `${schema.type} above ${exclusiveMinimum}${hasMost ? `, up to ${maximum}` : ''}`;
  }
  return minimum === undefined ? schema.type : `${schema.type} from ${minimum}${most}`;
}

function* rows(schema, path) {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? key : `${path}.${key}`;
    const isGroup = child.properties !== undefined;
    const isRequired = schema.required?.includes(key) === true;
    const preset =
      child.default !== undefined && !isGroup
        ? `\`${JSON.stringify(child.default)}\``
        : isRequired
          ? '**required**'
          : '';
    yield [`\`${at}\``, typeText(child), preset, child.description];
    if (isGroup) yield* rows(child, at);
    if (child.items?.properties) yield* rows(child.items, `${at}[]`);
    for (const option of child.anyOf ?? []) if (option.properties) yield* rows(option, at);
  }
}

/** The page, without the note that it is generated. */
export async function proxyReference() {
  const { proxyConfigSchema } = await import(join(folder, 'dist', 'index.js'));
  const { toJSONSchema } = await import(join(folder, 'node_modules', 'zod', 'index.js'));
  const schema = toJSONSchema(proxyConfigSchema, { io: 'input', unrepresentable: 'any' });
  return `# Configuration of the proxy

The same keys are what \`createProxy()\` takes and what a file for \`headframe-proxy start --config FILE\` holds (JSON, JSONC or
YAML). A key that is not in this table is an error. Every key can be set by an environment variable, which wins over the
file: \`HEADFRAME_PROXY_\`, then the path in capitals, parts joined by two underscores, one underscore before a capital
inside a part: \`HEADFRAME_PROXY_UPSTREAMS__0__PASSWORD\`. \`HEADFRAME_PROXY_CONFIG\` names the file.
What they are for: [the guide](../guides/proxy.md).

"Required" below a key that is optional itself means: when that key is there.

${table(['key', 'value', 'default', 'meaning'], [...rows(schema, '')])}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(await proxyReference());
