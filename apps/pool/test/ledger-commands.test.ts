import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Run, run, runOnTerminal } from './run.js';
import { ALICE, BOB, blockHash, fillLedger, PLANNED, START_MS } from './sample-ledger.js';

// Each run of the binary is a process, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder = '';
let url = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-ledger-cli-'));
  url = `sqlite:${join(folder, 'pool.db')}`;
  await fillLedger(url);
  const config = {
    network: 'regtest',
    daemons: [{ url: 'http://127.0.0.1:1' }],
    payout: { scheme: 'pplns', address: ALICE, payments: {} },
    listeners: [{ port: 0 }],
    storage: { url },
  };
  await writeFile(join(folder, 'pool.json'), JSON.stringify(config));
  const plain = { ...config, payout: { address: ALICE }, storage: { url: 'log:' } };
  await writeFile(join(folder, 'plain.json'), JSON.stringify(plain));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cli = (...args: string[]): Promise<Run> => run(args, { cwd: folder });

/** The one JSON document of a command that succeeds. */
async function json(...args: string[]): Promise<unknown> {
  const { code, out, err } = await cli(...args, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

const coins = (units: number, text: string) => ({ units: String(units), coins: text });
const ZERO = coins(0, '0.00000000');

describe('headframe blocks', () => {
  it('lists them, the highest first, with cursors', async () => {
    const first = await json('blocks', '--url', url, '--limit', '2');
    expect(first).toMatchObject({
      items: [
        { hash: blockHash(3), height: 103, status: 'confirmed', reward: coins(312_500_000, '3.12500000') },
        { hash: blockHash(2), status: 'orphaned', account: BOB, foundMs: START_MS + 120_000, effort: null },
      ],
      next: expect.any(String),
    });
    const { next } = first as { next: string };
    expect(await json('blocks', '--url', url, '--after', next)).toMatchObject({
      items: [{ hash: blockHash(1), status: 'matured', effort: expect.any(Number) }],
      next: null,
    });
  });

  it('prints a table that a pipe can read and that steers no terminal', async () => {
    const { code, out } = await cli('blocks', '--config', 'pool.json');
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 4))).toMatchInlineSnapshot(`
      [
        [
          "height",
          "status",
          "conf",
          "reward",
        ],
        [
          "",
          "103",
          "confirmed",
          "3",
        ],
        [
          "",
          "102",
          "orphaned",
          "3",
        ],
        [
          "",
          "101",
          "matured",
          "101",
        ],
        [
          "",
        ],
      ]
    `);
    expect(out).not.toContain('\x1b');
    expect(out).toContain('bob.\\u{1b}[2Jrig');
  });

  it('shows one, and says when there is none', async () => {
    expect(await json('blocks', blockHash(3), '--url', url)).toMatchObject({
      height: 103,
      nodes: { near: 'accepted' },
      round: { accepted: expect.any(Number), accounts: expect.any(Array) },
    });
    const { out } = await cli('blocks', blockHash(1), '--url', url);
    expect(out).toContain('matured, 101 confirmations');
    expect(await cli('blocks', 'ff', '--url', url)).toMatchObject({ code: 1, err: 'the ledger has no block ff\n' });
  });
});

describe('headframe accounts', () => {
  it('lists balances with totals', async () => {
    expect(await json('accounts', '--config', 'pool.json')).toEqual({
      items: [
        {
          account: BOB,
          available: coins(100_000_000, '1.00000000'),
          immature: coins(109_375_000, '1.09375000'),
          reserved: coins(9_375_000, '0.09375000'),
          paid: ZERO,
          hashrate: expect.any(Number),
          lastMs: expect.any(Number),
        },
        expect.objectContaining({ account: ALICE, paid: coins(150_000_000, '1.50000000') }),
        expect.objectContaining({ account: 'operator', lastMs: null }),
      ],
      totals: {
        available: coins(153_125_000, '1.53125000'),
        immature: coins(312_500_000, '3.12500000'),
        reserved: coins(9_375_000, '0.09375000'),
        paid: coins(150_000_000, '1.50000000'),
      },
      next: null,
    });
  });

  it('prints a table; hash rates need the coin', async () => {
    const { out } = await cli('accounts', '--url', url);
    expect(out).toMatchInlineSnapshot(`
      "account                                        available    immature    reserved        paid  last share
      bob                                           1.00000000  1.09375000  0.09375000  0.00000000  2023-11-14 22:02:00
      bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080  0.50000000  2.00000000  0.00000000  1.50000000  2023-11-14 22:03:00
      operator                                      0.03125000  0.03125000  0.00000000  0.00000000
      all accounts                                  1.53125000  3.12500000  0.09375000  1.50000000
      "
    `);
    const withCoin = await cli('accounts', '--config', 'pool.json');
    expect(withCoin.out).toContain('hashrate 1 h');
  });

  it('shows one with settings, workers and statement', async () => {
    expect(await json('accounts', BOB, '--url', url)).toMatchObject({
      account: BOB,
      settings: { minimumPayout: coins(5_000_000, '0.05000000'), donationPercent: 1.5, isHeld: true },
      balance: { available: coins(100_000_000, '1.00000000') },
      workerCount: 2,
      statement: {
        items: expect.arrayContaining([
          expect.objectContaining({ key: `payment:${PLANNED}`, kind: 'payment', state: 'open' }),
          expect.objectContaining({ kind: 'reward', state: 'reversed' }),
        ]),
        next: null,
      },
    });
    const { out } = await cli('accounts', BOB, '--url', url);
    for (const text of ['0.05000000', '1.5 %', 'held', 'Workers (2)', 'Statement']) expect(out).toContain(text);
    expect(await cli('accounts', 'nobody', '--url', url)).toMatchObject({
      code: 1,
      err: expect.stringContaining('nobody'),
    });
  });

  it('changes settings, and takes them back', async () => {
    const set = (...args: string[]) => json('accounts', 'set', 'operator', '--config', 'pool.json', ...args);
    expect(await set('--minimum', '2.5', '--donation', '0.25', '--hold', '--address', ALICE)).toEqual({
      account: 'operator',
      settings: {
        address: ALICE,
        minimumPayout: coins(250_000_000, '2.50000000'),
        donationPercent: 0.25,
        isHeld: true,
      },
    });
    expect(await set('--minimum', 'default', '--release', '--address', 'default')).toMatchObject({
      settings: { address: null, minimumPayout: null, donationPercent: 0.25, isHeld: false },
    });
  });

  it('takes an address in capitals, as QR codes have it, for the account that is paid', async () => {
    const capitals = ALICE.toUpperCase();
    expect(await json('accounts', capitals, '--config', 'pool.json')).toMatchObject({ account: ALICE });
    const held = await json('accounts', 'set', capitals, '--config', 'pool.json', '--hold');
    expect(held).toMatchObject({ account: ALICE, settings: { isHeld: true } });
    await json('accounts', 'set', capitals, '--config', 'pool.json', '--release');
  });

  it.each([
    [['--minimum', '-1'], '--minimum'],
    [['--donation', '101'], '--donation'],
    [['--hold', '--release'], '--hold and --release'],
    [['--address', '1111111111111111111114oLvT2'], '--address'],
    [[], 'what is to change?'],
  ])('refuses settings %j', async (args, words) => {
    const result = await cli('accounts', 'set', 'operator', '--config', 'pool.json', ...args);
    expect(result).toMatchObject({ code: 64, out: '', err: expect.stringContaining(words) });
    expect(result.err).toContain('headframe accounts set --help');
  });

  it('needs the coin to judge an address', async () => {
    const result = await cli('accounts', 'set', 'operator', '--url', url, '--address', ALICE);
    expect(result).toMatchObject({ code: 64, err: expect.stringContaining('needs --config') });
  });
});

describe('the ledger that is meant', () => {
  it('must be named, and be there; asking makes no database', async () => {
    expect(await cli('blocks')).toMatchObject({ code: 64, err: expect.stringContaining('--config FILE') });
    expect(await cli('blocks', '--url', 'mysql://x')).toMatchObject({ code: 64 });
    expect(await cli('blocks', '--url', 'sqlite:none.db')).toMatchObject({
      code: 1,
      err: expect.stringContaining('none.db'),
    });
    expect(await readdir(folder)).not.toContain('none.db');
    expect(await cli('blocks', '--config', 'plain.json')).toMatchObject({
      code: 1,
      err: expect.stringContaining('log:'),
    });
    expect(await cli('blocks', '--config', 'none.json')).toMatchObject({ code: 78 });
  });

  it('may be named by the environment', async () => {
    const env = { HEADFRAME_CONFIG: join(folder, 'pool.json') };
    expect(await run(['blocks', '--json'], { cwd: folder, env })).toMatchObject({ code: 0 });
  });
});

describe('on a terminal', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to find them
  const escapes = /\x1b\[[0-9;]*m/g;

  it.each([60, 80, 140])('tables fit %i columns', async (columns) => {
    const { code, out } = await runOnTerminal(['blocks', '--url', url], { cwd: folder, columns });
    expect(code).toBe(0);
    const lines = out.replaceAll('\r', '').trim().split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line.replace(escapes, '').length).toBeLessThan(columns);
    expect(out).toContain('\x1b[32mmatured\x1b[0m');
  });

  it('respects NO_COLOR', async () => {
    const { out } = await runOnTerminal(['blocks', '--url', url], { cwd: folder, columns: 80, env: { NO_COLOR: '1' } });
    expect(out).toContain('matured');
    expect(out).not.toMatch(escapes);
  });
});
