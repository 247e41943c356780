import { describe, expect, it } from 'vitest';
import { type Command, commandHelp, findCommand, parseCommandLine, UsageError } from '../src/args.js';

const backup: Command = {
  name: 'backup',
  summary: 'Copy it.',
  positionals: { usage: 'FILE', max: 1 },
  options: { json: { type: 'boolean', help: 'As JSON.' } },
  run: async () => 0,
};
const db: Command = { name: 'db', summary: 'The database.', options: {}, subcommands: [backup] };
const set: Command = { name: 'set', summary: 'Change it.', options: {}, run: async () => 0 };
const accounts: Command = {
  name: 'accounts',
  summary: 'Accounts.',
  positionals: { usage: '[ACCOUNT]', max: 1 },
  subcommands: [set],
  options: {},
  run: async () => 0,
};
const COMMANDS = [db, accounts];

describe('finding a command', () => {
  it('follows the words, and leaves the rest', () => {
    expect(findCommand(COMMANDS, ['db', 'backup', 'x.db', '--json'])).toEqual({
      path: ['db', 'backup'],
      command: backup,
      rest: ['x.db', '--json'],
    });
    expect(findCommand(COMMANDS, ['db', '--help'])).toMatchObject({ path: ['db'], rest: ['--help'] });
  });

  it('tells an argument from a sub-command', () => {
    expect(findCommand(COMMANDS, ['accounts', 'alice'])).toMatchObject({ command: accounts, rest: ['alice'] });
    expect(findCommand(COMMANDS, ['accounts', 'set', 'alice'])).toMatchObject({ command: set, rest: ['alice'] });
  });

  it('lists what is known for a word that is none', () => {
    expect(() => findCommand(COMMANDS, ['bd'])).toThrow('There is no command "bd"; there are db, accounts.');
    expect(() => findCommand(COMMANDS, ['db', 'bakup'])).toThrow('There is no "headframe db bakup"; there are backup.');
  });
});

describe('help', () => {
  it('shows how a sub-command is called, and the sub-commands of a command', () => {
    expect(commandHelp(backup, ['db', 'backup'])).toBe(
      'Usage: headframe db backup FILE [options]\n\nCopy it.\n\nOptions:\n      --json  As JSON.\n  -h, --help  Show this help.\n',
    );
    expect(commandHelp(db, ['db'])).toContain('Usage: headframe db COMMAND [options]');
    expect(commandHelp(db, ['db'])).toContain('  backup FILE  Copy it.');
    expect(commandHelp(accounts)).toContain('Usage: headframe accounts [ACCOUNT] [options]');
  });
});

describe('options', () => {
  it('are read with their types, and wrong ones are told', () => {
    const args = parseCommandLine(backup, ['x.db', '--json']);
    expect(args.positionals).toEqual(['x.db']);
    expect(args.flag('json')).toBe(true);
    expect(() => parseCommandLine(backup, ['--jsn'])).toThrow(UsageError);
    expect(() => parseCommandLine(backup, ['a', 'b'])).toThrow('too many arguments: a b');
  });
});
