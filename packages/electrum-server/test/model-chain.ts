import { type HistoryItem, historyStatus, scripthashOf, sortHistory } from '@headframe/electrum';
import { sha256d } from '@headframe/hashing';
import { ByteWriter, bytesToHex, PoolError, toDisplayHex } from '@headframe/primitives';
import type { NodeCalls } from '../src/chain/node-link.js';

/** A coin of the model. */
export interface Coin {
  /** Display hex. */
  readonly txid: string;
  readonly index: number;
  readonly value: bigint;
  readonly script: Uint8Array;
}

export interface ModelTransaction {
  readonly txid: string;
  readonly raw: Uint8Array;
  readonly inputs: readonly Coin[];
  readonly outputs: readonly { readonly value: bigint; readonly script: Uint8Array }[];
}

export interface ModelBlock {
  readonly hash: string;
  readonly header: Uint8Array;
  readonly raw: Uint8Array;
  readonly transactions: readonly ModelTransaction[];
}

export interface TransactionShape {
  readonly inputs: readonly Coin[];
  readonly outputs: readonly { readonly value: bigint; readonly script: Uint8Array }[];
  /** Makes it another one. */
  readonly stamp: number;
  readonly witness?: boolean;
  /** Flag byte of MWEB: an empty extension follows. */
  readonly hogEx?: boolean;
}

const displayToBytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex').reverse());
const keyOf = (txid: string, index: number): string => `${txid}:${index}`;

/** Serialises a transaction; without inputs it is a coinbase. */
export function modelTransaction({ inputs, outputs, stamp, witness, hogEx }: TransactionShape): ModelTransaction {
  const write = (flags: number): Uint8Array => {
    const writer = new ByteWriter().u32le(2);
    if (flags !== 0) writer.u8(0).u8(flags);
    writer.compactSize(Math.max(1, inputs.length));
    if (inputs.length === 0) {
      writer.write(new Uint8Array(32)).u32le(0xffffffff).compactSize(4).u32le(stamp).u32le(0xffffffff);
    }
    for (const { txid, index } of inputs) {
      writer.write(displayToBytes(txid)).u32le(index).compactSize(0).u32le(stamp);
    }
    writer.compactSize(outputs.length);
    for (const { value, script } of outputs) writer.u64le(value).compactSize(script.length).write(script);
    if ((flags & 1) !== 0) {
      for (let i = 0; i < Math.max(1, inputs.length); i++) writer.compactSize(2).compactSize(1).u8(i).compactSize(0);
    }
    if ((flags & 8) !== 0) writer.u8(0);
    return writer.u32le(0).finish();
  };
  const txid = toDisplayHex(sha256d(write(0)));
  return { txid, raw: write((witness === true ? 1 : 0) | (hogEx === true ? 8 : 0)), inputs, outputs };
}

function merkleRoot(txids: readonly Uint8Array[]): Uint8Array {
  let level = [...txids];
  while (level.length > 1) {
    if (level.length % 2 === 1) level.push(level.at(-1) ?? new Uint8Array(32));
    level = Array.from({ length: level.length / 2 }, (_, i) =>
      sha256d(Buffer.concat([level[2 * i] ?? new Uint8Array(), level[2 * i + 1] ?? new Uint8Array()])),
    );
  }
  return level[0] ?? new Uint8Array(32);
}

/** Puts a block together; `between` stands behind the header, `behind` after the transactions. */
export function modelBlock(
  previous: string,
  transactions: readonly ModelTransaction[],
  options: { readonly version?: number; readonly between?: Uint8Array; readonly behind?: Uint8Array } = {},
): ModelBlock {
  const header = new ByteWriter(80)
    .u32le(options.version ?? 0x20000000)
    .write(displayToBytes(previous))
    .write(merkleRoot(transactions.map(({ txid }) => displayToBytes(txid))))
    .u32le(1_700_000_000)
    .u32le(0x207fffff)
    .u32le(0)
    .finish();
  const writer = new ByteWriter().write(header).write(options.between ?? new Uint8Array());
  writer.compactSize(transactions.length);
  for (const { raw } of transactions) writer.write(raw);
  writer.write(options.behind ?? new Uint8Array());
  return { hash: toDisplayHex(sha256d(header)), header, raw: writer.finish(), transactions };
}

const ZERO_HASH = '0'.repeat(64);

/** A chain with a mempool that is looked through from end to end for every answer: slow, and simple enough to be right. */
export class ModelChain implements NodeCalls {
  blocks: ModelBlock[] = [];
  mempool: ModelTransaction[] = [];
  /** Calls answered, by method. */
  readonly calls = new Map<string, number>();
  /** Runs before each call; throw to fail it. */
  before: (method: string) => void = () => {};
  #stamp = 1;

  stamp(): number {
    return this.#stamp++;
  }
  get tip(): ModelBlock | undefined {
    return this.blocks.at(-1);
  }

  /** Mines these transactions, which leave the mempool with what they make impossible. */
  mine(transactions: readonly ModelTransaction[], script: Uint8Array): ModelBlock {
    const coinbase = modelTransaction({ inputs: [], outputs: [{ value: 5_000n, script }], stamp: this.stamp() });
    const block = modelBlock(this.tip?.hash ?? ZERO_HASH, [coinbase, ...transactions]);
    this.blocks.push(block);
    this.#prune();
    return block;
  }

  /** Takes blocks off; their transactions go back to the mempool if `restore` says so. */
  disconnect(count: number, restore: boolean): void {
    const lost = this.blocks.splice(Math.max(1, this.blocks.length - count));
    if (restore) this.mempool.unshift(...lost.flatMap(({ transactions }) => transactions.slice(1)));
    this.#prune();
  }

  /** Coins of the chain that no block has spent. */
  confirmedCoins(): Map<string, Coin> {
    const coins = new Map<string, Coin>();
    for (const { transactions } of this.blocks) {
      for (const { txid, outputs } of transactions) {
        outputs.forEach(({ value, script }, index) => {
          if (script[0] !== 0x6a) coins.set(keyOf(txid, index), { txid, index, value, script });
        });
      }
      for (const { inputs } of transactions) for (const { txid, index } of inputs) coins.delete(keyOf(txid, index));
    }
    return coins;
  }

  /** Coins that a new transaction may spend, those of the mempool included. */
  coins(): Coin[] {
    const coins = this.confirmedCoins();
    for (const transaction of this.mempool) spend(coins, transaction);
    return [...coins.values()];
  }

  /** Keeps what is still valid, in an order in which parents come first. */
  #prune(): void {
    const mined = new Set(this.blocks.flatMap(({ transactions }) => transactions.map(({ txid }) => txid)));
    const coins = this.confirmedCoins();
    this.mempool = this.mempool.filter((transaction) => {
      const { txid, inputs } = transaction;
      if (mined.has(txid) || !inputs.every((coin) => coins.has(keyOf(coin.txid, coin.index)))) return false;
      spend(coins, transaction);
      return true;
    });
  }

  history(script: Uint8Array): HistoryItem[] {
    const touches = ({ inputs, outputs }: ModelTransaction): boolean =>
      [...inputs, ...outputs].some((each) => Buffer.from(each.script).equals(script)) && script[0] !== 0x6a;
    const confirmed = this.blocks.flatMap(({ transactions }, height) =>
      transactions.filter(touches).map(({ txid }) => ({ tx_hash: txid, height })),
    );
    const waiting = new Set(this.mempool.map(({ txid }) => txid));
    const unconfirmed = this.mempool.filter(touches).map(({ txid, inputs, outputs }) => ({
      tx_hash: txid,
      height: inputs.some((coin) => waiting.has(coin.txid)) ? -1 : 0,
      fee: Number(
        inputs.reduce((sum, { value }) => sum + value, 0n) - outputs.reduce((sum, { value }) => sum + value, 0n),
      ),
    }));
    return [...confirmed, ...sortHistory(unconfirmed)];
  }

  /** Everything an index says about a script. */
  answers(script: Uint8Array): Record<string, unknown> {
    const history = this.history(script);
    const isOurs = (coin: { readonly script: Uint8Array }): boolean => Buffer.from(coin.script).equals(script);
    const sum = (coins: Iterable<Coin>): bigint =>
      [...coins].filter(isOurs).reduce((all, { value }) => all + value, 0n);
    const confirmed = sum(this.confirmedCoins().values());
    const heights = new Map(
      this.blocks.flatMap(({ transactions }, height) => transactions.map(({ txid }) => [txid, height] as const)),
    );
    return {
      status: historyStatus(history),
      history,
      balance: { confirmed: Number(confirmed), unconfirmed: Number(sum(this.coins()) - confirmed) },
      unspent: this.coins()
        .filter(isOurs)
        .map(({ txid, index, value }) => ({
          tx_hash: txid,
          tx_pos: index,
          height: heights.get(txid) ?? 0,
          value: Number(value),
        }))
        .sort(byOutpoint),
    };
  }

  // --- NodeCalls

  async call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    this.before(method);
    const answer = this.#answer(method, params[0]);
    if (answer === undefined) {
      throw new PoolError('rpc_error', `${method} failed`, { details: { code: -5, rpcMessage: 'not found' } });
    }
    return answer;
  }

  batch: NodeCalls['batch'] = async (calls) =>
    Promise.all(
      calls.map(async ({ method, params }) => {
        try {
          return { ok: true as const, result: await this.call(method, params) };
        } catch (error) {
          if (!(error instanceof PoolError)) throw error;
          return { ok: false as const, error };
        }
      }),
    );

  close(): void {}

  #answer(method: string, first: unknown): unknown {
    switch (method) {
      case 'getbestblockhash':
        return this.tip?.hash;
      case 'getblockcount':
        return this.blocks.length - 1;
      case 'getblockhash':
        return this.blocks[Number(first)]?.hash;
      case 'getblock': {
        const raw = this.blocks.find(({ hash }) => hash === first)?.raw;
        return raw === undefined ? undefined : bytesToHex(raw);
      }
      case 'getrawmempool':
        // In no helpful order.
        return this.mempool.map(({ txid }) => txid).sort();
      case 'getrawtransaction': {
        const raw = this.mempool.find(({ txid }) => txid === first)?.raw;
        return raw === undefined ? undefined : bytesToHex(raw);
      }
      default:
        return undefined;
    }
  }
}

function spend(coins: Map<string, Coin>, { txid, inputs, outputs }: ModelTransaction): void {
  for (const coin of inputs) coins.delete(keyOf(coin.txid, coin.index));
  outputs.forEach(({ value, script }, index) => {
    if (script[0] !== 0x6a) coins.set(keyOf(txid, index), { txid, index, value, script });
  });
}

interface UnspentLike {
  readonly tx_hash: string;
  readonly tx_pos: number;
}

export function byOutpoint(a: UnspentLike, b: UnspentLike): number {
  return a.tx_hash < b.tx_hash ? -1 : a.tx_hash > b.tx_hash ? 1 : a.tx_pos - b.tx_pos;
}

/** A script of the tests by its number. */
export function scriptOf(number: number): Uint8Array {
  return Uint8Array.of(0x00, 0x14, ...new Uint8Array(20).fill(number + 1));
}

/** Its name in the protocol. */
export const hashOf = (number: number): string => scripthashOf(scriptOf(number));
