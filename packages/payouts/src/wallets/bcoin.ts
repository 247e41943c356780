import type { Coin } from '@headframe/coins';
import { createRpcClient, type RpcClient, type RpcCredentials } from '@headframe/daemon';
import { bytesToHex, type Clock, errorMessage, isPoolError, PoolError, systemClock } from '@headframe/primitives';
import type {
  FindOptions,
  SignedTransaction,
  SignOptions,
  TransactionState,
  Wallet,
  WalletOutput,
  WalletStatus,
} from '../types.js';
import type { WalletModules } from './core.js';
import { reasonOf, signingError } from './core-errors.js';
import { isRecord, listOf, numberOf, recordOf, stringOf } from './json.js';
import { networkProblem } from './network.js';
import { checkSigned, inputsOf, parseRawTransaction } from './raw-transaction.js';
import { createRestClient, type RestClient } from './rest-client.js';
import { SpenderSearch } from './spender-search.js';
import { findTransaction, type WalletEntry } from './transaction-finder.js';

export interface BcoinWalletOptions {
  readonly coin: Coin;
  /** `http://host:port` of the wallet's server; by default bcoin's wallet has a port of its own. */
  readonly url: string;
  /** The wallet server's API key. */
  readonly password?: string;
  /** Id of the wallet. Default `primary`. */
  readonly name?: string;
  readonly passphrase?: string;
  /** The node beside it: `url` and how to log in. */
  readonly node: RpcCredentials & { readonly url: string };
}

export interface BcoinWalletModules extends WalletModules {
  readonly fetch?: typeof fetch;
}

const TIMEOUT_MS = 60_000;

/**
 * The wallet of bcoin 1.0, which creates and signs a transaction in one call without sending it. Its servers say that
 * a transaction was sent also when the mempool refused it, so the mempool is asked.
 *
 * @throws PoolError `invalid_argument` when a URL is none.
 */
export function bcoinWallet(options: BcoinWalletOptions, modules: BcoinWalletModules = {}): Wallet {
  return new BcoinWallet(options, modules);
}

class BcoinWallet implements Wallet {
  readonly name: string;
  readonly #options: BcoinWalletOptions;
  readonly #path: string;
  readonly #node: RpcClient;
  readonly #nodeRest: RestClient;
  readonly #wallet: RestClient;
  readonly #clock: Clock;
  readonly #search: SpenderSearch;

  constructor(options: BcoinWalletOptions, modules: BcoinWalletModules) {
    const id = options.name ?? 'primary';
    this.#options = options;
    this.name = `bcoin wallet "${id}"`;
    this.#path = `/wallet/${encodeURIComponent(id)}`;
    this.#clock = modules.clock ?? systemClock;
    const connect = modules.rpc ?? createRpcClient;
    this.#node = connect({ ...options.node, timeoutMs: TIMEOUT_MS, clock: this.#clock });
    const rest = (url: string, password: string | undefined): RestClient =>
      createRestClient({
        url,
        timeoutMs: TIMEOUT_MS,
        ...(password === undefined ? {} : { password }),
        ...(modules.fetch === undefined ? {} : { fetch: modules.fetch }),
      });
    this.#nodeRest = rest(options.node.url, options.node.password);
    this.#wallet = rest(options.url, options.password);
    this.#search = new SpenderSearch(this.#node, [true, true]);
  }

  async status(): Promise<WalletStatus> {
    try {
      const problem = (await networkProblem(this.#node, this.#options.coin)) ?? (await this.#walletProblem());
      if (problem !== undefined) return { isReady: false, reason: problem, spendable: undefined };
      return { isReady: true, reason: undefined, spendable: await this.#spendable() };
    } catch (error) {
      return { isReady: false, reason: errorMessage(error), spendable: undefined };
    }
  }

  async sign(outputs: readonly WalletOutput[], { avoid = [] }: SignOptions = {}): Promise<SignedTransaction> {
    const problem = await networkProblem(this.#node, this.#options.coin);
    if (problem !== undefined) throw new PoolError('not_supported', problem);
    const locked = await this.#walletProblem();
    if (locked !== undefined) throw new PoolError('wallet_locked', locked);
    for (const { txid, index } of inputsOf(avoid)) await this.#call('PUT', `/locked/${txid}/${index}`);
    const { passphrase } = this.#options;
    try {
      const created = recordOf(
        await this.#call('POST', '/create', {
          // Confirmed coins, and change of its own transactions.
          smart: true,
          // Scripts and not addresses: bcoin writes the addresses of test networks in a way of its own.
          outputs: outputs.map(({ script, amount }) => ({ script: bytesToHex(script), value: Number(amount) })),
          ...(passphrase === undefined ? {} : { passphrase }),
        }),
        'transaction',
      );
      const transaction = stringOf(created.hex, 'transaction');
      const { txid } = checkSigned(transaction, outputs);
      return { txid, transaction, fee: BigInt(numberOf(created.fee, 'fee')) };
    } catch (error) {
      throw bcoinSigningError(error, outputs);
    } finally {
      if (passphrase !== undefined) await this.#call('POST', '/lock', {}).catch(() => undefined);
    }
  }

  async broadcast({ txid, transaction }: SignedTransaction): Promise<void> {
    let reason = 'the mempool does not take it (bcoin gives no reason)';
    try {
      await this.#nodeRest.request('POST', '/broadcast', { tx: transaction });
    } catch (error) {
      if (!isPoolError(error, 'rpc_error')) throw error;
      reason = reasonOf(error);
    }
    if (await this.#isInMempool(txid)) return;
    const entry = await this.#entry(txid);
    if (entry !== undefined && entry.confirmations > 0) return;
    throw new PoolError('rejected', reason);
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
          const found = await this.#call('GET', `/tx/${txid}`);
          if (!isRecord(found)) return undefined;
          const hex = stringOf(found.tx, 'transaction');
          return {
            transaction: parseRawTransaction(hex),
            confirmations: numberOf(found.confirmations, 'confirmations'),
          };
        },
      },
      transaction,
      options,
    );
  }

  async release(transaction: SignedTransaction): Promise<void> {
    for (const { txid, index } of inputsOf([transaction])) await this.#call('DELETE', `/locked/${txid}/${index}`);
  }

  close(): void {
    this.#node.close();
    this.#nodeRest.close();
    this.#wallet.close();
  }

  #call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<unknown> {
    return this.#wallet.request(method, `${this.#path}${path}`, body);
  }

  async #walletProblem(): Promise<string | undefined> {
    const wallet = await this.#call('GET', '');
    if (!isRecord(wallet)) return `there is no ${this.name}`;
    if (wallet.watchOnly === true) return 'the wallet has no private keys';
    const { passphrase } = this.#options;
    if (
      passphrase === undefined &&
      isRecord(wallet.master) &&
      wallet.master.encrypted === true &&
      !wallet.master.until
    ) {
      return 'the wallet is locked';
    }
    return undefined;
  }

  async #spendable(): Promise<bigint> {
    const tip = numberOf(await this.#node.call('getblockcount'), 'height');
    let sum = 0n;
    for (const item of listOf(await this.#call('GET', '/coin'), 'list of coins')) {
      const { height, value, coinbase } = recordOf(item, 'coin');
      const depth = numberOf(height, 'height') < 0 ? 0 : tip - numberOf(height, 'height') + 1;
      if (coinbase === true && depth < this.#options.coin.coinbaseMaturity) continue;
      sum += BigInt(numberOf(value, 'value'));
    }
    return sum;
  }

  async #entry(txid: string): Promise<WalletEntry | undefined> {
    const found = await this.#call('GET', `/tx/${txid}`);
    // It throws conflicting transactions out, so it never knows of both.
    return isRecord(found)
      ? { confirmations: numberOf(found.confirmations, 'confirmations'), conflicts: [] }
      : undefined;
  }

  async #isInMempool(txid: string): Promise<boolean> {
    return listOf(await this.#node.call('getrawmempool'), 'mempool').includes(txid);
  }
}

function bcoinSigningError(error: unknown, outputs: readonly WalletOutput[]): unknown {
  if (isPoolError(error, 'rpc_error') && /passphrase|decrypt|locked/i.test(reasonOf(error))) {
    return new PoolError('wallet_locked', reasonOf(error), { cause: error });
  }
  return signingError(error, outputs);
}
