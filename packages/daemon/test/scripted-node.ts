import { PoolError } from '@headframe/primitives';
import type { CoinNode, NodeState, RpcCallOptions, RpcOutcome, RpcRequest, ZmqEndpoints } from '../src/index.js';

/** Display hex of a made-up block. */
export function blockHash(name: string | number): string {
  return Buffer.from(`block ${name}`.padEnd(32, '.')).toString('hex');
}

/** A regtest template on top of `tip`. */
export function template(height: number, tip: string, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    version: 0x20000000,
    rules: ['csv', '!segwit', 'taproot'],
    previousblockhash: tip,
    transactions: [],
    coinbaseaux: {},
    coinbasevalue: 5_000_000_000,
    longpollid: `${tip}1`,
    target: `7fffff${'00'.repeat(29)}`,
    mintime: 1_700_000_000,
    curtime: 1_700_000_600,
    bits: '207fffff',
    height,
    default_witness_commitment: '6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9',
    ...extra,
  };
}

/** A node in memory: no sockets, so that a fake clock rules alone. */
export class ScriptedNode implements CoinNode {
  readonly name: string;
  readonly url = 'http://memory/';
  zmq: ZmqEndpoints = {};
  state: NodeState = { kind: 'ready' };
  height: number;
  /** What getbestblockhash says. */
  tip: string;
  /** What templates build on; lags behind `tip` while the node is slow. */
  templateTip: string;
  templateHeight: number;
  longPolling = true;
  /** Thrown by every call while set. */
  broken: Error | undefined;
  /** Calls that never answer, by method. */
  readonly hanging = new Set<string>();
  readonly extra: Record<string, unknown> = {};
  readonly calls: { readonly method: string; readonly params: readonly unknown[] }[] = [];
  #waiting: { readonly tip: string; readonly resolve: (value: unknown) => void }[] = [];

  constructor(name: string, height = 100) {
    this.name = name;
    this.height = height;
    this.tip = blockHash(height);
    this.templateTip = this.tip;
    this.templateHeight = height + 1;
  }

  /** The node's chain moves; templates follow at once unless `slowTemplate`. */
  setTip(height: number, hash = blockHash(height), options: { readonly slowTemplate?: boolean } = {}): void {
    this.height = height;
    this.tip = hash;
    if (options.slowTemplate !== true) this.catchUp();
  }

  /** Templates (and long polls) follow the tip now. */
  catchUp(): void {
    this.templateTip = this.tip;
    this.templateHeight = this.height + 1;
    const due = this.#waiting.filter(({ tip }) => tip !== this.tip);
    this.#waiting = this.#waiting.filter(({ tip }) => tip === this.tip);
    if (this.hanging.has('longpoll')) return;
    for (const { resolve } of due) resolve(this.#template());
  }

  get waitingLongPolls(): number {
    return this.#waiting.length;
  }

  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  call(method: string, params: readonly unknown[] = [], options: RpcCallOptions = {}): Promise<unknown> {
    const { signal } = options;
    let onAbort: () => void = () => {};
    return new Promise((resolve, reject) => {
      const request = params[0] as { longpollid?: string } | undefined;
      const name = method === 'getblocktemplate' && request?.longpollid !== undefined ? 'longpoll' : method;
      this.calls.push({ method: name, params });
      onAbort = () => {
        this.#waiting = this.#waiting.filter((waiting) => waiting.resolve !== resolve);
        reject(new PoolError('aborted', 'aborted'));
      };
      signal?.addEventListener('abort', onAbort);
      if (this.broken !== undefined) {
        reject(this.broken);
        return;
      }
      if (name === 'longpoll' && !this.hanging.has(name)) {
        const tip = request?.longpollid?.slice(0, 64) ?? '';
        if (tip !== this.templateTip) resolve(this.#template());
        else this.#waiting.push({ tip, resolve });
      } else if (this.hanging.has(name)) {
        if (options.timeoutMs !== undefined && Number.isFinite(options.timeoutMs)) return;
      } else if (name === 'getbestblockhash') resolve(this.tip);
      else if (name === 'getblocktemplate') resolve(this.#template());
      else reject(new PoolError('rpc_error', `${method}: Method not found (-32601)`, { details: { code: -32601 } }));
    }).finally(() => signal?.removeEventListener('abort', onAbort));
  }

  batch(_calls: readonly RpcRequest[]): Promise<RpcOutcome[]> {
    return Promise.resolve([]);
  }

  #template(): Record<string, unknown> {
    const made = template(this.templateHeight, this.templateTip, this.extra);
    if (!this.longPolling) delete made.longpollid;
    return made;
  }
}
