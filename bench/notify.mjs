// `headframe notify`, which a node starts for every block: from spawn to exit, beside a bare Node.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { median } from './table.mjs';

const HEADFRAME = join(import.meta.dirname, '..', 'apps', 'pool', 'bin', 'headframe.js');

/** In a thread, because the main one waits for the programs: says "done" to every call. */
const SERVER = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', () => socket.write('{"jsonrpc":"2.0","id":2,"result":true}\\n'));
}).listen(workerData, () => parentPort.postMessage('listening'));
`;

/** Wall time in ms, which is what delays the news. */
function once(args) {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
  return performance.now() - start;
}

/** @param {{ quick: boolean }} options @returns {Promise<import('./table.mjs').Table>} */
export async function run({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-bench-notify-'));
  const socket = join(folder, 'control.sock');
  const server = new Worker(SERVER, { eval: true, workerData: socket });
  await new Promise((resolve) => server.once('message', resolve));
  const kinds = [
    ['node -e 0', ['-e', '0']],
    ['headframe notify', [HEADFRAME, 'notify', '--type', 'block', '--data', '0'.repeat(64), '--socket', socket]],
    ['headframe version', [HEADFRAME, 'version']],
  ];
  const samples = kinds.map(() => []);
  try {
    for (let round = 0; round < (quick ? 5 : 25); round++) {
      for (const [i, [, args]] of kinds.entries()) samples[i].push(once(args));
    }
  } finally {
    await server.terminate();
    rmSync(folder, { recursive: true, force: true });
  }
  const bare = median(samples[0]);
  return {
    title: 'Start of headframe notify: spawn to exit, medians',
    columns: ['program', 'ms', 'ms above bare Node'],
    rows: kinds.map(([name], i) => {
      const ms = median(samples[i]);
      return [name, Number(ms.toFixed(1)), Number((ms - bare).toFixed(1))];
    }),
  };
}
