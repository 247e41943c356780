import type { Coin } from '@headframe/coins';
import type { NodeStatus } from '@headframe/mining';
import {
  type Clock,
  errorMessage,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  type Timer,
  TypedEmitter,
} from '@headframe/primitives';
import { type CoinNode, type DaemonOptions, isTransient, RpcNode, rpcCodeOf } from './node.js';
import type { RpcCallOptions } from './rpc-client.js';
import { isRecord, RPC_CODE } from './rpc-response.js';
import { templateRequest } from './template-request.js';

export interface NodePoolOptions {
  /** In order of preference. At least one; names must differ. */
  readonly daemons: readonly DaemonOptions[];
  readonly coin: Pick<Coin, 'network' | 'gbtRules'>;
  /** Between two checks of a node that answers. Default 5,000. */
  readonly healthIntervalMs?: number;
  /** Longest pause between two checks of a node that does not answer; it starts at 1 s and doubles. Default 15,000. */
  readonly maxBackoffMs?: number;
}

export interface NodePoolModules {
  readonly clock?: Clock;
  readonly log?: Logger;
}

export interface NodePoolEvents {
  /** The state of a node, or of all together, changed. */
  status: NodeStatus;
}

/** The coin nodes of a pool. A node that is away never throws anybody off: callers wait or go to the next. */
export interface NodePool {
  readonly nodes: readonly CoinNode[];
  readonly status: NodeStatus;
  /** Adds a listener; returns the function that removes it. */
  on<Name extends keyof NodePoolEvents>(event: Name, listener: (payload: NodePoolEvents[Name]) => void): () => void;
  /** Begins the health checks. Resolves when every node was asked once. */
  start(): Promise<void>;
  /** Nodes worth asking, best first: ready ones in configured order, then those that at least answer. */
  candidates(): readonly CoinNode[];
  /**
   * Calls the preferred node that is healthy and falls over to the next on transport trouble or when a node is not
   * ready. An error that a healthy node answered is final.
   * @throws PoolError of the last node asked, or `no_node` when none can be asked.
   */
  call(method: string, params?: readonly unknown[], options?: RpcCallOptions): Promise<unknown>;
  close(): void;
}

/** Networks by the names that getblockchaininfo uses. Other names (own definitions) are not compared. */
const CHAIN_NAMES: ReadonlySet<string> = new Set(['main', 'test', 'testnet4', 'signet', 'regtest']);
const FIRST_BACKOFF_MS = 1000;
const HEALTH_TIMEOUT_MS = 10_000;

/** Makes the pool of nodes. @throws PoolError `invalid_argument` without nodes or with equal names. */
export function createNodePool(options: NodePoolOptions, modules: NodePoolModules = {}): NodePool {
  return new HealthCheckedNodes(options, modules);
}

class HealthCheckedNodes implements NodePool {
  readonly nodes: readonly RpcNode[];
  readonly #coin: NodePoolOptions['coin'];
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #events: TypedEmitter<NodePoolEvents>;
  readonly #healthIntervalMs: number;
  readonly #maxBackoffMs: number;
  readonly #timers = new Map<RpcNode, Timer>();
  readonly #backoffMs = new Map<RpcNode, number>();
  #closed = false;
  #lastStatus = '';

  constructor(options: NodePoolOptions, modules: NodePoolModules) {
    this.#coin = options.coin;
    this.#clock = modules.clock ?? systemClock;
    this.#log = modules.log ?? silentLogger;
    this.#events = new TypedEmitter((error, event) =>
      this.#log.error({ event, error: errorMessage(error) }, 'listener failed'),
    );
    this.#healthIntervalMs = options.healthIntervalMs ?? 5000;
    this.#maxBackoffMs = options.maxBackoffMs ?? 15_000;
    this.nodes = options.daemons.map(
      (daemon) => new RpcNode(daemon, { clock: this.#clock, log: this.#log, onChange: () => this.#changed() }),
    );
    if (this.nodes.length === 0) throw new PoolError('invalid_argument', 'at least one node is needed');
    const names = new Set(this.nodes.map((node) => node.name));
    if (names.size < this.nodes.length) {
      throw new PoolError('invalid_argument', 'two nodes have the same name; give each its own `name`');
    }
  }

  get status(): NodeStatus {
    const ready = this.nodes.some((node) => node.state.kind === 'ready');
    const nodes = this.nodes.map(({ name, state }) => ({
      name,
      up: state.kind === 'ready' || state.kind === 'not-ready',
      detail: 'reason' in state ? state.reason : state.kind,
    }));
    const reason = ready ? undefined : nodes.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
    return { ready, reason, nodes };
  }

  on<Name extends keyof NodePoolEvents>(event: Name, listener: (payload: NodePoolEvents[Name]) => void): () => void {
    return this.#events.on(event, listener);
  }

  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.#check(node)));
  }

  candidates(): readonly CoinNode[] {
    const ready = this.nodes.filter(({ state }) => state.kind === 'ready' || state.kind === 'unknown');
    const answering = this.nodes.filter(({ state }) => state.kind === 'not-ready' && state.cause !== 'wrong-chain');
    return [...ready, ...answering];
  }

  async call(method: string, params: readonly unknown[] = [], options: RpcCallOptions = {}): Promise<unknown> {
    let last: unknown;
    for (const node of this.candidates()) {
      try {
        return await node.call(method, params, options);
      } catch (error) {
        if (!isTransient(error)) throw error;
        last = error;
        this.#log.debug({ node: node.name, method, error: errorMessage(error) }, 'call failed, trying the next node');
      }
    }
    if (last !== undefined) throw last;
    const { reason } = this.status;
    throw new PoolError('no_node', `${method}: no node can be asked (${reason ?? 'none configured'})`);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    for (const node of this.nodes) node.close();
    this.#events.removeAllListeners();
  }

  /** One health check, then the next one is scheduled. Never rejects. */
  async #check(node: RpcNode): Promise<void> {
    const wasUp = node.state.kind === 'ready';
    try {
      const info = await node.call('getblockchaininfo', [], { timeoutMs: HEALTH_TIMEOUT_MS });
      node.setWrongChain(this.#chainMismatch(info));
    } catch (error) {
      // An old node without this method answers all the same; the state was updated by the call.
      if (rpcCodeOf(error) !== RPC_CODE.methodNotFound) this.#log.debug({ error: errorMessage(error) }, 'health check');
    }
    // Only getblocktemplate shows missing peers and initial download: ask after a change, and until it works.
    const { state } = node;
    if ((state.kind === 'ready' && !wasUp) || (state.kind === 'not-ready' && state.cause === 'template')) {
      await node
        .call('getblocktemplate', [templateRequest(this.#coin.gbtRules)], { timeoutMs: HEALTH_TIMEOUT_MS })
        .catch((error: unknown) => this.#log.debug({ node: node.name, error: errorMessage(error) }, 'no template'));
    }
    this.#schedule(node);
  }

  #schedule(node: RpcNode): void {
    if (this.#closed) return;
    let delayMs = this.#healthIntervalMs;
    if (node.state.kind === 'ready') this.#backoffMs.delete(node);
    else {
      const previous = this.#backoffMs.get(node);
      delayMs = previous === undefined ? FIRST_BACKOFF_MS : Math.min(previous * 2, this.#maxBackoffMs);
      this.#backoffMs.set(node, delayMs);
    }
    this.#timers.set(
      node,
      this.#clock.setTimeout(() => void this.#check(node), delayMs),
    );
  }

  #chainMismatch(info: unknown): string | undefined {
    const chain = isRecord(info) ? info.chain : undefined;
    const expected = this.#coin.network;
    if (typeof chain !== 'string' || !CHAIN_NAMES.has(chain) || !CHAIN_NAMES.has(expected)) return undefined;
    return chain === expected ? undefined : `the node is on chain "${chain}", the pool on "${expected}"`;
  }

  #changed(): void {
    const { status } = this;
    const key = JSON.stringify(status);
    if (this.#closed || key === this.#lastStatus) return;
    this.#lastStatus = key;
    this.#events.safeEmit('status', status);
  }
}
