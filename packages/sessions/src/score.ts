/**
 * How good or bad the work of somebody was lately. Weights are share difficulties, so a thousand tiny wrong shares do
 * not outweigh one large right one. The past counts half after each half-life.
 */
export class Score {
  good = 0;
  bad = 0;
  /** Number of bad ones, decayed alike: a verdict needs enough of them, whatever their weight. */
  badCount = 0;
  #sinceMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** Adds one judged share. */
  add(nowMs: number, halfLifeMs: number, valid: boolean, weight: number): void {
    this.decay(nowMs, halfLifeMs);
    if (valid) this.good += weight;
    else {
      this.bad += weight;
      this.badCount++;
    }
  }

  /** Halves what is older than a half-life, in steps: exact enough for a verdict and free of exponentials. */
  decay(nowMs: number, halfLifeMs: number): void {
    const passed = nowMs - this.#sinceMs;
    if (passed < halfLifeMs) return;
    const steps = Math.floor(passed / halfLifeMs);
    const factor = 2 ** -Math.min(steps, 64);
    this.good *= factor;
    this.bad *= factor;
    this.badCount *= factor;
    this.#sinceMs += steps * halfLifeMs;
  }

  /** Share of bad work, 0 to 1. */
  get badRatio(): number {
    return this.bad === 0 ? 0 : this.bad / (this.bad + this.good);
  }
}
