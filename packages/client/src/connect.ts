import { type Logger, PoolError } from '@headframe/primitives';
import { type Connection, connectTcp, type TlsClientOptions } from '@headframe/transport';
import { StratumClient, type StratumClientOptions } from './stratum-client.js';
import { parseStratumUrl, type StratumEndpoint } from './url.js';

/** How to reach a pool. */
export interface DialOptions {
  /** Pool address, see `parseStratumUrl`. Needed unless `connect` is given. */
  readonly url?: string;
  /** Opens the connection instead of TCP or TLS to `url`: another transport, memory in tests. */
  readonly connect?: (endpoint: StratumEndpoint | undefined, signal: AbortSignal | undefined) => Promise<Connection>;
  /** How to trust the pool when the address says TLS. */
  readonly tls?: TlsClientOptions;
  /** For name lookup, TCP and TLS together. Default 10,000. */
  readonly connectTimeoutMs?: number;
  readonly log?: Logger;
}

export interface ConnectStratumOptions extends DialOptions, StratumClientOptions {
  readonly signal?: AbortSignal;
}

/** The endpoint of the options. @throws PoolError `invalid_argument` when they name none */
export function endpointOf(options: DialOptions): StratumEndpoint | undefined {
  if (options.url !== undefined) return parseStratumUrl(options.url);
  if (options.connect === undefined) throw new PoolError('invalid_argument', 'give a url or a connect function');
  return undefined;
}

/** Opens a connection to `endpoint`. */
export function dial(endpoint: StratumEndpoint | undefined, options: ConnectStratumOptions): Promise<Connection> {
  if (options.connect !== undefined) return options.connect(endpoint, options.signal);
  if (endpoint === undefined) return Promise.reject(new PoolError('invalid_argument', 'no pool address'));
  return connectTcp({
    host: endpoint.host,
    port: endpoint.port,
    ...(endpoint.secure && { tls: options.tls ?? {} }),
    ...(options.connectTimeoutMs !== undefined && { timeoutMs: options.connectTimeoutMs }),
    ...(options.signal !== undefined && { signal: options.signal }),
    ...(options.clock !== undefined && { clock: options.clock }),
    ...(options.log !== undefined && { log: options.log }),
  });
}

/**
 * Connects to a pool.
 * @throws PoolError (as a rejection) `invalid_argument`, `connection_refused`, `request_timeout` or `aborted`
 *
 * @example
 * const client = await connectStratum({ url: 'stratum+tcp://127.0.0.1:3333' });
 * client.on('mining.notify', (job) => console.log('job', job.jobId));
 * await client.request('mining.subscribe', ['example/1.0']);
 */
export async function connectStratum(options: ConnectStratumOptions): Promise<StratumClient> {
  return new StratumClient(await dial(endpointOf(options), options), options);
}
