import { z } from 'zod';

/** Shortest admin token: 16 characters of a random text cannot be guessed over a network. */
const MIN_TOKEN_LENGTH = 16;

const link = (part: string) =>
  z
    .url({ protocol: /^https?$/, error: 'must be http://... or https://...' })
    .refine((text) => text.includes(`{${part}}`), { error: `must contain {${part}}` })
    .optional()
    .describe(`Link to a block explorer, with \`{${part}}\` in it.`);

/** The HTTP API, metrics and the dashboard. */
export const api = z
  .strictObject({
    host: z.string().default('127.0.0.1').describe('Address to listen on.'),
    port: z.int().min(0).max(65535).default(8080).describe('TCP port; 0 lets the system pick one.'),
    name: z.string().min(1).max(64).default('Headframe').describe('Name of the pool on pages.'),
    publicHost: z
      .string()
      .min(1)
      .optional()
      .describe('Host name that the connect page tells miners; default the one the page was opened with.'),
    adminToken: z
      .string()
      .min(MIN_TOKEN_LENGTH, `must be at least ${MIN_TOKEN_LENGTH} characters`)
      .optional()
      .describe(
        'Bearer token of the admin routes, which do not exist without one. Better in a file or HEADFRAME_API__ADMIN_TOKEN.',
      ),
    adminTokenFile: z.string().min(1).optional().describe('File with the admin token, readable by the pool alone.'),
    cors: z
      .array(z.string().min(1))
      .default([])
      .describe('Origins of other web pages that may read the API; `*` for any.'),
    rateLimit: z.int().min(1).default(300).describe('Requests per minute and address.'),
    trustedProxies: z.array(z.string()).default([]).describe('CIDRs of reverse proxies whose X-Forwarded-For counts.'),
    explorer: z
      .strictObject({ block: link('hash'), transaction: link('txid'), address: link('address') })
      .prefault({})
      .describe('Links of the dashboard.'),
    dashboard: z.boolean().default(true).describe('Serve the dashboard at `/`.'),
    metrics: z
      .enum(['open', 'admin', 'off'])
      .default('open')
      .describe('Who may read `/metrics`: everybody who reaches the port, holders of the admin token, nobody.'),
  })
  .refine((value) => value.adminToken === undefined || value.adminTokenFile === undefined, {
    path: ['adminTokenFile'],
    message: 'and adminToken exclude each other',
  })
  .optional()
  .describe('HTTP API, metrics and dashboard; not served without this key.');
