import { isPoolError, PoolError, silentLogger, systemClock } from '@headframe/primitives';
import { type Connection, connectTcp } from '@headframe/transport';
import type { ConnectionObserver } from './connection.js';
import type { ElectrumEndpoint } from './endpoint.js';
import type { ElectrumConnectOptions } from './options.js';
import { type ElectrumSession, openSession } from './session.js';
import { MODERN_PROTOCOL } from './version.js';

/**
 * Connects and settles the version. Settles always, within `connectTimeoutMs`. A server that chokes on a range of
 * versions is asked once more, on another connection, for the newest and then the oldest of them as plain text.
 * @param observerOf makes the observer of each connection tried; only that of the session returned matters
 */
export async function dialSession(
  endpoint: ElectrumEndpoint,
  options: ElectrumConnectOptions,
  observerOf: () => ConnectionObserver,
  signal: AbortSignal,
): Promise<ElectrumSession> {
  const { protocol = MODERN_PROTOCOL, clock = systemClock, connectTimeoutMs = 15_000 } = options;
  const timeout = new AbortController();
  const where = `${endpoint.host}:${endpoint.port}`;
  const late = new PoolError('request_timeout', `cannot connect to ${where}: no answer in time`);
  const timer = clock.setTimeout(() => timeout.abort(late), connectTimeoutMs);
  const both = AbortSignal.any([signal, timeout.signal]);
  try {
    const ranges = protocol.min === protocol.max ? [protocol] : [protocol, newestOf(protocol), oldestOf(protocol)];
    for (let i = 0; ; i++) {
      const range = ranges[i] ?? protocol;
      try {
        const connection = await openConnection(endpoint, options, both);
        return await untilAborted(
          openSession(
            connection,
            { ...options, clock, clientName: options.clientName ?? 'headframe', protocol: range },
            observerOf(),
          ),
          both,
          () => connection.destroy(),
        );
      } catch (error) {
        if (both.aborted || i + 1 >= ranges.length || !mayBePlain(error)) throw error;
      }
    }
  } catch (error) {
    if (timeout.signal.aborted && !signal.aborted) throw late;
    throw error;
  } finally {
    timer.cancel();
  }
}

function newestOf({ max }: { readonly max: string }): { readonly min: string; readonly max: string } {
  return { min: max, max };
}
function oldestOf({ min }: { readonly min: string }): { readonly min: string; readonly max: string } {
  return { min, max: min };
}

/** What a server does that expected a text: it refuses, or hangs up. */
function mayBePlain(error: unknown): boolean {
  if (isPoolError(error, 'request_failed')) return !/unsupported protocol/i.test(error.message);
  return isPoolError(error, 'connection_closed');
}

function openConnection(
  endpoint: ElectrumEndpoint,
  options: ElectrumConnectOptions,
  signal: AbortSignal,
): Promise<Connection> {
  if (options.connect !== undefined) {
    const opening = options.connect(endpoint, signal);
    // It may come when nobody waits for it any more.
    const drop = (): void => {
      opening.then(
        (connection) => connection.destroy(),
        () => {},
      );
    };
    return untilAborted(opening, signal, drop);
  }
  return connectTcp({
    host: endpoint.host,
    port: endpoint.port,
    timeoutMs: options.connectTimeoutMs ?? 15_000,
    signal,
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLogger,
    ...(endpoint.secure && { tls: options.tls ?? {} }),
  });
}

/** The promise, or a rejection `aborted` as soon as the signal says so. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, onAbort: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      onAbort();
      reject(new PoolError('aborted', 'aborted', { cause: signal.reason }));
    };
    if (signal.aborted) {
      promise.catch(() => {});
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
