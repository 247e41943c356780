import type { RpcClient } from '@headframe/daemon';
import { BoundedMap, hexToBytes, isPoolError } from '@headframe/primitives';
import { isRecord, listOf, numberOf, recordOf, stringOf, unitsOf } from './json.js';
import type { Outpoint, RawTransaction } from './raw-transaction.js';

/** Parameters after the hash that make `getblock` list whole transactions: Core takes a verbosity, bcoin two flags. */
export type BlockArguments = readonly unknown[];

/** A transaction in the active chain. */
export interface FoundSpender {
  readonly transaction: RawTransaction;
  readonly confirmations: number;
}

/** Miners may date a block two hours ahead, and a slow chain lags; a day is more than both. */
const MARGIN_MS = 86_400_000;
/** Without a time to begin at. */
const DEFAULT_REACH_MS = 7 * 86_400_000;
/** Blocks read in one go: the search goes on where it stopped when it is asked again. */
const BLOCKS_PER_SEARCH = 200;
const STRIDE = 72;
/** Searches that are remembered: those of payments that lost a coin, which are rare. */
const MAX_SEARCHES = 100;

interface Progress {
  /** Next height to read. */
  next: number;
  /** Block before it: when that one left the chain, the search begins anew. */
  before: { readonly height: number; readonly hash: string } | undefined;
  found: { readonly height: number; readonly hash: string; readonly transaction: RawTransaction } | undefined;
}

/**
 * Finds out in blocks who spent a coin. Asking the wallet is not enough: a wallet that was restored, or another one,
 * may not know.
 */
export class SpenderSearch {
  readonly #node: RpcClient;
  readonly #blockArguments: BlockArguments;
  readonly #searches = new BoundedMap<string, Progress>(MAX_SEARCHES);

  constructor(node: RpcClient, blockArguments: BlockArguments) {
    this.#node = node;
    this.#blockArguments = blockArguments;
  }

  /** True when at least one of the coins is no longer unspent in the chain. */
  async isAnySpent(coins: readonly Outpoint[]): Promise<boolean> {
    for (const { txid, index } of coins) {
      const coin = await this.#node.call('gettxout', [txid, index, false]);
      if (coin === null || coin === undefined) return true;
    }
    return false;
  }

  /**
   * The transaction in the active chain that spends one of the coins. Undefined when none was found, or not yet.
   * @throws PoolError `rpc_*`.
   */
  async find(
    key: string,
    coins: readonly Outpoint[],
    signedMs: number | undefined,
    nowMs: number,
  ): Promise<FoundSpender | undefined> {
    const tip = numberOf(await this.#node.call('getblockcount'), 'height');
    let progress = this.#searches.get(key);
    if (progress === undefined || !(await this.#isStanding(progress))) {
      const fromMs = (signedMs ?? nowMs - DEFAULT_REACH_MS) - MARGIN_MS;
      progress = { next: await this.#heightBefore(fromMs, tip), before: undefined, found: undefined };
      this.#searches.set(key, progress);
    }
    const wanted = new Set(coins.map(({ txid, index }) => `${txid}:${index}`));
    for (let left = BLOCKS_PER_SEARCH; progress.found === undefined && progress.next <= tip && left > 0; left--) {
      await this.#read(progress, wanted);
    }
    const { found } = progress;
    return found === undefined ? undefined : { transaction: found.transaction, confirmations: tip - found.height + 1 };
  }

  async #isStanding({ before, found }: Progress): Promise<boolean> {
    const last = found ?? before;
    return last === undefined || (await this.#hashAt(last.height)) === last.hash;
  }

  async #read(progress: Progress, wanted: ReadonlySet<string>): Promise<void> {
    const height = progress.next;
    const hash = await this.#hashAt(height);
    if (hash === undefined) return;
    const block = recordOf(await this.#node.call('getblock', [hash, ...this.#blockArguments]), 'block');
    for (const item of listOf(block.tx, 'list of transactions')) {
      if (!isRecord(item) || !Array.isArray(item.vin)) continue;
      const spends = item.vin.some((input) => isRecord(input) && wanted.has(`${input.txid}:${input.vout}`));
      if (!spends) continue;
      progress.found = { height, hash, transaction: fromJson(item) };
    }
    progress.before = { height, hash };
    progress.next = height + 1;
  }

  async #hashAt(height: number): Promise<string | undefined> {
    try {
      return stringOf(await this.#node.call('getblockhash', [height]), 'block hash');
    } catch (error) {
      if (isPoolError(error, 'rpc_error')) return undefined;
      throw error;
    }
  }

  /** A height whose block was found before a time. */
  async #heightBefore(timeMs: number, tip: number): Promise<number> {
    for (let height = tip; height > 0; height -= STRIDE) {
      const hash = await this.#hashAt(height);
      if (hash === undefined) return 0;
      const header = recordOf(await this.#node.call('getblockheader', [hash]), 'header');
      if (numberOf(header.time, 'block time') * 1000 < timeMs) return height;
    }
    return 0;
  }
}

/** The transaction as the block's JSON has it. */
function fromJson(item: Record<string, unknown>): RawTransaction {
  const txid = stringOf(item.txid, 'transaction id');
  const inputs = listOf(item.vin, 'inputs').map((input) => {
    const { txid: from, vout } = recordOf(input, 'input');
    return { txid: String(from), index: Number(vout) };
  });
  const outputs = listOf(item.vout, 'outputs').map((output) => {
    const { value, scriptPubKey } = recordOf(output, 'output');
    const script = stringOf(recordOf(scriptPubKey, 'output script').hex, 'output script');
    return { script: hexToBytes(script), amount: unitsOf(numberOf(value, 'output value')) };
  });
  return { txid, inputs, outputs };
}
