/** Exit codes of the binary, after sysexits.h. */
export const EXIT = {
  ok: 0,
  failure: 1,
  /** The command line is wrong. */
  usage: 64,
  /** A node or pool that was asked for does not answer. */
  unavailable: 69,
  /** The configuration is wrong. */
  config: 78,
} as const;
