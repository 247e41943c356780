/** What nodes and wallets notify of. */
export const NOTIFICATIONS = ['block', 'wallet', 'alert'] as const;

/** A word from a node or wallet, by `headframe notify` or a call of its own. */
export interface Notification {
  readonly type: (typeof NOTIFICATIONS)[number];
  /** As it came: hash of the block, id of the transaction, text of the alert. Not checked. */
  readonly data: string;
  /** Which node says so; empty when it does not tell. */
  readonly source: string;
}
