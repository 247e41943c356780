import { creditsAccounts as schemeCredits } from '@headframe/pool';
import type { Clock, Logger } from '@headframe/primitives';
import type { HttpLimits } from './limits.js';
import type { AnswerMemo } from './memo.js';
import type { HttpOptions } from './options.js';
import { notConfigured } from './problem.js';
import type { BlockReader } from './read/blocks.js';
import type { Links } from './read/links.js';
import type { MinerBook } from './read/miner-book.js';
import type { PoolReader } from './read/pool-info.js';
import type { LedgerView, PoolView } from './view.js';

/** What the routes work with. */
export interface ApiContext {
  readonly view: PoolView;
  readonly options: HttpOptions;
  readonly limits: HttpLimits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly memo: AnswerMemo;
  readonly links: Links;
  readonly pool: PoolReader;
  readonly blocks: BlockReader;
  readonly miners: MinerBook;
}

/** The ledger. @throws ApiProblem when the pool has none */
export function ledgerOf(view: PoolView): LedgerView {
  if (view.ledger !== undefined) return view.ledger;
  throw notConfigured('storage', 'storage.url');
}

/** True when rewards are credited to accounts; false when the coinbase pays one fixed address. */
export function creditsAccounts(view: PoolView): boolean {
  return schemeCredits(view.config.payout);
}
