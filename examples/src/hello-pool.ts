// A whole pool: one node, one port, solo payout. Any Stratum V1 miner may come.
//   NODE_URL, NODE_USER, NODE_PASSWORD   the node's RPC (regtest)
//   ADDRESS                              where the block rewards go
//   PORT                                 where miners connect
import { createPool } from '@headframe/pool';

const { env } = process;

const pool = createPool({
  coin: 'bitcoin',
  network: 'regtest',
  daemons: [
    {
      url: env.NODE_URL ?? 'http://127.0.0.1:18443',
      user: env.NODE_USER ?? 'u',
      password: env.NODE_PASSWORD ?? 'p',
    },
  ],
  payout: { scheme: 'solo', address: env.ADDRESS ?? 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
  listeners: [{ host: '127.0.0.1', port: Number(env.PORT ?? 3333), difficulty: { start: 0.001, target: 5 } }],
  dataFolder: env.DATA_FOLDER ?? './data',
  log: { level: 'warn' },
});

pool.on('authorized', ({ worker }) => console.log(`${worker.name} is here`));
pool.on('share', ({ worker, difficulty }) => console.log(`share of ${worker}, difficulty ${difficulty}`));
pool.on('rejected', ({ worker, code }) => console.log(`share of ${worker} refused: ${code}`));
pool.on('block', ({ height, hash, worker }) => console.log(`block ${height} ${hash} by ${worker}`));

await pool.listen();
for (const { host, port } of pool.addresses) console.log(`listening on ${host}:${port}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void pool.close());
