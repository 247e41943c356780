import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { PAYOUT_SCHEMES } from '@headframe/pool';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dialogue, type Run, run } from './run.js';

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

// Each run of the binary is a process, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let node: DevNode;
beforeAll(async () => {
  node = createDevNode({ user: 'pool', password: 'secret-word' });
  await node.start();
});
afterAll(() => node.close());

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-init-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const cli = (args: readonly string[], env: Record<string, string> = {}): Promise<Run> =>
  run(args, { cwd: folder, env: { HOME: folder, ...env } });
const login = () => ['--node', node.url, '--node-user', 'pool', '--node-password', 'secret-word'];
const init = (...args: string[]) => cli(['init', '--network', 'regtest', '--address', ADDRESS, ...login(), ...args]);
const typing = (args: readonly string[], steps: readonly (readonly [string, string])[]) =>
  dialogue(args, { cwd: folder, env: { HOME: folder }, columns: 120 }, steps);
const modeOf = async (file: string): Promise<string> => ((await stat(join(folder, file))).mode & 0o777).toString(8);

describe('headframe init', () => {
  it.each(PAYOUT_SCHEMES)('writes what check accepts: %s', async (scheme) => {
    const made = await init('--scheme', scheme, '--fee', '1.5', '--fee-address', ADDRESS);
    expect(made).toMatchObject({ code: 0, err: expect.stringContaining('Found ') });
    expect(made.err).toContain('regtest, height 0');
    const checked = await cli(['check', '--config', 'pool.jsonc', '--json']);
    expect(checked).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(checked.out)).toMatchObject({ coin: 'bitcoin', verdict: { kind: 'accepted' } });
  });

  it('keeps secrets to the owner', async () => {
    await init();
    expect(await readdir(folder)).toEqual(['admin.token', 'pool.jsonc']);
    expect([await modeOf('pool.jsonc'), await modeOf('admin.token')]).toEqual(['600', '600']);
    expect(await readFile(join(folder, 'admin.token'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    await init('open.jsonc', '--node-password', '');
    expect(await modeOf('open.jsonc')).toBe('644');
  });

  it('overwrites nothing unless told to, and never a token', async () => {
    await init();
    const before = await readFile(join(folder, 'pool.jsonc'), 'utf8');
    const token = await readFile(join(folder, 'admin.token'), 'utf8');
    expect(await init('--port', '4444')).toMatchObject({ code: 64, err: expect.stringContaining('--force') });
    expect(await readFile(join(folder, 'pool.jsonc'), 'utf8')).toBe(before);
    expect(await init('--port', '4444', '--force')).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, 'pool.jsonc'), 'utf8')).toContain('"port": 4444');
    expect(await readFile(join(folder, 'admin.token'), 'utf8')).toBe(token);
  });

  it('finds a cookie file of this machine', async () => {
    await mkdir(join(folder, '.bitcoin/regtest'), { recursive: true });
    const cookie = join(folder, '.bitcoin/regtest/.cookie');
    await writeFile(cookie, 'pool:secret-word');
    const args = ['init', '--network', 'regtest', '--address', ADDRESS, '--node', node.url];
    expect(await cli(args)).toMatchObject({ code: 0, err: expect.stringContaining('Found ') });
    expect(await readFile(join(folder, 'pool.jsonc'), 'utf8')).toContain(JSON.stringify(cookie));
    const wrong = await cli([...args, '--node-user', 'pool', '--node-password', 'wrong', 'b.jsonc']);
    expect(wrong).toMatchObject({ code: 0, err: expect.stringContaining(`There is a cookie file: ${cookie}`) });
    expect(wrong.err).toContain('refused the login');
    expect(wrong.err).not.toContain('wrong\n');
  });

  it('tells a node of another network, and a node that is away', async () => {
    const other = await cli([
      'init',
      'a.jsonc',
      '--network',
      'testnet',
      '--address',
      'mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8',
      ...login(),
    ]);
    expect(other.code).toBe(64);
    const test = await cli([
      'init',
      'a.jsonc',
      '--network',
      'test',
      '--address',
      'mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8',
      ...login(),
    ]);
    expect(test).toMatchObject({ code: 0, err: expect.stringContaining('one of them is wrong') });
    const away = await cli([
      'init',
      'b.jsonc',
      '--network',
      'regtest',
      '--address',
      ADDRESS,
      '--login',
      'none',
      '--node',
      'http://127.0.0.1:1',
    ]);
    expect(away).toMatchObject({ code: 0, err: expect.stringContaining('cannot be used yet') });
  });

  it('writes nothing after a wrong answer', async () => {
    expect(await init('--fee', '200')).toMatchObject({ code: 64, err: expect.stringContaining('--fee') });
    expect(await readdir(folder)).toEqual([]);
  });

  it('asks on a terminal', async () => {
    const args = ['--coin', 'bitcoin', '--network', 'regtest', ...login(), '--scheme', 'solo', '--payments', 'no'];
    const asked = await typing(
      ['init', ...args, '--api', 'no'],
      [
        ['Address that gets the rewards?', 'nonsense\r'],
        ['not a valid address', `${'\x7f'.repeat(8)}${ADDRESS}\r`],
        ['Pool fee in percent?', '\r'],
        ['Port for miners?', '\r'],
        ['Address to listen on', '\r'],
        ['Difficulty that new miners', '\r'],
        ['Folder for data?', '\r'],
        ['Database?', '\r'],
      ],
    );
    expect(asked).toContain('Wrote pool.jsonc');
    expect(await readFile(join(folder, 'pool.jsonc'), 'utf8')).toContain(ADDRESS);
  });

  it('writes nothing when it is interrupted', async () => {
    const asked = await typing(['init'], [['Which coin?', '\x03']]);
    expect(asked).toContain('nothing was written');
    expect(await readdir(folder)).toEqual([]);
  });
});
