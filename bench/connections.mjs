// Many connections: handshakes per second, memory of idle ones, and how long a new block takes to reach the last.
import { startLoad, startSubject, stopSubject } from './src/rig.mjs';
import { median } from './table.mjs';

const KINDS = [
  ['answers only', undefined],
  ['headframe', { validation: 'inline' }],
];

/** Memory settles some time after the handshakes: freed pages go back to the system with the collections. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 1500));

/**
 * Once through all of it with fresh processes, since memory that was used once is not given back.
 *
 * @param {number} connections
 * @param {number} jobs
 */
async function once(name, options, connections, jobs) {
  const subject = await startSubject(name, options);
  const load = await startLoad();
  const { process: server, port } = subject;
  // The first connections bring the code and its tables into memory: they belong to the base process.
  await load.call('open', { port, connections: 100 });
  await load.call('close');
  await settle();
  const base = await server.call('mark', { collect: true });
  const opened = await load.call('open', { port, connections });
  const handshaken = await server.call('mark');
  await settle();
  const idle = await server.call('mark', { collect: true });
  const spreads = [];
  for (let i = 0; i < jobs; i++) {
    await load.call('listen');
    const { at, tookMs, cpu } = await server.call('publish', { clean: true });
    spreads.push({ ...(await load.call('spread', { since: at })), tookMs, cpu });
  }
  await load.call('close');
  await load.stop();
  await stopSubject(subject);
  return {
    perSecond: opened.perSecond,
    cpuPerHandshake: (handshaken.cpu - base.cpu) / connections,
    loadCpu: opened.cpu / connections,
    bytes: (idle.rss - base.rss) / connections,
    base: base.rss,
    spreads,
  };
}

/** @param {{ quick: boolean }} options @returns {Promise<import('./table.mjs').Table[]>} */
export async function run({ quick }) {
  const rounds = quick ? 2 : 3;
  const spreadRows = [];
  const connectRows = [];
  for (const connections of [1000, 10_000]) {
    const samples = KINDS.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, [name, options]] of KINDS.entries()) samples[i].push(await once(name, options, connections, 5));
    }
    const bare = {};
    for (const [i, [name]] of KINDS.entries()) {
      const of = (field) => median(samples[i].map((sample) => sample[field]));
      const spreads = samples[i].flatMap((sample) => sample.spreads);
      const ofSpread = (field) => median(spreads.map((spread) => spread[field]));
      const own = { median: ofSpread('median'), last: ofSpread('last') };
      if (i === 0) Object.assign(bare, own);
      spreadRows.push([
        name,
        connections,
        Number(own.median.toFixed(1)),
        Number(own.last.toFixed(1)),
        Number((own.median / bare.median).toFixed(2)),
        Number((own.last / bare.last).toFixed(2)),
        Number((ofSpread('cpu') / connections).toFixed(1)),
      ]);
      connectRows.push([
        name,
        connections,
        Math.round(of('perSecond')),
        Math.round(of('cpuPerHandshake')),
        Math.round(of('loadCpu')),
        Number((of('bytes') / 1024).toFixed(1)),
        Number((of('base') / 2 ** 20).toFixed(0)),
      ]);
    }
  }
  return [
    {
      title: `New block to the last socket having its notify, medians of ${rounds} x 5, against a bare loop of writes`,
      columns: [
        'server',
        'connections',
        'median ms',
        'last ms',
        'x bare median',
        'x bare last',
        'server CPU us/socket',
      ],
      rows: spreadRows,
    },
    {
      title: `Handshakes (subscribe, authorize, first job) and idle memory, medians of ${rounds} fresh processes`,
      columns: [
        'server',
        'connections',
        'handshakes/s',
        'server CPU us each',
        'load CPU us each',
        'KiB RSS each',
        'base MiB',
      ],
      rows: connectRows,
    },
  ];
}
