// A pool under load that is killed at any moment: a server with the share log, and a miner on a socket that reports each
// share it was told to be accepted. Node's own process, from the build: `node share-load-child.mjs <folder> <round>`.

import { createDirectBus } from '@headframe/mining';
import { openShareLog } from '@headframe/pool';
import { createServer as createMining } from '@headframe/server';

const [, , folder = '', port = '0'] = process.argv;
const bus = createDirectBus();
const log = await openShareLog({ folder, maxFileBytes: 65_536 });
bus.answer('join', () => ({
  instance: Number(process.argv[4] ?? 1),
  job: JSON.parse(process.env.HEADFRAME_JOB ?? 'null', revive),
}));
bus.answer('commit', (batch) => log.commit(batch).then(() => null));
const server = createMining(
  {
    listeners: [{ host: '127.0.0.1', port: Number(port), difficulty: 1e-9 }],
    limits: { requestBurst: 1e9, requestsPerSecond: 1e9, leaseMs: 600_000 },
  },
  { bus },
);
const [listener] = await server.listen();
process.stdout.write(`${listener?.port}\n`);

/** Bytes travel as `{ $hex }`, big integers as `{ $big }`. */
function revive(_key, value) {
  if (value !== null && typeof value === 'object') {
    if (typeof value.$hex === 'string') return Uint8Array.from(Buffer.from(value.$hex, 'hex'));
    if (typeof value.$big === 'string') return BigInt(value.$big);
  }
  return value;
}
