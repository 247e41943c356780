// The reference page of the command line, from the definitions of the commands. Used by scripts/reference.mjs.
import { join } from 'node:path';

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');

/** One command and those below it. */
function* commandSections(command, path) {
  const usage = [
    ...(command.run === undefined ? ['COMMAND'] : []),
    ...(command.positionals === undefined ? [] : [command.positionals.usage]),
  ];
  yield `${path.length === 1 ? '##' : '###'} headframe ${path.join(' ')}\n\n${command.summary}\n`;
  yield `\`\`\`text\nheadframe ${[...path, ...usage, '[options]'].join(' ')}\n\`\`\`\n`;
  if (command.details !== undefined) yield `${command.details.trim()}\n`;
  const rows = Object.entries(command.options).map(([name, { short, value, help, default: preset }]) => {
    const option = `\`${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}\``;
    return `| ${option.replaceAll('|', '\\|')} | ${cell(help)} | ${preset === undefined ? '' : `\`${cell(preset)}\``} |`;
  });
  if (rows.length > 0) yield `| option | meaning | default |\n|---|---|---|\n${rows.join('\n')}\n`;
  for (const below of command.subcommands ?? []) yield* commandSections(below, [...path, below.name]);
}

/** The text of docs/reference/cli.md. */
export async function cliPage(root) {
  const { COMMANDS } = await import(join(root, 'apps', 'pool', 'dist', 'index.js'));
  const sections = COMMANDS.flatMap((command) => [...commandSections(command, [command.name])]);
  return `# Command line

The binary \`headframe\` (\`node apps/pool/bin/headframe.js\` in a checkout). \`--help\` after a command, or a command below it, shows
its options. Tables are cut to the width of a terminal and coloured there (not with \`NO_COLOR\`); in a pipe nothing is cut or
coloured. \`--json\` prints one JSON document on standard output and nothing else there: amounts are
\`{ "units": base units, "coins": decimal }\`, both as strings, times are Unix milliseconds, lists are \`{ "items", "next" }\`.
Progress and problems go to standard error.

| exit code | meaning |
|---|---|
| 0 | done, also after SIGTERM and SIGINT |
| 1 | failed |
| 64 | the command line is wrong |
| 69 | a node or pool that was asked for does not answer |
| 70 | not built yet |
| 78 | the configuration is wrong |

Commands that read the ledger take \`--config FILE\`, as \`start\` does (or \`HEADFRAME_CONFIG\`), or \`--url\` for the database alone. They
may run beside a pool, as the pool's user.

${sections.join('\n')}`;
}
