import type { Coin } from '@headframe/coins';
import {
  createRpcClient,
  isTransient,
  type RpcClient,
  type RpcClientOptions,
  type RpcCredentials,
  rpcCodeOf,
} from '@headframe/daemon';
import {
  type Clock,
  errorMessage,
  isPoolError,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
} from '@headframe/primitives';
import type {
  FindOptions,
  SignedTransaction,
  SignOptions,
  TransactionState,
  Wallet,
  WalletOutput,
  WalletStatus,
} from '../types.js';
import { broadcastError, signingError, WALLET_CODE } from './core-errors.js';
import { coinsOf, isRecord, numberOf, recordOf, stringOf, unitsOf } from './json.js';
import { networkProblem } from './network.js';
import { checkSigned, inputsOf, type Outpoint, parseRawTransaction } from './raw-transaction.js';
import { SpenderSearch } from './spender-search.js';
import { findTransaction, isNotFound, type WalletEntry } from './transaction-finder.js';

export interface CoreWalletOptions extends RpcCredentials {
  /** `http://host:port` of the node, without `/wallet/...`. */
  readonly url: string;
  readonly coin: Coin;
  /** Name of the wallet in the node; it is loaded when it is not. Default: the only one that is loaded. */
  readonly name?: string;
  /** Of an encrypted wallet: it is unlocked for as long as signing takes, and locked again. */
  readonly passphrase?: string;
  /** An address of the pool: a node that cannot read it is one of another coin. */
  readonly address?: string;
}

export interface WalletModules {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Makes connections to the node. Default: `createRpcClient` of `@headframe/daemon`. */
  readonly rpc?: (options: RpcClientOptions) => RpcClient;
}

/** Seconds that the wallet stays unlocked when nobody locks it again: longer than any signing takes. */
const UNLOCK_SECONDS = 60;
/** Choosing among many small coins takes a wallet a while. */
const TIMEOUT_MS = 60_000;

/**
 * The wallet of Bitcoin Core and its kin (Litecoin, Dogecoin, Namecoin ...). Builds with `createrawtransaction` and
 * `fundrawtransaction`, signs, and checks the bytes that come back before anybody sees them: exactly the outputs asked
 * for and at most one for change. The fee is the wallet's to pay.
 *
 * @throws PoolError `invalid_argument` when the URL is none.
 * @example
 * const wallet = coreWallet({ url: 'http://127.0.0.1:8332', user: 'pool', password, coin, name: 'pool' });
 */
export function coreWallet(options: CoreWalletOptions, modules: WalletModules = {}): Wallet {
  return new CoreWallet(options, modules);
}

class CoreWallet implements Wallet {
  readonly name: string;
  readonly #options: CoreWalletOptions;
  readonly #node: RpcClient;
  readonly #wallet: RpcClient;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #search: SpenderSearch;

  constructor(options: CoreWalletOptions, modules: WalletModules) {
    const { name } = options;
    this.#options = options;
    this.name = name === undefined ? `${options.coin.name} node wallet` : `${options.coin.name} node wallet "${name}"`;
    this.#clock = modules.clock ?? systemClock;
    this.#log = modules.log ?? silentLogger;
    const connect = modules.rpc ?? createRpcClient;
    const { user, password, cookieFile } = options;
    const credentials = {
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      ...(cookieFile === undefined ? {} : { cookieFile }),
    };
    const shared = { ...credentials, timeoutMs: TIMEOUT_MS, clock: this.#clock };
    this.#node = connect({ ...shared, url: options.url });
    const base = options.url.replace(/\/+$/, '');
    this.#wallet =
      name === undefined ? this.#node : connect({ ...shared, url: `${base}/wallet/${encodeURIComponent(name)}` });
    this.#search = new SpenderSearch(this.#node, [2]);
  }

  async status(): Promise<WalletStatus> {
    try {
      const problem = (await networkProblem(this.#node, this.#options.coin)) ?? (await this.#coinProblem());
      if (problem !== undefined) return { isReady: false, reason: problem, spendable: undefined };
      const info = recordOf(await this.#call('getwalletinfo'), 'wallet info');
      const spendable = await this.#spendable();
      const reason = this.#walletProblem(info);
      return { isReady: reason === undefined, reason, spendable };
    } catch (error) {
      return { isReady: false, reason: errorMessage(error), spendable: undefined };
    }
  }

  async sign(outputs: readonly WalletOutput[], { avoid = [] }: SignOptions = {}): Promise<SignedTransaction> {
    const problem = (await networkProblem(this.#node, this.#options.coin)) ?? (await this.#coinProblem());
    if (problem !== undefined) throw new PoolError('not_supported', problem);
    for (const coin of inputsOf(avoid)) await this.#guard(coin, 'lock');
    let lockAgain = false;
    try {
      lockAgain = await this.#unlock();
      return await this.#build(outputs);
    } catch (error) {
      throw signingError(error, outputs);
    } finally {
      if (lockAgain) await this.#lock();
    }
  }

  async broadcast({ txid, transaction }: SignedTransaction): Promise<void> {
    try {
      const answer = await this.#call('sendrawtransaction', [transaction]);
      if (answer !== txid)
        throw new PoolError('rejected', `the node names the transaction ${String(answer)}, not ${txid}`);
    } catch (error) {
      const meaning = broadcastError(error, isTransient);
      if (meaning !== undefined) throw meaning;
    }
  }

  find(transaction: SignedTransaction, options: FindOptions = {}): Promise<TransactionState> {
    return findTransaction(
      {
        node: this.#node,
        search: this.#search,
        clock: this.#clock,
        entry: (txid) => this.#entry(txid),
        isInMempool: (txid) => this.#isInMempool(txid),
        load: async (txid) => {
          const found = await this.#ownTransaction(txid);
          if (found === undefined || typeof found.hex !== 'string') return undefined;
          const transaction = parseRawTransaction(found.hex);
          return { transaction, confirmations: numberOf(found.confirmations, 'confirmations') };
        },
      },
      transaction,
      options,
    );
  }

  async release(transaction: SignedTransaction): Promise<void> {
    for (const coin of inputsOf([transaction])) await this.#guard(coin, 'unlock');
  }

  close(): void {
    this.#node.close();
    this.#wallet.close();
  }

  async #build(outputs: readonly WalletOutput[]): Promise<SignedTransaction> {
    const amounts = Object.fromEntries(outputs.map(({ address, amount }) => [address, coinsOf(amount)]));
    const empty = stringOf(await this.#call('createrawtransaction', [[], amounts]), 'transaction');
    const funded = recordOf(await this.#fund(empty), 'funded transaction');
    const signed = recordOf(await this.#signRaw(stringOf(funded.hex, 'transaction')), 'signed transaction');
    if (signed.complete !== true) throw new PoolError('invalid_data', 'the wallet does not hold all keys to sign with');
    const transaction = stringOf(signed.hex, 'transaction');
    const { txid } = checkSigned(transaction, outputs);
    return { txid, transaction, fee: unitsOf(numberOf(funded.fee, 'fee')) };
  }

  async #fund(transaction: string): Promise<unknown> {
    try {
      // Nobody should replace a payment: the books know this transaction.
      return await this.#call('fundrawtransaction', [transaction, { replaceable: false }]);
    } catch (error) {
      // Nodes from before BIP 125 do not know the option, and never signal replacement.
      if (!isPoolError(error, 'rpc_error') || !/replaceable/.test(error.message)) throw error;
      return this.#call('fundrawtransaction', [transaction]);
    }
  }

  async #signRaw(transaction: string): Promise<unknown> {
    try {
      return await this.#call('signrawtransactionwithwallet', [transaction]);
    } catch (error) {
      if (rpcCodeOf(error) !== WALLET_CODE.methodNotFound) throw error;
      return this.#call('signrawtransaction', [transaction]);
    }
  }

  /** True when the wallet was locked and is open now. */
  async #unlock(): Promise<boolean> {
    const info = recordOf(await this.#call('getwalletinfo'), 'wallet info');
    const problem = this.#walletProblem(info);
    if (problem !== undefined) throw new PoolError('wallet_locked', problem);
    if (info.unlocked_until !== 0) return false;
    await this.#call('walletpassphrase', [this.#options.passphrase ?? '', UNLOCK_SECONDS]);
    return true;
  }

  async #lock(): Promise<void> {
    try {
      await this.#call('walletlock');
    } catch (error) {
      this.#log.warn({ error: errorMessage(error) }, 'the wallet could not be locked; it locks itself within a minute');
    }
  }

  #walletProblem(info: Record<string, unknown>): string | undefined {
    if (info.private_keys_enabled === false) return 'the wallet has no private keys';
    if (isRecord(info.scanning)) return 'the wallet is scanning the chain';
    if (info.unlocked_until === 0 && this.#options.passphrase === undefined) return 'the wallet is locked';
    return undefined;
  }

  async #coinProblem(): Promise<string | undefined> {
    const { address, coin } = this.#options;
    if (address === undefined) return undefined;
    const { isvalid } = recordOf(await this.#node.call('validateaddress', [address]), 'address check');
    return isvalid === false
      ? `the wallet's node does not know the address ${address}: it is not one of ${coin.name}`
      : undefined;
  }

  /** Coins of blocks that are not mature, and of strangers' transactions without a confirmation, are not counted. */
  async #spendable(): Promise<bigint> {
    try {
      const { mine } = recordOf(await this.#call('getbalances'), 'balances');
      return unitsOf(numberOf(recordOf(mine, 'balance').trusted, 'balance'));
    } catch (error) {
      if (rpcCodeOf(error) !== WALLET_CODE.methodNotFound) throw error;
      return unitsOf(numberOf(await this.#call('getbalance'), 'balance'));
    }
  }

  async #guard({ txid, index }: Outpoint, what: 'lock' | 'unlock'): Promise<void> {
    try {
      await this.#call('lockunspent', [what === 'unlock', [{ txid, vout: index }]]);
    } catch (error) {
      // Spent, not the wallet's, guarded already or not at all: nothing is left to do. Old nodes may lack the call.
      if (!isPoolError(error, 'rpc_error')) throw error;
    }
  }

  async #ownTransaction(txid: string): Promise<Record<string, unknown> | undefined> {
    try {
      return recordOf(await this.#call('gettransaction', [txid]), 'transaction');
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #entry(txid: string): Promise<WalletEntry | undefined> {
    const found = await this.#ownTransaction(txid);
    if (found === undefined) return undefined;
    const conflicts = Array.isArray(found.walletconflicts) ? found.walletconflicts.map(String) : [];
    return { confirmations: numberOf(found.confirmations, 'confirmations'), conflicts };
  }

  async #isInMempool(txid: string): Promise<boolean> {
    try {
      await this.#node.call('getmempoolentry', [txid]);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      if (rpcCodeOf(error) !== WALLET_CODE.methodNotFound) throw error;
      const all = await this.#node.call('getrawmempool');
      return Array.isArray(all) && all.includes(txid);
    }
  }

  /** A call to the wallet; loads it when the node has not. */
  async #call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    try {
      return await this.#wallet.call(method, params);
    } catch (error) {
      const { name } = this.#options;
      if (rpcCodeOf(error) !== WALLET_CODE.notLoaded || name === undefined) throw error;
      await this.#node.call('loadwallet', [name]);
      this.#log.info({ wallet: name }, 'wallet loaded');
      return this.#wallet.call(method, params);
    }
  }
}
