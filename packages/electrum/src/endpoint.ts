import { PoolError } from '@headframe/primitives';
import type { ServerPeer } from './fields.js';

/** Where a server listens. */
export interface ElectrumEndpoint {
  readonly host: string;
  readonly port: number;
  /** TLS. */
  readonly secure: boolean;
}

export const DEFAULT_TCP_PORT = 50_001;
export const DEFAULT_TLS_PORT = 50_002;

const URL_FORM =
  /^(?:(tcp|ssl|tls|electrum|electrums):\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/[\]\s@]+)(?::(\d{1,5}))?(?::([st]))?\/?$/i;

/**
 * Reads a server address: `ssl://host:50002` (or `tls`), `tcp://host:50001`, as Electrum writes it `host:50002:s` or
 * `host:50001:t`, or `host` alone. Without a scheme or letter it is TLS, unless the port is 50001.
 * @throws PoolError `invalid_argument`
 */
export function parseElectrumServer(text: string): ElectrumEndpoint {
  const match = URL_FORM.exec(text.trim());
  const [, scheme, host, portText, letter] = match ?? [];
  if (host === undefined || (scheme !== undefined && letter !== undefined)) {
    throw new PoolError('invalid_argument', `not an Electrum server: ${JSON.stringify(text)}`);
  }
  const kind = (scheme ?? letter)?.toLowerCase();
  const given = portText === undefined ? undefined : Number(portText);
  const secure = kind === undefined ? given !== DEFAULT_TCP_PORT : !['tcp', 't', 'electrum'].includes(kind);
  const port = given ?? (secure ? DEFAULT_TLS_PORT : DEFAULT_TCP_PORT);
  if (port < 1 || port > 65_535) throw new PoolError('invalid_argument', `not a port: ${port}`);
  return { host: host.replace(/^\[|\]$/g, ''), port, secure };
}

/** A server as another one tells about it. */
export interface KnownServer {
  readonly address: string;
  readonly host: string;
  /** Highest version it speaks; undefined when it does not say. */
  readonly version: string | undefined;
  readonly tcpPort: number | undefined;
  readonly tlsPort: number | undefined;
  /** Old services by HTTP and HTTPS polling. */
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
  /** Transactions it keeps per address; undefined when it keeps all. */
  readonly pruning: number | undefined;
}

/** Ports that a letter without number stands for. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = { t: DEFAULT_TCP_PORT, s: DEFAULT_TLS_PORT, h: 8081, g: 8082 };

/** Reads one line of `server.peers.subscribe`: `["v1.4", "s50002", "t", "p100"]`. What it does not know it ignores. */
export function parsePeer([address, host, features]: ServerPeer): KnownServer {
  const ports = new Map<string, number>();
  let version: string | undefined;
  let pruning: number | undefined;
  for (const feature of features) {
    const letter = feature.slice(0, 1);
    const rest = feature.slice(1);
    if (letter === 'v') version = rest;
    else if (letter === 'p' && /^\d{1,9}$/.test(rest)) pruning = Number(rest);
    else {
      const port = rest === '' ? DEFAULT_PORTS[letter] : Number(/^\d{1,5}$/.exec(rest)?.[0]);
      if (port !== undefined && port >= 1 && port <= 65_535) ports.set(letter, port);
    }
  }
  const portOf = (letter: string): number | undefined => ports.get(letter);
  return {
    address,
    host,
    version,
    tcpPort: portOf('t'),
    tlsPort: portOf('s'),
    httpPort: portOf('h'),
    httpsPort: portOf('g'),
    pruning,
  };
}
