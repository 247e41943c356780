// Holds the write lock of a SQLite file, as a backup tool or a careless person does, until its standard input ends.
// Argument: the file.
import { openSqliteHandle } from '../../packages/ledger/dist/sql/sqlite-handle.js';

const [path = ''] = process.argv.slice(2);
const handle = await openSqliteHandle(path);
handle.exec('PRAGMA busy_timeout = 20000');
handle.exec('BEGIN IMMEDIATE');
process.stdout.write('locked\n');
process.stdin.on('end', () => {
  handle.exec('ROLLBACK');
  handle.close();
  process.exit(0);
});
process.stdin.resume();
