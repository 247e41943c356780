// Makes docs/reference/electrum.md from the METHODS table of the built package (`--check` fails when the page is out of
// date). Exports the page for a script that writes several.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');
const target = join(root, 'docs', 'reference', 'electrum.md');
const NOTE = '<!-- Written by scripts/reference.mjs from the sources; do not edit. -->\n\n';

const cell = (text) =>
  String(text ?? '')
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ');
const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
const table = (heads, rows) => [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');

/** A schema in a few words, as the wire has it. */
function shape(schema) {
  if (schema.description !== undefined) return schema.description;
  if (schema.anyOf) return schema.anyOf.map(shape).join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === 'object') {
    const members = Object.entries(schema.properties ?? {});
    if (members.length === 0) return 'object';
    return `{${members.map(([key, child]) => `${key}${schema.required?.includes(key) ? '' : '?'}: ${shape(child)}`).join(', ')}}`;
  }
  if (schema.type === 'array') {
    if (schema.prefixItems) return `[${schema.prefixItems.map(shape).join(', ')}]`;
    return schema.items && Object.keys(schema.items).length > 0 ? `[${shape(schema.items)} ...]` : 'list';
  }
  return schema.type ?? 'anything';
}

/** The page. */
export async function electrumReference() {
  const { METHODS, methodForms, ELECTRUM_ERRORS, PROTOCOL_VERSIONS } = await import(
    join(root, 'packages', 'electrum', 'dist', 'index.js')
  );
  const { toJSONSchema } = await import(join(root, 'packages', 'electrum', 'node_modules', 'zod', 'index.js'));
  const shapeOf = (schema) => shape(toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  const argText = ({ name, schema }) => {
    const json = toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    if (json.default !== undefined) return `${name} = ${JSON.stringify(json.default)}`;
    return schema.safeParse(undefined).success ? `${name}?` : name;
  };
  const rows = Object.keys(METHODS)
    .sort()
    .flatMap((name) => {
      const forms = methodForms(name);
      const { removedIn, summary } = METHODS[name];
      return forms.map((form, i) => {
        const until = forms[i + 1]?.since ?? removedIn;
        return [
          i === 0 ? `\`${name}\`` : '',
          until === undefined ? `${form.since} on` : `${form.since}, below ${until}`,
          form.args.map(argText).join(', '),
          `${shapeOf(form.result)}${form.notification ? `; notifies ${shapeOf(form.notification)}` : ''}`,
          i === 0 ? summary : '',
        ];
      });
    });
  const errors = Object.entries(ELECTRUM_ERRORS).map(([kind, { code, message, summary }]) => [
    code,
    `\`${kind}\``,
    message,
    summary,
  ]);
  return `# Electrum methods

Every method that \`@headframe/electrum\` knows, by version of the protocol: ${PROTOCOL_VERSIONS.join(', ')}. A method has several lines
where its parameters or its result changed. \`?\` marks what may be left out. Parameters may be given by position or by these names.
The [guide](../guides/electrum.md) tells how to use them.

${table(['method', 'versions', 'parameters', 'result', 'what it is'], rows)}

| word | meaning |
|---|---|
| hash | 64 hex digits as nodes print them |
| header | block header as hex, 80 bytes; chains with merged mining append their proof |
| header object | \`{block_height, version, prev_block_hash, merkle_root, timestamp, bits, nonce}\`, on old servers with \`utxo_root\` |
| status | hash of a history, null without transactions |
| branch | list of hashes from the leaf up |
| satoshi, fee rate | integer; coins per 1,000 bytes as a number, -1 when unknown |

## Errors

Servers up to 1.0 send the text alone.

${table(['code', 'kind', 'text', 'when'], errors)}
`;
}

if (process.argv[1] === import.meta.filename) {
  const text = NOTE + (await electrumReference());
  const old = existsSync(target) ? readFileSync(target, 'utf8') : '';
  if (process.argv.includes('--check')) {
    if (old !== text) {
      console.error('docs/reference/electrum.md is out of date: run `node scripts/reference.mjs`');
      process.exitCode = 1;
    }
  } else writeFileSync(target, text);
}
