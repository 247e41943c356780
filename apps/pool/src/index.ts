import { isPoolError } from '@headframe/primitives';
import { type Command, commandHelp, findCommand, parseCommandLine, UsageError } from './args.js';
import { accounts } from './commands/accounts.js';
import { blocks } from './commands/blocks.js';
import { check } from './commands/check.js';
import { control } from './commands/control.js';
import { db } from './commands/db.js';
import { demo } from './commands/demo.js';
import { electrum } from './commands/electrum.js';
import { init } from './commands/init.js';
import { mine } from './commands/mine.js';
import { notify } from './commands/notify.js';
import { payouts } from './commands/payouts.js';
import { probe } from './commands/probe.js';
import { start } from './commands/start.js';
import { EXIT } from './exit-codes.js';
import { version } from './version.js';

/** All commands, in the order of the overview. */
export const COMMANDS: readonly Command[] = [
  demo,
  init,
  check,
  start,
  accounts,
  blocks,
  payouts,
  db,
  control,
  notify,
  mine,
  electrum,
  probe,
];

function overview(): string {
  const lines = COMMANDS.map((command) => `  ${command.name.padEnd(10)}${command.summary}`);
  return `Headframe ${version()}: a Stratum mining pool.

Usage: headframe COMMAND [options]

Commands:
${lines.join('\n')}

\`headframe COMMAND --help\` shows the options of a command.
Exit codes: 0 done, 1 failed, 64 wrong command line, 69 node or pool not reachable, 78 wrong configuration.
`;
}

async function run(argv: readonly string[]): Promise<number> {
  const [name] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(overview());
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === '--version' || name === '-v' || name === 'version') {
    process.stdout.write(`${version()}\n`);
    return EXIT.ok;
  }
  const { path, command, rest } = findCommand(COMMANDS, argv);
  const args = parseCommandLine(command, rest);
  if (args.flag('help')) {
    process.stdout.write(commandHelp(command, path));
    return EXIT.ok;
  }
  if (command.run === undefined) {
    process.stderr.write(commandHelp(command, path));
    return EXIT.usage;
  }
  return command.run(args);
}

/** The words at the beginning of a command line that are commands. */
function commandWords(argv: readonly string[]): readonly string[] {
  try {
    return findCommand(COMMANDS, argv.slice(0, 2)).path;
  } catch {
    return COMMANDS.some(({ name }) => name === argv[0]) ? argv.slice(0, 1) : [];
  }
}

/** Runs the command line and sets the exit code; never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    process.exitCode = await run(argv);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\nTry \`headframe ${[...commandWords(argv), ''].join(' ')}--help\`.\n`);
      process.exitCode = EXIT.usage;
    } else if (isPoolError(error)) {
      process.stderr.write(`${error.message}\n`);
      const unavailable = ['no_node', 'rpc_unavailable', 'rpc_timeout', 'connection_refused'];
      process.exitCode =
        error.code === 'invalid_config'
          ? EXIT.config
          : unavailable.includes(error.code)
            ? EXIT.unavailable
            : EXIT.failure;
    } else {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exitCode = EXIT.failure;
    }
  }
}
