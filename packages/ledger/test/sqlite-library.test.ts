import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqlite } from '../src/sql/sqlite.js';
import type { SqliteLibrary } from '../src/sql/sqlite-handle.js';
import { type Folder, makeFolder } from './support.js';

let folder: Folder;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const hasBuiltin = process.getBuiltinModule?.('node:sqlite') !== undefined;
const LIBRARIES: readonly SqliteLibrary[] = hasBuiltin ? ['libsql', 'node:sqlite'] : ['libsql'];

for (const library of LIBRARIES) {
  describe(`SQLite by ${library}`, () => {
    const open = () => openSqlite({ path: join(folder.path, 'x.db'), library });

    it('keeps what was committed and nothing that was not', async () => {
      const database = await open();
      await database.transaction(async (session) => {
        await session.run('CREATE TABLE t (n BIGINT, text TEXT, bytes BLOB)');
      });
      await database.transaction(async (session) => {
        const bytes = Uint8Array.of(0, 1, 255);
        // Numbered values may repeat and come in any order.
        expect(
          await session.run('INSERT INTO t VALUES ($2, $1, $3), ($2, $1, NULL)', ['a', '9007199254740993', bytes]),
        ).toBe(2);
      });
      const failed = database.transaction(async (session) => {
        await session.run('DELETE FROM t');
        throw new Error('no');
      });
      await expect(failed).rejects.toMatchObject({ code: 'storage_failed', message: 'no' });
      await database.close();
      const again = await open();
      const rows = await again.read((session) => session.query('SELECT CAST(n AS TEXT) AS n, text, bytes FROM t'));
      expect(rows).toHaveLength(2);
      expect(rows[0]).toMatchObject({ n: '9007199254740993', text: 'a' });
      expect(new Uint8Array(rows[0]?.bytes as ArrayBuffer)).toEqual(Uint8Array.of(0, 1, 255));
      await again.close();
    });

    it('runs transactions one after the other', async () => {
      const database = await open();
      await database.transaction((session) => session.run('CREATE TABLE t (n BIGINT)'));
      const counts = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          database.transaction(async (session) => {
            await session.run('INSERT INTO t VALUES ($1)', [i]);
            await new Promise<void>((resolve) => setImmediate(resolve));
            return (await session.query('SELECT n FROM t')).length;
          }),
        ),
      );
      expect(counts).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
      await database.close();
      await expect(database.read(() => Promise.resolve())).rejects.toMatchObject({ code: 'closed' });
    });

    it('syncs every commit: write-ahead log and synchronous FULL', async () => {
      const database = await open();
      const [mode, sync] = await database.read(async (session) => [
        await session.query('PRAGMA journal_mode'),
        await session.query('PRAGMA synchronous'),
      ]);
      expect(mode?.[0]).toMatchObject({ journal_mode: 'wal' });
      expect(sync?.[0]).toMatchObject({ synchronous: 2 });
      await database.close();
    });
  });
}
