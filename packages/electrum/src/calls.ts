import type { RequestOptions } from '@headframe/jsonrpc';
import { PoolError } from '@headframe/primitives';
import type { KnownServer } from './endpoint.js';
import { parsePeer } from './endpoint.js';
import { electrumError } from './errors.js';
import type {
  HeaderObject,
  HistoryItem,
  MempoolItem,
  MerkleProof,
  ScriptBalance,
  ServerFeatures,
  UnspentItem,
} from './fields.js';
import { type HeaderProof, splitHeaders } from './header.js';
import type { ElectrumMethodName, ElectrumMethods, OldElectrumMethods } from './methods.js';
import type { BatchCall, BatchOutcomes, ElectrumSession } from './session.js';

/** Something to do with a server. It may be done again on another one if `idempotent`. */
export interface Operation<T> {
  readonly idempotent: boolean;
  run(session: ElectrumSession): Promise<T>;
}

/** Methods that change something: never sent twice by themselves. */
const CHANGES: ReadonlySet<string> = new Set([
  'blockchain.transaction.broadcast',
  'blockchain.transaction.broadcast_package',
  'server.add_peer',
  'server.version',
]);

/** Headers in a row, whatever the version. */
export interface HeaderRange {
  /** 80 bytes each, hex. */
  readonly headers: readonly string[];
  /** Most that the server gives at once. */
  readonly max: number;
}

/**
 * All methods by name, on one server (`ElectrumClient`) or on several (`ElectrumPool`). Every call settles: with its
 * result, or it rejects with an ElectrumError (the server refused) or a PoolError: `not_supported` (the version has no
 * such method), `invalid_argument`, `invalid_data` (the answer makes no sense), `request_timeout`,
 * `connection_closed`, `queue_full`, `aborted`.
 */
export abstract class ElectrumCalls {
  /** Runs an operation on a connected server. */
  protected abstract run<T>(operation: Operation<T>, signal?: AbortSignal): Promise<T>;

  /** Any method of the table, typed by it. @example await client.request('blockchain.block.header', 0) */
  request<Name extends ElectrumMethodName>(
    name: Name,
    ...params: ElectrumMethods[Name]['input']
  ): Promise<ElectrumMethods[Name]['result']> {
    return this.call(name, params);
  }

  /** {@link request} with a timeout or a signal. */
  call<Name extends ElectrumMethodName>(
    name: Name,
    params: ElectrumMethods[Name]['input'],
    options?: RequestOptions,
  ): Promise<ElectrumMethods[Name]['result']> {
    return this.#run(!CHANGES.has(name), (session) => session.request(name, params, options), options);
  }

  /** {@link call} for servers below 1.4, whose forms differ. */
  callOld<Name extends ElectrumMethodName>(
    name: Name,
    params: OldElectrumMethods[Name]['input'],
    options?: RequestOptions,
  ): Promise<OldElectrumMethods[Name]['result']> {
    return this.#run(!CHANGES.has(name), (session) => session.requestOld(name, params, options), options);
  }

  /** Several calls in one message; each ends by itself. */
  batch<const Calls extends readonly BatchCall[]>(
    calls: Calls,
    options?: RequestOptions,
  ): Promise<BatchOutcomes<Calls>> {
    const idempotent = calls.every(([name]) => !CHANGES.has(name));
    return this.#run(idempotent, (session) => session.batch(calls, options), options);
  }

  /** Text to show to users. */
  getBanner(options?: RequestOptions): Promise<string> {
    return this.call('server.banner', [], options);
  }
  getDonationAddress(options?: RequestOptions): Promise<string> {
    return this.call('server.donation_address', [], options);
  }
  /** Other servers that this one knows. */
  async getPeers(options?: RequestOptions): Promise<readonly KnownServer[]> {
    return (await this.call('server.peers.subscribe', [], options)).map(parsePeer);
  }
  getFeatures(options?: RequestOptions): Promise<ServerFeatures> {
    return this.call('server.features', [], options);
  }
  /** Below 1.2 it is `server.version` again, as clients of that time did. */
  async ping(options?: RequestOptions): Promise<void> {
    await this.#run(true, (session) => pingSession(session, options), options);
  }

  /** Transactions of a script, in the order that `historyStatus` takes. */
  getHistory(scripthash: string, options?: RequestOptions): Promise<readonly HistoryItem[]> {
    return this.call('blockchain.scripthash.get_history', [scripthash], options);
  }
  getMempool(scripthash: string, options?: RequestOptions): Promise<readonly MempoolItem[]> {
    return this.call('blockchain.scripthash.get_mempool', [scripthash], options);
  }
  getBalance(scripthash: string, options?: RequestOptions): Promise<ScriptBalance> {
    return this.call('blockchain.scripthash.get_balance', [scripthash], options);
  }
  listUnspent(scripthash: string, options?: RequestOptions): Promise<readonly UnspentItem[]> {
    return this.call('blockchain.scripthash.listunspent', [scripthash], options);
  }

  /** Servers below 1.3 only, as all that take an address. */
  getAddressHistory(address: string, options?: RequestOptions): Promise<readonly HistoryItem[]> {
    return this.callOld('blockchain.address.get_history', [address], options);
  }
  getAddressMempool(address: string, options?: RequestOptions): Promise<readonly HistoryItem[]> {
    return this.callOld('blockchain.address.get_mempool', [address], options);
  }
  getAddressBalance(address: string, options?: RequestOptions): Promise<ScriptBalance> {
    return this.callOld('blockchain.address.get_balance', [address], options);
  }
  listAddressUnspent(address: string, options?: RequestOptions): Promise<readonly UnspentItem[]> {
    return this.callOld('blockchain.address.listunspent', [address], options);
  }
  getAddressProof(address: string, options?: RequestOptions): Promise<readonly unknown[]> {
    return this.callOld('blockchain.address.get_proof', [address], options);
  }
  /** Whom an output pays; servers of 1.0 only. */
  getUtxoAddress(txid: string, index: number, options?: RequestOptions): Promise<string | null> {
    return this.callOld('blockchain.utxo.get_address', [txid, index], options);
  }

  /** A transaction as hex. */
  getTransaction(txid: string, options?: RequestOptions): Promise<string> {
    return this.#run(
      true,
      async (session) => {
        const result = await session.call('blockchain.transaction.get', [txid], options);
        if (typeof result === 'string') return result;
        throw new PoolError('invalid_data', 'blockchain.transaction.get: the answer is not hex');
      },
      options,
    );
  }
  /** A transaction as the server's node describes it. */
  async getVerboseTransaction(txid: string, options?: RequestOptions): Promise<Readonly<Record<string, unknown>>> {
    const result = await this.call('blockchain.transaction.get', [txid, true], options);
    if (typeof result !== 'string') return result;
    throw new PoolError('invalid_data', 'blockchain.transaction.get: the answer is not an object');
  }
  /** Proof that a transaction is in the block of that height: see `verifyMerkleProof`. */
  getMerkle(txid: string, height: number, options?: RequestOptions): Promise<MerkleProof> {
    return this.call('blockchain.transaction.get_merkle', [txid, height], options);
  }
  /** Id of the transaction at a place in the chain. */
  async getTransactionId(height: number, position: number, options?: RequestOptions): Promise<string> {
    const result = await this.call('blockchain.transaction.id_from_pos', [height, position], options);
    return typeof result === 'string' ? result : result.tx_hash;
  }
  /**
   * Gives a transaction to the network; resolves with its id. A refusal is an ElectrumError in every version.
   */
  broadcast(rawHex: string, options?: RequestOptions): Promise<string> {
    return this.#run(false, (session) => broadcastOn(session, rawHex, options), options);
  }

  /** Coins per kB to be in a block within `blocks` blocks; -1 when the server cannot tell. */
  estimateFee(blocks: number, options?: RequestOptions): Promise<number> {
    return this.#run(
      true,
      async (session) => Number(await session.call('blockchain.estimatefee', [blocks], options)),
      options,
    );
  }
  /** Lowest fee rate that is passed on, coins per kB. */
  relayFee(options?: RequestOptions): Promise<number> {
    return this.#run(
      true,
      async (session) => {
        if (session.has('blockchain.relayfee')) return session.request('blockchain.relayfee', [], options);
        return (await session.request('mempool.get_info', [], options)).minrelaytxfee;
      },
      options,
    );
  }
  /** `[satoshi per vbyte, vbytes]`, falling. */
  getFeeHistogram(options?: RequestOptions): Promise<readonly (readonly [number, number])[]> {
    return this.call('mempool.get_fee_histogram', [], options);
  }

  /** A block header as hex. Below 1.3 use {@link getHeaderObject}. */
  async getBlockHeader(height: number, options?: RequestOptions): Promise<string> {
    const result = await this.#run(
      true,
      (session) => session.call('blockchain.block.header', [height], options),
      options,
    );
    if (typeof result === 'string') return result;
    throw new PoolError('invalid_data', 'blockchain.block.header: the answer is not hex');
  }
  /** A block header with its proof against the checkpoint at `cpHeight`: see `verifyHeaderProof`. */
  async getHeaderProof(height: number, cpHeight: number, options?: RequestOptions): Promise<HeaderProof> {
    const result = await this.call('blockchain.block.header', [height, cpHeight], options);
    if (typeof result !== 'string') return result;
    throw new PoolError('invalid_data', 'blockchain.block.header: the answer has no proof');
  }
  /** Headers in a row; fewer than asked for at the end of the chain or above the server's `max`. */
  async getBlockHeaders(startHeight: number, count: number, options?: RequestOptions): Promise<HeaderRange> {
    const result = await this.call('blockchain.block.headers', [startHeight, count], options);
    return { headers: splitHeaders(result), max: result.max };
  }
  /** A block header as an object; servers below 1.4 only. */
  getHeaderObject(height: number, options?: RequestOptions): Promise<HeaderObject> {
    return this.callOld('blockchain.block.get_header', [height], options);
  }
  /** Headers `index * 2016` and on, hex; servers below 1.4 only. */
  async getChunk(index: number, options?: RequestOptions): Promise<readonly string[]> {
    return splitHeaders(await this.callOld('blockchain.block.get_chunk', [index], options));
  }

  #run<T>(idempotent: boolean, run: (session: ElectrumSession) => Promise<T>, options?: RequestOptions): Promise<T> {
    return this.run({ idempotent, run }, options?.signal);
  }
}

/** Keeps a connection alive, in the way of its version. */
export async function pingSession(session: ElectrumSession, options?: RequestOptions): Promise<void> {
  if (session.has('server.ping')) await session.call('server.ping', [], options);
  else await session.call('server.version', ['', session.version], options);
}

/** Broadcasts on one server. */
export async function broadcastOn(session: ElectrumSession, rawHex: string, options?: RequestOptions): Promise<string> {
  const answer = String(await session.call('blockchain.transaction.broadcast', [rawHex], options));
  // Below 1.1 a refusal is a text in the place of the id.
  if (/^[0-9a-f]{64}$/i.test(answer)) return answer.toLowerCase();
  throw electrumError('bad-request', answer.slice(0, 1000));
}
