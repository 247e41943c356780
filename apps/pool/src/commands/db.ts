import { existsSync } from 'node:fs';
import { backupLedger, migrateLedger, verifyLedger } from '@headframe/ledger';
import { type Command, UsageError } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { LEDGER_OPTIONS, ledgerPlace, requireDatabase } from '../open-ledger.js';
import { printJson } from '../output.js';
import { Progress } from '../progress.js';
import { tableText } from '../table.js';

const migrate: Command = {
  name: 'migrate',
  summary: 'Bring the schema of the database up to this version; makes the database when it is missing.',
  options: { ...LEDGER_OPTIONS, 'dry-run': { type: 'boolean', help: 'Only tell what would be done.' } },
  details: `
\`headframe start\` does this by itself. Before an upgrade it is useful alone: stop the pool, back up, migrate, start.`,
  run: async (args) => {
    const { url } = await ledgerPlace(args);
    const dryRun = args.flag('dry-run');
    const { from, to } = await withProgress('migrating', (onProgress) => migrateLedger({ url, dryRun, onProgress }));
    if (args.flag('json')) printJson({ from, to, dryRun });
    else if (from === to) process.stdout.write(`Schema ${to}: nothing to do.\n`);
    else process.stdout.write(`Schema ${from} ${dryRun ? 'would be' : 'was'} brought to ${to}.\n`);
    return EXIT.ok;
  },
};

const backup: Command = {
  name: 'backup',
  summary: 'Copy a SQLite database to a new file, while the pool runs.',
  positionals: { usage: 'FILE', max: 1 },
  options: LEDGER_OPTIONS,
  details: `
The copy is whole as of one moment, and a database like any other: to restore, stop the pool and put it in the place of the old
one. PostgreSQL has its own tool: pg_dump.`,
  run: async (args) => {
    const [file] = args.positionals;
    if (file === undefined) throw new UsageError('where to? headframe db backup FILE');
    if (existsSync(file)) throw new UsageError(`${file} is there already; name a new file`);
    const { url } = await ledgerPlace(args);
    requireDatabase(url);
    const report = await withProgress('copying', (onProgress) => backupLedger({ url, path: file, onProgress }));
    if (args.flag('json')) printJson({ file, ...report });
    else process.stdout.write(`Copied to ${file}, ${(report.bytes / 1_000_000).toFixed(1)} MB.\n`);
    return EXIT.ok;
  },
};

const verify: Command = {
  name: 'verify',
  summary: 'Recount balances and statistics, and report contradictions.',
  options: LEDGER_OPTIONS,
  details: `
Finishes what a crash left half done, as a start of the pool would, and changes nothing else. Exit code 1 when something is wrong.`,
  run: async (args) => {
    const { url } = await ledgerPlace(args);
    requireDatabase(url);
    const problems = await withProgress('verifying', (onProgress) => verifyLedger({ url, onProgress }));
    if (args.flag('json')) printJson({ ok: problems.length === 0, problems });
    else if (problems.length === 0) process.stdout.write('The books are right.\n');
    else {
      const rows = problems.map(({ part, message }) => [{ text: part, colour: 'red' } as const, message]);
      process.stdout.write(tableText([{ head: 'part' }, { head: 'problem' }], rows, process.stdout));
    }
    return problems.length === 0 ? EXIT.ok : EXIT.failure;
  },
};

/** The database itself. */
export const db: Command = {
  name: 'db',
  summary: 'The database: migrate, back up, verify.',
  subcommands: [migrate, backup, verify],
  options: {},
};

async function withProgress<Result>(
  what: string,
  work: (onProgress: (part: number) => void) => Promise<Result>,
): Promise<Result> {
  const progress = new Progress(what);
  try {
    return await work(progress.update);
  } finally {
    progress.end();
  }
}
