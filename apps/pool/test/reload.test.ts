import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PoolConfig } from '@headframe/pool';
import { PoolError } from '@headframe/primitives';
import { RecordingLogger } from '@headframe/primitives/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ReloadablePool, type ReloadReport, reloadOnce } from '../src/reload.js';

const GOOD = {
  network: 'regtest',
  daemons: [{ url: 'http://127.0.0.1:1' }],
  payout: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
  listeners: [{ port: 0 }],
};

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-reload-'));
  file = join(folder, 'pool.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function fakePool(answer: ReloadReport | Error): ReloadablePool & { readonly configs: PoolConfig[] } {
  const configs: PoolConfig[] = [];
  return {
    configs,
    reload: (config) => {
      configs.push(config);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}

describe('reload', () => {
  it('gives the pool the file as it is now, with the environment in it', async () => {
    await writeFile(file, JSON.stringify(GOOD));
    const pool = fakePool({ applied: ['log.level'], needsRestart: [] });
    const log = new RecordingLogger();
    expect(await reloadOnce(pool, { file, env: { HEADFRAME_LOG__LEVEL: 'debug' }, log })).toBe(true);
    expect(pool.configs[0]?.log.level).toBe('debug');
    expect(log.lines).toEqual([
      { level: 'info', message: 'configuration reloaded', details: { applied: ['log.level'] } },
    ]);
  });

  it('says what needs a restart', async () => {
    await writeFile(file, JSON.stringify(GOOD));
    const log = new RecordingLogger();
    await reloadOnce(fakePool({ applied: [], needsRestart: ['storage.url'] }), { file, env: {}, log });
    expect(log.lines).toMatchObject([{ level: 'warn', details: { needsRestart: ['storage.url'] } }]);
  });

  it('changes nothing with a bad file, and logs each problem', async () => {
    await writeFile(file, JSON.stringify({ ...GOOD, listeners: [{ port: -1 }], poolTag: 5 }));
    const pool = fakePool({ applied: [], needsRestart: [] });
    const log = new RecordingLogger();
    expect(await reloadOnce(pool, { file, env: {}, log })).toBe(false);
    expect(pool.configs).toEqual([]);
    expect(log.messages('error')).toEqual([
      'configuration problem',
      'configuration problem',
      'configuration not reloaded; the pool goes on with the old one',
    ]);
    expect(log.lines.map(({ details }) => ('path' in details ? details.path : undefined)).sort()).toEqual([
      'listeners[0].port',
      'poolTag',
      undefined,
    ]);
  });

  it('survives a file that is gone, is no JSON, or that the pool refuses', async () => {
    const log = new RecordingLogger();
    const pool = fakePool({ applied: [], needsRestart: [] });
    expect(await reloadOnce(pool, { file, env: {}, log })).toBe(false);
    await writeFile(file, '{ "coin": ');
    expect(await reloadOnce(pool, { file, env: {}, log })).toBe(false);
    await writeFile(file, JSON.stringify(GOOD));
    const refusing = fakePool(new PoolError('closed', 'the pool is closed'));
    expect(await reloadOnce(refusing, { file, env: {}, log })).toBe(false);
    expect(log.lines.at(-1)?.details).toEqual({ reason: 'the pool is closed' });
  });
});
