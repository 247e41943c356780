import { z } from 'zod';

const PROTOCOLS = ['1.4', '1.4.2', '1.6'] as const;

const daemon = z.strictObject({
  name: z.string().optional().describe('Shown in the log; default host and port.'),
  url: z.string().describe('JSON-RPC of the node, `http://host:port`.'),
  user: z.string().optional(),
  password: z.string().optional(),
  cookieFile: z.string().optional().describe('File with user and password that the node writes at its start.'),
  timeoutMs: z.int().min(100).max(600_000).optional().describe('Time for one call.'),
  zmq: z
    .strictObject({ hashblock: z.string().optional(), rawblock: z.string().optional() })
    .optional()
    .describe('Where the node announces blocks over ZeroMQ, `tcp://host:port`; needs the package zeromq.'),
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

const listener = z.strictObject({
  host: z.string().default('0.0.0.0').describe('Address to listen on.'),
  port: z.int().min(0).max(65_535).describe('Port; 50001 is usual for TCP, 50002 for TLS.'),
  tls: tls.optional().describe('Serve TLS on this port.'),
});

const limit = z.number().min(0);

/** Configuration of `headframe electrum` and of `createElectrumServer`. */
export const electrumConfigSchema = z.strictObject({
  coin: z
    .union([z.string(), z.record(z.string(), z.unknown())])
    .describe('Name of a built-in coin, a file, or a definition.'),
  network: z.string().default('main').describe('Network of the coin.'),
  daemons: z.array(daemon).min(1).describe('Nodes, the preferred one first.'),
  listeners: z.array(listener).min(1).describe('Ports that wallets connect to.'),
  dataFile: z.string().default('./data/electrum.db').describe('The index, a SQLite file; made when missing.'),
  pollMs: z.int().min(50).max(60_000).default(500).describe('Milliseconds between two looks at the node.'),
  banner: z.string().max(10_000).default('').describe('Text that wallets show to their users.'),
  donationAddress: z.string().max(130).default('').describe('Where users may send thanks.'),
  hosts: z
    .record(z.string(), z.strictObject({ tcp_port: z.int().optional(), ssl_port: z.int().optional() }))
    .default({})
    .describe('Public names and ports of this server, for `server.features`.'),
  protocol: z
    .strictObject({
      min: z.enum(PROTOCOLS).default('1.4'),
      max: z.enum(PROTOCOLS).default('1.6'),
      oldClients: z.boolean().default(true).describe('Serve clients of versions up to 1.0, too.'),
    })
    .prefault({})
    .describe('Versions of the protocol that are spoken.'),
  limits: z
    .strictObject({
      connections: limit.optional().describe('Sessions at a time; default 1000.'),
      connectionsPerAddress: limit.optional(),
      lineBytes: limit.optional().describe('Longest request; default 2 MiB.'),
      unsentBytes: limit.optional().describe('Unread output after which a session is closed; default 8.1 MB.'),
      idleTimeoutMs: limit.optional().describe('Default 600,000.'),
      costSoft: limit.optional().describe('Cost above which a session is slowed down; default 1000.'),
      costHard: limit.optional().describe('Cost above which a session is closed; default 10,000.'),
      costDecayPerSecond: limit.optional().describe('Cost that is forgotten in a second; default 10.'),
      subscriptionsPerSession: limit.optional().describe('Default 50,000.'),
      subscriptions: limit.optional().describe('Of all sessions; default 1,000,000.'),
      batchEntries: limit.optional().describe('Requests in one batch; default 1000.'),
      history: z.int().min(1).default(20_000).describe('Longest history that is given out, in transactions.'),
      mempool: z.int().min(0).default(200_000).describe('Transactions of the mempool that are kept in memory.'),
    })
    .prefault({}),
  bans: z
    .strictObject({ allow: z.array(z.string()).optional().describe('Addresses and CIDRs without limits or bans.') })
    .optional(),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
      format: z.enum(['auto', 'pretty', 'json']).default('auto'),
    })
    .prefault({}),
});

/** Configuration as it is written. */
export type ElectrumConfigInput = z.input<typeof electrumConfigSchema>;
/** Configuration with its defaults. */
export type ElectrumConfig = z.output<typeof electrumConfigSchema>;
