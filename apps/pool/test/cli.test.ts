import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDevNode } from '@headframe/devnode';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hashrateText } from '../src/format.js';
import { loadConfig } from '../src/load-config.js';

// Each run of the binary is a process, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const BINARY = fileURLToPath(new URL('../bin/headframe.js', import.meta.url));
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-cli-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BINARY, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

describe('the binary', () => {
  it('is built', () => {
    expect(existsSync(fileURLToPath(new URL('../dist/index.js', import.meta.url)))).toBe(true);
  });

  it('explains itself and each command', async () => {
    const overview = await run(['--help']);
    expect(overview.code).toBe(0);
    for (const command of ['start', 'demo', 'check', 'mine']) {
      expect(overview.out).toContain(command);
      const help = await run([command, '--help']);
      expect(help.code).toBe(0);
      expect(help.out).toContain(`Usage: headframe ${command}`);
      expect(help.out).toContain('--help');
    }
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('exits 64 on a wrong command line and says what to do', async () => {
    expect(await run([])).toMatchObject({ code: 64 });
    expect(await run(['strat'])).toMatchObject({ code: 64, err: expect.stringContaining('no command "strat"') });
    expect(await run(['start', '--confg', 'x'])).toMatchObject({ code: 64, err: expect.stringContaining('--help') });
    expect(await run(['mine', 'localhost:1', '--user', 'a', '--threads', '0'])).toMatchObject({ code: 64 });
    expect(await run(['mine', 'localhost:1'])).toMatchObject({ code: 64, err: expect.stringContaining('--user') });
  });

  it('exits 78 on a wrong configuration, naming each problem', async () => {
    const file = join(folder, 'pool.json');
    await writeFile(file, '{ "daemons": [], "payout": {"address": "x"}, "listeners": [{"port": -1}] }');
    const result = await run(['start', '--config', file]);
    expect(result.code).toBe(78);
    for (const path of ['daemons', 'listeners[0].port']) expect(result.err).toContain(path);
    expect(await readdir(folder)).toEqual(['pool.json']);
  });

  it('exits 78 where the file is not there or not readable as JSON, with the place', async () => {
    expect(await run(['start', '--config', 'none.json'])).toMatchObject({
      code: 78,
      err: expect.stringContaining('none.json'),
    });
    await writeFile(join(folder, 'broken.json'), '{\n  "coin": bitcoin\n}');
    expect(await run(['check', '--config', 'broken.json'])).toMatchObject({
      code: 78,
      err: expect.stringContaining('line 2'),
    });
  });

  it('checks a configuration against a node without opening a port or writing a file', async () => {
    const node = createDevNode({ user: 'u', password: 'secret-word' });
    await node.start();
    try {
      await writeFile(
        join(folder, 'pool.yaml'),
        `network: regtest\ndaemons:\n  - { url: '${node.url}', user: u, password: secret-word }\npayout: { address: ${ADDRESS} }\nlisteners:\n  - { port: 0, difficulty: 0.001 }\n`,
      );
      const result = await run(['check', '--config', 'pool.yaml']);
      expect(result).toMatchObject({ code: 0, err: '' });
      expect(result.out).toContain('ready');
      expect(result.out).toContain('accepted');
      expect(result.out).not.toContain('secret-word');
      const json = await run(['check', '--config', 'pool.yaml', '--json']);
      expect(JSON.parse(json.out)).toMatchObject({ coin: 'bitcoin', height: 1, verdict: { kind: 'accepted' } });
      expect(await readdir(folder)).toEqual(['pool.yaml']);
    } finally {
      await node.close();
    }
  });

  it('check exits 69 when no node answers', async () => {
    const env = {
      HEADFRAME_NETWORK: 'regtest',
      HEADFRAME_DAEMONS__0__URL: 'http://127.0.0.1:1',
      HEADFRAME_PAYOUT__ADDRESS: ADDRESS,
      HEADFRAME_LISTENERS__0__PORT: '0',
    };
    expect(await run(['check'], env)).toMatchObject({ code: 69, out: expect.stringContaining('ECONNREFUSED') });
    const supervised = { ...env, HEADFRAME_DAEMONS__0__SUPERVISE__DATA_DIR: join(folder, 'node') };
    const { code, out } = await run(['check'], supervised);
    expect({ code, isTold: out.includes('(`start` runs this node)') }).toEqual({ code: 69, isTold: true });
  });

  it('mine exits 69 when the pool cannot be reached', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise((resolve) => server.close(resolve));
    expect(await run(['mine', `127.0.0.1:${port}`, '--user', 'a'])).toMatchObject({ code: 69 });
  }, 60_000);
});

describe('configuration files', () => {
  it('reads JSON with comments, YAML, and a coin definition beside the file', async () => {
    await writeFile(join(folder, 'a.jsonc'), '// pool\n{ "coin": "bitcoin", }');
    await writeFile(join(folder, 'b.yaml'), 'coin: ./coin.json');
    await writeFile(join(folder, 'coin.json'), '{ "name": "mycoin" }');
    expect(await loadConfig(join(folder, 'a.jsonc'), {})).toEqual({ coin: 'bitcoin' });
    expect(await loadConfig(join(folder, 'b.yaml'), { HEADFRAME_NETWORK: 'main' })).toEqual({
      coin: { name: 'mycoin' },
      network: 'main',
    });
    expect(await loadConfig(undefined, { HEADFRAME_CONFIG: join(folder, 'a.jsonc') })).toEqual({ coin: 'bitcoin' });
    await expect(loadConfig(undefined, {})).rejects.toThrow('--config FILE');
    expect(await loadConfig(undefined, { HEADFRAME_COIN: 'bitcoin' })).toEqual({ coin: 'bitcoin' });
  });
});

describe('numbers for people', () => {
  it('writes hash rates with units', () => {
    expect(hashrateText(0)).toBe('0.00 H/s');
    expect(hashrateText(1_234_567)).toBe('1.23 MH/s');
    expect(hashrateText(999.9e12)).toBe('1000 TH/s');
  });
});
