import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseProxyConfig } from '@headframe/proxy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const BINARY = fileURLToPath(new URL('../bin/headframe-proxy.js', import.meta.url));

describe('headframe-proxy', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'headframe-proxy-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BINARY, ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      timeout: 20_000,
    });
    return { status, stdout, stderr };
  }
  function file(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  it('explains itself', () => {
    expect(run(['--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('headframe-proxy COMMAND') });
    expect(run(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('a wrong command line is 64', () => {
    for (const args of [[], ['fly'], ['start', 'now'], ['start', '--nope']]) {
      expect(run(args)).toMatchObject({ status: 64, stderr: expect.stringContaining('--help') });
    }
  });

  it('a wrong configuration is 78, with every problem and before any port is opened', () => {
    const bad = file('bad.yaml', 'upstreams: []\nlisteners:\n  - port: tcp\n');
    const { status, stderr } = run(['start', '--config', bad]);
    expect(status).toBe(78);
    expect(stderr).toContain('upstreams');
    expect(stderr).toContain('listeners[0].port');
    expect(run(['start', '--config', join(folder, 'missing.json')])).toMatchObject({ status: 78 });
    expect(run(['start'])).toMatchObject({ status: 78, stderr: expect.stringContaining('--config FILE') });
    expect(run(['check', '--config', file('broken.json', '{ "a": ')]).stderr).toContain('line 1');
  });

  it('check says 69 when no upstream answers, and reads JSON with comments and the environment', () => {
    const good = file(
      'good.jsonc',
      '{ // pools\n "upstreams": [{ "url": "127.0.0.1:1", "user": "u" }], "listeners": [{ "port": 3333 }], }',
    );
    const { status, stdout } = run(['check', '--config', good], { HEADFRAME_PROXY_LISTENERS__0__PORT: '4444' });
    expect(status).toBe(69);
    expect(stdout).toContain(':4444');
    expect(stdout).toMatch(/upstream\s+127\.0\.0\.1:1: .+/);
  });
});

describe('the guide', () => {
  it('has a configuration that is one', () => {
    const page = readFileSync(new URL('../../../docs/guides/proxy.md', import.meta.url), 'utf8');
    const [, text = ''] = /```yml\n([\s\S]*?)```/.exec(page) ?? [];
    expect(parseProxyConfig(parse(text)).upstreams).toHaveLength(2);
  });
});
