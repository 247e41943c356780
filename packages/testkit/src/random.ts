/** Random numbers that are the same in every run. */
export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** Waiting time until the next of events that come independently, `mean` apart on average. */
  exponential(mean: number): number;
}

/** A small generator (mulberry32): equal seeds give equal sequences. Not for secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, exponential: (mean) => -mean * Math.log(1 - next()) };
}
