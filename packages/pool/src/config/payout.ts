import { z } from 'zod';

/** Schemes by which a reward is divided. */
export const PAYOUT_SCHEMES = ['solo', 'prop', 'pplns', 'pps', 'fpps', 'coinbase-split'] as const;

/** The name of a payout scheme in the configuration. */
export type PayoutScheme = (typeof PAYOUT_SCHEMES)[number];

const wallet = z
  .strictObject({
    type: z
      .enum(['core', 'bcoin'])
      .default('core')
      .describe('`core`: Bitcoin Core and its kin (Litecoin, Dogecoin ...); `bcoin`: the wallet server of bcoin.'),
    url: z
      .url({ protocol: /^https?$/, error: 'must be http://host:port or https://host:port' })
      .optional()
      .describe('RPC address of the wallet; default that of the first node.'),
    user: z.string().optional().describe('RPC user; default that of the first node.'),
    password: z
      .string()
      .optional()
      .describe('RPC password; better from HEADFRAME_PAYOUT__PAYMENTS__WALLET__PASSWORD than from a file.'),
    cookieFile: z.string().optional().describe("The node's .cookie file, instead of user and password."),
    name: z.string().optional().describe('Name of the wallet on a node with several.'),
    passphrase: z
      .string()
      .optional()
      .describe(
        'Unlocks an encrypted wallet while a payment is signed. Better from HEADFRAME_PAYOUT__PAYMENTS__WALLET__PASSPHRASE.',
      ),
  })
  .refine((value) => value.type !== 'bcoin' || value.url !== undefined, {
    path: ['url'],
    message: 'is needed for bcoin, whose wallet has a server of its own',
  });

const payments = z.strictObject({
  wallet: wallet.prefault({}).describe('The wallet that pays. It must own `payout.address`.'),
  every: z.number().min(1).default(3600).describe('Seconds between payment runs.'),
  minimum: z
    .string()
    .regex(/^\d{1,10}(\.\d{1,8})?$/, 'must be an amount of coins as text, e.g. "0.001"')
    .refine((text) => !/^[0.]*$/.test(text), 'must be more than 0')
    .default('0.001')
    .describe('Least payment in coins, as text; accounts may set a higher one.'),
  approval: z
    .enum(['automatic', 'manual'])
    .default('automatic')
    .describe('`manual`: runs only plan; a person approves each payment.'),
  maxOutputs: z.int().min(1).max(2000).default(200).describe('Most outputs of one transaction.'),
  confirmations: z.int().min(1).max(1000).default(6).describe('Confirmations after which a payment is final.'),
});

/** Who is paid, and how. */
export const payout = z
  .strictObject({
    scheme: z
      .enum(PAYOUT_SCHEMES)
      .default('solo')
      .describe(
        '`solo`: whoever finds a block (without `payments`: the address below); `prop`, `pplns`, `pps`, `fpps`: by work, credited to accounts; `coinbase-split`: PPLNS paid straight in the coinbase.',
      ),
    address: z
      .string()
      .min(1)
      .describe(
        "Any address type of the coin and network. `solo` without `payments`: where the reward goes. Else the pool's own: of the wallet that pays, or for what a split coinbase cannot give to anybody.",
      ),
    fees: z
      .array(
        z.strictObject({
          address: z.string().min(1).describe('Fee recipient.'),
          percent: z.number().positive().max(100).describe('Part of the reward, in percent, at most four decimals.'),
        }),
      )
      .default([])
      .describe('Parts of each reward: in the coinbase (`solo` without `payments`, `coinbase-split`), else credited.'),
    window: z
      .number()
      .min(0.001)
      .max(1000)
      .default(2)
      .describe('PPLNS and coinbase split: how much work counts, in multiples of the network difficulty.'),
    payments: payments.optional().describe('Payments from a wallet; without it balances are only kept.'),
  })
  .refine((value) => value.scheme !== 'coinbase-split' || value.payments === undefined, {
    path: ['payments'],
    message: 'have no place beside coinbase-split, which pays in the coinbase; remove the key',
  })
  .describe('Who is paid, and how.');

/** True when rewards are credited to accounts; false when the coinbase pays fixed addresses and nobody is owed anything. */
export function creditsAccounts(config: { readonly scheme: PayoutScheme; readonly payments?: unknown }): boolean {
  return config.scheme !== 'solo' || config.payments !== undefined;
}
