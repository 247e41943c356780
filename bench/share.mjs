// Cost of judging one whole share: 250-byte coinbase, 12 merkle steps, header, both targets.
import { fileURLToPath } from 'node:url';
import { createShareHasher, powAlgorithm, SHARE_RECORD, SHARE_RESULT } from '@headframe/hashing';
import { createInlineValidator, createThreadedValidator } from '@headframe/validator';
import { formatTable, median } from './table.mjs';

const ROUNDS = 7;
const SAMPLE_MS = 120;
/** A channel has its own jobs after its first change of difficulty; lanes mix them. */
const JOBS = 16;

/** @param {'sha256d' | 'scrypt'} algorithm @param {number} number */
function makeJob(algorithm, number) {
  return {
    coinbase1: new Uint8Array(100).fill(number),
    coinbase2: new Uint8Array(138).fill(number + 1),
    extranonceLength: 12,
    merkleBranch: new Uint8Array(12 * 32).fill(number + 2),
    previousHash: new Uint8Array(32).fill(number + 3),
    nbits: 0x1d00ffff,
    algorithm,
    networkTarget: new Uint8Array(32),
  };
}

/** @param {'sha256d' | 'scrypt'} algorithm @param {number} count */
function makeShares(algorithm, count) {
  const jobs = Array.from({ length: JOBS }, (_, i) => makeJob(algorithm, i));
  const shareTarget = new Uint8Array(32).fill(0xff);
  return Array.from({ length: count }, (_, i) => ({
    job: jobs[i % JOBS],
    version: 0x20000000,
    ntime: 1_700_000_000,
    nonce: i,
    extranonce: new Uint8Array(12).fill(i),
    shareTarget,
  }));
}

/**
 * One way to judge. `sample` runs for `ms` and tells what it took.
 *
 * @typedef {object} Way
 * @property {string} name
 * @property {(ms: number) => Promise<{ shares: number, wallMs: number, mainMs: number, cpuMs: number }>} sample
 * @property {() => Promise<void>} close
 */

/** @param {() => Promise<number>} work resolves with the number of shares done */
async function measure(work) {
  const cpu = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const start = performance.now();
  const shares = await work();
  const wallMs = performance.now() - start;
  const { active } = performance.eventLoopUtilization(loop);
  const { user, system } = process.cpuUsage(cpu);
  return { shares, wallMs, mainMs: active, cpuMs: (user + system) / 1000 };
}

/**
 * Keeps `inFlight` shares with a validator, topping up at the end of each batch.
 *
 * @param {string} name
 * @param {(listener: object) => import('@headframe/validator').ShareValidator<any>} make
 * @param {{ inFlight: number, algorithm?: 'sha256d' | 'scrypt' }} options
 * @returns {Way}
 */
function validatorWay(name, make, { inFlight, algorithm = 'sha256d' }) {
  const shares = makeShares(algorithm, inFlight);
  let met = 0;
  let done = 0;
  let free = [];
  let until = 0;
  let finished = () => {};
  const validator = make({
    evaluated(share, evaluation) {
      if (evaluation.meetsShareTarget) met++;
      done++;
      free.push(share);
    },
    failed(_share, error) {
      throw error;
    },
    batchDone() {
      const batch = free;
      if (performance.now() >= until) {
        if (batch.length === inFlight) finished();
        return;
      }
      free = [];
      for (const share of batch) validator.submit(share);
    },
    drained() {},
  });
  return {
    name,
    async sample(ms) {
      return measure(async () => {
        done = 0;
        met = 0;
        free = [];
        until = performance.now() + ms;
        const end = new Promise((resolve) => {
          finished = () => resolve(undefined);
        });
        for (const share of shares) validator.submit(share);
        await end;
        if (met !== done || validator.pending !== 0) throw new Error(`${name}: shares went missing`);
        return done;
      });
    },
    close: () => validator.close(),
  };
}

/** @param {'simd' | 'scalar' | 'node'} backend @returns {Way} hashing alone, 64 shares per call */
function hasherWay(backend) {
  const hasher = createShareHasher({ backend });
  const shares = makeShares('sha256d', 64);
  const jobs = shares.map(({ job }) => job);
  const records = new Uint8Array(64 * SHARE_RECORD.stride);
  const results = new Uint8Array(64 * SHARE_RESULT.stride);
  return loopWay(`hashing alone, ${backend}`, 64, () => hasher.hash(jobs, records, 64, results));
}

/** @param {string} name @param {number} shares per call @param {() => void} call @returns {Way} */
function loopWay(name, shares, call) {
  return {
    name,
    sample: (ms) =>
      measure(async () => {
        const until = performance.now() + ms;
        let done = 0;
        for (; performance.now() < until; done += shares) call();
        return done;
      }),
    close: async () => {},
  };
}

function scryptWay() {
  const headers = new Uint8Array(64 * 80);
  const output = new Uint8Array(64 * 32);
  return loopWay('scrypt alone', 64, () => powAlgorithm('scrypt').hashMany(headers, 80, 64, output));
}

/** @returns {Promise<import('./table.mjs').Table>} */
export async function run() {
  const ways = [
    hasherWay('simd'),
    validatorWay('inline, simd, 64 a turn', (listener) => createInlineValidator({ listener, backend: 'simd' }), {
      inFlight: 64,
    }),
    validatorWay('inline, simd, 4 a turn', (listener) => createInlineValidator({ listener, backend: 'simd' }), {
      inFlight: 4,
    }),
    validatorWay('inline, simd, 1 a turn', (listener) => createInlineValidator({ listener, backend: 'simd' }), {
      inFlight: 1,
    }),
    hasherWay('scalar'),
    validatorWay('inline, scalar, 64 a turn', (listener) => createInlineValidator({ listener, backend: 'scalar' }), {
      inFlight: 64,
    }),
    hasherWay('node'),
    validatorWay('inline, node:crypto, 64 a turn', (listener) => createInlineValidator({ listener, backend: 'node' }), {
      inFlight: 64,
    }),
    validatorWay('1 thread, simd, 64 in flight', (listener) => createThreadedValidator({ listener, threads: 1 }), {
      inFlight: 64,
    }),
    validatorWay('1 thread, simd, 1024 in flight', (listener) => createThreadedValidator({ listener, threads: 1 }), {
      inFlight: 1024,
    }),
    validatorWay('2 threads, simd, 1024 in flight', (listener) => createThreadedValidator({ listener, threads: 2 }), {
      inFlight: 1024,
    }),
    scryptWay(),
    validatorWay('scrypt inline, 64 a turn', (listener) => createInlineValidator({ listener }), {
      inFlight: 64,
      algorithm: 'scrypt',
    }),
    validatorWay('scrypt, 1 thread, 64 in flight', (listener) => createThreadedValidator({ listener, threads: 1 }), {
      inFlight: 64,
      algorithm: 'scrypt',
    }),
    validatorWay('scrypt, 2 threads, 256 in flight', (listener) => createThreadedValidator({ listener, threads: 2 }), {
      inFlight: 256,
      algorithm: 'scrypt',
    }),
  ];
  // One after the other in every round, so that a slow moment of the machine hits all alike. The first round warms up.
  const samples = ways.map(() => /** @type {{ wall: number, main: number, cpu: number }[]} */ ([]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, way] of ways.entries()) {
      const { shares, wallMs, mainMs, cpuMs } = await way.sample(round === 0 ? 3 * SAMPLE_MS : SAMPLE_MS);
      if (round === 0) continue;
      const each = 1000 / shares;
      samples[i]?.push({ wall: wallMs * each, main: mainMs * each, cpu: cpuMs * each });
    }
  }
  for (const way of ways) await way.close();
  const rows = ways.map(({ name }, i) => {
    const own = samples[i] ?? [];
    const wall = median(own.map((sample) => sample.wall));
    const text = (value) => value.toFixed(2);
    return [
      name,
      Number(text(wall)),
      Number(text(median(own.map((sample) => sample.main)))),
      Number(text(median(own.map((sample) => sample.cpu)))),
      Math.round(1e6 / wall),
    ];
  });
  return {
    title: 'One whole share (250-byte coinbase, 12 merkle steps), medians, microseconds per share',
    columns: ['way', 'wall', 'main thread', 'CPU of all threads', 'shares/s'],
    rows,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = await run();
  console.log(process.argv.includes('--json') ? JSON.stringify(table, null, 2) : formatTable(table));
}
