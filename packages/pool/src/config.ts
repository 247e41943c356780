import { PoolError } from '@headframe/primitives';
import { MINING_LIMITS, type MiningLimitName } from '@headframe/server';
import { LIMITS, type LimitName } from '@headframe/sessions';
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

const listener = z.strictObject({
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

const daemon = z.strictObject({
  name: z.string().min(1).optional().describe('Name in logs and results; default the host and port of the url.'),
  url: z
    .url({ protocol: /^https?$/, error: 'must be http://host:port or https://host:port' })
    .describe('RPC address, e.g. `http://127.0.0.1:8332`.'),
  user: z.string().optional().describe('RPC user.'),
  password: z
    .string()
    .optional()
    .describe('RPC password; better from HEADFRAME_DAEMONS__0__PASSWORD than from a file.'),
  cookieFile: z.string().optional().describe("The node's .cookie file, instead of user and password."),
  timeout: seconds.default(30).describe('Seconds until a call is given up.'),
  zmq: z
    .strictObject({
      hashblock: z.string().optional().describe('Address of -zmqpubhashblock.'),
      rawblock: z.string().optional().describe('Address of -zmqpubrawblock.'),
    })
    .optional()
    .describe('Hear of new blocks by ZMQ too (needs the optional package zeromq).'),
});

const payout = z.strictObject({
  scheme: z
    .literal('solo', { error: 'must be "solo"; other schemes come with the ledger' })
    .default('solo')
    .describe('`solo`: the whole reward goes straight to the addresses below, in the coinbase.'),
  address: z.string().min(1).describe('Where the block reward goes: any address type of the coin and network.'),
  fees: z
    .array(
      z.strictObject({
        address: z.string().min(1).describe('Fee recipient.'),
        percent: z.number().positive().max(100).describe('Part of the reward, in percent, at most four decimals.'),
      }),
    )
    .default([])
    .describe('Parts of each reward paid straight in the coinbase.'),
});

const later = (what: string) =>
  z.undefined({ error: `is not built yet: ${what} come in a later release; remove the key` }).optional();

type ConfigLimit = LimitName | Exclude<MiningLimitName, 'leaseMs'>;

/** Names under `limits`. How long a lease lasts has a key of its own, `leaseSeconds`. */
const LIMIT_NAMES = Object.keys({ ...LIMITS, ...MINING_LIMITS }).filter((name) => name !== 'leaseMs') as [
  ConfigLimit,
  ...ConfigLimit[],
];

/** Everything a pool can be told in a file. The same schema is what `createPool()` takes. */
export const poolConfigSchema = z.strictObject({
  coin: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .default('bitcoin')
    .describe('A built-in coin, a path to a definition, or the definition itself.'),
  network: z.string().default('mainnet').describe('A network of the coin: mainnet, testnet, regtest ...'),
  daemons: z.array(daemon).min(1).describe('Nodes, the preferred one first. Blocks are submitted to every one.'),
  payout: payout.describe('Who is paid, and how.'),
  poolTag: z
    .string()
    .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')
    .max(32)
    .default('/Headframe/')
    .describe('Text in the coinbase of each block.'),
  listeners: z.array(listener).min(1).describe('Ports that miners connect to.'),
  validation: z
    .enum(['inline', 'threads', 'auto'])
    .default('auto')
    .describe('Where shares are hashed; `auto` uses threads for heavy algorithms and under load.'),
  threads: z.int().min(1).max(256).optional().describe('Hashing threads; default one less than there are cores.'),
  dataFolder: z.string().default('./data').describe('Folder of the block journal and the share log.'),
  shareLog: z
    .strictObject({
      maxFileBytes: z.int().min(4096).default(268_435_456).describe('Size at which a new file is begun.'),
      keepFiles: z.int().min(0).default(0).describe('Files kept; 0 keeps all.'),
    })
    .prefault({})
    .describe('The append-only log of judged shares.'),
  jobs: z
    .strictObject({
      keepAlive: seconds.default(30).describe('Seconds after which miners get a fresh job on the same block.'),
      spread: z
        .number()
        .min(0)
        .default(2)
        .describe('Seconds over which a refresh is spread across sessions; new blocks are not spread.'),
      poll: seconds.default(1).describe('Seconds between polls for a new block, beside longpoll and ZMQ.'),
      maxCoinbaseBytes: z
        .int()
        .min(100)
        .max(100_000)
        .default(16_384)
        .describe('Refuse templates whose coinbase would be larger.'),
      checkProposal: z
        .boolean()
        .default(true)
        .describe('Have the node check the first block template (proposal mode).'),
    })
    .prefault({})
    .describe('When miners get new jobs.'),
  versionMask: z
    .string()
    .regex(/^[0-9a-f]{8}$/, 'must be 8 lower-case hex digits')
    .optional()
    .describe("Version bits miners may roll; default the coin's."),
  instance: z
    .int()
    .min(0)
    .max(255)
    .default(0)
    .describe('First byte of every extranonce1; differs between pools on one template.'),
  leaseSeconds: z.number().min(0).default(600).describe('How long a closed session can be resumed.'),
  limits: z
    .partialRecord(z.enum(LIMIT_NAMES), z.number().nonnegative())
    .default({})
    .describe('Bounds by name, e.g. `{ "connectionsPerAddress": 5000 }`; [all of them](limits.md).'),
  bans: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Whether bad shares lead to bans.'),
      seconds: seconds.default(600).describe('How long a ban lasts.'),
      invalidRatio: z.number().min(0).max(1).default(0.5).describe('Share of invalid work, by difficulty, that bans.'),
      minInvalid: z.int().min(1).default(100).describe('Invalid shares before anybody is banned.'),
      allow: z.array(z.string()).optional().describe('CIDRs that are never banned or limited; default this machine.'),
    })
    .prefault({})
    .describe('Time-boxed bans of sessions that send invalid work.'),
  shutdownGrace: z.number().min(0).default(10).describe('Seconds given to replies and commits at shutdown.'),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .default('info')
        .describe('Least level shown.'),
      format: z
        .enum(['auto', 'pretty', 'json'])
        .default('auto')
        .describe(
          'Of the binary; `auto`: readable on a terminal, JSON in a pipe. `createPool()` writes JSON unless given a logger.',
        ),
    })
    .prefault({})
    .describe('What is logged.'),
  storage: later('the database ledger and its storage'),
  api: later('the HTTP API and dashboard'),
});

/** Configuration with all defaults filled in. */
export type PoolConfig = z.output<typeof poolConfigSchema>;
/** Configuration as written: defaults may be left out. */
export type PoolConfigInput = z.input<typeof poolConfigSchema>;

/** One thing wrong with a configuration. */
export interface ConfigProblem {
  /** `listeners[0].port` */
  readonly path: string;
  readonly message: string;
}

function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${String(part)}`;
  return text === '' ? '(top level)' : text;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

const SECRET = /password|key$|^key/i;

/** What was found, short, and without secrets. */
function found(root: unknown, path: readonly PropertyKey[]): string {
  const value = valueAt(root, path);
  if (value === undefined) return 'found nothing';
  if (SECRET.test(String(path.at(-1) ?? ''))) return 'found a value not shown';
  const text = JSON.stringify(value) ?? String(value);
  return `found ${text.length > 80 ? `${text.slice(0, 77)}...` : text}`;
}

function problemText(issue: z.core.$ZodIssue, root: unknown): string {
  const isMissing = issue.code === 'invalid_type' && valueAt(root, issue.path) === undefined;
  return isMissing
    ? `is missing (must be ${issue.expected === 'array' ? 'a list' : `of type ${issue.expected}`})`
    : `${issue.message} (${found(root, issue.path)})`;
}

/** Problems of a value, or the configuration it is. */
export function checkConfig(
  value: unknown,
): { readonly config: PoolConfig } | { readonly problems: readonly ConfigProblem[] } {
  const result = poolConfigSchema.safeParse(value);
  if (result.success) return { config: result.data };
  const problems: ConfigProblem[] = [];
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys)
        problems.push({ path: pathText([...issue.path, key]), message: 'is not a known key' });
    } else problems.push({ path: pathText(issue.path), message: problemText(issue, value) });
  }
  return { problems };
}

/**
 * The configuration that a value is.
 * @throws PoolError `invalid_config`; `details.problems` lists every {@link ConfigProblem}.
 */
export function parseConfig(value: unknown): PoolConfig {
  const result = checkConfig(value);
  if ('config' in result) return result.config;
  throw configError(result.problems);
}

export function configError(problems: readonly ConfigProblem[]): PoolError {
  const lines = problems.map(({ path, message }) => `${path}: ${message}`);
  return new PoolError('invalid_config', `the configuration is not valid:\n  ${lines.join('\n  ')}`, {
    details: { problems },
  });
}
