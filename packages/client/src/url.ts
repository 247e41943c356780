import { PoolError } from '@headframe/primitives';

/** Where a pool listens. */
export interface StratumEndpoint {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

const SCHEMES: ReadonlyMap<string, boolean> = new Map([
  ['stratum+tcp', false],
  ['tcp', false],
  ['stratum', false],
  ['stratum+tls', true],
  ['stratum+ssl', true],
  ['stratum+tcps', true],
  ['stratums', true],
  ['tls', true],
  ['ssl', true],
]);

/**
 * Reads a pool address: `stratum+tcp://host:port`, the names for TLS that miners use (`stratum+tls`, `stratum+ssl`,
 * `stratum+tcps`, `stratums`, `tls`, `ssl`), or a bare `host:port`. IPv6 addresses stand in brackets.
 * @throws PoolError `invalid_argument` saying what is wrong
 *
 * @example
 * parseStratumUrl('stratum+ssl://pool.example:3334'); // { host: 'pool.example', port: 3334, secure: true }
 */
export function parseStratumUrl(url: string): StratumEndpoint {
  const match = /^(?:([a-z0-9+.-]+):\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/[\]\s@]+):(\d{1,5})\/?(?:#.*)?$/i.exec(url.trim());
  const port = Number(match?.[3]);
  const host = match?.[2];
  if (match === null || host === undefined || port < 1 || port > 65535) {
    throw new PoolError('invalid_argument', `not a pool address (scheme://host:port): ${JSON.stringify(url)}`);
  }
  const secure = SCHEMES.get((match[1] ?? 'tcp').toLowerCase());
  if (secure === undefined) {
    throw new PoolError('invalid_argument', `unknown scheme "${match[1]}"; known: ${[...SCHEMES.keys()].join(', ')}`);
  }
  return { host: host.replace(/^\[|\]$/g, ''), port, secure };
}
