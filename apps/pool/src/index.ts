import { isPoolError } from '@headframe/primitives';
import { type Command, commandHelp, parseCommandLine, UsageError } from './args.js';
import { check } from './commands/check.js';
import { demo } from './commands/demo.js';
import { mine } from './commands/mine.js';
import { start } from './commands/start.js';
import { EXIT } from './exit-codes.js';
import { version } from './version.js';

const COMMANDS: readonly Command[] = [start, demo, check, mine];

function overview(): string {
  const lines = COMMANDS.map((command) => `  ${command.name.padEnd(8)}${command.summary}`);
  return `Headframe ${version()}: a Stratum mining pool.

Usage: headframe COMMAND [options]

Commands:
${lines.join('\n')}

\`headframe COMMAND --help\` shows the options of a command.
Exit codes: 0 done, 1 failed, 64 wrong command line, 69 node or pool not reachable, 78 wrong configuration.
`;
}

async function run(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(overview());
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === '--version' || name === '-v' || name === 'version') {
    process.stdout.write(`${version()}\n`);
    return EXIT.ok;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (!command) {
    process.stderr.write(`There is no command "${name}".\n\n${overview()}`);
    return EXIT.usage;
  }
  const args = parseCommandLine(command, rest);
  if (args.flag('help')) {
    process.stdout.write(commandHelp(command));
    return EXIT.ok;
  }
  return command.run(args);
}

/** Runs the command line and sets the exit code; never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    process.exitCode = await run(argv);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\nTry \`headframe ${argv[0] ?? ''} --help\`.\n`);
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
