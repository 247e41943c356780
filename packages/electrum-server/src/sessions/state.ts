import { compareVersions } from '@headframe/electrum';
import type { CostBudget } from './cost.js';
import type { Subscription } from './subscriptions.js';

/** What an Electrum server keeps per session. */
export class ElectrumState {
  readonly cost: CostBudget;
  /** What was agreed on by `server.version`; undefined before. */
  version: string | undefined = undefined;
  /** True when replies are in the dialect of versions up to 1.0. */
  isOld = false;
  /** Called with headers: how they are to be sent. */
  headers: 'hex' | 'object' | undefined = undefined;
  /** True after `blockchain.numblocks.subscribe`. */
  numBlocks = false;
  /** Header (hex) this session has seen last. */
  lastHeader = '';
  /** Script subscriptions by what they are notified with: script hash, or address in the old protocol. */
  readonly scripts = new Map<string, Subscription>();
  /** Ends a pause. */
  cancelPause: () => void = () => {};

  constructor(cost: CostBudget) {
    this.cost = cost;
  }

  /** Settles the version. */
  agree(version: string): void {
    this.version = version;
    this.isOld = compareVersions(version, '1.1') < 0;
  }
}
