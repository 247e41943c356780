import { PoolError } from '@headframe/primitives';
import { backoffDelay, type ReconnectOptions } from './backoff.js';
import type { ElectrumEndpoint } from './endpoint.js';
import { parseBlockHeader } from './header.js';
import { HeadersNotification } from './notifications.js';
import type { ElectrumSession } from './session.js';
import { notificationOf } from './subscriptions.js';

/** `refused`: it is on another chain and not asked again. */
export type ServerState = 'idle' | 'connecting' | 'ready' | 'refused';

/** What a pool knows about one of its servers. */
export interface ServerStatus {
  readonly server: string;
  readonly state: ServerState;
  /** True for the one that subscriptions are on. */
  readonly primary: boolean;
  /** Height of its chain; undefined before it was told. */
  readonly height: number | undefined;
  /** Behind most others: used only when there is nothing better. */
  readonly lagging: boolean;
  /** In a row. */
  readonly failures: number;
  readonly software: string | undefined;
  readonly version: string | undefined;
}

/** One server of a pool. */
export class PoolMember {
  readonly server: string;
  readonly endpoint: ElectrumEndpoint;
  state: ServerState = 'idle';
  session: ElectrumSession | undefined = undefined;
  height: number | undefined = undefined;
  failures = 0;
  /** Calls in a row without a sensible answer. */
  strikes = 0;
  /** Not to be tried before, by the monotonic clock. */
  notBeforeMs = 0;

  constructor(server: string, endpoint: ElectrumEndpoint) {
    this.server = server;
    this.endpoint = endpoint;
  }

  failed(nowMs: number, options: ReconnectOptions, random: () => number): void {
    this.failures++;
    this.strikes = 0;
    this.notBeforeMs = nowMs + backoffDelay(this.failures, options, random);
    this.session = undefined;
    this.height = undefined;
    if (this.state !== 'refused') this.state = 'idle';
  }
}

/**
 * Asks a new session for its tip, and whether it is on the right chain.
 * @returns height of the tip
 * @throws PoolError (as a rejection) `wrong_network` on another chain, and those of calls
 */
export async function vetSession(session: ElectrumSession, genesisHash: string | undefined): Promise<number> {
  const [tip, genesis] = await Promise.all([
    session.call('blockchain.headers.subscribe', []),
    genesisHash === undefined ? undefined : genesisOf(session),
  ]);
  if (genesis !== genesisHash) {
    throw new PoolError('wrong_network', `the server's first block is ${genesis}, not ${genesisHash}`);
  }
  const notification = notificationOf({ method: HeadersNotification.method, key: undefined }, tip);
  return notification instanceof HeadersNotification ? notification.height : 0;
}

async function genesisOf(session: ElectrumSession): Promise<string> {
  // The header proves it; what a server says about itself has to agree.
  const first = session.has('blockchain.block.header')
    ? String(await session.call('blockchain.block.header', [0]))
    : undefined;
  const named = session.has('server.features') ? await featuresGenesis(session) : undefined;
  const hash = first === undefined ? undefined : parseBlockHeader(first).hash;
  if (named !== undefined && hash !== undefined && named !== hash) {
    throw new PoolError('wrong_network', `the server calls ${named} its first block, and gives ${hash}`);
  }
  const found = named ?? hash;
  if (found === undefined) throw new PoolError('not_supported', 'the server cannot tell which chain it is on');
  return found;
}

/** Small servers leave `server.features` out. */
async function featuresGenesis(session: ElectrumSession): Promise<string | undefined> {
  try {
    return (await session.request('server.features', [])).genesis_hash;
  } catch (error) {
    if (session.connection.closed) throw error;
    return undefined;
  }
}

/**
 * Height that at least half of the servers have reached. One that tells lies about its height changes nothing as long
 * as there are two others.
 */
export function agreedHeight(heights: readonly number[]): number | undefined {
  const sorted = [...heights].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
