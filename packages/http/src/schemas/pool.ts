import { z } from 'zod';
import { blockItem } from './blocks.js';
import { amount, hashrates, tally, unixMs } from './common.js';

/** State of the storage. */
export const storageState = z
  .object({
    state: z.enum(['ok', 'failing', 'off']),
    reason: z
      .string()
      .nullable()
      .describe('While failing: `full`, `locked`, `unavailable` or `failed`; the operator can ask for more.'),
  })
  .meta({
    id: 'StorageState',
    description: 'Whether shares and statistics are stored. `off`: no database is configured.',
  });
export type StorageJson = z.infer<typeof storageState>;

/** The round under way. */
export const roundInfo = z
  .object({
    openedMs: unixMs,
    accepted: z.int(),
    work: z.number(),
    effort: z.number().nullable().describe('Work over network difficulty; 1 is what was to be expected.'),
  })
  .meta({ id: 'Round', description: 'The shares since the last block.' });
export type RoundJson = z.infer<typeof roundInfo>;

/** The pool at a glance. */
export const poolInfo = z
  .object({
    name: z.string(),
    coin: z.string().describe('Name of the coin; more under /coin.'),
    symbol: z.string(),
    network: z.string(),
    algorithm: z.string(),
    scheme: z.string().describe('Payout scheme.'),
    payments: z
      .boolean()
      .describe('True when the pool pays accounts by its wallet; false: rewards are paid in the coinbase.'),
    feePercent: z.number(),
    minimumPayout: amount.nullable(),
    isPaused: z.boolean().describe('True while new miners are turned away.'),
    startedMs: unixMs,
    timeMs: unixMs.describe('Time of this answer.'),
    statisticsMs: unixMs.nullable().describe('When the numbers from the storage were read; null: never.'),
    hashrate: hashrates.nullable().describe('Null while no statistics were read.'),
    sessions: z.int().describe('Connections of miners now.'),
    workers: z.int().describe('Workers on these connections.'),
    active: z
      .object({ accounts: z.int(), workers: z.int() })
      .nullable()
      .describe('Accounts and workers that sent a share in the last ten minutes.'),
    sharesSinceStart: z
      .object({ accepted: z.int(), rejected: z.int(), work: z.number() })
      .describe('Counted in memory since `startedMs`.'),
    shares: tally.nullable().describe('Since the beginning, from the storage.'),
    round: roundInfo.nullable(),
    luck: z
      .object({ blocks: z.int(), luck: z.number().nullable().describe('1 is fair, 2 is twice as lucky.') })
      .nullable(),
    lastBlock: blockItem.nullable(),
    chain: z
      .object({
        height: z.int().nullable().describe('Height that is being mined.'),
        difficulty: z.number().nullable(),
        hashrate: z.number().nullable().describe('Of the whole network, estimated from its difficulty.'),
      })
      .describe('The network as the current job has it.'),
    storage: storageState,
    node: z.object({ ready: z.boolean(), reason: z.string().nullable() }),
  })
  .meta({ id: 'PoolInfo', description: 'The pool at a glance.' });
export type PoolInfo = z.infer<typeof poolInfo>;

/** The coin, for clients that format amounts and addresses. */
export const coinInfo = z
  .object({
    name: z.string(),
    symbol: z.string(),
    network: z.string(),
    algorithm: z.string(),
    decimals: z.int().describe('Digits after the point of an amount in coins.'),
    difficultyFactor: z.number(),
    hashesPerDifficulty: z.number().describe('Hashes that a share of difficulty 1 takes on average.'),
    blockSpacingSeconds: z.number(),
    coinbaseMaturity: z.int(),
    versionMask: z.string().describe('Version bits that miners may roll, 8 hex digits.'),
    bech32Prefix: z.string().nullable(),
  })
  .meta({ id: 'CoinInfo', description: 'The coin that is mined.' });
export type CoinInfo = z.infer<typeof coinInfo>;

/** The nodes, without addresses. */
export const nodesInfo = z
  .object({
    ready: z.boolean(),
    reason: z.string().nullable(),
    nodes: z.array(z.object({ name: z.string(), up: z.boolean(), detail: z.string() })),
  })
  .meta({ id: 'NodesInfo', description: 'State of the coin nodes.' });
export type NodesInfo = z.infer<typeof nodesInfo>;

/** Why shares were refused since the start. */
export const rejectsInfo = z
  .object({
    sinceMs: unixMs,
    accepted: z.int(),
    rejected: z.int(),
    reasons: z.array(
      z.object({
        code: z.string(),
        count: z.int(),
        meaning: z.string().describe('What it means, and what a miner can do about it.'),
      }),
    ),
  })
  .meta({ id: 'RejectsInfo', description: 'Refused shares by reason, most first.' });
export type RejectsInfo = z.infer<typeof rejectsInfo>;
