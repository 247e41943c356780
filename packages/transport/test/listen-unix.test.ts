import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Connection, type Listener, listenUnix } from '../src/index.js';

let folder = '';
let path = '';
const open: Listener[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headframe-unix-'));
  path = join(folder, 'a.sock');
});
afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close();
  rmSync(folder, { recursive: true, force: true });
});

const nobody = { data() {}, drain() {}, closed() {} };

async function listen(onConnection: (connection: Connection) => void = (one) => one.destroy(), mode?: number) {
  const listener = await listenUnix({ path, ...(mode === undefined ? {} : { mode }) }, onConnection);
  open.push(listener);
  return listener;
}

/** Connects, writes, reads until the end. */
function talk(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = createConnection({ path, allowHalfOpen: true });
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => {
      socket.end();
      resolve(received);
    });
    socket.end(text);
  });
}

it('carries bytes both ways, with half-close, from peers without an address', async () => {
  const addresses: string[] = [];
  const listener = await listen((connection) => {
    addresses.push(connection.remoteAddress);
    connection.start({
      ...nobody,
      data: (chunk) => connection.write(Uint8Array.from(chunk)),
      ended: () => connection.end(),
    });
  });
  expect(await talk('hello')).toBe('hello');
  expect(addresses).toEqual(['']);
  expect(listener.address).toEqual({ host: path, port: 0 });
});

it('is for its owner alone, whatever the mask of the process', async () => {
  const before = process.umask(0);
  try {
    await listen();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(0);
  } finally {
    process.umask(before);
  }
});

it('takes other permissions where it is told to', async () => {
  await listen(undefined, 0o660);
  expect(statSync(path).mode & 0o777).toBe(0o660);
});

it('takes over what a process that was killed left behind', async () => {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  expect(statSync(path).isSocket()).toBe(true);
  await listen((connection) => connection.end());
  expect(await talk('')).toBe('');
});

it('leaves a socket alone that somebody listens on', async () => {
  await listen((connection) => connection.end());
  await expect(listenUnix({ path }, () => {})).rejects.toMatchObject({ code: 'listen_failed' });
  expect(await talk('')).toBe('');
});

it.each(['a file', 'a link to a file'])('leaves %s alone', async (what) => {
  const file = what === 'a file' ? path : join(folder, 'precious');
  writeFileSync(file, 'precious');
  if (file !== path) symlinkSync(file, path);
  await expect(listenUnix({ path }, () => {})).rejects.toMatchObject({ code: 'listen_failed' });
  expect(statSync(file).size).toBe(8);
});

it('removes its socket when it closes', async () => {
  const listener = await listen();
  await listener.close();
  await listener.close();
  expect(existsSync(path)).toBe(false);
});

it('refuses paths that are too long for a socket, and folders that are not there', async () => {
  await expect(listenUnix({ path: join(folder, 'x'.repeat(104)) }, () => {})).rejects.toMatchObject({
    code: 'listen_failed',
  });
  await expect(listenUnix({ path: join(folder, 'none', 'a.sock') }, () => {})).rejects.toMatchObject({
    code: 'listen_failed',
  });
});
