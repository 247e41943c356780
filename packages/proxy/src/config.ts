import { parseStratumUrl } from '@headframe/client';
import { PoolError } from '@headframe/primitives';
import { z } from 'zod';

const seconds = z.number().min(0);

function isPoolAddress(url: string): boolean {
  try {
    parseStratumUrl(url);
    return true;
  } catch {
    return false;
  }
}

const upstreamTls = z.strictObject({
  ca: z.string().optional().describe('Authorities to trust instead of the well-known ones, PEM.'),
  fingerprint: z.string().optional().describe('SHA-256 fingerprint of the one certificate to accept, in hex.'),
  allowSelfSigned: z.boolean().default(false).describe('Accept a certificate that no authority signed.'),
});

const upstream = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('Name in logs, metrics and on the status page. Default: the address.'),
  url: z
    .string()
    .refine(isPoolAddress, { message: 'is no pool address (scheme://host:port)' })
    .describe('Address of the pool: `stratum+tcp://host:port`, `stratum+tls://host:port` or `host:port`.'),
  user: z
    .string()
    .min(1)
    .describe('Username at this pool. With `one-to-one` it is not used: miners log in themselves.'),
  password: z.string().default('x').describe('Password at this pool.'),
  tls: upstreamTls.optional().describe('How to trust the pool when the address says TLS.'),
});

const vardiff = z.strictObject({
  start: z.number().positive().default(1024).describe('Difficulty of a new session.'),
  min: z.number().positive().optional().describe('Never below. Default: the lowest legal of the algorithm.'),
  max: z.number().positive().optional().describe('Never above; the difficulty of the upstream bounds it anyway.'),
  target: z
    .number()
    .positive()
    .max(3600)
    .default(15)
    .describe('Seconds between the shares of one miner that vardiff aims at.'),
  variance: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('Part of the target that the pace may be off before the difficulty changes.'),
});

const listener = z.strictObject({
  host: z.string().default('0.0.0.0').describe('Address to listen on.'),
  port: z.int().min(0).max(65_535).describe('TCP port; 0 lets the system pick one.'),
  difficulty: z
    .union([z.number().positive(), vardiff])
    .default({ start: 1024, target: 15, variance: 0.3 })
    .describe('A number is a fixed difficulty; an object turns vardiff on. Not used with `one-to-one`.'),
  tls: z
    .strictObject({
      cert: z.string().describe('The certificate chain, PEM.'),
      key: z.string().describe('The private key, PEM.'),
      only: z.boolean().default(false).describe('Refuse plain TCP on this port.'),
    })
    .optional()
    .describe('Serve TLS on the same port.'),
  proxyProtocol: z
    .strictObject({
      mode: z
        .enum(['optional', 'required'])
        .default('required')
        .describe('Whether a connection may come without the header.'),
      trusted: z.array(z.string()).min(1).describe('CIDRs a header is believed from.'),
    })
    .optional()
    .describe('Expect a PROXY v1 or v2 header from load balancers.'),
  publicUrl: z.string().optional().describe('What HTTP probes are told in X-Stratum.'),
});

/** The schema of a proxy's configuration. The reference page is generated from it. */
export const proxyConfigSchema = z.strictObject({
  mode: z
    .enum(['aggregated', 'one-to-one'])
    .default('aggregated')
    .describe(
      '`aggregated`: all miners on one upstream connection. `one-to-one`: a connection for each miner, passed through.',
    ),
  algorithm: z.enum(['sha256d', 'scrypt']).default('sha256d').describe('Proof of work that shares are judged by.'),
  difficultyFactor: z.int().positive().optional().describe('Difficulty unit of the coin. Default 1, for scrypt 65536.'),
  upstreams: z.array(upstream).min(1).max(16).describe('Pools, the preferred one first.'),
  accounts: z
    .strictObject({
      mode: z
        .enum(['fixed', 'append', 'pass-through'])
        .default('append')
        .describe(
          "Who mines upstream: `fixed`: the upstream's user; `append`: the user with the miner's worker name behind it; `pass-through`: the username of the miner.",
        ),
      separator: z.string().max(4).default('.').describe('Between user and worker name with `append`.'),
    })
    .default({ mode: 'append', separator: '.' })
    .describe('Names that shares are handed in under.'),
  listeners: z.array(listener).default([]).describe('Ports that miners connect to.'),
  extranonce2Size: z
    .int()
    .min(2)
    .max(8)
    .optional()
    .describe('Bytes of extranonce2 that miners get. Default: 4, or less where the upstream leaves no room.'),
  submit: z
    .strictObject({
      wait: z
        .boolean()
        .default(false)
        .describe('Answer a miner with the verdict of the upstream, where a share goes there. Otherwise with our own.'),
      lateSeconds: seconds
        .default(0)
        .describe(
          'Shares of a job that the upstream replaced by a clean one are still sent for so long. Blocks always are.',
        ),
    })
    .default({ wait: false, lateSeconds: 0 })
    .describe('How shares go upstream.'),
  failover: z
    .strictObject({
      nextAfterSeconds: seconds
        .default(10)
        .describe('An upstream that gives no job within this makes the next one be tried beside it.'),
      returnAfterSeconds: seconds
        .default(60)
        .describe('A better upstream must have been well for so long before miners return to it.'),
      lingerSeconds: seconds
        .default(10)
        .describe('The upstream that was left stays connected so long, for shares of its jobs.'),
      silentSeconds: z.number().positive().default(300).describe('An upstream without a new job for so long is ill.'),
      rejects: z.int().min(1).default(50).describe('An upstream that refuses so many shares in a row is ill.'),
      restSeconds: z.number().positive().default(60).describe('An ill upstream is left alone for so long.'),
    })
    .default({
      nextAfterSeconds: 10,
      returnAfterSeconds: 60,
      lingerSeconds: 10,
      silentSeconds: 300,
      rejects: 50,
      restSeconds: 60,
    })
    .describe('When miners move to another upstream.'),
  outage: z
    .strictObject({
      miners: z
        .enum(['wait', 'refuse'])
        .default('wait')
        .describe(
          'While no upstream is there: keep miners waiting, or close and refuse them, so that they use their own fallback.',
        ),
      jobSeconds: seconds.default(60).describe('Work of an upstream that is gone is taken back after so long.'),
    })
    .default({ miners: 'wait', jobSeconds: 60 })
    .describe('What miners get while no upstream is there.'),
  maxCoinbaseBytes: z
    .int()
    .min(100)
    .max(100_000)
    .default(16_384)
    .describe('Jobs with a larger coinbase are not taken: they would go to every miner.'),
  validation: z.enum(['inline', 'threads', 'auto']).default('auto').describe('Where shares are hashed.'),
  bans: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Ban miners whose shares are mostly invalid.'),
      seconds: z.number().positive().default(600).describe('Length of a ban.'),
      allow: z.array(z.string()).optional().describe('Addresses and CIDRs never banned. Default: this machine.'),
    })
    .default({ enabled: true, seconds: 600 })
    .describe('Bans of miners.'),
  limits: z
    .record(z.string(), z.number().min(0))
    .default({})
    .describe('Overrides of single limits, see the reference of limits.'),
  status: z
    .strictObject({
      host: z
        .string()
        .default('127.0.0.1')
        .describe('Address of the status page. There is no login: keep it on loopback or behind a proxy.'),
      port: z.int().min(0).max(65_535).describe('TCP port; 0 lets the system pick one.'),
    })
    .optional()
    .describe('Status page (`/`), JSON (`/status`) and Prometheus metrics (`/metrics`). Default: none.'),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .default('info')
        .describe('Least severe lines to write.'),
      format: z
        .enum(['auto', 'pretty', 'json'])
        .default('auto')
        .describe('`auto`: readable on a terminal, JSON in a pipe.'),
    })
    .default({ level: 'info', format: 'auto' })
    .describe('Log of the program; used by the binary.'),
});

/** What {@link createProxy} takes: defaults may be left out. */
export type ProxyOptions = z.input<typeof proxyConfigSchema>;
/** A checked configuration, with its defaults. */
export type ProxyConfig = z.output<typeof proxyConfigSchema>;

/** One thing wrong with a configuration. */
export interface ProxyConfigProblem {
  /** `upstreams[0].url` */
  readonly path: string;
  readonly message: string;
}

function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${String(part)}`;
  return text === '' ? '(top level)' : text;
}

/** Values are not shown: some of them are passwords. @throws PoolError `invalid_config`; `details.problems` lists all */
export function parseProxyConfig(value: unknown): ProxyConfig {
  const result = proxyConfigSchema.safeParse(value);
  if (result.success) return result.data;
  const problems: ProxyConfigProblem[] = [];
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys)
        problems.push({ path: pathText([...issue.path, key]), message: 'is not a known key' });
    } else problems.push({ path: pathText(issue.path), message: issue.message });
  }
  throw proxyConfigError(problems);
}

/** An `invalid_config` error that tells every problem. */
export function proxyConfigError(problems: readonly ProxyConfigProblem[]): PoolError {
  const lines = problems.map(({ path, message }) => `${path}: ${message}`);
  return new PoolError('invalid_config', `the configuration is not valid:\n  ${lines.join('\n  ')}`, {
    details: { problems },
  });
}
