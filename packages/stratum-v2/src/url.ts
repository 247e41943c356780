import { PoolError } from '@headframe/primitives';
import { decodeAuthorityKey, encodeAuthorityKey } from './authority-key.js';

/** Where a server is and who vouches for it. */
export interface StratumV2Address {
  /** Name or address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** X coordinate of the authority's key, 32 bytes; undefined when the URL has none and nobody is verified. */
  readonly authorityKey: Uint8Array | undefined;
}

const FORM = /^stratum2\+tcp:\/\/(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253}):([0-9]{1,5})(?:\/([0-9a-z]*))?$/i;

/**
 * Reads `stratum2+tcp://host:port/KEY`; the key may be left out.
 * @throws PoolError `invalid_argument` when it is none
 */
export function parseStratumV2Url(url: string): StratumV2Address {
  const match = FORM.exec(url);
  const [, host = '', portText = '', key = ''] = match ?? [];
  const port = Number(portText);
  if (match === null || port < 1 || port > 65_535) {
    throw new PoolError('invalid_argument', 'a Stratum V2 URL reads stratum2+tcp://host:port/KEY');
  }
  return {
    host: host.startsWith('[') ? host.slice(1, -1) : host,
    port,
    authorityKey: key === '' ? undefined : decodeAuthorityKey(key),
  };
}

/** The URL of an address. @throws PoolError `invalid_argument` when host, port or key can be in none */
export function formatStratumV2Url(address: StratumV2Address): string {
  const { port, authorityKey } = address;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const key = authorityKey === undefined ? '' : `/${encodeAuthorityKey(authorityKey)}`;
  const url = `stratum2+tcp://${host}:${port}${key}`;
  parseStratumV2Url(url);
  return url;
}
