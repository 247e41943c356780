import { PoolError } from '@headframe/primitives';

/** One limit of an Electrum server: its default, its unit, and what it stops. */
export interface ElectrumLimitInfo {
  readonly default: number;
  readonly unit: string;
  readonly stops: string;
}

/** What an Electrum server limits beside what every session server does. `Infinity` switches a limit off. */
export const ELECTRUM_LIMITS = {
  // A wallet of 500 addresses costs 1,500 when it loads; explorers and scripts pass it within seconds.
  costSoft: {
    default: 1000,
    unit: 'cost',
    stops: 'one session taking the server: above it reading pauses for longer and longer',
  },
  costHard: {
    default: 10_000,
    unit: 'cost',
    stops: 'the same: above it the session gets error -101 and is closed',
  },
  // A session may use the soft limit every hundred seconds for ever.
  costDecayPerSecond: {
    default: 10,
    unit: 'cost per second',
    stops: 'a false alarm: what a session has used is forgotten at this pace',
  },
  pauseMs: {
    default: 2500,
    unit: 'ms',
    stops: 'the longest pause of a session near the hard limit',
  },
  subscriptionsPerSession: {
    default: 50_000,
    unit: 'subscriptions',
    stops: 'subscribe storms filling the memory; some 300 bytes each',
  },
  subscriptions: {
    default: 1_000_000,
    unit: 'subscriptions',
    stops: 'the same by many sessions',
  },
  batchEntries: {
    default: 1000,
    unit: 'requests',
    stops: 'huge batches, which are taken apart in one turn',
  },
  headers: {
    default: 2016,
    unit: 'headers',
    stops: 'the whole chain in one answer; newer wallets refuse servers that give fewer than 2,016',
  },
} as const satisfies Record<string, ElectrumLimitInfo>;

export type ElectrumLimits = { readonly [Name in keyof typeof ELECTRUM_LIMITS]: number };

/** Limits of `sessions` that are others for wallets than for miners. */
export const SESSION_LIMITS = {
  connections: 1000,
  // The largest standard transaction has 100 KB, the largest valid one 4 MB as hex in theory; 2 MiB takes all but freaks.
  lineBytes: 2 * 1024 * 1024,
  unsentBytes: 8_100_000,
  handlerTimeoutMs: 30_000,
  idleTimeoutMs: 600_000,
  // Requests of one session that are worked on at a time.
  inFlight: 10,
} as const;

/** Defaults with `overrides` put over them. @throws PoolError `invalid_config` for a name or value that is none */
export function resolveElectrumLimits(overrides: Partial<ElectrumLimits> = {}): ElectrumLimits {
  const limits: Record<string, number> = {};
  for (const [name, info] of Object.entries(ELECTRUM_LIMITS)) limits[name] = info.default;
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(ELECTRUM_LIMITS, name)) throw new PoolError('invalid_config', `there is no limit '${name}'`);
    if (typeof value !== 'number' || Number.isNaN(value) || value < 0) {
      throw new PoolError('invalid_config', `limit '${name}' must be a number from 0 on, not ${String(value)}`);
    }
    limits[name] = value;
  }
  return limits as ElectrumLimits;
}
