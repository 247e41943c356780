import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCHEMA_VERSION } from '@headframe/ledger';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Run, run, runOnTerminal } from './run.js';
import { fillLedger } from './sample-ledger.js';

// Each run of the binary is a process, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder = '';
let url = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-db-cli-'));
  url = `sqlite:${join(folder, 'pool.db')}`;
  await fillLedger(url);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cli = (...args: string[]): Promise<Run> => run(args, { cwd: folder });

describe('headframe db', () => {
  it('lists its commands', async () => {
    expect(await cli('db')).toMatchObject({ code: 64, err: expect.stringContaining('backup FILE') });
    expect(await cli('db', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('headframe db COMMAND') });
    expect(await cli('db', 'backup', '--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: headframe db backup FILE [options]'),
    });
    expect(await cli('db', 'bakup')).toMatchObject({
      code: 64,
      err: expect.stringContaining('there are migrate, backup, verify'),
    });
  });

  it('migrate makes a database and then has nothing to do', async () => {
    const fresh = `sqlite:${join(folder, 'fresh.db')}`;
    const dry = await cli('db', 'migrate', '--url', fresh, '--dry-run', '--json');
    expect(JSON.parse(dry.out)).toEqual({ from: 0, to: SCHEMA_VERSION, dryRun: true });
    expect(existsSync(join(folder, 'fresh.db'))).toBe(false);
    const first = await cli('db', 'migrate', '--url', fresh, '--json');
    expect(JSON.parse(first.out)).toEqual({ from: 0, to: SCHEMA_VERSION, dryRun: false });
    expect(await cli('db', 'migrate', '--url', fresh)).toMatchObject({
      code: 0,
      out: `Schema ${SCHEMA_VERSION}: nothing to do.\n`,
    });
  });

  it('backup makes a copy that is a database of its own, and overwrites nothing', async () => {
    const { code, out, err } = await cli('db', 'backup', 'copy.db', '--url', url, '--json');
    expect({ code, out: JSON.parse(out) }).toEqual({ code: 0, out: { file: 'copy.db', bytes: expect.any(Number) } });
    expect(err).toContain('copying: 100 %');
    const [of, copy] = await Promise.all(
      [url, `sqlite:${join(folder, 'copy.db')}`].map((place) => cli('accounts', '--url', place, '--json')),
    );
    expect(JSON.parse(copy?.out ?? '')).toEqual(JSON.parse(of?.out ?? ''));
    expect(await cli('db', 'backup', 'copy.db', '--url', url)).toMatchObject({
      code: 64,
      err: expect.stringContaining('copy.db is there already'),
    });
    expect(await cli('db', 'backup', '--url', url)).toMatchObject({ code: 64, err: expect.stringContaining('FILE') });
    expect(await cli('db', 'backup', 'x.db', '--url', 'sqlite:none.db')).toMatchObject({ code: 1 });
  });

  it('verify says when the books are right', async () => {
    expect(await cli('db', 'verify', '--url', url)).toMatchObject({ code: 0, out: 'The books are right.\n' });
    const { out } = await cli('db', 'verify', '--url', url, '--json');
    expect(JSON.parse(out)).toEqual({ ok: true, problems: [] });
  });

  it('verify fails on what is no database', async () => {
    await writeFile(join(folder, 'broken.db'), 'not a database, but long enough to be looked at '.repeat(200));
    const result = await cli('db', 'verify', '--url', `sqlite:${join(folder, 'broken.db')}`);
    expect(result.code).toBe(1);
    expect(`${result.out}${result.err}`).toMatch(/not a database|malformed/);
  });

  it('shows a bar on a terminal, and takes it away', async () => {
    const { code, out } = await runOnTerminal(['db', 'verify', '--url', url], { cwd: folder, columns: 80 });
    expect(code).toBe(0);
    expect(out).toMatch(/verifying \[=+ *\] \d+ %/);
    expect(out.split('\x1b[K').at(-1)).toBe('The books are right.\r\n');
  });
});
