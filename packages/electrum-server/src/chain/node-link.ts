import {
  createRpcClient,
  type DaemonOptions,
  isTransient,
  type RpcClient,
  type RpcOutcome,
  type RpcRequest,
} from '@headframe/daemon';
import { PoolError } from '@headframe/primitives';

/** The calls that an index and a server make to a node. */
export interface NodeCalls {
  /** @throws PoolError as an RpcClient does */
  call(method: string, params?: readonly unknown[]): Promise<unknown>;
  batch(calls: readonly RpcRequest[]): Promise<RpcOutcome[]>;
  close(): void;
}

/**
 * Nodes in order of preference. One is asked until it fails; then the next, and it stays there, so that two nodes with
 * different tips do not make the index go back and forth.
 * @throws PoolError `invalid_config` without nodes, `invalid_argument` for a wrong URL
 */
export function linkNodes(daemons: readonly DaemonOptions[]): NodeCalls {
  return new FailoverLink(daemons);
}

class FailoverLink implements NodeCalls {
  readonly #clients: readonly RpcClient[];
  #current = 0;

  constructor(daemons: readonly DaemonOptions[]) {
    if (daemons.length === 0) throw new PoolError('invalid_config', 'a server needs at least one node');
    this.#clients = daemons.map((options) => createRpcClient(options));
  }

  call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    return this.#try((client) => client.call(method, params));
  }

  batch(calls: readonly RpcRequest[]): Promise<RpcOutcome[]> {
    return this.#try((client) => client.batch(calls));
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  async #try<T>(ask: (client: RpcClient) => Promise<T>): Promise<T> {
    let failure: unknown = new PoolError('no_node', 'no node to ask');
    const first = this.#current;
    for (let i = 0; i < this.#clients.length; i++) {
      const at = (first + i) % this.#clients.length;
      const client = this.#clients[at];
      if (client === undefined) break;
      try {
        const result = await ask(client);
        this.#current = at;
        return result;
      } catch (error) {
        failure = error;
        if (!isTransient(error)) break;
      }
    }
    throw failure;
  }
}
