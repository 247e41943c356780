import { MINING_LIMITS, type MiningLimitName } from '@headframe/server';
import { LIMITS, type LimitName } from '@headframe/sessions';
import { z } from 'zod';
import { api } from './api.js';
import { control, shutdown } from './control.js';
import { listener } from './listener.js';
import { payout } from './payout.js';
import { storage } from './storage.js';
import { supervise } from './supervise.js';

const seconds = z.number().positive();

const daemonKeys = z.strictObject({
  name: z.string().min(1).optional().describe('Name in logs and results; default the host and port of the url.'),
  url: z
    .url({ protocol: /^https?$/, error: 'must be http://host:port or https://host:port' })
    .optional()
    .describe('RPC address, e.g. `http://127.0.0.1:8332`; only a node with `supervise` can do without.'),
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
  supervise,
});

const daemon = daemonKeys
  .refine((value) => value.url !== undefined || value.supervise !== undefined, {
    path: ['url'],
    message: 'is missing (must be http://host:port or https://host:port)',
  })
  .refine((value) => value.cookieFile === undefined || value.supervise === undefined, {
    path: ['cookieFile'],
    message: 'is known for a supervised node',
  });

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
  payout,
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
    .describe('The plain share log, with `storage.url` set to `log:`.'),
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
  shutdown,
  storage,
  api,
  control,
});

/** Configuration with all defaults filled in. */
export type PoolConfig = z.output<typeof poolConfigSchema>;
/** Configuration as written: defaults may be left out. */
export type PoolConfigInput = z.input<typeof poolConfigSchema>;
