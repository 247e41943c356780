/**
 * Bounds of the HTTP server: what each holds off. `rateLimit` is an option of its own, for it depends on the pool's
 * audience.
 */
export const HTTP_LIMITS = {
  /** Open connections in all; a flood of idle sockets cannot use up descriptors that miners need. */
  connections: 2_000,
  /** Open connections of one address, trusted proxies excepted. */
  connectionsPerAddress: 100,
  /** Bytes of a request body. No route takes more than a few lines. */
  bodyBytes: 65_536,
  /** Characters of a request's path and query. */
  urlLength: 2_048,
  /** Characters of one part of a path: a worker name with its address. */
  paramLength: 300,
  /** Milliseconds for a whole request to arrive: slow senders hold a socket no longer. */
  requestMs: 10_000,
  /** Milliseconds until an answer; after that the storage counts as failing. */
  handlerMs: 15_000,
  /** Milliseconds an idle connection is kept; above the 60 s that reverse proxies keep theirs. */
  keepAliveMs: 65_000,
  /** Milliseconds without any byte in either direction. The heartbeat of live streams is well below. */
  socketMs: 120_000,
  /** Answers computed at the same time; more are turned away for a second. */
  reads: 64,
  /** Bytes of answers kept for whoever asks the same in the next seconds. */
  memoBytes: 32 * 1024 * 1024,
  /** Failed admin logins of one address per minute. */
  adminFailures: 10,
  /** Live streams in all, and of one address. */
  streams: 1_000,
  streamsPerAddress: 20,
  /** Events kept for streams that reconnect. */
  replayEvents: 256,
  /** Blocks and payments that wait for one slow reader; past it the stream is cut. */
  streamQueue: 64,
  /** Milliseconds a reader may leave its stream undrained. */
  streamDrainMs: 30_000,
  /** Milliseconds between comments that keep a quiet stream open. */
  heartbeatMs: 15_000,
  /** Milliseconds for answers under way when the server closes. */
  closeMs: 3_000,
} as const;

/** Names of the bounds, with values in place of the defaults. */
export type HttpLimits = { readonly [Name in keyof typeof HTTP_LIMITS]: number };
