import {
  bytesToHex,
  type Clock,
  type Listener,
  type MaybePromise,
  PoolError,
  systemClock,
  TypedEmitter,
} from '@headframe/primitives';
import { describeScript } from './addresses.js';
import { type Block, parseBlock } from './block.js';
import { type BlockEntry, Chain, type TipChange } from './chain.js';
import { RpcServer } from './http.js';
import { LongPolls } from './long-poll.js';
import { type MakeTransactionOptions, makeTransaction } from './make-transaction.js';
import { Mempool } from './mempool.js';
import { mineBlock, selectTransactions } from './miner.js';
import { chainParams, type DevNodeCoin } from './params.js';
import { decoded, RPC_ERROR, RpcFault, type RpcMethod } from './rpc.js';
import { chainMethods } from './rpc-chain.js';
import { miningMethods, type NodeContext, nodeMethods } from './rpc-node.js';
import { paymentMethods } from './rpc-payments.js';
import { transactionMethods } from './rpc-transactions.js';
import { walletLoading, walletMethods, whileLoaded } from './rpc-wallet.js';
import { REGTEST_BITS, targetOfBits } from './target.js';
import { blockTemplate, longPollId } from './template.js';
import { parseTransaction, type Transaction } from './transaction.js';
import { TransactionIndex } from './transaction-index.js';
import { type DevWalletOptions, Wallet } from './wallet.js';

export interface DevNodeOptions {
  /** Which regtest chain. `bitcoin` (SHA-256d) by default; `litecoin` (scrypt) runs without MWEB. */
  readonly coin?: DevNodeCoin;
  /** Port on 127.0.0.1; 0 (default) takes a free one. */
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  /** Time for block times and waiting calls. */
  readonly clock?: Clock;
  /** Compact target of blocks, at most regtest's 207fffff (default). Harder ones slow a demo's block finding down. */
  readonly bits?: number;
  /** First height at which `bits` holds; below it 207fffff does. Default 1. */
  readonly bitsFromHeight?: number;
  /** Blocks until a coinbase may be spent. The coin's own by default. */
  readonly coinbaseMaturity?: number;
  /** Keys of the built-in wallet, and whether it is encrypted. */
  readonly wallet?: DevWalletOptions;
  /** Answer RPC errors with HTTP 200, as bcoin does. Default false: 404 and 500, as Core does. */
  readonly errorsWithStatus200?: boolean;
}

/** A block that entered the active chain. */
export interface DevNodeBlock {
  /** Display hex. */
  readonly hash: string;
  readonly height: number;
  readonly transactions: number;
}

export interface DevNodeEvents {
  /** A block entered the active chain. */
  block: DevNodeBlock;
  /** The tip moved; `disconnected` holds the hashes that left the chain, tip first. */
  tip: { readonly hash: string; readonly height: number; readonly disconnected: readonly string[] };
  /** submitblock was called; `result` is null for "accepted and now the tip". */
  submitted: { readonly hash: string; readonly result: string | null };
}

export interface MineBlocksOptions {
  /** Script the coinbase pays; the built-in wallet's by default. */
  readonly script?: Uint8Array;
  /** Display hash of the block to build on; the tip by default. Blocks beside the tip hold no transactions. */
  readonly onto?: string;
  /** False leaves the mempool's transactions out. Default true. */
  readonly transactions?: boolean;
}

/** A chain in memory with the RPC of a node. Made by {@link createDevNode}. */
export interface DevNode {
  readonly user: string;
  readonly password: string;
  /** Address of the RPC server. @throws PoolError `closed` before `start()`. */
  readonly url: string;
  readonly height: number;
  /** Display hex of the tip's hash. */
  readonly tipHash: string;
  /** First address of the built-in wallet. */
  readonly walletAddress: string;
  /** Serves RPC. After a `close()` it serves again, on the same port and the same chain. */
  start(): Promise<void>;
  /** Stops serving: waiting calls end with an error, sockets close. The chain stays. Idempotent. */
  close(): Promise<void>;
  /** Mines at once; display hashes. Synchronous: with hard `bits` it blocks the process. */
  mineBlocks(count: number, options?: MineBlocksOptions): string[];
  /** Takes block bytes as submitblock does. @returns null when accepted as tip, else the BIP 22 string. */
  submitBlock(bytes: Uint8Array): string | null;
  /** Whole serialised block, or undefined when unknown or pruned. */
  getBlock(hash: string): Uint8Array | undefined;
  /** The answer of getblocktemplate. */
  template(): Readonly<Record<string, unknown>>;
  /** Serialised, signed transaction from the built-in wallet, not yet sent. @throws PoolError without a mature coin. */
  makeTransaction(options?: MakeTransactionOptions): Uint8Array;
  /** Makes `count` (default 1) transactions and puts them into the mempool; display txids. */
  addMempoolTransaction(options?: MakeTransactionOptions & { readonly count?: number }): string[];
  /** Leaves a block and everything on it. @returns false when it is unknown, genesis or too deep. */
  invalidateBlock(hash: string): boolean;
  /** What callers see of the node's connection: no peers is RPC error -9, initial download -10. */
  setReadiness(state: { readonly peers?: number; readonly initialDownload?: boolean }): void;
  /**
   * Puts a function in front of an RPC method, to make it fail, hang or lie; undefined takes it away. What it returns
   * or throws ({@link RpcFault}) is the answer; `next` is the real method.
   */
  override(method: string, handler: RpcOverride | undefined): void;
  on<Name extends keyof DevNodeEvents>(event: Name, listener: Listener<DevNodeEvents[Name]>): () => void;
}

export type RpcOverride = (
  params: readonly unknown[],
  next: () => MaybePromise<unknown>,
  signal: AbortSignal,
) => MaybePromise<unknown>;

class InMemoryDevNode implements DevNode {
  readonly user: string;
  readonly password: string;
  readonly #chain: Chain;
  readonly #mempool: Mempool;
  readonly #index: TransactionIndex = new TransactionIndex();
  readonly #wallet: Wallet;
  readonly #longPolls: LongPolls;
  readonly #server: RpcServer;
  readonly #methods: Readonly<Record<string, RpcMethod>>;
  readonly #overrides = new Map<string, RpcOverride>();
  readonly #events = new TypedEmitter<DevNodeEvents>();
  #port: number;
  #listening = false;
  #peers = 1;
  #initialDownload = false;
  #mined = 0;

  constructor(options: DevNodeOptions) {
    const { coin = 'bitcoin', bits = REGTEST_BITS, clock = systemClock, bitsFromHeight = 1 } = options;
    const target = targetOfBits(bits);
    if (target === undefined || target > (targetOfBits(REGTEST_BITS) ?? 0n)) {
      throw new PoolError('invalid_argument', `bits ${bits.toString(16)} is no target within regtest's limit`);
    }
    this.user = options.user ?? 'headframe';
    this.password = options.password ?? 'headframe';
    this.#port = options.port ?? 0;
    const { coinbaseMaturity } = options;
    const params = chainParams({ coin, coinbaseMaturity, bits, bitsFromHeight, limitBits: REGTEST_BITS });
    this.#chain = new Chain(params, clock, (change) => this.#tipMoved(change));
    this.#mempool = new Mempool(this.#chain);
    this.#wallet = new Wallet(this.#chain, this.#mempool, clock, options.wallet);
    this.#longPolls = new LongPolls(clock, () => longPollId(this.#chain, this.#mempool));
    this.#methods = this.#buildMethods();
    this.#server = new RpcServer({
      user: this.user,
      password: this.password,
      errorsWithStatus200: options.errorsWithStatus200 ?? false,
      walletName: this.#wallet.name,
      method: (name) => this.#method(name),
    });
  }

  #buildMethods(): Readonly<Record<string, RpcMethod>> {
    const context: NodeContext = {
      chain: this.#chain,
      mempool: this.#mempool,
      longPolls: this.#longPolls,
      peers: () => this.#peers,
      initialDownload: () => this.#initialDownload,
      generate: (count, script) => this.mineBlocks(count, script === undefined ? {} : { script }),
      submit: (bytes) => this.#submit(bytes),
    };
    const wallet = { ...context, index: this.#index, wallet: this.#wallet };
    return {
      ...chainMethods(this.#chain),
      ...miningMethods(context),
      ...nodeMethods(context),
      ...transactionMethods({ ...wallet, send: (transaction) => this.#send(transaction) }),
      ...walletLoading(this.#wallet),
      ...whileLoaded(this.#wallet, { ...walletMethods(wallet), ...paymentMethods(wallet) }),
    };
  }

  /** Into the mempool, and into the wallet's history. */
  #send(transaction: Transaction): string | undefined {
    const reason = this.#mempool.add(transaction);
    if (reason === undefined) this.#wallet.observe(transaction);
    return reason;
  }

  #method(name: string): RpcMethod | undefined {
    const method = Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined;
    const override = this.#overrides.get(name);
    if (override === undefined) return method;
    return (params, signal) =>
      override(
        params,
        () => {
          if (method === undefined) throw new RpcFault(RPC_ERROR.methodNotFound, 'Method not found');
          return method(params, signal);
        },
        signal,
      );
  }

  get url(): string {
    if (!this.#listening) throw new PoolError('closed', 'the node is not serving; call start() first');
    return `http://127.0.0.1:${this.#port}`;
  }
  get height(): number {
    return this.#chain.height;
  }
  get tipHash(): string {
    return this.#chain.tip.id;
  }

  get walletAddress(): string {
    return describeScript(this.#chain.params.coin, this.#wallet.script).address ?? '';
  }

  async start(): Promise<void> {
    if (this.#listening) return;
    this.#port = await this.#server.listen(this.#port);
    this.#listening = true;
  }

  async close(): Promise<void> {
    this.#listening = false;
    await this.#server.close();
  }

  mineBlocks(count: number, options: MineBlocksOptions = {}): string[] {
    const { script = this.#wallet.script, onto, transactions = true } = options;
    const hashes: string[] = [];
    let parent = onto === undefined ? this.#chain.tip : this.#entry(onto);
    for (let i = 0; i < count; i++) {
      const waiting = transactions && parent === this.#chain.tip ? this.#mempool.entries() : [];
      const { entries, fees } = selectTransactions(waiting);
      const chosen = entries.map(({ transaction }) => transaction);
      const block = mineBlock(this.#chain, { parent, script, transactions: chosen, fees, extra: ++this.#mined });
      const result = this.#chain.submit(block);
      if (result !== undefined && result !== 'inconclusive') {
        throw new PoolError('invalid_block', `a block that was mined here is refused: ${result}`);
      }
      parent = this.#entry(block.header.id);
      hashes.push(block.header.id);
    }
    return hashes;
  }

  #entry(hash: string): BlockEntry {
    const entry = this.#chain.entry(hash);
    if (entry === undefined) throw new PoolError('invalid_argument', `no block ${hash}`);
    return entry;
  }

  submitBlock(bytes: Uint8Array): string | null {
    try {
      return this.#submit(bytes) ?? null;
    } catch (error) {
      if (error instanceof RpcFault) throw new PoolError('invalid_block', error.message, { cause: error });
      throw error;
    }
  }

  #submit(bytes: Uint8Array): string | undefined {
    const block = decoded(() => parseBlock(bytes), 'Block decode failed');
    if (!block.transactions[0]?.isCoinbase) {
      throw new RpcFault(RPC_ERROR.deserialization, 'Block does not start with a coinbase');
    }
    const result = this.#chain.submit(block);
    this.#events.safeEmit('submitted', { hash: block.header.id, result: result ?? null });
    return result;
  }

  getBlock(hash: string): Uint8Array | undefined {
    return this.#chain.entry(hash)?.block?.bytes.slice();
  }

  template(): Readonly<Record<string, unknown>> {
    return blockTemplate(this.#chain, this.#mempool);
  }

  makeTransaction(options?: MakeTransactionOptions): Uint8Array {
    return makeTransaction(this.#chain, this.#wallet, options).bytes.slice();
  }

  addMempoolTransaction(options: MakeTransactionOptions & { readonly count?: number } = {}): string[] {
    return Array.from({ length: options.count ?? 1 }, () => {
      const transaction = parseTransaction(this.makeTransaction(options));
      const reason = this.#send(transaction);
      if (reason !== undefined) throw new PoolError('invalid_argument', `${bytesToHex(transaction.bytes)}: ${reason}`);
      return transaction.id;
    });
  }

  invalidateBlock(hash: string): boolean {
    return this.#chain.invalidate(hash);
  }

  setReadiness(state: { readonly peers?: number; readonly initialDownload?: boolean }): void {
    this.#peers = state.peers ?? this.#peers;
    this.#initialDownload = state.initialDownload ?? this.#initialDownload;
  }

  override(method: string, handler: RpcOverride | undefined): void {
    if (handler === undefined) this.#overrides.delete(method);
    else this.#overrides.set(method, handler);
  }

  on<Name extends keyof DevNodeEvents>(event: Name, listener: Listener<DevNodeEvents[Name]>): () => void {
    return this.#events.on(event, listener);
  }

  #tipMoved(change: TipChange): void {
    this.#index.update(change);
    this.#wallet.update(change);
    this.#mempool.update(change);
    this.#longPolls.wake();
    for (const { id, height, transactionCount } of change.connected) {
      this.#events.safeEmit('block', { hash: id, height, transactions: transactionCount });
    }
    const disconnected = change.disconnected.map(({ header }: Block) => header.id);
    this.#events.safeEmit('tip', { hash: this.tipHash, height: this.height, disconnected });
  }
}

/**
 * A regtest chain in this process, with JSON-RPC on loopback.
 *
 * It checks proof of work, header times and bits, merkle root, witness commitment, sizes, signature operation count,
 * BIP 34 height, coinbase value, that inputs exist, are mature and cover outputs, signatures of P2WPKH inputs, and
 * absolute lock times. It does not run other scripts, count signature operations behind P2SH or witness programs, or
 * apply BIP 68 relative lock times; it has no peer-to-peer side and forgets everything when the process ends.
 *
 * Its wallet has P2WPKH keys from a fixed seed and answers the wallet RPCs in the shapes and errors of Bitcoin Core.
 *
 * @throws PoolError `invalid_argument` when `bits` is not a target within regtest's limit.
 * @example
 * const node = createDevNode();
 * await node.start();
 * node.mineBlocks(101);
 * console.log(node.url, node.user, node.password);
 */
export function createDevNode(options: DevNodeOptions = {}): DevNode {
  return new InMemoryDevNode(options);
}
