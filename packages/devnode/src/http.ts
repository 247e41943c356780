import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { errorMessage, PoolError } from '@headframe/primitives';
import { stringify } from './amount.js';
import { sha256d } from './hashes.js';
import { DEV_NODE_LIMITS } from './limits.js';
import { isRecord, RPC_ERROR, RpcFault, type RpcMethod } from './rpc.js';

export interface RpcServerOptions {
  readonly user: string;
  readonly password: string;
  /** Answer errors with HTTP 200, as bcoin does, instead of 404 and 500, as Core does. */
  readonly errorsWithStatus200: boolean;
  /** Name that the path `/wallet/NAME` may have. */
  readonly walletName: string;
  method(name: string): RpcMethod | undefined;
}

interface Reply {
  readonly result: unknown;
  readonly error: { readonly code: number; readonly message: string } | null;
  readonly id: unknown;
}

/** JSON-RPC over HTTP on loopback, in the dialect of Bitcoin Core. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #authorization: Uint8Array;
  #server: Server | undefined;
  #stop = new AbortController();

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#authorization = digest(`Basic ${Buffer.from(`${options.user}:${options.password}`).toString('base64')}`);
  }

  /** @returns the port. @throws PoolError `listen_failed` (as a rejection). */
  listen(port: number): Promise<number> {
    this.#stop = new AbortController();
    const server = createServer((request, response) => void this.#serve(request, response));
    server.maxConnections = DEV_NODE_LIMITS.maxConnections;
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        reject(new PoolError('listen_failed', `cannot listen on port ${port}: ${error.message}`, { cause: error }));
      });
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Ends every call and socket. */
  close(): Promise<void> {
    this.#stop.abort();
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      server.close(() => resolve());
      // The aborted calls answer in this turn; only then is nothing cut off that had an answer.
      setImmediate(() => server.closeAllConnections());
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const hangUp = new AbortController();
    const stop = this.#stop.signal;
    const abort = (): void => hangUp.abort();
    stop.addEventListener('abort', abort, { once: true });
    response.on('close', () => {
      stop.removeEventListener('abort', abort);
      abort();
    });
    response.on('error', () => {}); // the peer is gone; 'close' follows
    try {
      if (!this.#isAuthorized(request))
        return finish(response, 401, '', { 'www-authenticate': 'Basic realm="jsonrpc"' });
      if (request.method !== 'POST') return finish(response, 405, 'JSONRPC server handles only POST requests');
      const body = await readBody(request);
      if (body === undefined) return finish(response, 413, '', { connection: 'close' });
      if (!this.#isKnownPath(request.url ?? '/')) {
        const error = { code: RPC_ERROR.walletNotFound, message: 'Requested wallet does not exist or is not loaded' };
        return this.#send(response, { result: null, error, id: null });
      }
      await this.#answer(body, response, hangUp.signal);
    } catch {
      response.destroy(); // the request broke off while it was read
    }
  }

  #isKnownPath(url: string): boolean {
    const match = /^\/wallet\/([^/?]*)/.exec(url);
    return match === null || match[1] === encodeURIComponent(this.#options.walletName);
  }

  #isAuthorized(request: IncomingMessage): boolean {
    return timingSafeEqual(digest(request.headers.authorization ?? ''), this.#authorization);
  }

  async #answer(body: string, response: ServerResponse, signal: AbortSignal): Promise<void> {
    let parsed: unknown;
    try {
      parsed = JSON.parse(body);
    } catch {
      const error = { code: RPC_ERROR.parse, message: 'Parse error' };
      return this.#send(response, { result: null, error, id: null });
    }
    if (!Array.isArray(parsed)) return this.#send(response, await this.#call(parsed, signal));
    if (parsed.length > DEV_NODE_LIMITS.maxBatch) return finish(response, 413, '', { connection: 'close' });
    const replies: Reply[] = [];
    for (const request of parsed) replies.push(await this.#call(request, signal));
    finish(response, 200, `${stringify(replies)}\n`, { 'content-type': 'application/json' });
  }

  #send(response: ServerResponse, reply: Reply): void {
    const { error } = reply;
    const status = error === null || this.#options.errorsWithStatus200 ? 200 : statusOf(error.code);
    finish(response, status, `${stringify(reply)}\n`, { 'content-type': 'application/json' });
  }

  async #call(request: unknown, signal: AbortSignal): Promise<Reply> {
    const id = isRecord(request) ? (request.id ?? null) : null;
    try {
      if (!isRecord(request)) throw new RpcFault(RPC_ERROR.invalidRequest, 'Invalid Request object');
      const { method, params = [] } = request;
      if (typeof method !== 'string') throw new RpcFault(RPC_ERROR.invalidRequest, 'Method must be a string');
      if (params !== null && !Array.isArray(params)) {
        throw new RpcFault(RPC_ERROR.invalidRequest, 'Params must be an array');
      }
      const handler = this.#options.method(method);
      if (handler === undefined) throw new RpcFault(RPC_ERROR.methodNotFound, 'Method not found');
      return { result: (await handler(params ?? [], signal)) ?? null, error: null, id };
    } catch (error) {
      const code = error instanceof RpcFault ? error.rpcCode : RPC_ERROR.misc;
      return { result: null, error: { code, message: errorMessage(error) }, id };
    }
  }
}

function statusOf(code: number): number {
  if (code === RPC_ERROR.methodNotFound) return 404;
  return code === RPC_ERROR.invalidRequest ? 400 : 500;
}

function digest(text: string): Uint8Array {
  return sha256d(Buffer.from(text)); // equal lengths for the comparison
}

function finish(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Undefined when the body is longer than allowed. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Buffer)) continue;
    length += chunk.length;
    if (length > DEV_NODE_LIMITS.maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
