// The server under test, in a process of its own: the real session layer, share path, validator, bus and share log. Only
// the jobs are made up, so that no node is needed.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '@headframe/ledger';
import { createDirectBus, lowestDifficulty } from '@headframe/mining';
import { openShareLog } from '@headframe/pool';
import { createServer } from '@headframe/server';
import { createValidator } from '@headframe/validator';
import { serve } from './ipc.mjs';
import { makeJob } from './job.mjs';
import { mainThreadCpu, now, usage } from './usage.mjs';

const UNLIMITED = Number.POSITIVE_INFINITY;
// The load comes from one address, and faster than any limit for miners would let it.
const LIMITS = {
  connectionsPerAddress: UNLIMITED,
  unauthorizedPerAddress: UNLIMITED,
  connectBurstPerAddress: UNLIMITED,
  requestsPerSecond: 1e9,
  requestBurst: 1e9,
};

/** @type {import('@headframe/server').MiningServer<any>} */
let server;
let nextJob = Math.floor(Date.now() / 1000);
let tip = 0;
let shareEvents = 0;
let folder = '';
/** @type {import('@headframe/ledger').Ledger | undefined} */
let ledger;

serve({
  /** Opens the server; answers the port. */
  async start({
    validation = 'auto',
    threads = undefined,
    duplicatesPerJob = undefined,
    logUnder = tmpdir(),
    storage = 'log',
  }) {
    folder = await mkdtemp(join(logUnder, 'headframe-bench-'));
    if (storage === 'ledger') ledger = await openLedger({ url: `sqlite:${join(folder, 'pool.db')}` });
    const log = ledger ?? (await openShareLog({ folder, maxFileBytes: 64 * 1024 * 1024, keepFiles: 1 }));
    const bus = createDirectBus();
    bus.answer('commit', (batch) => log.commit(batch).then(() => null));
    bus.answer('join', () => ({ instance: 0, job: null }));
    server = createServer(
      {
        listeners: [{ host: '127.0.0.1', port: 0 }],
        difficulty: lowestDifficulty(1).value,
        refreshSpreadMs: 0,
        limits: {
          ...LIMITS,
          ...(duplicatesPerJob === undefined ? {} : { duplicatesPerJob, workersPerChannel: 100_000 }),
        },
      },
      {
        bus,
        validator: (listener) =>
          createValidator({ mode: validation, listener, ...(threads === undefined ? {} : { threads }) }),
      },
    );
    server.on('share', () => shareEvents++);
    server.on('rejected', () => shareEvents++);
    server.publishJob(makeJob(nextJob++, { tip, clean: true }));
    const [listener] = await server.listen();
    return { port: listener?.port };
  },

  /** What has been used and counted so far. */
  mark(options) {
    const { shares } = server.stats();
    return {
      ...usage(options),
      mainCpu: mainThreadCpu(),
      accepted: shares.accepted,
      rejected: shares.rejected,
      shareEvents,
    };
  },

  /** Brings the ledger's statistics up to date, so that their cost is in what was used. */
  async fold() {
    await ledger?.fold();
  },

  /** A job for everybody; answers when it was called, and the microseconds of CPU it took. */
  publish({ clean }) {
    if (clean) tip++;
    const job = makeJob(nextJob++, { tip, clean });
    const cpu = process.cpuUsage();
    const at = now();
    server.publishJob(job);
    const tookMs = now() - at;
    const { user, system } = process.cpuUsage(cpu);
    return { at, tookMs, cpu: user + system };
  },

  async stop() {
    server.destroy();
    await ledger?.close();
    await rm(folder, { recursive: true, force: true });
  },
});
