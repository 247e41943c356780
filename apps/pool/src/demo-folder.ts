import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PoolError } from '@headframe/primitives';

/** Tells that a folder was made by the demo, which may empty it. */
const MARKER = '.headframe-demo';

/**
 * Empties or makes the data folder of the demo: its chain lives in memory, so what an earlier demo wrote is about blocks
 * that are gone.
 *
 * @throws PoolError `storage_failed` when the folder holds something that no demo wrote
 */
export async function prepareDemoFolder(folder: string): Promise<void> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    if (!existsSync(join(folder, MARKER))) {
      throw new PoolError(
        'storage_failed',
        `${folder} holds the data of something else than the demo, which begins anew each time; choose another folder: --data DIR`,
      );
    }
    for (const name of readdirSync(folder)) {
      if (name !== MARKER) await rm(join(folder, name), { recursive: true, force: true });
    }
  }
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, MARKER),
    'The demo of headframe keeps its database here, and empties this folder each time it begins.\n',
  );
}
