import type { MessagePort } from 'node:worker_threads';
import { PoolError } from '@headframe/primitives';
import { INDEX_CALLS, type IndexCalls } from './calls.js';
import { IndexCore } from './index-core.js';
import { type FromThread, failureOf, type IndexThreadStart, type ToThread } from './messages.js';
import { linkNodes } from './node-link.js';

/** Runs an index in this thread until it is told to close. */
export async function serveIndex(port: MessagePort, { settings, nodes }: IndexThreadStart): Promise<void> {
  const send = (message: FromThread): void => port.postMessage(message);
  let core: IndexCore;
  try {
    core = await IndexCore.open(settings, linkNodes(nodes), (news) => send({ kind: 'news', news }));
  } catch (error) {
    send({ kind: 'failed', failure: failureOf(error) });
    port.close();
    return;
  }
  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'call':
        try {
          send({ kind: 'answer', id: message.id, value: ask(core.answers, message.name, message.args) });
        } catch (error) {
          send({ kind: 'refusal', id: message.id, failure: failureOf(error) });
        }
        return;
      case 'poke':
        core.poke();
        return;
      case 'close':
        void core.close().then(() => port.close());
    }
  });
  send({ kind: 'ready' });
  core.start();
}

/** @throws PoolError of the call; `not_supported` for an unknown name */
export function ask(answers: IndexCalls, name: string, args: readonly unknown[]): unknown {
  const known = INDEX_CALLS.find((each) => each === name);
  if (known === undefined) throw new PoolError('not_supported', `the index knows no ${name}`);
  const call: (...values: never[]) => unknown = answers[known];
  // The types were checked where the call was written, in `ChainIndex.call`.
  return call(...(args as never[]));
}
