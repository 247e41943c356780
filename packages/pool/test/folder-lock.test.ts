import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from '../src/folder-lock.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the lock of a data folder', () => {
  it('is held by one at a time', async () => {
    const lock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('another pool'),
    });
    await lock.release();
    const next = await lockFolder(folder);
    await next.release();
  });

  it('is taken over from a process that was killed', async () => {
    const path = JSON.stringify(join(folder, 'lock'));
    const child = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${path}, () => console.log('up'))`,
    ]);
    await once(child.stdout, 'data');
    await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'storage_failed' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = await lockFolder(folder);
    await lock.release();
  });

  it('works for folders whose path is too long for a socket', async () => {
    const deep = join(folder, 'x'.repeat(120));
    const lock = await lockFolder(deep);
    await expect(lockFolder(deep)).rejects.toMatchObject({ code: 'storage_failed' });
    await lock.release();
  });
});
