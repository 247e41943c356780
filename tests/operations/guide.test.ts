import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.js';
import { requireService } from '../support/require.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GUIDE = join(ROOT, 'docs', 'operations', 'go-to-production.md');
/** The rehearsal takes under a minute on an idle machine. */
const TIMEOUT_MS = 300_000;
/** Line that the test writes between the blocks. */
const MARK = '=== block ';

/** The blocks of the rehearsal, in order. */
function rehearsal(): string[] {
  const text = readFileSync(GUIDE, 'utf8');
  return [...text.matchAll(/<!-- rehearsal -->\n```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
}

/** The same commands; only the ports are free ones and the folder is the test's, so that tests can run side by side. */
async function script(blocks: readonly string[]): Promise<string> {
  const names = ['RPC_PORT', 'P2P_PORT', 'STRATUM_PORT', 'API_PORT'];
  const ports = await Promise.all(names.map(async (name) => `${name}=${await freePort()}`));
  const lines = blocks.map((block, at) => `echo "${MARK}${at}"\n${block}${at === 0 ? `${ports.join(' ')}\n` : ''}`);
  return `set -euo pipefail\n${lines.join('')}echo "${MARK}end"\n`;
}

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a script in a process group of its own, and ends whatever of it is left. */
function runScript(text: string, folder: string): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', text], {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: folder, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const endAll = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Nobody is left.
      }
    };
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const timer = setTimeout(endAll, TIMEOUT_MS - 20_000);
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(timer);
      endAll();
      resolve({ code, output });
    });
  });
}

const isReady =
  requireService('litecoind', 'pool binary') &&
  ['/usr/bin/litecoin-cli', '/usr/bin/curl', '/usr/bin/openssl'].every(existsSync);

describe('docs/operations/go-to-production.md', () => {
  it('has a rehearsal', () => {
    expect(rehearsal().length).toBeGreaterThan(15);
  });

  it.skipIf(!isReady)(
    'can be followed word by word against litecoind',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'headframe-guide-'));
      try {
        const { code, output } = await runScript(await script(rehearsal()), folder);
        expect({ code, last: output.slice(-4000) }).toMatchObject({ code: 0 });
        expect(output).toContain(`${MARK}end`);
        const parts = output.split(MARK);
        const part = (words: string): string => parts.find((text) => text.includes(words)) ?? '';
        expect(part('block   ')).toContain('accepted: blocks built like this are valid');
        // Where every other share is a block, some are stale when they arrive.
        expect(part('connected to stratum')).toMatch(/accepted 10 {2}rejected [0-9]+/);
        expect(part('"name":"My pool"')).toMatch(/ +[0-9]+ +confirmed/);
        // The miner and the recipient of the fee.
        expect(part('Would pay')).toContain('Payments made or planned: 2 accounts in 1 transaction');
        expect(part('confirmed ')).not.toContain('failed');
        expect(output.match(/The books are right\./g)).toHaveLength(2);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
