import { text } from 'node:stream/consumers';
import { hashPassword } from '@headframe/pool';
import { type Command, UsageError } from '../args.js';
import { EXIT } from '../exit-codes.js';

const MAX_PASSWORD_LENGTH = 1_024;

const hash: Command = {
  name: 'hash',
  summary: 'Read a password from standard input and write its hash for control.passwordHash.',
  options: {},
  details: `
The first line counts. The password is not taken from the command line, where every user of the machine can read it:
headframe control hash < password.txt`,
  async run() {
    if (process.stdin.isTTY) process.stderr.write('Password, then Enter and Ctrl-D: ');
    const [password = ''] = (await text(process.stdin)).split(/\r?\n/);
    if (password === '' || password.length > MAX_PASSWORD_LENGTH) {
      throw new UsageError(`There is no password of 1 to ${MAX_PASSWORD_LENGTH} characters on standard input.`);
    }
    process.stdout.write(`${await hashPassword(password)}\n`);
    return EXIT.ok;
  },
};

/** About the control RPC. */
export const control: Command = {
  name: 'control',
  summary: 'Make the secret of the control RPC.',
  options: {},
  subcommands: [hash],
};
