// Accounts of your own: an async `authorize` decides who may mine, and a hook refuses the shares of who was suspended
// meanwhile. A block is sent to the node all the same.
import { setTimeout as wait } from 'node:timers/promises';
import { createPool, reject } from '@headframe/pool';

interface Account {
  readonly id: string;
  readonly password: string;
  suspended: boolean;
}

/** Stands for a database. */
const accounts = new Map<string, Account>([
  ['alice', { id: 'alice', password: 'secret', suspended: false }],
  ['bob', { id: 'bob', password: 'x', suspended: true }],
]);

async function findAccount(id: string): Promise<Account | undefined> {
  await wait(5);
  return accounts.get(id);
}

const { env } = process;
const pool = createPool({
  network: 'regtest',
  daemons: [{ url: env.NODE_URL ?? 'http://127.0.0.1:18443', user: env.NODE_USER ?? 'u', password: env.NODE_PASSWORD }],
  payout: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
  listeners: [{ host: '127.0.0.1', port: Number(env.PORT ?? 3333), difficulty: 0.0001 }],
  dataFolder: env.DATA_FOLDER ?? './data',
  log: { level: 'warn' },
  // `alice.rig1`: the account is alice, the rig is hers to name. What this returns is the account everywhere below.
  async authorize({ name, password }) {
    const account = await findAccount(name.account);
    if (account === undefined) return reject('unauthorized', 'unknown account');
    return account.password === password ? account : reject('unauthorized', 'wrong password');
  },
});

pool.hook('beforeShare', ({ account }) => (account.suspended ? reject('unauthorized', 'suspended') : undefined));
pool.on('share', ({ account, difficulty }) => console.log(`${account.id} did ${difficulty}`));
// The operator's part: `kill -USR2` suspends alice while she mines.
process.on('SIGUSR2', () => {
  const alice = accounts.get('alice');
  if (alice) alice.suspended = true;
  console.log('alice is suspended');
});

await pool.listen();
for (const { host, port } of pool.addresses) console.log(`listening on ${host}:${port}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void pool.close());
