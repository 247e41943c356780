import type { Clock, Logger } from '@headframe/primitives';
import type { Connection, TlsClientOptions } from '@headframe/transport';
import type { ReconnectOptions } from './backoff.js';
import type { ElectrumEndpoint } from './endpoint.js';
import type { ProtocolRange } from './version.js';

/** What every connection to a server needs to know. */
export interface ElectrumConnectOptions {
  /** Name that servers get to see. Default `headframe`. */
  readonly clientName?: string;
  /** Versions to agree on. Default 1.4 to 1.6; with a `min` of 1.0 servers of old are taken too. */
  readonly protocol?: ProtocolRange;
  /** How to trust servers reached by TLS. By default a known authority must have signed the certificate. */
  readonly tls?: TlsClientOptions;
  /** Opens the connection instead of TCP or TLS: another transport, memory in tests. */
  readonly connect?: (endpoint: ElectrumEndpoint, signal: AbortSignal) => Promise<Connection>;
  /** For name lookup, TCP, TLS and the agreement on a version together. Default 15,000. */
  readonly connectTimeoutMs?: number;
  /** Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** Silence after which the server is pinged, and left when it does not answer. Default 60,000. */
  readonly pingIntervalMs?: number;
  /** Requests without an answer at once. Default 1,000. */
  readonly maxPending?: number;
  /** Longest line that is taken. Default 2 MiB; raise it to fetch larger transactions or histories. */
  readonly maxLineBytes?: number;
  /** Scripts and addresses subscribed to at once. Default 10,000. */
  readonly maxSubscriptions?: number;
  /** Leave a server that notifies of what nobody subscribed to, as Electrum does. Default false: it is ignored. */
  readonly strict?: boolean;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** A number from 0 up to 1, for jitter. Default `Math.random`. */
  readonly random?: () => number;
  readonly onListenerError?: (error: unknown, event: string) => void;
}

export interface ElectrumClientOptions extends ElectrumConnectOptions {
  /** Where to connect, see `parseElectrumServer`. */
  readonly server: string;
  /** How to come back after the connection was lost; false: not at all. */
  readonly reconnect?: ReconnectOptions | false;
}
