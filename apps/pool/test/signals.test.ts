import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { BINARY } from './run.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let node: DevNode;
beforeAll(async () => {
  node = createDevNode({ user: 'u', password: 'p' });
  await node.start();
});
afterAll(() => node.close());

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-signals-'));
  file = join(folder, 'pool.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function write(changes: object = {}): Promise<void> {
  const config = {
    network: 'regtest',
    daemons: [{ url: node.url, user: 'u', password: 'p' }],
    payout: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
    listeners: [{ host: '127.0.0.1', port: 0, difficulty: 0.001 }],
    dataFolder: join(folder, 'data'),
    log: { format: 'json' },
    ...changes,
  };
  return writeFile(file, JSON.stringify(config));
}

/** Waits until a text is what it should be; the reader is asked again and again. */
async function until(what: string, read: () => Promise<boolean>): Promise<void> {
  await vi.waitFor(async () => expect([what, await read()]).toEqual([what, true]), { timeout: 60_000, interval: 100 });
}

describe('SIGHUP', () => {
  it('has the configuration read again; a bad file changes nothing', async () => {
    await write();
    const child = spawn(process.execPath, [BINARY, 'start', '--config', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    try {
      await until('listening', async () => out.includes('"listening"'));
      await write({ log: { format: 'json', level: 'debug' }, poolTag: '/other/' });
      child.kill('SIGHUP');
      await until('reloaded', async () => out.includes('configuration reloaded'));
      expect(out).toContain('"applied":["log.level"]');
      expect(out).toContain('"needsRestart":["poolTag"]');
      await write({ listeners: [{ port: -1 }] });
      child.kill('SIGHUP');
      await until('refused', async () => out.includes('configuration not reloaded'));
      expect(out).toContain('"path":"listeners[0].port"');
      expect(child.exitCode).toBeNull();
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
  });

  it('ends the pool when it comes because the terminal was closed', async () => {
    await write({ shutdownGrace: 1 });
    const log = join(folder, 'pool.log');
    const line = `echo $$ > '${folder}/pid'; exec '${process.execPath}' '${BINARY}' start --config '${file}' > '${log}' 2>&1`;
    const terminal = spawn('script', ['--quiet', '--command', line, '/dev/null'], { stdio: 'ignore' });
    const text = () => readFile(log, 'utf8').catch(() => '');
    try {
      await until('listening', async () => (await text()).includes('"listening"'));
    } finally {
      terminal.kill('SIGKILL');
    }
    await until('stopped', async () => (await text()).includes('"stopped"'));
    expect(await text()).toContain('"signal":"SIGHUP"');
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));
    await until('gone', async () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
  });
});
