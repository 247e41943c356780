import { spawn } from 'node:child_process';
import { scryptSync } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { BINARY } from './run.js';

// Each run of the binary is a process, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

function hash(input: string): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BINARY, 'control', 'hash'], { stdio: 'pipe' });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

it('headframe control hash makes the hash of the first line of standard input, and shows nothing else', async () => {
  const { code, out, err } = await hash('correct horse\nnot this\n');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^scrypt:15:8:1:\S+\n$/);
  const [, logN, r, p, salt = '', made = ''] = out.trim().split(':');
  const cost = { N: 2 ** Number(logN), r: Number(r), p: Number(p), maxmem: 2 ** 27 };
  expect(scryptSync('correct horse', Buffer.from(salt, 'base64url'), 32, cost).toString('base64url')).toBe(made);
});

it('headframe control hash refuses no password', async () => {
  expect(await hash('')).toMatchObject({ code: 64, out: '' });
});
