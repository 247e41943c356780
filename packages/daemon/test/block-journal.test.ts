import { appendFile, mkdir, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingLogger } from '@headframe/primitives/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JournalBlock } from '../src/index.js';
import { type BlockJournal, type BlockJournalModules, openBlockJournal } from '../src/index.js';

let folder: string;
let path: string;
const opened: BlockJournal[] = [];

function block(hash: string, extra: Partial<JournalBlock> = {}): JournalBlock {
  return {
    type: 'block',
    hash,
    height: 7,
    hex: 'ab'.repeat(100),
    workId: null,
    account: 'account',
    worker: 'w1',
    address: 'bcrt1q',
    difficulty: 1,
    reward: '5000000000',
    timeMs: 1_700_000_000_000,
    ...extra,
  };
}

async function journal(modules: BlockJournalModules = {}, compactAboveBytes?: number): Promise<BlockJournal> {
  const made = await openBlockJournal(
    { path, ...(compactAboveBytes === undefined ? {} : { compactAboveBytes }) },
    modules,
  );
  opened.push(made);
  return made;
}

const lines = async () => (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
const hashes = (made: BlockJournal) => made.unsettled.map(({ hash }) => hash);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-journal-'));
  path = join(folder, 'deep', 'blocks.jsonl');
});
afterEach(async () => {
  for (const made of opened.splice(0)) await made.close();
  await rm(folder, { recursive: true, force: true });
});

describe('appending', () => {
  test('makes the folder, writes one line per entry, private to the user', async () => {
    const made = await journal();
    await made.append(block('aa'));
    await Promise.all([made.append(block('bb')), made.append(block('cc'))]);
    expect((await lines()).map((line) => (JSON.parse(line) as JournalBlock).hash)).toEqual(['aa', 'bb', 'cc']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('entries that come while the disk is busy share one fsync', async () => {
    let syncs = 0;
    const made = await journal({
      openFile: async (name) => {
        const file = await open(name, 'a');
        return {
          appendFile: (data) => file.appendFile(data),
          datasync: () => {
            syncs++;
            return file.datasync();
          },
          close: () => file.close(),
        };
      },
    });
    await Promise.all(Array.from({ length: 50 }, (_, index) => made.append(block(`h${index}`))));
    expect(syncs).toBe(2);
    expect((await lines()).length).toBe(50);
  });

  test('after close', async () => {
    const made = await journal();
    const last = made.append(block('aa'));
    await made.close();
    await last;
    await made.close();
    await expect(made.append(block('bb'))).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('replay', () => {
  test('blocks that are not settled come back; confirmed ones without their bytes', async () => {
    const made = await journal();
    for (const hash of ['aa', 'bb', 'cc', 'dd', 'ee']) await made.append(block(hash));
    const status = (hash: string, value: 'confirmed' | 'matured' | 'orphaned' | 'rejected') =>
      made.append({ type: 'status', hash, status: value, timeMs: 1 });
    await status('bb', 'confirmed');
    await status('cc', 'confirmed');
    await status('cc', 'matured');
    await status('dd', 'orphaned');
    await status('ee', 'rejected');
    // No close: as after kill -9.
    const again = await journal();
    expect(hashes(again)).toEqual(['aa', 'bb']);
    expect(again.unsettled[0]).toEqual(block('aa'));
    expect(again.unsettled[1]).toEqual(block('bb', { hex: null }));
    // Settled blocks are gone from the file, and a third start sees the same.
    expect((await lines()).length).toBe(3);
    expect(hashes(await journal())).toEqual(['aa', 'bb']);
  });

  test('a torn last line costs that line only, and the next entry is whole', async () => {
    const made = await journal();
    await made.append(block('aa'));
    await made.close();
    await appendFile(path, '{"type":"block","hash":"bb","hei');
    const again = await journal();
    expect(hashes(again)).toEqual(['aa']);
    await again.append(block('cc'));
    expect(hashes(await journal())).toEqual(['aa', 'cc']);
  });

  test('cut at any byte: everything before the torn line survives, and it can be written to', async () => {
    const made = await journal();
    for (const hash of ['aa', 'bb', 'cc']) await made.append(block(hash, { hex: 'ab' }));
    await made.close();
    const whole = await readFile(path);
    const ends = [...whole.keys()].filter((index) => whole[index] === 0x0a);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (length) => {
        await writeFile(path, whole);
        await truncate(path, length);
        const again = await openBlockJournal({ path });
        // A line is complete without its newline too.
        const complete = ends.filter((end) => end <= length).length;
        expect(hashes(again)).toEqual(['aa', 'bb', 'cc'].slice(0, complete));
        await again.append(block('dd'));
        await again.close();
        const last = await openBlockJournal({ path });
        expect(hashes(last)).toEqual([...['aa', 'bb', 'cc'].slice(0, complete), 'dd']);
        await last.close();
      }),
      { numRuns: 40 },
    );
  });

  test('damaged lines in the middle are skipped and reported', async () => {
    const made = await journal();
    await made.append(block('aa'));
    await appendFile(
      path,
      'garbage\n{"type":"block","hash":"x"}\n{"type":"status","hash":"aa","status":"?","timeMs":1}\n[]\n',
    );
    await made.append(block('bb'));
    const log = new RecordingLogger();
    expect(hashes(await journal({ log }))).toEqual(['aa', 'bb']);
    expect(log.messages('warn')).toEqual(['skipped damaged lines of the block journal']);
  });

  test('candidates that could not be assembled stay in the file', async () => {
    const made = await journal();
    const kept = {
      type: 'kept',
      hash: 'ff',
      height: 9,
      reason: 'unknown job',
      header: '00',
      coinbase: '01',
      baseJobId: 5,
      account: 'a',
      worker: 'w',
      timeMs: 2,
    } as const;
    await made.append(kept);
    await made.append(block('aa'));
    await made.append({ type: 'status', hash: 'aa', status: 'matured', timeMs: 3 });
    expect(hashes(await journal())).toEqual([]);
    expect((await lines()).map((line) => JSON.parse(line) as unknown)).toEqual([kept]);
  });
});

describe('size', () => {
  test('a long file of settled blocks is rewritten while in use', async () => {
    const made = await journal({}, 2000);
    for (let index = 0; index < 100; index++) {
      await made.append(block(`h${index}`));
      if (index !== 50) await made.append({ type: 'status', hash: `h${index}`, status: 'matured', timeMs: 1 });
    }
    expect((await stat(path)).size).toBeLessThan(4000);
    expect(hashes(await journal())).toEqual(['h50']);
  });
});

describe('trouble', () => {
  test('a folder that cannot be made is an error with the path', async () => {
    await writeFile(join(folder, 'deep'), 'a file where the folder should be');
    await expect(openBlockJournal({ path })).rejects.toMatchObject({ code: 'storage_failed' });
    await expect(openBlockJournal({ path })).rejects.toThrow(path);
  });

  test('a journal that cannot be compacted is used as it is', async () => {
    const made = await journal();
    await made.append(block('aa'));
    await made.append(block('bb'));
    await made.append({ type: 'status', hash: 'aa', status: 'matured', timeMs: 1 });
    await mkdir(`${path}.new`);
    const log = new RecordingLogger();
    const again = await journal({ log });
    expect(log.messages('warn')).toEqual(['cannot compact the block journal']);
    await again.append(block('cc'));
    expect(hashes(await journal())).toEqual(['bb', 'cc']);
  });

  test('a full disk fails the append, which begins a new line afterwards', async () => {
    let full = false;
    const made = await journal({
      openFile: async (name) => {
        const file = await open(name, 'a');
        return {
          appendFile: async (data) => {
            if (!full) return file.appendFile(data);
            await file.appendFile(data.slice(0, 20));
            throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
          },
          datasync: () => file.datasync(),
          close: () => file.close(),
        };
      },
    });
    await made.append(block('aa'));
    full = true;
    await expect(made.append(block('bb'))).rejects.toMatchObject({ code: 'storage_failed' });
    full = false;
    await made.append(block('cc'));
    expect(hashes(await journal())).toEqual(['aa', 'cc']);
  });
});
