// What the ledger costs: CPU per share of the whole server and of its main thread, with the plain share log and with the
// SQLite ledger, whose writing and folding is in the count.
import { alternate, startLoad, startSubject, stopSubject } from './src/rig.mjs';
import { median } from './table.mjs';

const STORAGES = [
  ['share log', 'log'],
  ['ledger (SQLite)', 'ledger'],
];
/** Connections, and shares each has under way. */
const LOADS = [
  [100, 8],
  [1000, 2],
];

/** @param {{ quick: boolean }} options @returns {Promise<import('./table.mjs').Table[]>} */
export async function run({ quick }) {
  const rounds = quick ? 3 : 9;
  const ms = quick ? 1500 : 3000;
  const subjects = [];
  for (const [name, storage] of STORAGES) {
    subjects.push(await startSubject(name, { validation: 'inline', storage }));
  }
  const load = await startLoad();
  const cases = LOADS.flatMap(([connections, outstanding]) =>
    subjects.map((subject) => ({ subject, connections, outstanding })),
  );
  const one = async ({ subject, connections, outstanding }, forMs) => {
    await load.call('open', { port: subject.port, connections });
    await subject.process.call('fold');
    const before = await subject.process.call('mark');
    await load.call('closed', { outstanding, warmupMs: 100, ms: forMs });
    await subject.process.call('fold');
    const after = await subject.process.call('mark');
    await load.call('close');
    const accepted = after.accepted - before.accepted;
    return {
      accepted: accepted / ((forMs + 100) / 1000),
      whole: (after.cpu - before.cpu) / accepted,
      main: (after.mainCpu - before.mainCpu) / accepted,
    };
  };
  for (const case_ of cases) await one(case_, 1000);
  const samples = await alternate(cases, rounds, (case_) => one(case_, ms));
  for (const subject of subjects) await stopSubject(subject);
  await load.stop();
  const rows = LOADS.flatMap(([connections]) => {
    const own = cases.filter((case_) => case_.connections === connections);
    const [log, ledger] = own.map((case_) => samples.get(case_) ?? []);
    // Of neighbours in one round: the machine was alike for both.
    const ratio = (field) =>
      median((log ?? []).map((sample, i) => (ledger?.[i]?.[field] ?? Number.NaN) / sample[field]));
    return own.map((case_, i) => {
      const of = (field) => median((samples.get(case_) ?? []).map((sample) => sample[field]));
      return [
        case_.subject.name,
        connections,
        case_.outstanding,
        Math.round(of('accepted')),
        Number(of('whole').toFixed(1)),
        Number(of('main').toFixed(1)),
        i === 0 ? '' : ratio('whole').toFixed(2),
        i === 0 ? '' : ratio('main').toFixed(2),
      ];
    });
  });
  return [
    {
      title: `What the ledger costs, closed loop, medians of ${rounds} alternating rounds`,
      columns: [
        'storage',
        'connections',
        'outstanding',
        'accepted/s',
        'CPU us/share',
        'main thread us/share',
        'CPU to share log',
        'main thread to share log',
      ],
      rows,
    },
  ];
}
