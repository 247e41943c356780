import {
  type HistoryItem,
  historyStatus,
  type MempoolItem,
  merkleBranchOf,
  type ScriptBalance,
  sortHistory,
  type UnspentItem,
} from '@headframe/electrum';
import { bytesToHex, fromDisplayHex, PoolError, toDisplayHex } from '@headframe/primitives';
import { feeHistogram } from './fee-histogram.js';
import type { Mempool } from './mempool.js';
import { parseRawTransaction } from './parse-block.js';
import type { ChainStore } from './store.js';

/** Newest block of an index. */
export interface IndexTip {
  /** -1 while the index is empty. */
  readonly height: number;
  /** 80 bytes as hex; empty while the index is empty. */
  readonly header: string;
}

/** A proof in the tree over header hashes; display hex, leaf to root. */
export interface CheckpointProof {
  readonly branch: readonly string[];
  readonly root: string;
}

/** Status of a script, or that its history is too long to have one. */
export type ScriptStatus = string | null | 'too-large';

/** What an index can be asked. Hashes in display hex; every answer is of one moment. */
export interface IndexCalls {
  tip(): IndexTip;
  /** The status of a script and how many items of its history were looked at for it. */
  status(scripthash: string): { readonly status: ScriptStatus; readonly items: number };
  /** One status per script hash. */
  statuses(scripthashes: readonly string[]): readonly ScriptStatus[];
  /** Confirmed in the order of the chain, then mempool. @throws PoolError `queue_full` when it is too long */
  history(scripthash: string): readonly HistoryItem[];
  mempoolHistory(scripthash: string): readonly MempoolItem[];
  balance(scripthash: string): ScriptBalance;
  /** @throws PoolError `queue_full` when there are too many */
  unspent(scripthash: string): readonly UnspentItem[];
  /** Up to `count` headers as one hex string; fewer where the chain ends. */
  headers(start: number, count: number): string;
  /** @throws PoolError `invalid_argument` unless height <= cpHeight <= tip */
  proveHeader(height: number, cpHeight: number): CheckpointProof;
  /** Hex of a confirmed transaction and the display hash of its block; undefined when it is in no block. */
  transaction(txid: string): { readonly raw: string; readonly blockHash: string } | undefined;
  /** Place and branch of a transaction in a block; undefined when it is not in it. */
  proveTransaction(
    txid: string,
    height: number,
  ): { readonly merkle: readonly string[]; readonly pos: number } | undefined;
  /** The transaction at a place of the chain; undefined when there is none. */
  transactionAt(height: number, pos: number): { readonly txid: string; readonly merkle: readonly string[] } | undefined;
  /** Hex of the script of a confirmed output; undefined when there is none. */
  outputScript(txid: string, index: number): string | undefined;
  /** `[base units per virtual byte, virtual bytes]`, rates falling. */
  feeHistogram(): readonly (readonly [number, number])[];
  stats(): IndexStats;
}

export interface IndexStats {
  readonly height: number;
  readonly mempool: number;
  /** True once the index has been level with the node. */
  readonly live: boolean;
}

/** Name of a question. */
export type IndexCallName = keyof IndexCalls;

/** All names, so that what comes from another thread can be checked. */
export const INDEX_CALLS: readonly IndexCallName[] = [
  'tip',
  'status',
  'statuses',
  'history',
  'mempoolHistory',
  'balance',
  'unspent',
  'headers',
  'proveHeader',
  'transaction',
  'proveTransaction',
  'transactionAt',
  'outputScript',
  'feeHistogram',
  'stats',
];

export interface AnswerParts {
  readonly store: ChainStore;
  readonly mempool: Mempool;
  /** Items of a history, or outputs, that are still given out. */
  readonly maxHistory: number;
  live(): boolean;
}

/** Answers questions from index and mempool. */
export function createAnswers({ store, mempool, maxHistory, live }: AnswerParts): IndexCalls {
  const mempoolHistory = (scripthash: string): MempoolItem[] =>
    sortHistory(
      mempool.history(scripthash).map(({ txid, height, fee }) => ({ tx_hash: txid, height, fee: Number(fee) })),
    );
  const history = (scripthash: string): HistoryItem[] | undefined => {
    const digest = fromDisplayHex(scripthash);
    if (store.isPaidByMoreThan(digest, maxHistory)) return undefined;
    const confirmed = store.history(digest, maxHistory + 1);
    const unconfirmed = mempoolHistory(scripthash);
    if (confirmed.length + unconfirmed.length > maxHistory) return undefined;
    return [...confirmed.map(({ txid, height }) => ({ tx_hash: txid, height })), ...unconfirmed];
  };
  const status = (scripthash: string): ReturnType<IndexCalls['status']> => {
    const items = history(scripthash);
    if (items === undefined) return { status: 'too-large', items: maxHistory + 1 };
    return { status: historyStatus(items), items: items.length };
  };
  const merkle = (txids: readonly Uint8Array[], pos: number): string[] =>
    merkleBranchOf(txids, pos).branch.map(toDisplayHex);

  return {
    tip: () => {
      const { height } = store;
      return { height, header: height < 0 ? '' : bytesToHex(store.headers.slice(height, 1)) };
    },
    status,
    statuses: (scripthashes) => scripthashes.map((scripthash) => status(scripthash).status),
    history: (scripthash) => history(scripthash) ?? tooLarge(),
    mempoolHistory,
    balance: (scripthash) => ({
      confirmed: Number(store.balance(fromDisplayHex(scripthash))),
      unconfirmed: Number(mempool.balanceDelta(scripthash)),
    }),
    unspent: (scripthash) => {
      const confirmed = store.unspent(fromDisplayHex(scripthash), maxHistory + 1);
      if (confirmed.length > maxHistory) return tooLarge();
      const left = confirmed.filter(({ txid, index }) => !mempool.isSpent(txid, index));
      return [
        ...left.map(({ txid, index, height, value }) => unspentItem(txid, index, height, value)),
        ...mempool.unspent(scripthash).map(({ txid, index, value }) => unspentItem(txid, index, 0, value)),
      ];
    },
    headers: (start, count) => bytesToHex(store.headers.slice(start, count)),
    proveHeader: (height, cpHeight) => {
      const { branch, root } = store.headers.prove(height, cpHeight);
      return { branch: branch.map(toDisplayHex), root: toDisplayHex(root) };
    },
    transaction: (txid) => {
      const found = store.transactionOf(fromDisplayHex(txid));
      if (found === undefined) return undefined;
      return { raw: bytesToHex(found.raw), blockHash: toDisplayHex(store.headers.hash(found.height)) };
    },
    proveTransaction: (txid, height) => {
      const txids = store.txidsAt(height);
      const wanted = Buffer.from(fromDisplayHex(txid));
      const pos = txids.findIndex((each) => wanted.equals(each));
      return pos < 0 ? undefined : { merkle: merkle(txids, pos), pos };
    },
    transactionAt: (height, pos) => {
      const txids = store.txidsAt(height);
      const txid = txids[pos];
      return txid === undefined ? undefined : { txid: toDisplayHex(txid), merkle: merkle(txids, pos) };
    },
    outputScript: (txid, index) => {
      const found = store.transactionOf(fromDisplayHex(txid));
      const output = found === undefined ? undefined : parseRawTransaction(found.raw).outputs[index];
      return output === undefined ? undefined : bytesToHex(output.script);
    },
    feeHistogram: () => feeHistogram(mempool.fees()),
    stats: () => ({ height: store.height, mempool: mempool.size, live: live() }),
  };
}

function unspentItem(txid: string, index: number, height: number, value: bigint): UnspentItem {
  return { tx_hash: txid, tx_pos: index, height, value: Number(value) };
}

function tooLarge(): never {
  throw new PoolError('queue_full', 'history too large');
}
