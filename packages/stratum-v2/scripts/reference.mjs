// The reference page of the messages, from their table. Needs a build. `scripts/reference.mjs` of the workspace writes
// it with the other pages; run by itself, this prints it.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(import.meta.dirname, '..');

const HEADINGS = {
  common: 'Common',
  mining: 'Mining',
  'job-declaration': 'Job declaration',
  'template-distribution': 'Template distribution',
  extensions: 'Extension 0x0001',
};

function table(heads, rows) {
  const line = (cells) => `| ${cells.map((text) => String(text).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function fieldsText(fields) {
  return Object.entries(fields)
    .map(([name, codec]) => `\`${name}\` ${codec.name}`)
    .join(', ');
}

function row([name, definition]) {
  const type = `0x${definition.messageType.toString(16).padStart(2, '0')}`;
  const bit = definition.isChannelMessage ? 'yes' : '';
  return [type, `\`${name}\``, definition.sender, bit, fieldsText(definition.fields), definition.about];
}

/** The page, without the note that it is generated. */
export async function stratumV2Reference() {
  const { ERROR_CODES, MESSAGES } = await import(join(folder, 'dist', 'index.js'));
  const entries = Object.entries(MESSAGES);
  const sections = Object.entries(HEADINGS).map(([subprotocol, heading]) => {
    const rows = entries.filter(([, definition]) => definition.subprotocol === subprotocol).map(row);
    return `## ${heading}\n\n${table(['type', 'message', 'from', 'channel bit', 'fields', 'meaning'], rows)}`;
  });
  const codes = Object.entries(ERROR_CODES).map(([name, list]) => [
    `\`${name}\``,
    list.map((code) => `\`${code}\``).join(', '),
  ]);
  return `# Stratum V2 messages

The ${entries.length} messages of \`MESSAGES\` in \`@headframe/stratum-v2\`. A name is that of the specification without the dot
(\`SetupConnection.Success\` is \`SetupConnectionSuccess\`); of the two messages called SetNewPrevHash, 0x72 is
\`SetNewPrevHashTemplate\`.

Fields stand in the order of the wire, without padding. Integers are little-endian. A U256 has its least significant byte
first; hashes are the digest as it stands in a block header. \`SEQ0_255\`, \`SEQ0_64K\` and \`OPTION\` count values, \`STR0_255\`
and the \`B0\` types count bytes. F32 is a hash rate: values that are negative or not finite are refused. Bytes behind the
last field are no error.

A frame is the extension type (U16, bit 15 is the channel bit), the message type (U8), the length of the payload (U24) and
the payload. The channel bit is sent as the tables say and taken either way.

${sections.join('\n\n')}

## Error codes

Peers may send others.

${table(['message', 'codes'], codes)}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await stratumV2Reference());
