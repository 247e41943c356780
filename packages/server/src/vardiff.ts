/** How the difficulty of a channel follows its hashrate. Difficulties are in share difficulty (the coin's unit). */
export interface VardiffPolicy {
  /** Where a channel begins. */
  readonly start: number;
  readonly min: number;
  readonly max: number;
  /** Wanted seconds between accepted shares. */
  readonly targetSeconds: number;
  /** Tolerated deviation of the share rate, as a fraction: 0.3 leaves a miner alone at 0.7 to 1.3 of the target. */
  readonly variance: number;
  /** Only powers of two (down from the estimate), for firmware that cannot do others. */
  readonly powerOfTwo: boolean;
}

/** What outlives a connection: plain data, no times. */
export interface VardiffState {
  readonly difficulty: number;
  readonly floor: number;
  /** True when the miner asked for one difficulty for good (`fd=`). */
  readonly fixed: boolean;
}

/**
 * Confidence, in standard deviations of a Poisson count, before a rate counts as outside the band. The test runs at
 * every share, so it must be well above 2; at 3.2 a steady miner at target is moved about once a day by chance, which
 * the next window puts right.
 */
const CONFIDENCE = 3.2;
/** With fewer shares than this nothing is raised: a packet that was held up carries a few at once. */
const RAISE_MIN_SHARES = 8;
/** A raise from a burst waits until the window is this old, or has this many shares. */
const RAISE_MIN_MS = 1_000;
const RAISE_BURST_SHARES = 64;
/** Largest step up. A miner 10^9 times above its difficulty is there after eight steps of at most a second each. */
const MAX_RAISE = 16;
/** Step down for the first silence; squared, then cubed, while nothing at all is heard. */
const SILENT_STEP = 8;
const SILENT_STEPS_MAX = 4;
/** When a window holds this many target intervals, half of it is forgotten, so that a change later on shows. */
const WINDOW_INTERVALS = 60;
/** A change is pending until a share of the new difficulty arrives, or this many target intervals (at least 20 s). */
const PENDING_INTERVALS = 3;
const PENDING_MIN_MS = 20_000;
/** Digits that survive the wire, and digits of an estimate. */
const WIRE_DIGITS = 6;
const ESTIMATE_DIGITS = 3;
/** Retargets smaller than this fraction are noise for the miner: not sent. */
const SMALLEST_STEP = 0.1;

/** Standard deviations by which a Poisson count `n` lies above the mean `mu` (variance-stabilised, so fine at 0). */
function sigmasAbove(n: number, mu: number): number {
  return 2 * (Math.sqrt(n + 0.375) - Math.sqrt(mu + 0.375));
}

/**
 * The difficulty controller of one channel. Pure: it reads no clock and sends nothing. Times are monotonic milliseconds.
 * It is driven by accepted shares and by {@link tick}, so a miner that never finds a share is lowered too.
 * An answer other than undefined is the new difficulty, already the controller's own: issue it.
 */
export class Vardiff {
  readonly #policy: VardiffPolicy;
  #difficulty: number;
  #floor: number;
  #ceiling: number;
  #rawCeiling: number;
  #fixed: boolean;
  /** Start of the window, or when the pending change was issued. */
  #sinceMs: number;
  #shares = 0;
  #pending = true;
  #silences = 0;

  constructor(policy: VardiffPolicy, nowMs: number, saved?: VardiffState) {
    this.#policy = policy;
    this.#ceiling = policy.max;
    this.#rawCeiling = policy.max;
    this.#floor = saved === undefined ? policy.min : Math.max(policy.min, saved.floor);
    this.#fixed = saved?.fixed ?? false;
    this.#sinceMs = nowMs;
    this.#difficulty = this.#clamp(saved?.difficulty ?? policy.start);
  }

  get difficulty(): number {
    return this.#difficulty;
  }

  /** Lowest difficulty of this channel: the listener's, or what the miner asked for. */
  get floor(): number {
    return this.#floor;
  }

  /** True while a change was issued and no share of the new difficulty was seen yet. */
  get pending(): boolean {
    return this.#pending;
  }

  /** The first work goes out now: silence counts from here. */
  begin(nowMs: number): void {
    this.#pending = true;
    this.#sinceMs = nowMs;
    this.#shares = 0;
  }

  /**
   * An accepted share of work at the current difficulty. Shares of older work are not to be reported: they say nothing
   * about the difficulty of now.
   */
  share(nowMs: number): number | undefined {
    this.#silences = 0;
    if (this.#pending) {
      // The window opens with this share and does not count it: counting from an event is unbiased.
      this.#pending = false;
      this.#sinceMs = nowMs;
      this.#shares = 0;
      return undefined;
    }
    this.#shares++;
    return this.#judge(nowMs);
  }

  /** Lets time pass. Call every few seconds. */
  tick(nowMs: number): number | undefined {
    if (this.#pending) {
      const patienceMs = Math.max(PENDING_MIN_MS, PENDING_INTERVALS * this.#policy.targetSeconds * 1000);
      if (nowMs - this.#sinceMs < patienceMs) return undefined;
      // The change reached the miner long ago: from here on silence counts, all of it.
      this.#pending = false;
      this.#shares = 0;
    }
    return this.#judge(nowMs);
  }

  /**
   * The network's difficulty: vardiff never rises above it. Returns the lowered difficulty if the current one is above.
   */
  limit(nowMs: number, networkDifficulty: number): number | undefined {
    const ceiling = Math.min(this.#policy.max, networkDifficulty);
    if (ceiling === this.#rawCeiling) return undefined;
    this.#rawCeiling = ceiling;
    this.#ceiling = roundDown(ceiling, WIRE_DIGITS);
    return this.#fixed ? undefined : this.#moveTo(nowMs, this.#difficulty);
  }

  /** A wish of the miner (`d=`, suggest_difficulty): taken within the range; the controller goes on from there. */
  suggest(nowMs: number, difficulty: number): number | undefined {
    return this.#fixed ? undefined : this.#moveTo(nowMs, difficulty);
  }

  /** A lower bound of the miner (`md=`, minimum-difficulty), within the listener's range. */
  raiseFloor(nowMs: number, difficulty: number): number | undefined {
    this.#floor = Math.min(this.#policy.max, Math.max(this.#policy.min, roundUp(difficulty, WIRE_DIGITS)));
    return this.#fixed ? undefined : this.#moveTo(nowMs, this.#difficulty);
  }

  /** One difficulty for good (`fd=`, or an operator's word). */
  fix(nowMs: number, difficulty: number): number | undefined {
    const changed = this.#moveTo(nowMs, difficulty);
    this.#fixed = true;
    return changed;
  }

  /** A step up that does not come from the rate: the duplicate set of a job fills too fast. */
  stepUp(nowMs: number): number | undefined {
    return this.#fixed ? undefined : this.#moveTo(nowMs, this.#difficulty * 2);
  }

  save(): VardiffState {
    return { difficulty: this.#difficulty, floor: this.#floor, fixed: this.#fixed };
  }

  #judge(nowMs: number): number | undefined {
    if (this.#fixed) return undefined;
    const { targetSeconds, variance } = this.#policy;
    const elapsedMs = nowMs - this.#sinceMs;
    const expected = elapsedMs / (targetSeconds * 1000);
    const shares = this.#shares;
    if (shares >= RAISE_MIN_SHARES && (elapsedMs >= RAISE_MIN_MS || shares >= RAISE_BURST_SHARES)) {
      if (sigmasAbove(shares, expected * (1 + variance)) > CONFIDENCE) {
        // Half a deviation below the estimate: too little is corrected soon, too much silences the miner.
        const careful = (Math.sqrt(shares) - 0.5) ** 2;
        return this.#moveTo(
          nowMs,
          this.#round(this.#difficulty * Math.min(MAX_RAISE, careful / Math.max(expected, 1e-9))),
        );
      }
    }
    if (sigmasAbove(shares, expected * (1 - variance)) < -CONFIDENCE) {
      if (shares > 0) return this.#moveTo(nowMs, this.#round((this.#difficulty * (shares + 1)) / (expected + 1)));
      this.#silences = Math.min(this.#silences + 1, SILENT_STEPS_MAX);
      return this.#moveTo(nowMs, this.#round(this.#difficulty / SILENT_STEP ** this.#silences));
    }
    if (expected >= WINDOW_INTERVALS || shares >= 2 * WINDOW_INTERVALS) {
      this.#shares = shares / 2;
      this.#sinceMs = nowMs - elapsedMs / 2;
    }
    return undefined;
  }

  /** Adopts a difficulty within all bounds; undefined when that is no change worth sending. */
  #moveTo(nowMs: number, wanted: number): number | undefined {
    const previous = this.#difficulty;
    const next = this.#clamp(wanted);
    const outside = previous > this.#upper() || previous < this.#floor;
    if (next === previous || (!outside && Math.abs(next / previous - 1) < SMALLEST_STEP)) {
      // Judged, and there is nowhere to go: begin anew, or the old evidence would be judged again at every share.
      this.#shares = 0;
      this.#sinceMs = nowMs;
      return undefined;
    }
    this.#difficulty = next;
    this.#pending = true;
    this.#shares = 0;
    this.#sinceMs = nowMs;
    return next;
  }

  #upper(): number {
    // A floor above the network's difficulty (a tiny test chain) gives way: above it the miner would sit on blocks.
    return Math.max(this.#ceiling, this.#policy.min);
  }

  #clamp(wanted: number): number {
    const upper = this.#upper();
    const lower = Math.min(this.#floor, upper);
    const bounded = Math.min(upper, Math.max(lower, wanted));
    const rounded = this.#policy.powerOfTwo ? roundToPowerOfTwo(bounded) : Number(bounded.toPrecision(WIRE_DIGITS));
    // Rounding must not leave the range; its ends are legal as they are.
    return Math.min(upper, Math.max(lower, rounded));
  }

  /** An estimate is good to a few per cent: three digits, so that few distinct targets are in use. */
  #round(estimate: number): number {
    return roundDown(estimate, ESTIMATE_DIGITS);
  }
}

/** The largest power of two that is not above `value` and can be written with six digits; else `value` is kept. */
function roundToPowerOfTwo(value: number): number {
  const power = 2 ** Math.floor(Math.log2(value) + 1e-9);
  return Number(power.toPrecision(WIRE_DIGITS));
}

/** `value` cut to so many significant digits, never above it. */
export function roundDown(value: number, digits: number): number {
  const rounded = Number(value.toPrecision(digits));
  if (rounded <= value) return rounded;
  return Number((rounded - 10 ** (Math.floor(Math.log10(rounded)) - digits + 1)).toPrecision(digits));
}

/** The same upwards. */
function roundUp(value: number, digits: number): number {
  const down = roundDown(value, digits);
  if (down >= value) return down;
  return Number((down + 10 ** (Math.floor(Math.log10(down)) - digits + 1)).toPrecision(digits));
}
