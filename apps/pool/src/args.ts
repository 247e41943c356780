import { parseArgs } from 'node:util';

export interface OptionHelp {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Placeholder of the value, e.g. `FILE`. */
  readonly value?: string;
  readonly help: string;
  readonly default?: string;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Words after the command, e.g. `URL`. */
  readonly positionals?: { readonly usage: string; readonly max: number };
  readonly options: Readonly<Record<string, OptionHelp>>;
  readonly details?: string;
  run(args: Args): Promise<number>;
}

export interface Args {
  readonly positionals: readonly string[];
  text(name: string): string | undefined;
  flag(name: string): boolean;
  /** A number between `min` and `max`. @throws UsageError */
  number(name: string, min: number, max: number): number | undefined;
}

/** The command line is wrong; the message says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const HELP: Readonly<Record<string, OptionHelp>> = {
  help: { type: 'boolean', short: 'h', help: 'Show this help.' },
};

/** @throws UsageError */
export function parseCommandLine(command: Command, argv: readonly string[]): Args {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const [name, option] of Object.entries({ ...command.options, ...HELP })) {
    options[name] = option.short === undefined ? { type: option.type } : { type: option.type, short: option.short };
  }
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: command.positionals !== undefined, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (parsed.positionals.length > (command.positionals?.max ?? 0)) {
    throw new UsageError(`too many arguments: ${parsed.positionals.join(' ')}`);
  }
  const value = (name: string): unknown => parsed.values[name] ?? command.options[name]?.default;
  return {
    positionals: parsed.positionals,
    text: (name) => {
      const found = value(name);
      return typeof found === 'string' ? found : undefined;
    },
    flag: (name) => parsed.values[name] === true,
    number: (name, min, max) => {
      const found = value(name);
      if (found === undefined) return undefined;
      const number = Number(found);
      if (found === '' || !(number >= min && number <= max)) {
        throw new UsageError(`--${name} must be a number from ${min} to ${max}, not "${String(found)}"`);
      }
      return number;
    },
  };
}

/** The text of `headframe COMMAND --help`. */
export function commandHelp(command: Command): string {
  const usage = command.positionals === undefined ? '' : ` ${command.positionals.usage}`;
  const rows = Object.entries({ ...command.options, ...HELP }).map(([name, option]) => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    const value = option.value === undefined ? '' : ` ${option.value}`;
    const preset = option.default === undefined ? '' : ` (default ${option.default})`;
    return [`${short}--${name}${value}`, `${option.help}${preset}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`);
  const details = command.details === undefined ? '' : `\n${command.details.trim()}\n`;
  return `Usage: headframe ${command.name}${usage} [options]\n\n${command.summary}\n\nOptions:\n${lines.join('\n')}\n${details}`;
}
