/** How a client comes back after it lost its server. */
export interface ReconnectOptions {
  /** Wait after the first failure; doubled with each further one. Default 1,000. */
  readonly minDelayMs?: number;
  /** Default 60,000. */
  readonly maxDelayMs?: number;
}

/**
 * Wait before the next try after `failures` failures in a row. Half of it is random: a server that restarts must not
 * get all its clients back in one second.
 */
export function backoffDelay(failures: number, options: ReconnectOptions, random: () => number): number {
  const { minDelayMs = 1000, maxDelayMs = 60_000 } = options;
  const fullMs = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return fullMs / 2 + (fullMs / 2) * random();
}
