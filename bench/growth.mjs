// CPU per share must not grow with what is there already. Each row compares a small with a hundredfold crowd.
import { alternate, run as measure, startLoad, startSubject, stopSubject } from './src/rig.mjs';
import { median } from './table.mjs';

const CASES = [
  { name: 'shares in the job', small: 500, large: 50_000, connections: 10, outstanding: 64 },
  { name: 'workers of the account', small: 100, large: 10_000, connections: 1, outstanding: 64 },
  { name: 'sessions of the server', small: 100, large: 10_000, connections: 100, outstanding: 8 },
];

/** At 10,000 shares a second and connection, a job gets some 500 in this time. */
const FEW_JOB_MS = 50;

/** Sets a case up with `count` and measures. */
async function sample(subject, load, case_, count, ms) {
  const { connections, outstanding } = case_;
  const { port } = subject;
  if (case_.name === 'shares in the job') {
    await load.call('open', { port, connections });
    // Jobs that are new to all: the set of each channel begins empty. Few stay few by a new job every so often.
    const publish = () => subject.process.call('publish', { clean: false });
    const isFew = count === case_.small;
    await publish();
    const timer = isFew ? setInterval(publish, FEW_JOB_MS) : undefined;
    const options = isFew ? { warmupMs: 500 } : { firstShares: count };
    const result = await measure(subject, load, 'closed', { outstanding, ms: 500, ...options });
    clearInterval(timer);
    await load.call('close');
    return result;
  }
  if (case_.name === 'workers of the account') await load.call('open', { port, connections, names: count });
  else await load.call('open', { port, connections: count });
  const result = await measure(subject, load, 'closed', { outstanding, connections, warmupMs: 500, ms });
  await load.call('close');
  return result;
}

/** @param {{ quick: boolean }} options @returns {Promise<import('./table.mjs').Table[]>} */
export async function run({ quick }) {
  const rounds = quick ? 3 : 5;
  const ms = quick ? 700 : 1500;
  const subject = await startSubject('inline', { validation: 'inline', duplicatesPerJob: 2 ** 18 });
  const load = await startLoad();
  await load.call('open', { port: subject.port, connections: 100 });
  await load.call('closed', { outstanding: 8, warmupMs: 1500, ms: 100 });
  await load.call('close');
  const cases = CASES.flatMap((case_) => [case_.small, case_.large].map((count) => ({ case_, count })));
  const samples = await alternate(cases, rounds, ({ case_, count }) => sample(subject, load, case_, count, ms));
  await stopSubject(subject);
  await load.stop();
  const rows = CASES.map((case_) => {
    const cpu = (count) => {
      const key = cases.find((one) => one.case_ === case_ && one.count === count);
      return median((key && samples.get(key))?.map(({ cpuPerShare }) => cpuPerShare) ?? []);
    };
    const small = cpu(case_.small);
    const large = cpu(case_.large);
    return [
      case_.name,
      `${case_.connections} x ${case_.outstanding}`,
      case_.small,
      Number(small.toFixed(2)),
      case_.large,
      Number(large.toFixed(2)),
      Number((large / small).toFixed(2)),
    ];
  });
  return [
    {
      title: `CPU per share against what is there already, medians of ${rounds} alternating rounds`,
      columns: ['of what', 'load', 'few', 'us/share', 'many', 'us/share', 'ratio'],
      rows,
    },
  ];
}
