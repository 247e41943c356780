// The pool as it is installed loses its storage under load, in every way that was thought of.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../nodes/postgres.js';
import { poolFolder } from '../support/pool-process.js';
import { requireService } from '../support/require.js';
import { lockDatabase } from './lock.js';
import { canMount, mountDisk, type SmallDisk } from './small-disk.js';
import { throughOutage } from './through-outage.js';

const TIMEOUT_MS = 120_000;
const isBuilt = requireService('pool binary');
const mayMount = canMount();

/** A test that mounts a disk. Not every machine allows that, so it is left out there rather than counted as skipped. */
function itOnSmallDisk(name: string, run: () => Promise<void>): void {
  if (mayMount) it(name, run);
}

function disk(megabytes: number): SmallDisk {
  const mounted = mountDisk(megabytes);
  if (mounted === undefined) throw new Error('the disk could not be mounted');
  return mounted;
}

describe.skipIf(!isBuilt)('a pool on SQLite', { timeout: TIMEOUT_MS }, () => {
  it('gets over a database that another process has locked', async () => {
    const folder = poolFolder();
    const file = join(folder.path, 'pool.db');
    let release: (() => Promise<void>) | undefined;
    await throughOutage({
      storageUrl: `sqlite:${file}`,
      folder: folder.path,
      begin: async () => {
        release = await lockDatabase(file);
      },
      end: async () => release?.(),
      says: /\blocked$/m,
    });
    folder.remove();
  });

  itOnSmallDisk('gets over a full disk, that of its journal too', async () => {
    const small = disk(64);
    await throughOutage({
      storageUrl: `sqlite:${join(small.path, 'pool.db')}`,
      folder: small.path,
      begin: () => small.fill(),
      end: () => small.free(),
      says: /full/,
    });
    small.remove();
  });
});

describe.skipIf(!isBuilt || !requireService('postgresql'))('a pool on PostgreSQL', { timeout: TIMEOUT_MS }, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  it('gets over a server that is gone for a while', async () => {
    const folder = poolFolder();
    await throughOutage({
      storageUrl: await server.createDatabase(),
      folder: folder.path,
      begin: () => server.kill(),
      end: () => server.start(),
      says: /\bunavailable$/m,
    });
    folder.remove();
  });

  it('gets over a server that hangs', async () => {
    const folder = poolFolder();
    await throughOutage({
      storageUrl: await server.createDatabase(),
      folder: folder.path,
      begin: () => server.freeze(true),
      end: () => server.freeze(false),
      says: /\bunavailable$/m,
    });
    folder.remove();
  });

  itOnSmallDisk('gets over a full disk of the server', async () => {
    const folder = poolFolder();
    const small = disk(64);
    await throughOutage({
      storageUrl: await server.createDatabase(small.path),
      folder: folder.path,
      begin: () => small.fill(),
      end: () => small.free(),
      says: /No space left|full/,
    });
    folder.remove();
    small.remove();
  });
});
