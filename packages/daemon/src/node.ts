import { type Clock, isPoolError, type Logger, silentLogger, systemClock } from '@headframe/primitives';
import type { RpcCredentials } from './rpc-auth.js';
import {
  createRpcClient,
  type RpcCallOptions,
  type RpcClient,
  type RpcOutcome,
  type RpcRequest,
} from './rpc-client.js';
import { isRecord, RPC_CODE } from './rpc-response.js';

/** Where a node publishes blocks over ZeroMQ, e.g. `{ hashblock: 'tcp://127.0.0.1:28332' }`. */
export interface ZmqEndpoints {
  readonly hashblock?: string;
  readonly rawblock?: string;
}

/** One coin node as configured. */
export interface DaemonOptions extends RpcCredentials {
  /** Shown in logs, events and metrics. Default: host and port of the URL. */
  readonly name?: string;
  readonly url: string;
  /** Time for one call. Default 15,000. */
  readonly timeoutMs?: number;
  /** Needs the optional package `zeromq`. */
  readonly zmq?: ZmqEndpoints;
}

/** What we know of a node. */
export type NodeState =
  /** Not asked yet. */
  | { readonly kind: 'unknown' }
  /** Answers and hands out templates. */
  | { readonly kind: 'ready' }
  /** Answers, but cannot hand out templates: initial download, no peers, warming up, wrong chain. */
  | { readonly kind: 'not-ready'; readonly reason: string; readonly cause: 'template' | 'warming-up' | 'wrong-chain' }
  /** Does not answer, or not to us. */
  | { readonly kind: 'down'; readonly reason: string };

/** A node we can call. */
export interface CoinNode {
  readonly name: string;
  /** Without credentials. */
  readonly url: string;
  readonly zmq: ZmqEndpoints;
  readonly state: NodeState;
  /** Like {@link RpcClient.call}; every outcome updates `state`. */
  call(method: string, params?: readonly unknown[], options?: RpcCallOptions): Promise<unknown>;
  batch(calls: readonly RpcRequest[], options?: RpcCallOptions): Promise<RpcOutcome[]>;
}

export interface RpcNodeModules {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Called when `state` became another one. */
  readonly onChange?: (node: CoinNode) => void;
}

/** A node behind an {@link RpcClient}. Learns its state from the outcome of the calls that pass through it. */
export class RpcNode implements CoinNode {
  readonly name: string;
  readonly zmq: ZmqEndpoints;
  readonly #rpc: RpcClient;
  readonly #log: Logger;
  readonly #onChange: (node: CoinNode) => void;
  #state: NodeState = { kind: 'unknown' };

  constructor(options: DaemonOptions, modules: RpcNodeModules = {}) {
    this.#rpc = createRpcClient({ ...options, clock: modules.clock ?? systemClock });
    this.name = options.name ?? new URL(this.#rpc.url).host;
    this.zmq = options.zmq ?? {};
    this.#log = (modules.log ?? silentLogger).child({ node: this.name });
    this.#onChange = modules.onChange ?? (() => {});
  }

  get url(): string {
    return this.#rpc.url;
  }
  get state(): NodeState {
    return this.#state;
  }

  async call(method: string, params: readonly unknown[] = [], options: RpcCallOptions = {}): Promise<unknown> {
    try {
      const result = await this.#rpc.call(method, params, options);
      this.#succeeded(isTemplateCall(method, params));
      return result;
    } catch (error) {
      this.#failed(isTemplateCall(method, params), error);
      throw error;
    }
  }

  async batch(calls: readonly RpcRequest[], options: RpcCallOptions = {}): Promise<RpcOutcome[]> {
    try {
      const outcomes = await this.#rpc.batch(calls, options);
      this.#succeeded(false);
      return outcomes;
    } catch (error) {
      this.#failed(false, error);
      throw error;
    }
  }

  /** The node works for another network than the pool: it stays unusable until it says something else. */
  setWrongChain(reason: string | undefined): void {
    if (reason !== undefined) this.#become({ kind: 'not-ready', reason, cause: 'wrong-chain' });
    else if (this.#state.kind === 'not-ready' && this.#state.cause === 'wrong-chain') this.#become({ kind: 'ready' });
  }

  close(): void {
    this.#rpc.close();
  }

  #succeeded(gaveTemplate: boolean): void {
    const state = this.#state;
    if (state.kind === 'ready') return;
    if (state.kind === 'not-ready') {
      if (state.cause === 'wrong-chain') return;
      // No peers and initial download show in getblocktemplate alone; other calls work all the while.
      if (state.cause === 'template' && !gaveTemplate) return;
    }
    this.#become({ kind: 'ready' });
  }

  #failed(wantedTemplate: boolean, error: unknown): void {
    if (!isPoolError(error)) return;
    const { code, details } = error;
    if (code === 'rpc_unavailable' || code === 'rpc_timeout' || code === 'rpc_http') {
      // Without the method, so that the reason stays the same whatever was asked.
      this.#become({ kind: 'down', reason: typeof details.reason === 'string' ? details.reason : error.message });
    } else if (code === 'rpc_error') {
      const reason = typeof details.rpcMessage === 'string' ? details.rpcMessage : error.message;
      if (details.code === RPC_CODE.warmingUp) this.#become({ kind: 'not-ready', reason, cause: 'warming-up' });
      else if (!wantedTemplate) this.#succeeded(false);
      else if (this.#state.kind !== 'not-ready' || this.#state.cause !== 'wrong-chain') {
        this.#become({ kind: 'not-ready', reason, cause: 'template' });
      }
    }
  }

  #become(state: NodeState): void {
    const previous = this.#state;
    this.#state = state;
    if (previous.kind === state.kind && reasonOf(previous) === reasonOf(state)) return;
    if (previous.kind !== state.kind) {
      if (state.kind === 'ready') this.#log.info({ url: this.url }, 'node is ready');
      else this.#log.warn({ url: this.url, reason: reasonOf(state) }, `node is ${state.kind}`);
    }
    this.#onChange(this);
  }
}

/** A block proposal travels as getblocktemplate too, but says nothing about templates. */
function isTemplateCall(method: string, params: readonly unknown[]): boolean {
  const [request] = params;
  return method === 'getblocktemplate' && !(isRecord(request) && request.mode === 'proposal');
}

function isNotReadyCode(code: unknown): boolean {
  return code === RPC_CODE.notConnected || code === RPC_CODE.initialDownload;
}

function reasonOf(state: NodeState): string | undefined {
  return 'reason' in state ? state.reason : undefined;
}

/** The number of an RPC error, or undefined when `error` is something else. */
export function rpcCodeOf(error: unknown): number | undefined {
  if (!isPoolError(error, 'rpc_error')) return undefined;
  return typeof error.details.code === 'number' ? error.details.code : undefined;
}

/** True when the same call may succeed later or elsewhere: transport trouble, or a node that is not ready. */
export function isTransient(error: unknown): boolean {
  if (!isPoolError(error)) return false;
  switch (error.code) {
    case 'rpc_unavailable':
    case 'rpc_timeout':
    case 'rpc_http':
    case 'queue_full':
      return true;
    case 'rpc_error':
      return error.details.code === RPC_CODE.warmingUp || isNotReadyCode(error.details.code);
    default:
      return false;
  }
}
