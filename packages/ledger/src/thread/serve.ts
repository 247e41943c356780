import type { MessagePort } from 'node:worker_threads';
import { errorMessage, isPoolError, type Logger, silentLogger } from '@headframe/primitives';
import type { AccountingCalls } from '../accounting/core.js';
import type { LedgerCalls } from '../core/calls.js';
import { LedgerCore } from '../core/ledger-core.js';
import { openDatabase } from '../sql/open.js';
import type { CallMessage, CallName, FailureMessage, ThreadMessage, ThreadStart } from './messages.js';

function failureOf(error: unknown): FailureMessage {
  if (isPoolError(error)) return { code: error.code, message: error.message, details: plain(error.details) };
  return { code: 'storage_failed', message: errorMessage(error), details: { reason: 'failed' } };
}

/** Details that can cross threads. */
function plain(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(details).filter(([, value]) => typeof value === 'string' || typeof value === 'number'),
  );
}

/** The port as far as a database thread uses it. */
export type ThreadPort = Pick<MessagePort, 'on' | 'postMessage' | 'close'>;

/** Opens the database and answers calls until told to close. The whole of a database thread. */
export async function serveLedger(port: ThreadPort, start: ThreadStart): Promise<void> {
  const send = (message: ThreadMessage): void => port.postMessage(message);
  // Only warnings come from the drivers; the main thread has the real logger.
  const log: Logger = { ...silentLogger, warn: (details, message) => send({ kind: 'warning', details, message }) };
  let core: LedgerCore | undefined;
  let versions = { from: 0, to: 0 };
  try {
    core = new LedgerCore(await openDatabase(start.database, log), start.hashesPerDifficulty);
    const onProgress = (part: number): void => send({ kind: 'progress', part });
    if (start.migrate) versions = await core.migrate({ nowMs: start.nowMs, onProgress });
  } catch (error) {
    await core?.close().catch(() => {});
    send({ kind: 'failed', failure: failureOf(error) });
    port.close();
    return;
  }
  const ledger = core;
  port.on('message', ({ id, name, args }: CallMessage) => {
    if (name === 'close') {
      void ledger
        .close()
        .catch((error: unknown) => log.warn({ error: errorMessage(error) }, 'closing the database failed'))
        .then(() => {
          send({ kind: 'answer', id, value: undefined });
          port.close();
        });
      return;
    }
    answer(ledger, name, args).then(
      (value) => send({ kind: 'answer', id, value }),
      (error: unknown) => send({ kind: 'refusal', id, failure: failureOf(error) }),
    );
  });
  send({ kind: 'ready', ...versions });
}

type Call = (...args: readonly unknown[]) => Promise<unknown>;

const BOOKS = 'accounting.';

/** A method that throws at once refuses like one that rejects. The client's types pair names with their arguments. */
async function answer(core: LedgerCore, name: CallName, args: readonly unknown[]): Promise<unknown> {
  if (name.startsWith(BOOKS)) {
    const call = core.accounting[name.slice(BOOKS.length) as keyof AccountingCalls] as Call;
    return call(...args);
  }
  const call = core[name as keyof LedgerCalls] as Call;
  return call.apply(core, [...args]);
}
