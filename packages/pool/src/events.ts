import type { MiningEvents } from '@headframe/server';
import type { Notification } from './control/notification.js';
import type { ReadinessEntry } from './readiness.js';

/** Events of a pool: those of its server, and its own. They observe; none can veto. */
export interface PoolEvents<Account> extends MiningEvents<Account> {
  /** A node or wallet notified by the control RPC (`headframe notify`); a new block asks for a template by itself. */
  notified: Notification;
  /** `pool.readiness` has changed. */
  readiness: { readonly isReady: boolean; readonly entries: readonly ReadinessEntry[] };
}
