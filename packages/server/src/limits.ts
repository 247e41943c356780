import { PoolError } from '@headframe/primitives';
import type { LimitInfo } from '@headframe/sessions';

/**
 * Limits of mining, beside those of the sessions. The reference page is generated from this table; each entry has a
 * test that carries out the attack.
 */
export const MINING_LIMITS = {
  // Eight refreshes of 30 s are what slow miners still work on; twice that leaves room for vardiff changes.
  jobsPerChannel: {
    default: 16,
    unit: 'jobs',
    stops: 'the job table of a channel growing on a slow chain; shares of a forgotten job are answered 21',
  },
  // A miner that is late by more than a few blocks is broken; block checks on them win nothing.
  staleJobsPerChannel: {
    default: 8,
    unit: 'jobs',
    stops: 'the same for jobs of earlier blocks, which are kept for a precise answer and for block checks',
  },
  // 2 to 4 MiB when full. At the vardiff target of 15 s a channel needs 30. All older jobs of a channel together are
  // bounded by the same number: beyond it the oldest is forgotten early.
  duplicatesPerJob: {
    default: 65_536,
    unit: 'shares',
    stops:
      'filling memory with shares of one job: at half of it the channel moves to fresh work, at all of it shares are refused',
  },
  // A farm proxy names a worker per machine; ten thousand behind one connection were seen.
  workersPerChannel: {
    default: 16_384,
    unit: 'workers',
    stops: 'one connection authorising names without end',
  },
  workers: {
    default: 1_000_000,
    unit: 'workers',
    stops: 'many connections doing the same together',
  },
  leases: {
    default: 50_000,
    unit: 'leases',
    stops: 'connect, authorise and leave loops filling memory with sessions that might come back',
  },
  leaseMs: {
    default: 600_000,
    unit: 'ms',
    stops: 'the same; how long a closed session can be resumed',
  },
  // Live, leased and resting ones; 2^23 is the most that 24 bits of index can be searched for quickly.
  extranonces: {
    default: 1_000_000,
    unit: 'prefixes',
    stops: 'connection floods using up the extranonce space, which must not be reused while a job is creditable',
  },
  pendingVerdicts: {
    default: 1024,
    unit: 'shares',
    stops:
      'asynchronous beforeShare hooks piling up: over it shares are refused as busy (blocks are sent all the same)',
  },
  // 100 MB of share records at most; a second of work at 65,000 shares a second.
  uncommittedShares: {
    default: 65_536,
    unit: 'shares',
    stops: 'a ledger that is down filling memory: sessions that submit are not read until it is back',
  },
  sharesPerCommit: {
    default: 4096,
    unit: 'shares',
    stops: 'one commit growing so long that its shares wait for seconds',
  },
  // A commit with fsync takes 0.1 ms of CPU, so these are a twentieth of a core; a share waits 2 ms at most.
  commitsPerSecond: {
    default: 500,
    unit: 'commits per second',
    stops: 'one commit for every share or two using up disk and CPU: over it, shares gather for some ms',
  },
  commitTimeoutMs: {
    default: 10_000,
    unit: 'ms',
    stops: 'a ledger that never answers: the batch is sent again under the same number',
  },
  // A busy test chain finds some a second; a repeat later than this many blocks is stale anyway.
  candidates: {
    default: 10_000,
    unit: 'hashes',
    stops: 'one solved block being sent to the nodes again and again',
  },
  heldMessages: {
    default: 16,
    unit: 'messages',
    stops: 'plugins queueing notifications for a session that never authorises',
  },
  // A week: an agent with many miners behind it speaks for itself when it has something to say.
  agentIdleTimeoutMs: {
    default: 604_800_000,
    unit: 'ms',
    stops: 'half-open connections of mining agents, which are silent for longer than miners may be',
  },
  transactionsBytes: {
    default: 524_288,
    unit: 'bytes of hex',
    stops: 'mining.get_transactions used to make the server send megabytes; asked once per job and session',
  },
} as const satisfies Record<string, LimitInfo>;

/** Name of a mining limit. */
export type MiningLimitName = keyof typeof MINING_LIMITS;

/** A value for every mining limit. */
export type MiningLimits = { readonly [Name in MiningLimitName]: number };

/**
 * Defaults with those of `overrides` that are mining limits put over them; other names are left to the sessions.
 * @throws PoolError `invalid_config` for a value that is no number from 0 on
 */
export function resolveMiningLimits(overrides: Readonly<Record<string, number | undefined>> = {}): MiningLimits {
  const limits: Record<string, number> = {};
  for (const [name, info] of Object.entries(MINING_LIMITS)) {
    const value = overrides[name];
    if (value !== undefined && (typeof value !== 'number' || Number.isNaN(value) || value < 0)) {
      throw new PoolError('invalid_config', `limit '${name}' must be a number from 0 on, not ${String(value)}`);
    }
    limits[name] = value ?? info.default;
  }
  return limits as MiningLimits;
}
