import { constants } from 'node:fs';
import { appendFile, mkdtemp, open, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ShareBatch, ShareRecord } from '@headframe/mining';
import { isPoolError } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeShareLogLine, openShareLog } from '../src/share-log.js';

const share = (nonce: number): ShareRecord => ({
  timeMs: 1_700_000_000_000 + nonce,
  account: 'acc"ount\n',
  worker: `rig${nonce % 3}`,
  address: '127.0.0.1',
  jobId: nonce,
  height: 100,
  result: nonce % 7 === 0 ? 'duplicate' : 'accepted',
  difficulty: 0.001,
  achieved: 3.25,
  blockHash: nonce % 5 === 0 ? 'ab'.repeat(32) : undefined,
});
const batch = (sequence: number, count = 10, epoch = 'e1'): ShareBatch => ({
  epoch,
  sequence,
  shares: Array.from({ length: count }, (_, i) => share(sequence * 100 + i)),
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-sharelog-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function readBack(): Promise<ShareBatch[]> {
  const batches: ShareBatch[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const text = await readFile(join(folder, name), 'utf8');
    for (const line of text.split('\n')) if (line !== '') batches.push(decodeShareLogLine(line));
  }
  return batches;
}

describe('share log', () => {
  it('writes batches that read back the same', async () => {
    const log = await openShareLog({ folder });
    const batches = [batch(0), batch(1, 1), batch(2, 300)];
    await Promise.all(batches.map((b) => log.commit(b)));
    await log.close();
    expect(await readBack()).toEqual(batches);
  });

  it('has the bytes on disk when commit resolves', async () => {
    const log = await openShareLog({ folder });
    await log.commit(batch(7));
    expect(await readBack()).toEqual([batch(7)]);
    await log.close();
  });

  it.runIf(process.platform === 'linux')('opens its file so that a write is on disk when it returns', async () => {
    const log = await openShareLog({ folder });
    await log.commit(batch(1));
    const numbers = await readdir('/proc/self/fd');
    const paths = await Promise.all(numbers.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    const fd = numbers[paths.findIndex((path) => path.startsWith(folder))];
    const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8');
    const flags = Number.parseInt(/flags:\s*([0-7]+)/.exec(info)?.[1] ?? '', 8);
    expect(flags & constants.O_DSYNC).toBe(constants.O_DSYNC);
    await log.close();
  });

  it('has the name of each new file on disk, too', async () => {
    const handle = await open(folder, 'r');
    const sync = vi.spyOn(Object.getPrototypeOf(handle) as { sync(): Promise<void> }, 'sync');
    await handle.close();
    const log = await openShareLog({ folder, maxFileBytes: 4096 });
    expect(sync).toHaveBeenCalledTimes(1);
    for (let i = 1; (await readdir(folder)).length < 2; i++) await log.commit(batch(i, 50));
    expect(sync).toHaveBeenCalledTimes(2);
    await log.close();
    sync.mockRestore();
  });

  it('takes a repeated batch once', async () => {
    const log = await openShareLog({ folder });
    await log.commit(batch(1));
    await log.commit(batch(1));
    await log.commit(batch(1, 10, 'e2'));
    await log.close();
    expect((await readBack()).length).toBe(2);
  });

  it('cuts off a line that a crash tore', async () => {
    const first = await openShareLog({ folder });
    await first.commit(batch(1));
    await first.close();
    const [name = ''] = await readdir(folder);
    await appendFile(join(folder, name), '{"epoch":"e1","sequ');
    const second = await openShareLog({ folder });
    await second.commit(batch(2));
    await second.close();
    expect((await readBack()).map((b) => b.sequence)).toEqual([1, 2]);
  });

  it('cuts a torn line that is longer than the look-back chunk', async () => {
    const first = await openShareLog({ folder });
    await first.commit(batch(1));
    await first.close();
    const [name = ''] = await readdir(folder);
    await appendFile(join(folder, name), 'x'.repeat(200_000));
    const second = await openShareLog({ folder });
    await second.commit(batch(2));
    await second.close();
    expect((await readBack()).map((b) => b.sequence)).toEqual([1, 2]);
  });

  it('begins a new file at the size limit and keeps the newest', async () => {
    const log = await openShareLog({ folder, maxFileBytes: 4096, keepFiles: 2 });
    for (let i = 0; i < 40; i++) await log.commit(batch(i, 20));
    await log.close();
    expect((await readdir(folder)).length).toBe(2);
    expect((await readBack()).at(-1)?.sequence).toBe(39);
  });

  it('says what is wrong when the folder cannot be made', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const error = await openShareLog({ folder: join(file, 'sub') }).catch((e: unknown) => e);
    expect(isPoolError(error, 'storage_failed')).toBe(true);
  });

  it('refuses after close', async () => {
    const log = await openShareLog({ folder });
    await log.close();
    await expect(log.commit(batch(1))).rejects.toMatchObject({ code: 'closed' });
  });
});
