import { PoolError } from '@headframe/primitives';

/** One limit: its default, its unit, and the attack (or accident) it stops. */
export interface LimitInfo {
  readonly default: number;
  readonly unit: string;
  readonly stops: string;
}

/**
 * Every limit of a session server. The reference page is generated from this table; each entry has a test that
 * carries out the attack. `Infinity` switches a limit off.
 */
export const LIMITS = {
  // Below the usual hard limit for descriptors (65,536) with room for databases and nodes; a server lowers the
  // default further to 90 % of the descriptors it may open. The counter `too-many-connections` shows when it is low.
  connections: {
    default: 50_000,
    unit: 'connections',
    stops: 'running out of file descriptors and memory: a new socket over the bound is closed at once',
  },
  // A farm of 1,000 machines behind one address is common, a bigger one usually has a proxy or is worth an entry in
  // `allow`; with it an attacker needs fifty addresses to fill the server.
  connectionsPerAddress: {
    default: 1000,
    unit: 'connections',
    stops: 'one address taking all places; an IPv6 /64 counts as one address',
  },
  // A farm that reconnects after a power cut spends some 300 ms per machine here, so 256 serve 800 machines a second.
  unauthorizedPerAddress: {
    default: 256,
    unit: 'connections',
    stops: 'thousands of silent connections from one address: those that have not authorised are counted apart',
  },
  // The burst is one full farm; the rate is what a broken firmware in a reconnect loop does times ten.
  connectsPerSecondPerAddress: {
    default: 50,
    unit: 'connections per second',
    stops: 'connect and disconnect loops that burn CPU in handshakes',
  },
  connectBurstPerAddress: {
    default: 1000,
    unit: 'connections',
    stops: 'the same; how many connections may come at once',
  },
  // Addresses without a session are remembered for their rates and scores, the oldest forgotten first.
  rememberedAddresses: {
    default: 65_536,
    unit: 'addresses',
    stops: 'filling the memory with the history of addresses that come once',
  },
  // The longest honest line seen is a submit of some 300 bytes, a configure of some 500.
  lineBytes: {
    default: 16_384,
    unit: 'bytes',
    stops: 'an endless line without a newline; counted per line, not per packet',
  },
  // Firmware waits up to 60 s for replies but sends its own requests within a round trip.
  authorizeTimeoutMs: {
    default: 30_000,
    unit: 'ms',
    stops: 'silent connections that never log in',
  },
  // The slowest honest miner sends a share every minute or two; hobby firmware pings every 30 s.
  idleTimeoutMs: {
    default: 600_000,
    unit: 'ms',
    stops: 'half-open connections whose peer is gone: no line for this long closes the session',
  },
  malformedLines: {
    default: 3,
    unit: 'lines',
    stops: 'junk: so many lines that are no JSON-RPC are answered, the next closes; one is forgiven each minute',
  },
  // Firmware probes up to four.
  unknownMethods: {
    default: 10,
    unit: 'requests',
    stops: 'method scanning: so many unknown methods are answered, the next closes; one is forgiven each minute',
  },
  // Two packets full of pipelined shares; over it the session is not read until replies went out.
  inFlight: {
    default: 512,
    unit: 'requests',
    stops: 'a session queueing work without waiting for replies: reading pauses, nothing is dropped',
  },
  // Ten thousand notifies of 100 bytes: a peer that far behind mines nothing useful.
  unsentBytes: {
    default: 1_048_576,
    unit: 'bytes',
    stops: 'a reader that does not read, while replies and jobs pile up',
  },
  drainTimeoutMs: {
    default: 30_000,
    unit: 'ms',
    stops: 'a reader that reads a byte now and then: output that waits longer than this closes the session',
  },
  // Miners give up a request after 60 s at the earliest.
  handlerTimeoutMs: {
    default: 10_000,
    unit: 'ms',
    stops: 'a handler or hook that hangs: the peer gets an error, the slot is free again',
  },
  // A right vardiff gives one share in seconds; 200 a second are a fleet behind one connection.
  requestsPerSecond: {
    default: 200,
    unit: 'requests per second',
    stops: 'one session taking the CPU: over it reading pauses until the rate fits, nothing is dropped',
  },
  requestBurst: {
    default: 2000,
    unit: 'requests',
    stops: 'the same; a miner that was cut off may deliver so much at once',
  },
  requestsPerSecondPerAddress: {
    default: 2000,
    unit: 'requests per second',
    stops: 'the same by many sessions of one address',
  },
  requestBurstPerAddress: {
    default: 20_000,
    unit: 'requests',
    stops: 'the same; how much one address may deliver at once',
  },
  // Makes the budget of an address grow with the miners that really work behind it.
  requestsPerSecondPerMember: {
    default: 20,
    unit: 'requests per second',
    stops: 'a false alarm: each authorised session adds this to the budget of its address (NAT)',
  },
  outgoingRequests: {
    default: 16,
    unit: 'requests',
    stops: 'our own requests to a peer that never answers',
  },
  outgoingTimeoutMs: {
    default: 30_000,
    unit: 'ms',
    stops: 'the same; after it the request rejects with `request_timeout`',
  },
  // PROXY header, TLS hello or first bytes.
  detectTimeoutMs: {
    default: 10_000,
    unit: 'ms',
    stops: 'connections that never say which protocol they speak',
  },
  // Half a second late is late for every share and job; stays off for a single long turn because it is a mean.
  overloadDelayMs: {
    default: 500,
    unit: 'ms of event-loop delay, mean of one second',
    stops: 'a reconnect storm starving the miners that are connected: new connections are refused above it',
  },
  overloadRecoverMs: {
    default: 250,
    unit: 'ms of event-loop delay, mean of one second',
    stops: 'flapping: connections are taken again below it',
  },
} as const satisfies Record<string, LimitInfo>;

/** Name of a limit. */
export type LimitName = keyof typeof LIMITS;

/** A value for every limit. */
export type Limits = { readonly [Name in LimitName]: number };

/**
 * Defaults with `overrides` put over them.
 * @throws PoolError `invalid_config` for an unknown name, a negative number or something that is no number.
 */
export function resolveLimits(overrides: Partial<Limits> = {}): Limits {
  const limits: Record<string, number> = {};
  for (const [name, info] of Object.entries(LIMITS)) limits[name] = info.default;
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    if (!(name in LIMITS)) throw new PoolError('invalid_config', `there is no limit '${name}'`);
    if (typeof value !== 'number' || Number.isNaN(value) || value < 0) {
      throw new PoolError('invalid_config', `limit '${name}' must be a number from 0 on, not ${String(value)}`);
    }
    limits[name] = value;
  }
  return limits as Limits;
}
