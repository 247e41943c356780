import { BAN_SCOPES, type ListedScope } from '@headframe/sessions';
import { z } from 'zod';
import { amount, pageOf, unixMs } from './common.js';
import { minerItem } from './miners.js';
import { paymentItem, paymentStatus } from './payments.js';

/** A session as the operator sees it. */
export const adminSession = minerItem
  .extend({
    remoteAddress: z.string(),
    remotePort: z.int(),
    listener: z.int().describe('Position in `listeners`; -1: attached.'),
  })
  .meta({ id: 'AdminSession' });
export type AdminSession = z.infer<typeof adminSession>;
export const adminSessionPage = pageOf(adminSession).meta({ id: 'AdminSessionPage' });
export type AdminSessionPage = z.infer<typeof adminSessionPage>;

const banScope = z.enum(BAN_SCOPES as readonly [ListedScope, ...ListedScope[]]);

export const ban = z
  .object({
    scope: banScope,
    key: z.string().describe('Address (IPv6: its /64), CIDR, account, or full name of a worker.'),
    reason: z.string(),
    sinceMs: unixMs,
    untilMs: unixMs,
  })
  .meta({ id: 'Ban' });
export const banList = z.object({ items: z.array(ban) }).meta({ id: 'BanList' });
export type BanListJson = z.infer<typeof banList>;

const banKey = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');
export const banTarget = z.strictObject({ scope: banScope, key: banKey });
export const banRequest = banTarget.extend({
  seconds: z.number().positive().max(315_360_000).optional().describe('Default: as the pool is configured.'),
  reason: z.string().min(1).max(200).default('by hand'),
});

export const difficultyRequest = z.strictObject({ difficulty: z.number().positive().max(1e15) });
export const difficultyAnswer = z.object({ session: z.int(), difficulty: z.number() }).meta({ id: 'DifficultyAnswer' });
export const done = z.object({ done: z.literal(true) }).meta({ id: 'Done' });
export const pauseAnswer = z.object({ isPaused: z.boolean() }).meta({ id: 'PauseAnswer' });
export const countAnswer = z.object({ sessions: z.int().describe('How many were told.') }).meta({ id: 'CountAnswer' });
export const reconnectRequest = z.strictObject({
  session: z.int().nonnegative().optional().describe('Default: every session.'),
  host: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[A-Za-z0-9.:[\]-]+$/)
    .optional(),
  port: z.int().min(1).max(65_535).optional(),
  waitSeconds: z.int().min(0).max(3600).optional(),
});
export const notifyRequest = z.strictObject({ text: z.string().min(1).max(500) });

export const walletStatus = z
  .object({ isReady: z.boolean(), reason: z.string().nullable(), spendable: amount.nullable() })
  .meta({ id: 'WalletStatus' });

export const payoutPlan = z
  .object({
    payments: z.array(
      z.object({
        id: z.string().nullable(),
        parts: z.array(z.object({ account: z.string(), address: z.string(), amount })),
        total: amount,
      }),
    ),
    skipped: z.array(z.object({ account: z.string(), amount, reason: z.string() })),
    total: amount,
    wallet: walletStatus,
  })
  .meta({ id: 'PayoutPlan' });
export type PayoutPlanJson = z.infer<typeof payoutPlan>;

export const payoutStatus = z
  .object({
    wallet: walletStatus,
    lastRunMs: unixMs.nullable(),
    nextRunMs: unixMs.nullable(),
    waiting: z.int().describe('Payments that wait for approval.'),
    underWay: z.int(),
    lastError: z.string().nullable(),
    plan: payoutPlan.describe('What a run would pay now.'),
    open: z
      .array(paymentItem.extend({ reason: z.string().nullable() }))
      .describe('Payments that are not over, latest first, at most 100.'),
  })
  .meta({ id: 'PayoutStatus' });
export type PayoutStatusJson = z.infer<typeof payoutStatus>;

/** A payment with everything that is known of it. */
export const adminPayment = paymentItem
  .extend({
    reason: z.string().nullable(),
    parts: z.array(z.object({ account: z.string(), address: z.string(), amount })),
  })
  .meta({ id: 'AdminPayment' });
export type AdminPayment = z.infer<typeof adminPayment>;
export const cancelRequest = z.strictObject({ reason: z.string().min(1).max(200).default('by hand') });

export const settleRequest = z.strictObject({
  to: z
    .enum(['confirmed', 'failed'])
    .describe('`confirmed`: everybody has what they were to get. `failed`: all of it is due again.'),
  reason: z.string().min(1).max(200),
});

export const reconcileReport = z
  .object({
    checked: z.int(),
    changed: z.array(
      z.object({ id: z.string(), from: paymentStatus, to: paymentStatus, reason: z.string().nullable() }),
    ),
  })
  .meta({ id: 'ReconcileReport' });

export const settingsRequest = z.strictObject({
  address: z.string().min(1).max(120).nullable().optional().describe('null takes it back.'),
  minimumPayout: z
    .string()
    .regex(/^\d{1,15}(\.\d{1,18})?$/, 'must be an amount in coins, e.g. "0.01"')
    .nullable()
    .optional()
    .describe('In coins; null takes it back.'),
  donationPercent: z.number().min(0).max(100).optional().describe('At most four decimals.'),
  isHeld: z.boolean().optional().describe('True: nothing is paid out.'),
});
export const settingsAnswer = z
  .object({
    account: z.string(),
    address: z.string().nullable(),
    minimumPayout: amount.nullable(),
    donationPercent: z.number(),
    isHeld: z.boolean(),
  })
  .meta({ id: 'AccountSettings' });
export type AccountSettingsJson = z.infer<typeof settingsAnswer>;

export const storageAnswer = z
  .object({
    kind: z.enum(['log', 'ledger', 'custom']),
    isOk: z.boolean(),
    failure: z.enum(['full', 'locked', 'unavailable', 'failed']).nullable(),
    reason: z.string().nullable().describe('The whole text, with names of files and hosts.'),
  })
  .meta({ id: 'AdminStorage' });

export const logLevel = z
  .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']) })
  .meta({ id: 'LogLevel' });
export const reloadAnswer = z
  .object({
    applied: z.array(z.string()).describe('Keys that changed and are in force.'),
    needsRestart: z.array(z.string()).describe('Keys that changed and need a restart.'),
  })
  .meta({ id: 'ReloadAnswer' });
