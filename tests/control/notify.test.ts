import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notification } from '@headframe/pool';
import { createTestPool, type TestPool } from '@headframe/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { HEADFRAME } from '../support/pool-process.js';
import { startProcess } from '../support/process.js';
import { requireService } from '../support/require.js';

const TOKEN = 'token-of-the-notify-tests';
const HASH = `${'00'.repeat(28)}aabbccdd`;

describe.runIf(requireService('pool binary'))('headframe notify', () => {
  let folder = '';
  let test: TestPool<unknown>;
  let socket = '';
  let port = 0;
  const notified: Notification[] = [];
  const servers: Server[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headframe-notify-'));
    socket = join(folder, 'control.sock');
    await writeFile(join(folder, 'token'), `${TOKEN}\n`);
    test = await createTestPool<unknown>({ config: { control: { port: 0, socket, token: TOKEN } } });
    port = test.pool.control.address?.port ?? 0;
    test.pool.on('notified', (notification) => notified.push(notification));
  });
  afterAll(async () => {
    await test.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => notified.splice(0));
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    vi.restoreAllMocks();
  });

  async function run(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    node: readonly string[] = [],
  ) {
    const child = startProcess(process.execPath, [...node, HEADFRAME, 'notify', ...args], {
      env: { HEADFRAME_CONTROL_TOKEN: '', ...env },
    });
    const { code } = await child.exited;
    return { code, output: child.output() };
  }
  /** A server that does something with each connection; its port. */
  async function serve(act: (text: string, write: (text: string) => void, destroy: () => void) => void) {
    const server = createServer((connection) => {
      connection.on('error', () => {});
      connection.on('data', (data) =>
        act(
          data.toString(),
          (text) => connection.write(text),
          () => connection.destroy(),
        ),
      );
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return typeof address === 'object' && address !== null ? String(address.port) : '';
  }

  it('reaches the pool over its socket without a secret, and the pool asks for a template', async () => {
    const refresh = vi.spyOn(test.pool, 'refreshTemplate');
    const { code, output } = await run(['--type', 'block', '--data', HASH, '--socket', socket, '--source', 'node-1']);
    expect({ code, output }).toEqual({ code: 0, output: '' });
    expect(notified).toEqual([{ type: 'block', data: HASH, source: 'node-1' }]);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('takes the token from the environment or from a file; only a block asks for a template', async () => {
    const refresh = vi.spyOn(test.pool, 'refreshTemplate');
    const where = ['--port', String(port)];
    const env = { HEADFRAME_CONTROL_TOKEN: TOKEN };
    expect(await run(['--type=wallet', '--data=txid', ...where], env)).toEqual({ code: 0, output: '' });
    const file = ['--token-file', join(folder, 'token')];
    expect(await run(['--type', 'alert', '--data', 'disk is full', ...where, ...file])).toEqual({
      code: 0,
      output: '',
    });
    expect(notified.map(({ type, data }) => [type, data])).toEqual([
      ['wallet', 'txid'],
      ['alert', 'disk is full'],
    ]);
    expect(refresh).not.toHaveBeenCalled();
  });

  it('says by its exit code what went wrong', async () => {
    const block = ['--type', 'block', '--data', HASH];
    const where = ['--port', String(port)];
    expect(await run([...block, ...where])).toMatchObject({
      code: 77,
      output: expect.stringMatching(/Unauthorized\n.*--token-file/),
    });
    expect(await run([...block, ...where], { HEADFRAME_CONTROL_TOKEN: 'wrong' })).toMatchObject({ code: 77 });
    const gone = await run([...block, '--socket', join(folder, 'none.sock')]);
    expect(gone.code).toBe(69);
    expect(gone.output.trim().split('\n')).toHaveLength(1);
    expect(await run([...block, '--token-file', join(folder, 'none')])).toMatchObject({ code: 64 });
    for (const wrong of [
      [],
      ['--type', 'block'],
      ['--data', 'x'],
      ['--type', 'party', '--data', 'x'],
      [...block, '--token', TOKEN],
      [...block, '--port', '0'],
      [...block, 'more'],
    ]) {
      expect({ wrong, ...(await run(wrong)) }).toMatchObject({ code: 64, output: expect.stringContaining('--help') });
    }
    expect(await run(['--help'])).toMatchObject({ code: 0, output: expect.stringContaining('blocknotify') });
    expect(notified).toEqual([]);
  });

  it('gives up a pool that does not answer, hangs up, or is something else', async () => {
    const block = ['--type', 'block', '--data', HASH];
    const silent = await serve(() => {});
    expect(await run([...block, '--port', silent, '--timeout', '0.2'])).toMatchObject({
      code: 69,
      output: expect.stringContaining('no answer within 0.2 s'),
    });
    const rude = await serve((_text, _write, destroy) => destroy());
    expect(await run([...block, '--port', rude])).toMatchObject({ code: 69 });
    const web = await serve((_text, write) => write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await run([...block, '--port', web])).toMatchObject({ code: 1 });
    const stratum = await serve((_text, write) => write('{"id":2,"result":null,"error":[20,"Unknown method",null]}\n'));
    expect(await run([...block, '--port', stratum])).toMatchObject({
      code: 1,
      output: expect.stringContaining('does not speak the control RPC'),
    });
    const endless = await serve((_text, write) => write('x'.repeat(100_000)));
    expect(await run([...block, '--port', endless])).toMatchObject({ code: 69 });
  });

  it('loads two files, and of Node no more than a socket needs', async () => {
    const args = ['--type', 'block', '--data', HASH, '--socket', socket];
    const files = join(folder, 'files');
    const tracer = new URL('./trace-files.mjs', import.meta.url).href;
    expect(await run(args, { TRACE_FILE: files }, ['--import', tracer])).toMatchObject({ code: 0 });
    const loaded = (await readFile(files, 'utf8')).trim().split('\n');
    const own = loaded.filter((url) => !url.includes('trace-files.mjs'));
    expect(own.map((url) => url.replace(/^.*\/apps\/pool\//, ''))).toEqual([
      'bin/headframe.js',
      'node:fs',
      'dist/notify.js',
      'node:net',
    ]);

    const list = join(folder, 'list');
    const preload = new URL('./tracer.cjs', import.meta.url).pathname;
    expect(await run(args, { TRACE_FILE: list }, ['--require', preload])).toMatchObject({ code: 0 });
    const parts = JSON.parse(await readFile(list, 'utf8')) as string[];
    expect(parts).toContain('NativeModule net');
    const heavy = [
      'http',
      'https',
      'tls',
      'crypto',
      'zlib',
      'child_process',
      'worker_threads',
      'tty',
      'readline',
      'sqlite',
    ];
    expect(parts.filter((part) => heavy.some((name) => part === `NativeModule ${name}`))).toEqual([]);
  });
});
