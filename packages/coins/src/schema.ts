import { z } from 'zod';

const fieldName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a template field');
const fieldPath = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/, 'must be field names joined by dots');
const prefixByte = z.int().min(0).max(0xffff);

/** A mask written in hex, or 0 for "nothing may be rolled". Not a number: 10000000 would be ambiguous. */
const versionMaskSchema = z.union([
  z.literal(0),
  z.string().regex(/^(0x)?[0-9a-fA-F]{1,8}$/, 'must be up to 8 hex digits, e.g. "1fffe000", or 0 for none'),
]);

/** Outputs that the template prescribes: an object or a list of objects under one key (masternode, founder, devfee ...). */
const listedPayeesSchema = z.strictObject({
  kind: z.literal('array-or-object'),
  key: fieldPath.describe('template field that holds the payee or the list of payees'),
  amountKey: fieldName.default('amount'),
  scriptKey: fieldName.default('script'),
  payeeKey: fieldName.default('payee').describe('address, used when there is no script'),
});

/** One payee spelled out in two fields of the template itself (`payee`, `payee_amount`). */
const flatPayeeSchema = z.strictObject({
  kind: z.literal('flat'),
  payeeKey: fieldName.default('payee'),
  amountKey: fieldName.default('payee_amount'),
  scriptKey: fieldName.optional(),
  unless: z.array(fieldName).default([]).describe('ignored when the template has one of these fields'),
});

const networkSchema = z.strictObject({
  p2pkh: z.array(prefixByte).min(1).describe('version bytes of pay-to-public-key-hash addresses'),
  p2sh: z.array(prefixByte).min(1).describe('version bytes of pay-to-script-hash addresses'),
  bech32: z
    .string()
    .regex(/^[a-z0-9]{1,20}$/, 'must be lower-case letters and digits')
    .optional()
    .describe('human-readable part of segwit addresses; absent: the chain has none'),
  taproot: z.boolean().default(true).describe('whether witness version 1 (bech32m) addresses can be paid'),
  rpcPort: z.int().min(1).max(65535),
  p2pPort: z.int().min(1).max(65535),
  gbtRules: z.array(z.string().min(1)).optional().describe('replaces the gbtRules of the coin on this network'),
  coinbaseMaturity: z.int().min(1).max(1_000_000).optional(),
});

/**
 * What Headframe must know of a coin. Strict: a misspelt key is an error, not a silent default.
 * `difficultyFactor` is F in diff1 = (0xffff << 208) * F: 1 for SHA-256d, 65536 for scrypt.
 */
export const coinDefinitionSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be lower-case letters, digits and dashes'),
  symbol: z.string().regex(/^[A-Z0-9]{1,10}$/, 'must be capital letters and digits'),
  algorithm: z.enum(['sha256d', 'scrypt']),
  difficultyFactor: z.int().min(1).max(0xffffffff).optional(),
  gbtRules: z.array(z.string().min(1)).default([]),
  versionMask: versionMaskSchema.default(0),
  coinbaseMaturity: z.int().min(1).max(1_000_000).default(100),
  blockSpacingSeconds: z.number().positive().max(86_400),
  payees: z.array(z.discriminatedUnion('kind', [listedPayeesSchema, flatPayeeSchema])).default([]),
  coinbasePayload: z.boolean().default(false),
  mweb: z.boolean().default(false),
  networks: z
    .record(z.string().regex(/^[a-z0-9]{1,20}$/, 'must be lower-case letters and digits'), networkSchema)
    .refine((networks) => Object.keys(networks).length > 0, 'must hold at least one network'),
});

/** A coin definition as it is written in a file or in code. */
export type CoinDefinition = z.input<typeof coinDefinitionSchema>;
/** A definition after validation, defaults filled in. */
export type ParsedCoinDefinition = z.output<typeof coinDefinitionSchema>;
/** Where a template prescribes outputs that are not the miner's. */
export type PayeeRule = ParsedCoinDefinition['payees'][number];
