import { z } from 'zod';

/** Shortest token: 16 characters of a random text cannot be guessed over a network. */
const MIN_TOKEN_LENGTH = 16;

/** The control RPC: calls for the operator, and notifications from nodes. */
export const control = z
  .strictObject({
    host: z
      .string()
      .default('127.0.0.1')
      .describe('Address to listen on. Nothing is encrypted: keep it on this machine.'),
    port: z
      .int()
      .min(0)
      .max(65535)
      .optional()
      .describe('TCP port for JSON-RPC and HTTP alike; 0 lets the system pick one.'),
    socket: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Path of a UNIX socket. Only the user of the pool can open it, so it asks for no secret.'),
    token: z
      .string()
      .min(MIN_TOKEN_LENGTH, `must be at least ${MIN_TOKEN_LENGTH} characters`)
      .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
      .optional()
      .describe('Secret of callers. Better in a file or HEADFRAME_CONTROL__TOKEN.'),
    tokenFile: z.string().min(1).optional().describe('File with the token, readable by the pool alone.'),
    passwordHash: z
      .string()
      .regex(/^scrypt:/, 'must be made by `headframe control hash`')
      .optional()
      .describe('Password of callers as `scrypt:LOGN:R:P:SALT:HASH`; `headframe control hash` makes it.'),
    legacy: z
      .boolean()
      .default(false)
      .describe('Take the password as first parameter of each call in base64, as scripts for node-stratum send it.'),
    legacyPasswordSha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')
      .optional()
      .describe('SHA-256 of that password, hex. Easy to guess from: prefer a token.'),
  })
  .refine((value) => value.port !== undefined || value.socket !== undefined, {
    path: ['port'],
    message: 'or socket is needed',
  })
  .refine((value) => value.token === undefined || value.tokenFile === undefined, {
    path: ['tokenFile'],
    message: 'and token exclude each other',
  })
  .refine((value) => value.legacy === (value.legacyPasswordSha256 !== undefined), {
    path: ['legacyPasswordSha256'],
    message: 'and legacy go together',
  })
  .refine(
    (value) =>
      value.port === undefined ||
      (value.token ?? value.tokenFile ?? value.passwordHash ?? value.legacyPasswordSha256) !== undefined,
    { path: ['token'], message: 'tokenFile, passwordHash or legacyPasswordSha256 is needed where there is a port' },
  )
  .optional()
  .describe('Control RPC; not served without this key.');

/** How miners are sent off when the pool stops. */
export const shutdown = z
  .strictObject({
    message: z.string().min(1).max(200).optional().describe('Shown on miners that can show a text.'),
    reconnect: z
      .strictObject({
        host: z.string().regex(/^[A-Za-z0-9.:[\]-]{1,255}$/, 'must be a host name or address'),
        port: z.int().min(1).max(65535),
        waitSeconds: z.int().min(0).max(3600).default(0),
      })
      .optional()
      .describe('Where miners are asked to go; default: to come back here.'),
    spreadSeconds: z
      .number()
      .min(0)
      .max(600)
      .default(10)
      .describe(
        'Over how long they are sent off, so that they do not all come at once; fewer than a hundred a second go sooner.',
      ),
  })
  .prefault({})
  .describe('How miners are sent off when the pool stops.');
