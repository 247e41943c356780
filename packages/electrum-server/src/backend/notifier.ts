import { headerObjectOf } from '@headframe/electrum';
import { errorMessage, type Logger } from '@headframe/primitives';
import type { IndexTip } from '../chain/calls.js';
import type { ChainIndex } from '../chain/chain-index.js';
import type { ElectrumFramework } from '../sessions/framework.js';
import type { Subscriptions } from '../sessions/subscriptions.js';

/** Statuses asked for at once: the index answers other questions in between. */
const STATUS_BATCH = 200;

/** What the notifier is told. */
export interface Change {
  readonly tip: IndexTip;
  readonly tipChanged: boolean;
  /** Undefined: anything may have changed. */
  readonly touched: readonly string[] | undefined;
}

/** Tells sessions what changed, after it was committed: headers first, then scripts, each only when it is news. */
export class Notifier {
  readonly #framework: ElectrumFramework;
  readonly #subscriptions: Subscriptions;
  readonly #index: ChainIndex;
  readonly #log: Logger;
  /** Scripts to look at; undefined: all that are subscribed to. */
  #waiting: Set<string> | undefined = new Set();
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(framework: ElectrumFramework, subscriptions: Subscriptions, index: ChainIndex, log: Logger) {
    this.#framework = framework;
    this.#subscriptions = subscriptions;
    this.#index = index;
    this.#log = log;
  }

  changed({ tip, tipChanged, touched }: Change): void {
    if (tipChanged) this.#tellHeaders(tip);
    if (touched === undefined) this.#waiting = undefined;
    else if (this.#waiting !== undefined) {
      for (const scripthash of touched) if (this.#subscriptions.has(scripthash)) this.#waiting.add(scripthash);
    }
    if (this.#waiting?.size === 0) return;
    this.#running ??= this.#tellScripts().finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends; resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #tellHeaders(tip: IndexTip): void {
    if (tip.height < 0) return;
    for (const protocol of this.#framework.protocols()) {
      const { state } = protocol;
      if ((state.headers === undefined && !state.numBlocks) || state.lastHeader === tip.header) continue;
      state.lastHeader = tip.header;
      if (state.headers === 'hex') {
        protocol.notify('blockchain.headers.subscribe', [{ height: tip.height, hex: tip.header }]);
      } else if (state.headers === 'object') {
        protocol.notify('blockchain.headers.subscribe', [headerObjectOf(tip.header, tip.height)]);
      }
      if (state.numBlocks) protocol.notify('blockchain.numblocks.subscribe', [tip.height]);
    }
  }

  async #tellScripts(): Promise<void> {
    while (!this.#closed && this.#waiting?.size !== 0) {
      const wanted = [...(this.#waiting ?? this.#subscriptions.scripthashes())];
      this.#waiting = new Set();
      for (let start = 0; start < wanted.length && !this.#closed; start += STATUS_BATCH) {
        const part = wanted.slice(start, start + STATUS_BATCH);
        try {
          await this.#tell(part);
        } catch (error) {
          if (this.#closed) return;
          // The index thread died or drowns: everything is looked at again with the next change.
          this.#log.warn({ error: errorMessage(error) }, 'cannot tell what changed');
          this.#waiting = undefined;
          return;
        }
      }
    }
  }

  async #tell(scripthashes: readonly string[]): Promise<void> {
    const statuses = await this.#index.call('statuses', scripthashes);
    scripthashes.forEach((scripthash, i) => {
      const status = statuses[i];
      if (status === undefined || status === 'too-large') return;
      for (const subscription of this.#subscriptions.of(scripthash)) {
        // One whose request is not answered yet learns it by the answer.
        if (subscription.status === undefined || subscription.status === status) continue;
        subscription.status = status;
        subscription.protocol.notify(subscription.method, [subscription.key, status]);
      }
    });
  }
}
