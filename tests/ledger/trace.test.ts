import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startProcess } from '../support/process.js';
import { requireService } from '../support/require.js';

const CHILD = fileURLToPath(new URL('./trace-child.mjs', import.meta.url));
/** A sync that has come to its end, in a line of strace: `PID fdatasync(23) = 0` or `PID <... fsync resumed>) = 0`. */
const SYNCED = /^(\d+) +(?:<\.\.\. )?f(?:data)?sync(?:\(\d+\)| resumed>\)) += 0/;
const WRITTEN = /^(\d+) +write\(1, "(open|acknowledged \d+)\\n"/;

describe.skipIf(!requireService('pool binary', 'strace'))('a SQLite ledger under strace', () => {
  it('has synced the disk before each acknowledgement, and never on the main thread', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headframe-trace-'));
    try {
      const output = join(folder, 'trace');
      const url = `sqlite:${join(folder, 'pool.db')}`;
      const traced = startProcess('strace', [
        ...['-f', '-o', output, '-e', 'trace=fsync,fdatasync,write', '-e', 'signal=none'],
        ...[process.execPath, CHILD, url],
      ]);
      expect(await traced.exited, traced.output()).toEqual({ code: 0, signal: null });
      const acknowledged: string[] = [];
      const syncers = new Set<string>();
      let main: string | undefined;
      let syncs = 0;
      for (const line of (await readFile(output, 'utf8')).split('\n')) {
        const synced = SYNCED.exec(line);
        if (synced?.[1] !== undefined) {
          syncers.add(synced[1]);
          syncs++;
        }
        const written = WRITTEN.exec(line);
        if (written?.[2] === undefined) continue;
        main = written[1];
        if (written[2] !== 'open') {
          expect(syncs, `syncs before "${written[2]}"`).toBeGreaterThan(0);
          acknowledged.push(written[2]);
        }
        syncs = 0;
      }
      expect(acknowledged).toHaveLength(20);
      expect(main).toBeDefined();
      expect([...syncers]).not.toContain(main);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
