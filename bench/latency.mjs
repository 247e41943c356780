// Reply times at half of the rate the server can take, open loop: shares come when they are due, whatever the replies do.
// Accepted means on disk, so the disk is measured beside: the same server with its share log in memory, and the disk alone.
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alternate, run as measure, startLoad, startSubject, stopSubject } from './src/rig.mjs';
import { median } from './table.mjs';

const CONNECTIONS = 100;
const MEMORY = '/dev/shm';
/** What 40 shares take in the share log. */
const APPEND_BYTES = 3000;

const SERVERS = [
  ['inline', { validation: 'inline' }],
  ['auto', { validation: 'auto', threads: 1 }],
  ...(existsSync(MEMORY) ? [['inline, log in memory', { validation: 'inline', logUnder: MEMORY }]] : []),
];
const PARTS = [0.1, 0.25, 0.5];

/** Appends and syncs alone for `ms`, every 2 ms as the server does. */
async function disk(ms) {
  const folder = await mkdtemp(join(tmpdir(), 'headframe-bench-'));
  const file = await open(join(folder, 'log'), 'w');
  const bytes = Buffer.alloc(APPEND_BYTES, 0x61);
  const times = [];
  const until = performance.now() + ms;
  while (performance.now() < until) {
    const start = performance.now();
    await file.write(bytes);
    await file.datasync();
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await file.close();
  await rm(folder, { recursive: true });
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.floor(times.length * part)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** @param {{ quick: boolean }} options @returns {Promise<import('./table.mjs').Table[]>} */
export async function run({ quick }) {
  const rounds = quick ? 2 : 5;
  const load = await startLoad();
  const subjects = [];
  for (const [name, options] of SERVERS) subjects.push(await startSubject(name, options));
  const connected = async (subject, work) => {
    await load.call('open', { port: subject.port, connections: CONNECTIONS });
    const result = await work();
    await load.call('close');
    return result;
  };
  const closed = (subject, warmupMs) =>
    connected(subject, () => measure(subject, load, 'closed', { outstanding: 8, warmupMs, ms: 1000 }));
  for (const subject of subjects) await closed(subject, 1500);
  const maxima = await alternate(subjects, 3, (subject) => closed(subject, 200));
  const maximum = (subject) => median((maxima.get(subject) ?? []).map(({ perSecond }) => perSecond));
  const cases = subjects.flatMap((subject) => PARTS.map((part) => ({ subject, part })));
  const ms = quick ? 1000 : 2000;
  const disks = [];
  const samples = await alternate(cases, rounds, async (case_) => {
    if (case_ === cases[0]) disks.push(await disk(ms));
    const perSecond = Math.round(maximum(case_.subject) * case_.part);
    return connected(case_.subject, () => measure(case_.subject, load, 'paced', { perSecond, warmupMs: 500, ms }));
  });
  for (const subject of subjects) await stopSubject(subject);
  await load.stop();
  const number = (value, digits) => Number(value.toFixed(digits));
  const rows = cases.map((case_) => {
    const own = samples.get(case_) ?? [];
    const of = (field) => median(own.map((sample) => sample[field]));
    const best = Math.min(...own.map(({ p99 }) => p99));
    return [
      case_.subject.name,
      `${case_.part * 100} %`,
      Math.round(of('perSecond')),
      number(of('p50'), 2),
      number(of('p99'), 2),
      number(best, 2),
      number(of('cpuPerShare'), 1),
      number(of('cores'), 2),
    ];
  });
  const ofDisk = (field) => number(median(disks.map((sample) => sample[field])), 2);
  const bestDisk = number(Math.min(...disks.map(({ p99 }) => p99)), 2);
  rows.push(['the disk alone (append, fsync)', '', '', ofDisk('p50'), ofDisk('p99'), bestDisk, '', '']);
  return [
    {
      title: `Reply times, open loop over ${CONNECTIONS} connections, at a part of the closed-loop maximum, medians of ${rounds} rounds`,
      columns: ['server', 'of maximum', 'accepted/s', 'p50 ms', 'p99 ms', 'best p99', 'server CPU us/share', 'cores'],
      rows,
    },
  ];
}
