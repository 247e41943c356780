// kill -9 in the middle of the load: every share that a miner saw accepted is in the log, and none is there twice.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeShareLogLine } from '@headframe/pool';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeJob } from '../support/bench-server.js';
import { startProcess } from '../support/process.js';
import { requireService } from '../support/require.js';
import { waitFor, within } from '../support/wait.js';
import { WireMiner, type WireShare } from '../support/wire-miner.js';

const ROUNDS = 6;
const CHILD = new URL('../support/share-load-child.mjs', import.meta.url).pathname;
const isBuilt = requireService('pool binary');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headframe-kill-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function jobText(id: number): string {
  return JSON.stringify(makeJob({ id }), (_key, value: unknown) => {
    if (value instanceof Uint8Array) return { $hex: Buffer.from(value).toString('hex') };
    return typeof value === 'bigint' ? { $big: String(value) } : value;
  });
}

function connect(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Enough of a connection for the wire miner. */
function connectionOf(socket: Socket): ConstructorParameters<typeof WireMiner>[0] {
  const connection = {
    start: (handler: { data(chunk: Uint8Array): void; closed(): void }) => {
      socket.on('data', (chunk: Buffer) => handler.data(chunk));
      socket.on('error', () => {});
      socket.once('close', () => handler.closed());
    },
    write: (bytes: Uint8Array | string) => socket.write(bytes),
    destroy: () => socket.destroy(),
  };
  return connection as unknown as ConstructorParameters<typeof WireMiner>[0];
}

/** Difficulty that the hash reached, as the log has it. */
function achieved({ hash }: WireShare): string {
  return ((0xffff * 2 ** 208) / Number(BigInt(`0x${hash}`))).toPrecision(10);
}

describe.skipIf(!isBuilt)('kill -9', () => {
  it(`in ${ROUNDS} rounds at random moments loses no accepted share and books none twice`, async () => {
    const told = new Set<string>();
    let sent = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const lines: string[] = [];
      const child = startProcess(process.execPath, [CHILD, folder, '0', String(round)], {
        env: { HEADFRAME_JOB: jobText(round + 1) },
        onLine: (line) => lines.push(line),
      });
      const port = await waitFor('the port', () => (lines[0] === undefined ? undefined : Number(lines[0])), 10_000);
      const miners = await Promise.all(
        [0, 1, 2].map(async () => new WireMiner(connectionOf(await connect(port))).start()),
      );
      // Shares are found beforehand, so that the server is what is busy.
      const work = miners.map((miner) => Array.from({ length: 400 }, () => miner.search()));
      // At a random number of answers, so that it hits the middle of the load on every machine.
      const killAfter = 20 + Math.floor(Math.random() * 800);
      const answers = (): number => miners.reduce((sum, { lines: got }) => sum + got.length, 0);
      const byId = new Map<string, WireShare>();
      const pour = async (miner: WireMiner, shares: readonly WireShare[], m: number): Promise<void> => {
        for (let i = 0; i < shares.length && !miner.closed; i += 20) {
          const part = shares.slice(i, i + 20);
          miner.write(
            part
              .map((share, n) => {
                byId.set(`${m}-${i + n}`, share);
                sent++;
                return miner.submitLine(share, `${m}-${i + n}`);
              })
              .join(''),
          );
          await new Promise<void>((resolve) => setImmediate(resolve));
          if (answers() >= killAfter) child.child.kill('SIGKILL');
        }
      };
      await Promise.all(miners.map((miner, m) => pour(miner, work[m] ?? [], m)));
      await waitFor('enough answers', () => answers() >= killAfter, 10_000);
      child.child.kill('SIGKILL');
      await within('the end of the child', child.exited, 10_000);
      await waitFor('the sockets to close', () => miners.every(({ closed }) => closed), 10_000);
      for (const miner of miners) {
        for (const { id, result } of miner.lines) {
          const share = byId.get(String(id));
          if (share !== undefined && result === true) told.add(achieved(share));
        }
      }
    }
    const logged: string[] = [];
    const names = (await readdir(folder)).sort();
    for (const [i, name] of names.entries()) {
      const text = await readFile(join(folder, name), 'utf8');
      // The kill may have torn the last line of the last file; all others were cut clean at the next start.
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      if (i < names.length - 1) expect(whole).toBe(text);
      for (const line of whole.split('\n')) {
        if (line === '') continue;
        for (const share of decodeShareLogLine(line).shares) {
          if (share.result === 'accepted') logged.push(share.achieved.toPrecision(10));
        }
      }
    }
    expect(sent).toBeGreaterThan(0);
    expect(told.size).toBeGreaterThan(0);
    expect(new Set(logged).size).toBe(logged.length);
    const inLog = new Set(logged);
    expect([...told].filter((share) => !inLog.has(share))).toEqual([]);
    console.log(`kill -9: ${sent} sent, ${told.size} answered true, ${logged.length} in the log`);
  }, 60_000);
});
