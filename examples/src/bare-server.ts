// The bare framework without a node: sessions, methods, hooks, limits and bans on one port. Here it is a small chat in a
// namespace of its own; `server.publishJob()` would give miners work from anywhere.
import { isReject, reject } from '@headframe/primitives';
import { createServer } from '@headframe/server';
import { z } from 'zod';

declare module '@headframe/sessions' {
  interface SessionState {
    nick?: string;
  }
}

const server = createServer({ listeners: [{ host: '127.0.0.1', port: Number(process.env.PORT ?? 3333) }] });

server.method('chat.join', {
  params: z.tuple([z.string().min(1).max(20)]),
  // This method is our handshake: it does what `mining.subscribe` and `mining.authorize` do for miners.
  changesPhase: true,
  handler: (context) => {
    const { session, params } = context;
    const [nick] = params;
    for (const other of server.sessions) if (other.state.nick === nick) return reject('other', 'the name is taken');
    const granted = context.subscribe();
    if (isReject(granted)) return granted;
    session.state.nick = nick;
    return context.authorize(nick, { id: nick });
  },
});

server.method('chat.say', {
  params: z.tuple([z.string().max(500)]),
  phase: 'authorized', // before chat.join: refused with `unauthorized`
  handler: ({ params: [text], session }) =>
    server.notifyAll('chat.said', [session.state.nick, text], (other) => other !== session),
});

// Built-in methods are registered the same way, and can be replaced.
server.method('mining.authorize', { handler: () => reject('not-supported', 'use chat.join') });

server.hook('onRequest', ({ session, method }) => session.log.debug({ method }, 'request'));
server.on('closed', ({ session, reason }) => console.log(`${session.state.nick ?? 'somebody'} left: ${reason}`));

for (const { host, port } of await server.listen()) console.log(`listening on ${host}:${port}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void server.close());
