import { z } from 'zod';
import { amount, hashrates, pageOf, tally, unixMs } from './common.js';

const seen = {
  firstMs: unixMs.nullable().describe('First share; null: none is counted yet.'),
  lastMs: unixMs.nullable().describe('Last share.'),
};

/** An account in a list. */
export const accountItem = z
  .object({ account: z.string(), ...seen, hashrate: hashrates, shares: tally })
  .meta({ id: 'AccountItem' });
export type AccountItem = z.infer<typeof accountItem>;

export const topAccounts = z.object({ items: z.array(accountItem) }).meta({ id: 'TopAccounts' });
export type TopAccounts = z.infer<typeof topAccounts>;

/** A worker of an account. */
export const workerItem = z
  .object({
    worker: z.string().describe('The whole username as the miner wrote it.'),
    state: z
      .enum(['active', 'idle', 'offline'])
      .describe('active: connected and a share in the last ten minutes; idle: connected; offline: not connected.'),
    connections: z.int(),
    ...seen,
    hashrate: hashrates,
    shares: tally,
  })
  .meta({ id: 'Worker' });
export type WorkerItem = z.infer<typeof workerItem>;

export const workerPage = pageOf(workerItem).meta({ id: 'WorkerPage' });

/** What the pool owes to an account. */
export const balance = z
  .object({
    immature: amount.describe('From blocks that are not mature yet.'),
    available: amount.describe('To be paid. Negative after an orphan that was paid already.'),
    reserved: amount.describe('In payments under way.'),
    paid: amount,
  })
  .meta({ id: 'Balance' });
export type BalanceJson = z.infer<typeof balance>;

/** An account. */
export const accountInfo = z
  .object({
    account: z.string(),
    address: z.string().nullable().describe('Where it is paid.'),
    ...seen,
    hashrate: hashrates,
    shares: tally,
    connections: z.int(),
    balance: balance.nullable().describe('Null when rewards are paid straight in the coinbase.'),
    minimumPayout: amount.nullable().describe('Of the account, else of the pool.'),
    donationPercent: z.number(),
    link: z.string().nullable().describe('Page of its address in a block explorer.'),
    workerCount: z.int(),
    workers: workerPage.describe('By name; ask for more with `after`.'),
  })
  .meta({ id: 'AccountInfo' });
export type AccountInfo = z.infer<typeof accountInfo>;

/** A line of an account's statement. */
export const statementLine = z
  .object({
    timeMs: unixMs,
    key: z.string().describe('`block:<hash>`, `shares:<batch>`, `adjustment:<text>` or `payment:<id>`.'),
    kind: z.string(),
    state: z.enum(['immature', 'final', 'reversed', 'open']),
    amount,
  })
  .meta({ id: 'StatementLine' });
export const statementPage = pageOf(statementLine).meta({ id: 'StatementPage' });
export type StatementPage = z.infer<typeof statementPage>;
