/** Bounds of the control server, and what each is there for. */
export const CONTROL_LIMITS = {
  /** Connections at once: an operator, some scripts and the notifications of a few nodes. */
  connections: 64,
  /** The same for one address, the machine itself included. */
  connectionsPerAddress: 48,
  /** Time for the first call with the right secret. */
  authorizeTimeoutMs: 10_000,
  /** A connection without a whole request for so long is closed. */
  idleTimeoutMs: 120_000,
  /** Calls per second and connection that are worked off without delay; over it reading pauses. */
  requestsPerSecond: 50,
  requestBurst: 200,
  /** Longest request: a batch of long messages fits. */
  requestBytes: 65_536,
  /** Longest head of an HTTP request. */
  headBytes: 8_192,
  /** Levels of a JSON value. */
  depth: 64,
  /** Calls of one batch. */
  batch: 50,
  /** Longest answer: a page of a thousand connections has about 300 KB. */
  replyBytes: 4_194_304,
  /** Time of a call, unless its method asks for more. */
  callTimeoutMs: 30_000,
  /** Wrong secrets of one address within a minute, after which it is not listened to. */
  failures: 10,
  failureWindowMs: 60_000,
  /** Addresses whose failures are remembered; past it the oldest is forgotten. */
  rememberedAddresses: 10_000,
  /** Longest secret that is looked at. */
  secretBytes: 1_024,
  /** Passwords that may wait to be hashed: each takes a thread of the process for 50 ms or more. */
  waitingHashes: 8,
  /** Methods that can be exposed. */
  methods: 1_000,
} as const;
