import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isPoolError } from '@headframe/primitives';
import { check } from './check.js';
import { loadConfig } from './load-config.js';
import { start } from './start.js';

/** Exit codes, after sysexits.h. */
const EXIT = { ok: 0, failure: 1, usage: 64, unavailable: 69, config: 78 } as const;

const HELP = `Usage: headframe-proxy COMMAND --config FILE

Commands:
  start   Run a proxy in the foreground, until SIGTERM or SIGINT.
  check   Validate a configuration and its upstreams, and tell what would happen. Opens no port.

Options:
  -c, --config FILE  Configuration: JSON, JSONC or YAML. HEADFRAME_PROXY_CONFIG names it, too.
  -h, --help         Show this help.
  -v, --version      Show the version.

Every key can also be set by an environment variable: HEADFRAME_PROXY_LISTENERS__0__PORT=3333.
Exit codes: 0 done, 1 failed, 64 wrong command line, 69 no upstream reachable, 78 wrong configuration.
`;

function version(): string {
  const manifest: { version?: unknown } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String(manifest.version);
}

async function run(argv: readonly string[]): Promise<number> {
  let parsed: {
    readonly values: { readonly config?: string; readonly help?: boolean; readonly version?: boolean };
    readonly positionals: readonly string[];
  };
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        config: { type: 'string', short: 'c' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  if (values.help === true || command === 'help') process.stdout.write(HELP);
  else if (values.version === true || command === 'version') process.stdout.write(`${version()}\n`);
  else if (rest.length > 0) return usage(`too many arguments: ${rest.join(' ')}`);
  else if (command === 'start') return start(await loadConfig(values.config, process.env));
  else if (command === 'check') return check(await loadConfig(values.config, process.env));
  else return usage(command === undefined ? 'a command is missing' : `there is no command "${command}"`);
  return EXIT.ok;
}

function usage(problem: string): number {
  process.stderr.write(`${problem}\nTry \`headframe-proxy --help\`.\n`);
  return EXIT.usage;
}

/** Runs the command line and sets the exit code; never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    process.exitCode = await run(argv);
  } catch (error) {
    const isKnown = isPoolError(error);
    process.stderr.write(`${isKnown ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = isPoolError(error, 'invalid_config') ? EXIT.config : EXIT.failure;
  }
}
