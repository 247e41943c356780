// A method of your own: a miner asks `mining.get_balance` for the work it has done, and may name a mark; when it passes
// it, a notification tells it. What a plugin keeps per session is typed by augmenting SessionState.
import { createPool, type Pool } from '@headframe/pool';
import { z } from 'zod';

declare module '@headframe/sessions' {
  interface SessionState {
    /** Sum of the difficulties of accepted shares. */
    work?: number;
    /** Tell the miner when it has done so much. */
    mark?: number | undefined;
  }
}

/** A plugin: a function that adds something to a pool. */
function balance(pool: Pool, options: { readonly pricePerShare: number }): void {
  pool.on('share', ({ session, difficulty }) => {
    const { state } = session;
    state.work = (state.work ?? 0) + difficulty;
    if (state.mark === undefined || state.work < state.mark) return;
    state.mark = undefined;
    session.notify('mining.mark_reached', [state.work]);
  });

  pool.method('mining.get_balance', {
    // Any Standard Schema. Params that do not fit are answered with `invalid-params`; the handler's are typed by it.
    params: z.union([z.tuple([]), z.tuple([z.number().positive()])]),
    phase: 'authorized',
    handler: ({ params: [mark], session, account }) => {
      if (mark !== undefined) session.state.mark = mark;
      const work = session.state.work ?? 0;
      return { account: account?.id, work, balance: work * options.pricePerShare };
    },
  });
}

const { env } = process;
const pool = createPool({
  network: 'regtest',
  daemons: [{ url: env.NODE_URL ?? 'http://127.0.0.1:18443', user: env.NODE_USER ?? 'u', password: env.NODE_PASSWORD }],
  payout: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
  listeners: [{ host: '127.0.0.1', port: Number(env.PORT ?? 3333), difficulty: 0.0001 }],
  dataFolder: env.DATA_FOLDER ?? './data',
  log: { level: 'warn' },
}).use(balance, { pricePerShare: 2 });

await pool.listen();
for (const { host, port } of pool.addresses) console.log(`listening on ${host}:${port}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void pool.close());
