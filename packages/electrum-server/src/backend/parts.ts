import type { Coin } from '@headframe/coins';
import { isPoolError, type Reject, reject } from '@headframe/primitives';
import type { IndexTip } from '../chain/calls.js';
import type { ChainIndex } from '../chain/chain-index.js';
import type { NodeCalls } from '../chain/node-link.js';
import { ELECTRUM_ERROR, type ElectrumFailure, electrumError } from '../sessions/errors.js';
import type { ElectrumFramework } from '../sessions/framework.js';
import type { Subscriptions } from '../sessions/subscriptions.js';

/** What the texts of a server are. */
export interface ServerTexts {
  readonly banner: string;
  readonly donationAddress: string;
  /** What `server.features` says about where to reach it. */
  readonly hosts: Readonly<Record<string, { readonly tcp_port?: number; readonly ssl_port?: number }>>;
}

/** What the methods of a node-backed server work with. */
export interface BackendParts {
  readonly framework: ElectrumFramework;
  readonly index: ChainIndex;
  readonly node: NodeCalls;
  readonly coin: Coin;
  readonly subscriptions: Subscriptions;
  readonly texts: ServerTexts;
  /** Newest block that was told. */
  tip(): IndexTip;
  /** Display hex of block 0. */
  genesisHash(): string;
}

/** The error answer for what an index or a node threw; what is nobody's business is thrown again. */
export function answerError(error: unknown): ElectrumFailure | Reject {
  if (!isPoolError(error)) throw error;
  switch (error.code) {
    case 'queue_full':
      if (error.message === 'history too large') {
        return electrumError(ELECTRUM_ERROR.historyTooLarge, error.message);
      }
      return reject('busy');
    case 'invalid_argument':
      return electrumError(ELECTRUM_ERROR.badRequest, error.message);
    case 'rpc_error': {
      const { rpcMessage } = error.details;
      return electrumError(ELECTRUM_ERROR.daemon, `daemon error: ${String(rpcMessage ?? 'unknown')}`);
    }
    case 'rpc_unavailable':
    case 'rpc_timeout':
    case 'rpc_http':
    case 'no_node':
    case 'worker_failed':
    case 'closed':
      return reject('busy');
    default:
      throw error;
  }
}

/** Runs a handler so that what index and node throw becomes an error answer. */
export async function guarded<T>(work: () => Promise<T>): Promise<T | ElectrumFailure | Reject> {
  try {
    return await work();
  } catch (error) {
    return answerError(error);
  }
}

/** Error 1 with a text. */
export function badRequest(message: string): ElectrumFailure {
  return electrumError(ELECTRUM_ERROR.badRequest, message);
}
