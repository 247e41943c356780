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
  /** Commands below this one; the word after this command's name chooses. */
  readonly subcommands?: readonly Command[];
  /** What the command does without a sub-command; left out where one is needed. Resolves to the exit code. */
  run?(args: Args): Promise<number>;
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

/** A command with the words that lead to it: `['db', 'backup']`. */
export interface FoundCommand {
  readonly path: readonly string[];
  readonly command: Command;
  /** What is left of the command line. */
  readonly rest: readonly string[];
}

/**
 * The command that a command line means: sub-commands are chosen by the word right after the name before them.
 * @throws UsageError that lists what is known, for a word that is none
 */
export function findCommand(commands: readonly Command[], argv: readonly string[]): FoundCommand {
  const path: string[] = [];
  let found: Command | undefined;
  let rest = argv;
  let known = commands;
  for (;;) {
    const [word] = rest;
    const next = word === undefined || word.startsWith('-') ? undefined : known.find(({ name }) => name === word);
    if (next === undefined) break;
    found = next;
    path.push(next.name);
    rest = rest.slice(1);
    known = next.subcommands ?? [];
  }
  const [word] = rest;
  const isWord = word !== undefined && !word.startsWith('-');
  if (found === undefined) throw new UsageError(`There is no command "${word ?? ''}"; there are ${namesOf(commands)}.`);
  if (isWord && found.subcommands !== undefined && found.positionals === undefined) {
    throw new UsageError(`There is no "headframe ${path.join(' ')} ${word}"; there are ${namesOf(found.subcommands)}.`);
  }
  return { path, command: found, rest };
}

function namesOf(commands: readonly Command[]): string {
  return commands.map(({ name }) => name).join(', ');
}

/** The text of `headframe COMMAND --help`; `path` is how the command is called. */
export function commandHelp(command: Command, path: readonly string[] = [command.name]): string {
  const words = [
    ...(command.run === undefined && command.subcommands !== undefined ? ['COMMAND'] : []),
    ...(command.positionals === undefined ? [] : [command.positionals.usage]),
  ];
  const usage = words.map((word) => ` ${word}`).join('');
  const rows = Object.entries({ ...command.options, ...HELP }).map(([name, option]) => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    const value = option.value === undefined ? '' : ` ${option.value}`;
    const preset = option.default === undefined ? '' : ` (default ${option.default})`;
    return [`${short}--${name}${value}`, `${option.help}${preset}`] as const;
  });
  const details = command.details === undefined ? '' : `\n${command.details.trim()}\n`;
  const below = command.subcommands ?? [];
  const list = below.map(({ name, positionals, summary }) => [
    `${name}${positionals === undefined ? '' : ` ${positionals.usage}`}`,
    summary,
  ]) as readonly (readonly [string, string])[];
  const commands = below.length === 0 ? '' : `Commands:\n${columns(list)}\n\n`;
  return `Usage: headframe ${path.join(' ')}${usage} [options]\n\n${command.summary}\n\n${commands}Options:\n${columns(rows)}\n${details}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n');
}
