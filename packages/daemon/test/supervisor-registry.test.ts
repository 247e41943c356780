import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createDaemonRegistry, type SupervisorOptions } from '../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'headframe-registry-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (name: string | undefined, more: Partial<SupervisorOptions> = {}): SupervisorOptions => ({
  ...(name !== undefined && { name }),
  daemon: 'bitcoind',
  network: 'regtest',
  dataDir: join(folder, name ?? 'unnamed'),
  ...more,
});

describe('the registry of supervised nodes', () => {
  it('finds nodes by name and lists them in the order they were added', () => {
    const registry = createDaemonRegistry();
    const first = registry.add(options('b'));
    const second = registry.add(options('a', { daemon: 'litecoind' }));
    const unnamed = registry.add(options(undefined));
    expect(registry.get('b')).toBe(first);
    expect(registry.has('a')).toBe(true);
    expect(registry.get('bitcoind')).toBe(unnamed);
    expect(registry.list()).toEqual([first, second, unnamed]);
  });

  it('refuses a name that is taken, and tells names that are unknown', () => {
    const registry = createDaemonRegistry();
    expect(() => registry.get('x')).toThrow(/there is none/);
    registry.add(options('x'));
    expect(() => registry.add(options('x', { dataDir: join(folder, 'else') }))).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
    expect(() => registry.get('y')).toThrow(expect.objectContaining({ code: 'not_found' }));
    expect(() => registry.get('y')).toThrow(/there are x/);
    expect(() => registry.add(options('z', { daemon: 'none' }))).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
    expect(registry.list()).toHaveLength(1);
  });

  it('starts and closes all; one that cannot be started does not hold up the others', async () => {
    const registry = createDaemonRegistry();
    const missing = registry.add(options('missing', { binary: '/no/such/node' }));
    const present = registry.add(options('present', { binary: '/bin/sleep', restart: { maxRestarts: 0 } }));
    await expect(registry.start()).rejects.toMatchObject({ code: 'not_found' });
    expect(missing.state.kind).toBe('gaveUp');
    expect(present.state.kind).not.toBe('stopped');
    await registry.close();
    await registry.close();
    expect(registry.list().map(({ state }) => state.kind)).toEqual(['stopped', 'stopped']);
  });
});
