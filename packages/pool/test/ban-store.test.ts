import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock, RecordingLogger } from '@headframe/primitives/testing';
import { BanList } from '@headframe/sessions';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BanStore } from '../src/ban-store.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-bans-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = () => join(folder, 'bans.json');

async function open(clock = new FakeClock()) {
  const log = new RecordingLogger();
  const bans = new BanList({ allow: [] }, clock);
  const store = new BanStore(folder, bans, { clock, log });
  await store.open();
  return { clock, log, bans, store };
}

it('bans of every scope survive a restart, for as long as they have left', async () => {
  const before = await open();
  before.bans.add('address', '192.0.2.1', { reason: 'a', durationMs: 60_000 });
  before.bans.add('subnet', '198.51.100.0/24', { reason: 'b', durationMs: 60_000 });
  before.bans.add('account', 'alice', { reason: 'c', durationMs: 60_000 });
  before.bans.add('worker', 'bob.rig', { reason: 'd', durationMs: 60_000 });
  before.bans.add('account', 'short', { reason: 'e', durationMs: 1000 });
  const list = before.bans.list();
  await before.store.close();

  const after = await open(new FakeClock(before.clock.now() + 30_000));
  expect(after.bans.list()).toEqual(list.filter(({ key }) => key !== 'short'));
  expect(after.bans.findAddress('198.51.100.7')).toMatchObject({ scope: 'subnet', reason: 'b' });
  expect(after.bans.findWorker('bob.rig')).toBeDefined();
  after.clock.advance(30_001);
  expect(after.bans.list()).toEqual([]);
  await after.store.close();
});

it('are written soon after a swarm of them, in one piece, for the pool alone to read', async () => {
  const { bans, clock, store } = await open();
  for (let i = 0; i < 100; i++) bans.add('account', `a${i}`, { reason: 'swarm' });
  await clock.advanceAsync(1100);
  await store.close();
  expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({ version: 1 });
  expect((await stat(file())).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['bans.json']);
});

it('that were taken back stay away', async () => {
  const before = await open();
  before.bans.add('account', 'alice', { reason: 'x' });
  await before.clock.advanceAsync(1100);
  before.bans.remove('account', 'alice');
  await before.store.close();
  const after = await open();
  expect(after.bans.list()).toEqual([]);
  await after.store.close();
});

it.each([
  ['half a file', '{"version":1,"bans":[{"scope":"acc'],
  ['nothing', ''],
  ['another version', '{"version":2,"bans":[]}'],
  ['no list', '{"version":1,"bans":{}}'],
])('a damaged file (%s) is put aside, and the pool goes on', async (_what, text) => {
  await writeFile(file(), text);
  const { bans, log, store } = await open();
  expect(bans.list()).toEqual([]);
  expect(log.messages('error')).toHaveLength(1);
  expect(await readdir(folder)).toEqual(['bans.json.damaged']);
  bans.add('account', 'new', { reason: 'x' });
  await store.close();
  expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({ bans: [{ key: 'new' }] });
});

it('of entries that make no sense the others are taken', async () => {
  const untilMs = new FakeClock().now() + 1000;
  const good = { scope: 'account', key: 'good', reason: 'x', sinceMs: 1, untilMs };
  const bad = [
    null,
    7,
    { ...good, scope: 'galaxy' },
    { ...good, key: '' },
    { ...good, scope: 'subnet', key: 'not a cidr' },
  ];
  await writeFile(file(), JSON.stringify({ version: 1, bans: [...bad, good] }));
  const { bans, store } = await open();
  expect(bans.list()).toEqual([good]);
  await store.close();
});

it('are not more than the bound, the youngest first', async () => {
  const { bans, clock, store } = await open();
  for (let i = 0; i < 20_100; i++) {
    bans.add('account', `a${i}`, { reason: 'x' });
    if (i % 1000 === 0) clock.advance(1);
  }
  await store.close();
  const { bans: kept } = JSON.parse(await readFile(file(), 'utf8')) as { bans: { key: string }[] };
  expect(kept).toHaveLength(20_000);
  expect(kept.at(-1)?.key).toBe('a20099');
});

it('are kept in memory when the folder cannot be written', async () => {
  await mkdir(join(folder, 'bans.json.new'));
  const { bans, log, store } = await open();
  bans.add('account', 'alice', { reason: 'x' });
  await store.close();
  expect(log.messages('error')).toEqual(['cannot write the bans; they end with this process']);
  expect(bans.findAccount('alice')).toBeDefined();
});
