import type { Block } from './block.js';
import { scriptKey } from './keys.js';
import { SignatureChecks } from './signatures.js';
import { outpointKey, spentKey, type Transaction } from './transaction.js';

/** An unspent output. */
export interface Coin {
  readonly value: bigint;
  readonly script: Uint8Array;
  /** Height of the block that made it. */
  readonly height: number;
  readonly coinbase: boolean;
}

/** What {@link CoinSet.connect} removed, to put it back on a reorganisation. */
export type Undo = readonly (readonly [key: string, coin: Coin])[];

export type ConnectResult =
  | { readonly ok: true; readonly undo: Undo; readonly fees: bigint }
  | { readonly ok: false; readonly reason: string };

/** Looks up an output that a transaction wants to spend. */
export type CoinLookup = (key: string) => Coin | undefined;

export type SpendResult = { readonly ok: true; readonly fee: bigint } | { readonly ok: false; readonly reason: string };

export interface SpendContext {
  /** Height of the block the transaction would stand in. */
  readonly height: number;
  readonly coinbaseMaturity: number;
  readonly signatures: SignatureChecks;
}

/**
 * Inputs exist, coinbases among them are mature, inputs cover outputs, and P2WPKH inputs are signed. Other scripts and
 * relative lock times (BIP 68) are not looked at: whoever names such an output may spend it.
 */
export function checkSpend(transaction: Transaction, coins: CoinLookup, context: SpendContext): SpendResult {
  let valueIn = 0n;
  for (const input of transaction.inputs) {
    const coin = coins(spentKey(input));
    if (coin === undefined) return { ok: false, reason: 'bad-txns-inputs-missingorspent' };
    if (coin.coinbase && context.height - coin.height < context.coinbaseMaturity) {
      return { ok: false, reason: 'bad-txns-premature-spend-of-coinbase' };
    }
    valueIn += coin.value;
  }
  const valueOut = transaction.outputs.reduce((sum, { value }) => sum + value, 0n);
  if (valueOut > valueIn) return { ok: false, reason: 'bad-txns-in-belowout' };
  const unsigned = context.signatures.check(transaction, coins);
  return unsigned === undefined ? { ok: true, fee: valueIn - valueOut } : { ok: false, reason: unsigned };
}

const OP_RETURN = 0x6a;

/** The unspent outputs of the active chain, with those of some scripts (the wallet's) indexed apart. */
export class CoinSet {
  readonly #coins = new Map<string, Coin>();
  readonly #watched = new Map<string, Coin>();
  readonly #watchedScripts = new Set<string>();
  /** What was checked once need not be again. */
  readonly signatures: SignatureChecks = new SignatureChecks();

  get size(): number {
    return this.#coins.size;
  }
  get(key: string): Coin | undefined {
    return this.#coins.get(key);
  }
  /** Indexes a P2WPKH script from now on, with the outputs it has by now. */
  watch(script: Uint8Array): void {
    const wanted = scriptKey(script);
    this.#watchedScripts.add(wanted);
    for (const [key, coin] of this.#coins) {
      if (coin.script.length === script.length && scriptKey(coin.script) === wanted) this.#watched.set(key, coin);
    }
  }
  /** Unspent outputs of the watched scripts, oldest first. */
  watched(): IterableIterator<[string, Coin]> {
    return this.#watched.entries();
  }

  #add(key: string, coin: Coin): void {
    this.#coins.set(key, coin);
    if (coin.script.length === 22 && this.#watchedScripts.has(scriptKey(coin.script))) this.#watched.set(key, coin);
  }

  #remove(key: string): void {
    this.#coins.delete(key);
    this.#watched.delete(key);
  }

  #addOutputs(transaction: Transaction, height: number): void {
    for (const [index, { value, script }] of transaction.outputs.entries()) {
      if (script[0] === OP_RETURN) continue; // never spendable
      this.#add(outpointKey(transaction.id, index), { value, script, height, coinbase: transaction.isCoinbase });
    }
  }

  /** Spends and creates what the block does, or nothing when it breaks a rule. */
  connect(block: Block, context: Omit<SpendContext, 'signatures'>, subsidy: bigint): ConnectResult {
    const undo: [string, Coin][] = [];
    let fees = 0n;
    const fail = (reason: string, applied: number): ConnectResult => {
      this.#revert(block, undo, applied);
      return { ok: false, reason };
    };
    for (const [i, transaction] of block.transactions.entries()) {
      if (i > 0) {
        const spend = checkSpend(transaction, (key) => this.#coins.get(key), {
          ...context,
          signatures: this.signatures,
        });
        if (!spend.ok) return fail(spend.reason, i);
        fees += spend.fee;
        for (const input of transaction.inputs) {
          const key = spentKey(input);
          const coin = this.#coins.get(key);
          if (coin !== undefined) undo.push([key, coin]);
          this.#remove(key);
        }
      }
      if (this.#hasOutputOf(transaction)) return fail('bad-txns-BIP30', i);
      this.#addOutputs(transaction, context.height);
    }
    const paid = block.transactions[0]?.outputs.reduce((sum, { value }) => sum + value, 0n) ?? 0n;
    if (paid > subsidy + fees) return fail('bad-cb-amount', block.transactions.length);
    return { ok: true, undo, fees };
  }

  #hasOutputOf(transaction: Transaction): boolean {
    return transaction.outputs.some((_, index) => this.#coins.has(outpointKey(transaction.id, index)));
  }

  #revert(block: Block, undo: Undo, applied: number): void {
    for (const transaction of block.transactions.slice(0, applied).reverse()) {
      for (const index of transaction.outputs.keys()) this.#remove(outpointKey(transaction.id, index));
    }
    // An output made and spent inside the block is in `undo` too; it was never there before the block.
    const made = new Set(block.transactions.map(({ id }) => id));
    for (const [key, coin] of undo) {
      if (!made.has(key.slice(0, 64))) this.#add(key, coin);
    }
  }

  /** Takes back a connected block. */
  disconnect(block: Block, undo: Undo): void {
    this.#revert(block, undo, block.transactions.length);
  }
}
