import { createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ProbeReport } from '@headframe/client';
import { afterEach, describe, expect, it } from 'vitest';
import { startProcess } from '../support/process.js';
import { startPool } from './pool.js';

const BINARY = fileURLToPath(new URL('../../apps/pool/bin/headframe.js', import.meta.url));

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function run(...args: string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = startProcess(process.execPath, [BINARY, ...args]);
  const { code } = await child.exited;
  return { code, output: child.output() };
}

/** A server that accepts connections and answers each line with `answer`. */
async function listen(answer: (line: string, socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line.trim() !== '') answer(line, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

describe('headframe probe', () => {
  it('prints a table and exits with 0 for our own pool', async () => {
    const { port, close } = await startPool();
    closing.push(close);
    const { code, output } = await run('probe', `127.0.0.1:${port}`, '--user', 'alice.rig', '--watch', '0');
    expect(output).toMatch(/^version rolling +ok +Mask 1fffe000\.$/m);
    expect(output).toMatch(/^duplicate +ok +A good share was accepted; the same again: refused with 22/m);
    expect(output).toMatch(/^\d+ ok, 1 not checked$/m);
    expect(code).toBe(0);
  });

  it('prints JSON and exits with 1 for a server that answers nothing right', async () => {
    const url = await listen((line, socket) => {
      if (line.startsWith('{')) socket.write(`${JSON.stringify({ id: 'no', result: line.length })}\n`);
    });
    const { code, output } = await run('probe', url, '--json', '--timeout', '0.2', '--watch', '0');
    const report: ProbeReport = JSON.parse(output);
    expect(report.verdict).toBe('wrong');
    expect(report.findings.find(({ check }) => check === 'subscribe')).toMatchObject({ status: 'wrong' });
    expect(code).toBe(1);
  });

  it('exits with 69 when nobody is there, and with 64 when the command line is wrong', async () => {
    const url = await listen(() => {});
    await closing.pop()?.();
    const nobody = await run('probe', url, '--timeout', '2');
    expect(nobody.output).toContain(`cannot connect to ${url}`);
    expect(nobody.code).toBe(69);
    for (const args of [
      [],
      ['nonsense'],
      [url, '--timeout', '-1'],
      [url, '--pin', 'abc'],
      [url, '--ca', '/no/such/file'],
    ]) {
      expect((await run('probe', ...args)).code).toBe(64);
    }
  });
});

describe('headframe mine', () => {
  it('uses a fallback pool while the first cannot be reached', async () => {
    const { port, close } = await startPool();
    closing.push(close);
    const nobody = await listen(() => {});
    await closing.pop()?.();
    const { code, output } = await run('mine', nobody, `127.0.0.1:${port}`, '--user', 'alice.rig', '--shares', '1');
    expect(output).toContain(`cannot connect to ${nobody}`);
    expect(output).toContain(`mining at 127.0.0.1:${port} as alice.rig`);
    expect(output).toContain('accepted ');
    expect(code).toBe(0);
  });
});
