import { errorMessage, PoolError } from '@headframe/primitives';

export interface RestClientOptions {
  /** `http://host:port`. */
  readonly url: string;
  /** The API key; sent as the password of basic authentication. */
  readonly password?: string;
  readonly timeoutMs: number;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** JSON over HTTP as bcoin's servers speak it. */
export interface RestClient {
  /**
   * The answer's JSON; undefined for status 404.
   * @throws PoolError `rpc_error` with the server's message (`details.rpcMessage`), `rpc_http`, `rpc_timeout`, `rpc_unavailable`, `closed`.
   */
  request(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<unknown>;
  /** Calls under way fail with `closed`. Idempotent. */
  close(): void;
}

const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** Makes a client. @throws PoolError `invalid_argument` when the URL is none. */
export function createRestClient(options: RestClientOptions): RestClient {
  if (!URL.canParse(options.url))
    throw new PoolError('invalid_argument', 'not a URL of a wallet (expected http://host:port)');
  const base = options.url.replace(/\/+$/, '');
  const send = options.fetch ?? fetch;
  const closing = new AbortController();
  const { password } = options;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (password !== undefined)
    headers.authorization = `Basic ${Buffer.from(`x:${password}`, 'utf8').toString('base64')}`;

  return {
    close: () => closing.abort(),
    request: async (method, path, body) => {
      if (closing.signal.aborted) throw new PoolError('closed', 'the wallet client is closed');
      const timeout = AbortSignal.timeout(options.timeoutMs);
      let response: Response;
      let text: string;
      try {
        response = await send(`${base}${path}`, {
          method,
          headers,
          signal: AbortSignal.any([timeout, closing.signal]),
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        text = await readText(response);
      } catch (error) {
        if (closing.signal.aborted) throw new PoolError('closed', 'the wallet client was closed');
        if (timeout.aborted)
          throw new PoolError('rpc_timeout', `${method} ${path}: no answer within ${options.timeoutMs} ms`);
        if (error instanceof PoolError) throw error;
        throw new PoolError('rpc_unavailable', `${method} ${path}: ${reasonOf(error)}`);
      }
      return read(`${method} ${path}`, response.status, text);
    },
  };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_RESPONSE_BYTES)
      throw new PoolError('rpc_http', `the answer is longer than ${MAX_RESPONSE_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function read(what: string, status: number, text: string): unknown {
  if (status === 404) return undefined;
  if (status === 401 || status === 403) {
    throw new PoolError('rpc_http', `${what}: the API key is wrong (HTTP ${status})`, { details: { status } });
  }
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new PoolError('rpc_http', `${what}: the answer is not JSON (HTTP ${status})`, { details: { status } });
  }
  if (status < 400) return answer;
  const message = messageIn(answer);
  throw new PoolError('rpc_error', `${what}: ${message}`, { details: { code: 0, rpcMessage: message, status } });
}

/** The server's message, on one line and of bounded length. */
function messageIn(answer: unknown): string {
  const error = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : undefined;
  const message =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : 'no reason';
  return message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300);
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? cause.message || errorMessage(error) : errorMessage(error);
}
