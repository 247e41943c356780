import { z } from 'zod';

const port = z.int().min(0).max(65535);
const seconds = z.number().positive();

const difficultyPolicy = z.strictObject({
  start: z.number().positive().default(1024).describe('Difficulty of a new session.'),
  min: z.number().positive().optional().describe("Never below; default the lowest legal of the coin's algorithm."),
  max: z.number().positive().optional().describe('Never above; the network difficulty bounds it anyway.'),
  target: seconds.default(15).describe('Seconds between the shares of one channel that vardiff aims at.'),
  variance: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('Part of the target that the measured pace may be off before the difficulty changes.'),
});

const tls = z
  .strictObject({
    certFile: z.string().optional().describe('PEM file with the certificate chain.'),
    keyFile: z.string().optional().describe('PEM file with the private key.'),
    cert: z.string().optional().describe('The certificate chain itself, PEM.'),
    key: z.string().optional().describe('The private key itself, PEM.'),
    only: z.boolean().default(false).describe('Refuse plain TCP on this port.'),
  })
  .refine((value) => (value.certFile ?? value.cert) !== undefined, { path: ['certFile'], message: 'is needed' })
  .refine((value) => (value.keyFile ?? value.key) !== undefined, { path: ['keyFile'], message: 'is needed' });

const proxyProtocol = z.strictObject({
  mode: z
    .enum(['optional', 'required'])
    .default('required')
    .describe('Whether a connection may come without the header.'),
  trusted: z
    .array(z.string())
    .min(1)
    .describe('CIDRs of the proxies; a header from anybody else closes the connection.'),
});

/** A port that miners connect to. */
export const listener = z.strictObject({
  host: z.string().default('0.0.0.0').describe('Address to listen on.'),
  port: port.describe('TCP port; 0 lets the system pick one.'),
  difficulty: z
    .union([z.number().positive(), difficultyPolicy])
    .default({ start: 1024, target: 15, variance: 0.3 })
    .describe('A number is a fixed difficulty; an object turns vardiff on.'),
  protocol: z
    .enum(['auto', 'v1'])
    .default('auto')
    .describe('Protocols served; `auto` tells them apart by their first bytes.'),
  tls: tls.optional().describe('Serve TLS on the same port.'),
  proxyProtocol: proxyProtocol.optional().describe('Expect a PROXY v1 or v2 header from load balancers.'),
  extranonce2Size: z.int().min(4).max(8).default(8).describe('Bytes of extranonce2 that miners roll.'),
  publicUrl: z
    .string()
    .optional()
    .describe('What HTTP probes are told in X-Stratum, e.g. `stratum+tcp://pool.example:3333`.'),
});
