// Reply times at half of the rate the server can take, open loop: shares come when they are due, whatever the replies do.
import { alternate, run as measure, startLoad, startSubject, stopSubject } from './src/rig.mjs';
import { median } from './table.mjs';

const CONNECTIONS = 100;

/** @param {{ quick: boolean }} options @returns {Promise<import('./table.mjs').Table[]>} */
export async function run({ quick }) {
  const rounds = quick ? 2 : 5;
  const load = await startLoad();
  const subjects = [
    await startSubject('inline', { validation: 'inline' }),
    await startSubject('auto', { validation: 'auto', threads: 1 }),
  ];
  const connected = async (subject, work) => {
    await load.call('open', { port: subject.port, connections: CONNECTIONS });
    const result = await work();
    await load.call('close');
    return result;
  };
  const rates = new Map();
  for (const subject of subjects) {
    const closed = { outstanding: 8, warmupMs: 1500, ms: 1500 };
    const { perSecond } = await connected(subject, () => measure(subject, load, 'closed', closed));
    rates.set(subject, perSecond);
  }
  const cases = subjects.flatMap((subject) => [0.1, 0.5].map((part) => ({ subject, part })));
  const samples = await alternate(cases, rounds, ({ subject, part }) => {
    const perSecond = Math.round(rates.get(subject) * part);
    return connected(subject, () =>
      measure(subject, load, 'paced', { perSecond, warmupMs: 700, ms: quick ? 1500 : 3000 }),
    );
  });
  for (const subject of subjects) await stopSubject(subject);
  await load.stop();
  const rows = cases.map((case_) => {
    const own = samples.get(case_) ?? [];
    const of = (field) => median(own.map((sample) => sample[field]));
    return [
      case_.subject.name,
      `${case_.part * 100} %`,
      Math.round(of('perSecond')),
      Number(of('p50').toFixed(2)),
      Number(of('p99').toFixed(2)),
      Number(of('cpuPerShare').toFixed(1)),
    ];
  });
  return [
    {
      title: `Reply times, open loop over ${CONNECTIONS} connections, at a part of the closed-loop maximum`,
      columns: ['server', 'of maximum', 'accepted/s', 'p50 ms', 'p99 ms', 'server CPU us/share'],
      rows,
    },
  ];
}
