import http from 'node:http';
import https from 'node:https';
import { type Clock, errorMessage, PoolError, type Timer } from '@headframe/primitives';

/** One HTTP POST. */
export interface HttpPostOptions {
  readonly url: URL;
  readonly agent: http.Agent | https.Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Time to the last byte of the answer; undefined waits as long as the connection lives. */
  readonly timeoutMs: number | undefined;
  readonly maxResponseBytes: number;
  readonly clock: Clock;
  /** Any of them ends the request with `aborted`. */
  readonly signals: readonly AbortSignal[];
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** A failed POST. `unanswered` means that a kept-alive connection died before one byte of answer: safe to try anew. */
export interface HttpFailure {
  readonly error: PoolError;
  readonly unanswered: boolean;
}

/**
 * Posts and collects the answer. Settles exactly once, whatever the peer does.
 * Resolves with a failure instead of rejecting: the caller decides about a retry.
 */
export function httpPost(options: HttpPostOptions): Promise<HttpAnswer | HttpFailure> {
  return new Promise((resolve) => {
    let timer: Timer | undefined;
    let settled = false;
    let answered = false;
    const settle = (outcome: HttpAnswer | HttpFailure): void => {
      if (settled) return;
      settled = true;
      timer?.cancel();
      for (const signal of options.signals) signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const fail = (error: PoolError, unanswered = false): void => {
      if (settled) return;
      settle({ error, unanswered });
      request.destroy();
    };
    const onAbort = (): void => fail(new PoolError('aborted', 'request aborted'));

    const transport = options.url.protocol === 'https:' ? https : http;
    const request = transport.request(options.url, {
      method: 'POST',
      agent: options.agent,
      headers: { ...options.headers, 'content-length': String(options.body.length) },
    });
    request.on('socket', (socket) => {
      socket.setNoDelay(true);
      // A long poll is silent for minutes: without probes a vanished peer would never be noticed.
      socket.setKeepAlive(true, 30_000);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const reset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      fail(
        new PoolError('rpc_unavailable', `no connection: ${connectionMessage(error)}`),
        request.reusedSocket && reset && !answered,
      );
    });
    request.on('response', (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > options.maxResponseBytes) {
          fail(new PoolError('rpc_http', `answer is longer than ${options.maxResponseBytes} bytes`));
          return;
        }
        chunks.push(chunk);
      });
      response.on('end', () => settle({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      // After `end` this changes nothing; before it, the body was cut off.
      response.on('close', () =>
        fail(new PoolError('rpc_unavailable', 'connection closed in the middle of the answer')),
      );
      response.on('error', (error) =>
        fail(new PoolError('rpc_unavailable', `connection failed in the middle of the answer: ${errorMessage(error)}`)),
      );
    });
    request.on('close', () => fail(new PoolError('rpc_unavailable', 'connection closed without an answer')));

    const { timeoutMs } = options;
    if (timeoutMs !== undefined) {
      timer = options.clock.setTimeout(
        () => fail(new PoolError('rpc_timeout', `no answer within ${timeoutMs} ms`, { details: { timeoutMs } })),
        timeoutMs,
      );
    }
    for (const signal of options.signals) {
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
    }
    request.end(options.body);
  });
}

/** Node wraps the attempts on several addresses (localhost: ::1 and 127.0.0.1) in an error without a message. */
function connectionMessage(error: NodeJS.ErrnoException): string {
  return error.message === '' ? (error.code ?? 'unknown error') : error.message;
}
