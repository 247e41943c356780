import { asciiToBytes, type Clock, hexToBytes, PoolError } from '@headframe/primitives';
import type { Chain, TipChange } from './chain.js';
import type { Coin } from './coins.js';
import { deriveKey, scriptKey, signInput, type WalletKey } from './keys.js';
import { DEV_NODE_LIMITS } from './limits.js';
import type { Mempool } from './mempool.js';
import type { RawTransaction } from './raw-transaction.js';
import { outpointKey, spentKey, type Transaction } from './transaction.js';
import { WalletHistory, type WalletTransaction } from './wallet-history.js';

export interface DevWalletOptions {
  /** Keys come from it; the same seed gives the same addresses. By default that of every development chain. */
  readonly seed?: string;
  /** Name in the path `/wallet/NAME` of the RPC address; the plain address works too. Default empty. */
  readonly name?: string;
  /** Encrypts the wallet: signing needs walletpassphrase first. */
  readonly passphrase?: string;
}

/** An unspent output of the wallet. */
export interface WalletCoin extends Coin {
  /** Display hex. */
  readonly txid: string;
  readonly index: number;
  /** `txid:index`. */
  readonly key: string;
  /** 0 in the mempool. */
  readonly confirmations: number;
  /** False for a coinbase that is too young. */
  readonly isMature: boolean;
  /** May be spent without waiting for a block: confirmed, or change of a transaction of this wallet. */
  readonly isTrusted: boolean;
}

/** Keys, coins and history of one wallet on the chain. */
export class Wallet {
  readonly name: string;
  readonly history: WalletHistory;
  /** False between unloadwallet and loadwallet. */
  isLoaded = true;
  /** Outputs kept aside by lockunspent. */
  readonly locked: Set<string> = new Set();
  readonly #chain: Chain;
  readonly #mempool: Mempool;
  readonly #clock: Clock;
  readonly #seed: Uint8Array;
  readonly #keys = new Map<string, WalletKey>();
  readonly #first: WalletKey;
  #passphrase: string | undefined;
  #unlockedUntilMs = 0;

  constructor(chain: Chain, mempool: Mempool, clock: Clock, options: DevWalletOptions = {}) {
    this.name = options.name ?? '';
    this.#chain = chain;
    this.#mempool = mempool;
    this.#clock = clock;
    this.#seed = asciiToBytes(options.seed ?? 'headframe development chain');
    this.#passphrase = options.passphrase;
    this.history = new WalletHistory(chain, mempool);
    this.#first = this.newKey();
  }

  /** Script of the first address: blocks that are mined without a payee pay it. */
  get script(): Uint8Array {
    return this.#first.script;
  }
  get keyCount(): number {
    return this.#keys.size;
  }
  key(script: Uint8Array): WalletKey | undefined {
    return this.#keys.get(scriptKey(script));
  }

  /** @throws PoolError `queue_full` past the bound of keys. */
  newKey(isChange = false): WalletKey {
    if (this.#keys.size >= DEV_NODE_LIMITS.maxWalletKeys)
      throw new PoolError('queue_full', 'the wallet is out of keys');
    const key = deriveKey(this.#seed, this.#keys.size, isChange);
    this.#keys.set(scriptKey(key.script), key);
    this.#chain.coins.watch(key.script);
    return key;
  }

  get isEncrypted(): boolean {
    return this.#passphrase !== undefined;
  }
  /** Unix milliseconds; 0 when locked. */
  get unlockedUntilMs(): number {
    return this.#unlockedUntilMs > this.#clock.now() ? this.#unlockedUntilMs : 0;
  }
  get isLocked(): boolean {
    return this.isEncrypted && this.unlockedUntilMs === 0;
  }
  /** @returns false when the passphrase is wrong. */
  unlock(passphrase: string, seconds: number): boolean {
    if (passphrase !== this.#passphrase) return false;
    this.#unlockedUntilMs = this.#clock.now() + seconds * 1000;
    return true;
  }
  lock(): void {
    this.#unlockedUntilMs = 0;
  }
  encrypt(passphrase: string): void {
    this.#passphrase = passphrase;
    this.lock();
  }

  /** An output that can be named in a transaction: of the chain, the mempool, or a transaction of this wallet. */
  output(key: string): Coin | undefined {
    const coin = this.#mempool.coin(key);
    if (coin !== undefined) return coin;
    const output = this.history.get(key.slice(0, 64))?.transaction.outputs[Number(key.slice(65))];
    return output === undefined ? undefined : { ...output, height: this.#chain.height + 1, coinbase: false };
  }

  /** Unspent outputs, oldest first; those of waiting transactions last. */
  *coins(): Generator<WalletCoin> {
    const { height, params } = this.#chain;
    for (const [key, coin] of this.#chain.coins.watched()) {
      if (this.#isSpent(key)) continue;
      const confirmations = height - coin.height + 1;
      // One more than consensus asks for, as Core's wallet does.
      const isMature = !coin.coinbase || confirmations > params.coinbaseMaturity;
      yield { ...coin, ...named(key), confirmations, isMature, isTrusted: isMature };
    }
    for (const { transaction } of this.#mempool.entries()) {
      for (const [index, output] of transaction.outputs.entries()) {
        const key = outpointKey(transaction.id, index);
        if (this.key(output.script) === undefined || this.#isSpent(key)) continue;
        const isTrusted = this.history.get(transaction.id)?.fee !== undefined;
        const coin = { ...output, ...named(key), height: height + 1, coinbase: false };
        yield { ...coin, confirmations: 0, isMature: true, isTrusted };
      }
    }
  }

  #isSpent(key: string): boolean {
    return this.#mempool.isSpent(key) || this.history.isSpent(key);
  }

  /** Adds the signatures this wallet can give; inputs of others stay as they are. */
  sign(transaction: RawTransaction): RawTransaction {
    const inputs = transaction.inputs.map((input, index) => {
      const coin = this.output(spentKey(input));
      const key = coin === undefined ? undefined : this.key(coin.script);
      if (coin === undefined || key === undefined) return input;
      return { ...input, scriptSig: new Uint8Array(), witness: signInput(transaction, index, key, coin.value) };
    });
    return { ...transaction, inputs };
  }

  /** Remembers a transaction that came into the mempool, when it is the wallet's. Call it while its inputs are known. */
  observe(transaction: Transaction, coin: (key: string) => Coin | undefined = (key) => this.output(key)): void {
    const spent = transaction.inputs.map((input) => coin(spentKey(input)));
    const own = spent.filter((found) => found !== undefined && this.key(found.script) !== undefined);
    const isPaid = transaction.outputs.some(({ script }) => this.key(script) !== undefined);
    if (own.length === 0 && !isPaid) return;
    const debit = own.reduce((sum, found) => sum + (found?.value ?? 0n), 0n);
    const paid = transaction.outputs.reduce((sum, { value }) => sum + value, 0n);
    const record: WalletTransaction = {
      transaction,
      debit,
      fee: own.length === spent.length ? debit - paid : undefined,
      time: Math.floor(this.#clock.now() / 1000),
      block: undefined,
      conflict: undefined,
      abandoned: false,
    };
    this.history.add(record);
    for (const input of transaction.inputs) this.locked.delete(spentKey(input));
  }

  /** After the tip moved. */
  update(change: TipChange): void {
    for (const { block, undo } of change.connected) {
      const spent = new Map(undo ?? []);
      for (const transaction of block?.transactions.slice(1) ?? []) {
        this.observe(transaction, (key) => spent.get(key));
      }
    }
    this.history.connected(change);
  }
}

function named(key: string): { readonly key: string; readonly txid: string; readonly index: number } {
  return { key, txid: key.slice(0, 64), index: Number(key.slice(65)) };
}

/** 32 bytes in internal order of a display id. @throws PoolError `invalid_hex`. */
export function txidBytes(display: string): Uint8Array {
  return hexToBytes(display).reverse();
}
