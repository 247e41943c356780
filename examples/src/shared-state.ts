// What the example of the Rust crate stratum-server does: a state that all handlers share, one of each connection, a login
// of its own, a task in the background that sees every session, readiness, and the numbers of a server.
import { createPool, isReject, reject } from '@headframe/pool';
import { z } from 'zod';

declare module '@headframe/sessions' {
  interface SessionState {
    /** Of this connection alone. */
    tries?: number;
  }
}

/** Shared by all: any object will do. */
const state = { secrets: new Map([['alice', 'secret']]), logins: 0 };

const { env } = process;
const pool = createPool({
  network: 'regtest',
  daemons: [{ url: env.NODE_URL ?? 'http://127.0.0.1:18443', user: env.NODE_USER ?? 'u', password: env.NODE_PASSWORD }],
  payout: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
  listeners: [
    { host: '127.0.0.1', port: Number(env.PORT ?? 3333), difficulty: { start: 16_384, min: 64, target: 10 } },
  ],
  instance: Number(env.SERVER_ID ?? 1), // the first byte of every extranonce1
  limits: { connections: 10_000 },
  shutdown: { message: 'back in a minute', spreadSeconds: 0 },
  dataFolder: env.DATA_FOLDER ?? './data',
  log: { level: 'warn' },
});
pool.readiness.set('login', false, 'not started');

pool.method('auth', {
  params: z.tuple([z.string(), z.string()]),
  changesPhase: true, // it does the work of mining.subscribe and mining.authorize
  handler: (context) => {
    const [name, secret] = context.params;
    const { session } = context;
    session.state.tries = (session.state.tries ?? 0) + 1;
    if (state.secrets.get(name) !== secret) return reject('unauthorized', `try ${session.state.tries}`);
    const granted = context.subscribe();
    if (isReject(granted)) return granted;
    state.logins++;
    return context.authorize(name, { id: name });
  },
});

pool.task('tell', () => void pool.server.notifyAll('stats.logins', [state.logins, pool.server.sessionCount]), {
  everyMs: 50,
});

await pool.listen();
pool.readiness.set('login', true);
for (const { host, port } of pool.addresses) console.log(`listening on ${host}:${port}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void pool.close());
