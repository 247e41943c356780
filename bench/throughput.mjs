// Shares per second and CPU per share of the whole server over loopback, beside a server that only answers.
import { alternate, run as measure, startLoad, startSubject, stopSubject } from './src/rig.mjs';
import { median } from './table.mjs';

/** Connections, and shares each has under way. */
const LOADS = [
  [1, 256],
  [100, 8],
  [1000, 2],
];
const SERVERS = [
  ['answers only', undefined],
  ['inline', { validation: 'inline' }],
  ['threads', { validation: 'threads', threads: 1 }],
  ['auto', { validation: 'auto', threads: 1 }],
];

/** @param {{ quick: boolean }} options @returns {Promise<import('./table.mjs').Table[]>} */
export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const ms = quick ? 1000 : 2000;
  const subjects = [];
  for (const [name, options] of SERVERS) subjects.push(await startSubject(name, options));
  const load = await startLoad();
  const cases = LOADS.flatMap(([connections, outstanding]) =>
    subjects.map((subject) => ({ subject, connections, outstanding })),
  );
  const one = async ({ subject, connections, outstanding }, warmupMs, forMs) => {
    await load.call('open', { port: subject.port, connections });
    const result = await measure(subject, load, 'closed', { outstanding, warmupMs, ms: forMs });
    await load.call('close');
    return result;
  };
  // Warm code first: the optimiser is done after some 100,000 shares.
  for (const case_ of cases) await one(case_, 1000, 500);
  const samples = await alternate(cases, rounds, (case_) => one(case_, 300, ms));
  for (const subject of subjects) await stopSubject(subject);
  await load.stop();
  const rows = cases.map((case_) => {
    const own = samples.get(case_) ?? [];
    const of = (field) => median(own.map((sample) => sample[field]));
    return [
      case_.subject.name,
      case_.connections,
      case_.outstanding,
      Math.round(of('perSecond')),
      Number(of('cpuPerShare').toFixed(1)),
      Number(of('cores').toFixed(2)),
      Number(of('p50').toFixed(1)),
      Number(of('p99').toFixed(1)),
      `${(100 * of('rejectedPart')).toFixed(2)} %`,
      Number(of('loadCpuPerShare').toFixed(1)),
    ];
  });
  return [
    {
      title: `Server over loopback, closed loop, medians of ${rounds} alternating rounds`,
      columns: [
        'server',
        'connections',
        'outstanding',
        'accepted/s',
        'server CPU us/share',
        'cores',
        'p50 ms',
        'p99 ms',
        'rejected',
        'load CPU us/share',
      ],
      rows,
    },
  ];
}
