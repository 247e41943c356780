import { mutate } from './mutate.js';
import { Random } from './random.js';

/** A parser under test. */
export interface FuzzTarget {
  readonly name: string;
  /** What must hold for every input. */
  readonly promise: string;
  /** Longest input that is tried. */
  readonly maxBytes: number;
  /** Words of the format. */
  readonly dictionary: readonly string[];
  /**
   * Tries one input. Throws when the promise is broken. Returns what became of it in a few words; inputs with an
   * outcome not seen before are kept and mutated further. One input at a time, also when it takes a promise.
   */
  run(bytes: Uint8Array): string | Promise<string>;
}

export interface FuzzOptions {
  readonly seed: number;
  /** Stop after this long. */
  readonly ms: number;
  /** Stop after so many inputs, for runs that must be the same everywhere. */
  readonly maxRuns?: number;
  /** Inputs to start from; each of them is tried first. */
  readonly corpus: readonly Uint8Array[];
}

export interface FuzzReport {
  readonly runs: number;
  /** Different outcomes seen. */
  readonly outcomes: ReadonlyMap<string, number>;
}

/** A broken promise: the message has the input as hex and says how to try it again. */
export class FuzzFailure extends Error {
  readonly input: Uint8Array;

  constructor(target: FuzzTarget, input: Uint8Array, cause: unknown) {
    const hex = Buffer.from(input).toString('hex');
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(
      `fuzz target ${target.name}: ${target.promise}\n` +
        `input (${input.length} bytes): ${hex}\n` +
        `as text: ${JSON.stringify(Buffer.from(input).toString('latin1'))}\n` +
        `again: npm run fuzz -- --target ${target.name} --replay ${hex}\n${reason}`,
      { cause },
    );
    this.name = 'FuzzFailure';
    this.input = input;
  }
}

/** Inputs kept for mutation; beyond it a new one takes the place of an old one. */
const MAX_POOL = 512;
/** Outcomes told apart; an outcome text should be one of few. */
const MAX_OUTCOMES = 4096;
/** Inputs between two looks at the clock. */
const RUNS_PER_CHECK = 64;
/** Tries to make a failing input smaller. */
const SHRINK_TRIES = 2000;

async function fails(target: FuzzTarget, input: Uint8Array): Promise<boolean> {
  try {
    await target.run(Uint8Array.from(input));
    return false;
  } catch {
    return true;
  }
}

async function shrink(target: FuzzTarget, input: Uint8Array): Promise<Uint8Array> {
  let best = input;
  let tries = 0;
  for (let size = best.length >> 1; size >= 1 && tries < SHRINK_TRIES; size >>= 1) {
    for (let at = 0; at + size <= best.length && tries < SHRINK_TRIES; tries++) {
      const smaller = new Uint8Array(best.length - size);
      smaller.set(best.subarray(0, at), 0);
      smaller.set(best.subarray(at + size), at);
      if (await fails(target, smaller)) best = smaller;
      else at += size;
    }
  }
  return best;
}

/** Tries one input. @throws FuzzFailure, as a rejection */
export async function replay(target: FuzzTarget, input: Uint8Array): Promise<string> {
  try {
    return await target.run(Uint8Array.from(input));
  } catch (cause) {
    throw new FuzzFailure(target, input, cause);
  }
}

/**
 * Tries the corpus, then mutations of it, until the time is over. The sequence of inputs depends on seed and corpus
 * alone.
 * @throws FuzzFailure with an input made small, as a rejection
 */
export async function runFuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(options.seed);
  const encoder = new TextEncoder();
  const dictionary = target.dictionary.map((word) => encoder.encode(word));
  const pool: Uint8Array[] = options.corpus.map((bytes) => bytes.slice(0, target.maxBytes));
  const outcomes = new Map<string, number>();
  const attempt = async (input: Uint8Array, keep: boolean): Promise<void> => {
    let outcome: string;
    try {
      const answer = target.run(Uint8Array.from(input));
      outcome = typeof answer === 'string' ? answer : await answer;
    } catch (cause) {
      const small = await shrink(target, input);
      throw new FuzzFailure(target, small, small === input ? cause : await causeOf(target, small));
    }
    const seen = outcomes.get(outcome) ?? 0;
    if (seen > 0 || outcomes.size < MAX_OUTCOMES) outcomes.set(outcome, seen + 1);
    if (seen > 0 || !keep) return;
    if (pool.length < MAX_POOL) pool.push(input);
    else pool[random.below(MAX_POOL)] = input;
  };
  let runs = 0;
  const startMs = performance.now();
  for (const input of [...pool]) {
    await attempt(input, false);
    runs++;
  }
  const endMs = performance.now() + options.ms;
  // Milliseconds per input: then the clock is looked at each time.
  const isSlow = runs > 0 && performance.now() - startMs > runs;
  const maxRuns = options.maxRuns ?? Number.POSITIVE_INFINITY;
  while (runs < maxRuns) {
    if ((runs % RUNS_PER_CHECK === 0 || isSlow) && performance.now() >= endMs) break;
    const base = random.pick(pool, new Uint8Array(0));
    await attempt(mutate(base, { random, pool, dictionary, maxBytes: target.maxBytes }), true);
    runs++;
  }
  return { runs, outcomes };
}

async function causeOf(target: FuzzTarget, input: Uint8Array): Promise<unknown> {
  try {
    await target.run(Uint8Array.from(input));
  } catch (cause) {
    return cause;
  }
  return new Error('it failed once and not again: the target keeps state');
}
