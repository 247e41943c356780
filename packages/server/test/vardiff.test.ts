import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundDown, Vardiff, type VardiffPolicy } from '../src/vardiff.js';

const policy: VardiffPolicy = {
  start: 1024,
  min: 1e-9,
  max: 1e12,
  targetSeconds: 15,
  variance: 0.3,
  powerOfTwo: false,
};

/** A small seeded generator, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 1) / 4294967297;
  };
}

interface Run {
  readonly convergedMs: number;
  readonly retargetsAfter: number;
  readonly finalRatio: number;
}

/** A miner of `hashrate` that finds shares by a Poisson process; the controller ticks every 5 s. */
function simulate(hashrate: number, seed: number, hours: number, used: VardiffPolicy = policy): Run {
  const next = random(seed * 7919 + 1);
  const vardiff = new Vardiff(used, 0);
  const ideal = (hashrate * used.targetSeconds) / 2 ** 32;
  let difficulty = vardiff.difficulty;
  const wait = () => ((-Math.log(next()) * difficulty * 2 ** 32) / hashrate) * 1000;
  let now = 0;
  let share = wait();
  let tick = 5_000;
  let convergedMs = -1;
  let retargetsAfter = 0;
  while (now < hours * 3_600_000) {
    now = Math.min(share, tick);
    const changed = now === share ? vardiff.share(now) : vardiff.tick(now);
    if (now === tick) tick += 5_000;
    if (changed !== undefined) {
      difficulty = changed;
      if (convergedMs >= 0) retargetsAfter++;
    }
    if (now === share || changed !== undefined) share = now + wait();
    if (convergedMs < 0 && difficulty > ideal / 2 && difficulty < ideal * 2) convergedMs = now;
  }
  return { convergedMs, retargetsAfter, finalRatio: difficulty / ideal };
}

describe('Vardiff with simulated miners', () => {
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  for (const [name, hashrate, withinS] of [
    ['1 kH/s', 1e3, 900],
    ['1 MH/s', 1e6, 600],
    ['500 GH/s', 5e11, 400],
    ['1 TH/s', 1e12, 300],
    ['100 TH/s', 1e14, 60],
    ['5 PH/s', 5e15, 60],
  ] as const) {
    it(`brings ${name} from 1024 to the target and leaves it there`, () => {
      const runs = seeds.map((seed) => simulate(hashrate, seed, 6));
      const slowest = runs.map((run) => run.convergedMs).sort((a, b) => a - b)[8] ?? 0;
      expect(slowest, 'nine of ten are within a factor of two').toBeLessThan(withinS * 1000);
      for (const [i, run] of runs.entries()) {
        expect(run.convergedMs, `seed ${i + 1} converges`).toBeGreaterThanOrEqual(0);
        expect(run.finalRatio, `seed ${i + 1} ends near the target`).toBeGreaterThan(0.5);
        expect(run.finalRatio, `seed ${i + 1} ends near the target`).toBeLessThan(2);
        expect(run.retargetsAfter, `seed ${i + 1} is left alone for six hours`).toBeLessThanOrEqual(6);
      }
    });
  }

  it('follows a miner whose hashrate changes later', () => {
    const next = random(99);
    const vardiff = new Vardiff(policy, 0);
    let difficulty = vardiff.difficulty;
    let hashrate = 1e14;
    let now = 0;
    let tick = 5_000;
    const wait = () => ((-Math.log(next()) * difficulty * 2 ** 32) / hashrate) * 1000;
    let share = wait();
    const ratios: number[] = [];
    for (const [until, rate] of [
      [3 * 3_600_000, 1e14],
      [4 * 3_600_000, 1e13],
      [5 * 3_600_000, 3e14],
    ] as const) {
      hashrate = rate;
      while (now < until) {
        now = Math.min(share, tick);
        const changed = now === share ? vardiff.share(now) : vardiff.tick(now);
        if (now === tick) tick += 5_000;
        difficulty = changed ?? difficulty;
        if (now === share || changed !== undefined) share = now + wait();
      }
      ratios.push(difficulty / ((rate * 15) / 2 ** 32));
    }
    for (const ratio of ratios) {
      expect(ratio).toBeGreaterThan(0.5);
      expect(ratio).toBeLessThan(2);
    }
  });
});

describe('Vardiff', () => {
  it('lowers a miner that never found a share, driven by time alone', () => {
    const vardiff = new Vardiff(policy, 0);
    let difficulty = vardiff.difficulty;
    for (let now = 5_000; now <= 600_000; now += 5_000) difficulty = vardiff.tick(now) ?? difficulty;
    expect(difficulty).toBeLessThan(1);
  });

  it('stops at the floor, and then sends nothing more', () => {
    const vardiff = new Vardiff({ ...policy, min: 100 }, 0);
    const changes: number[] = [];
    for (let now = 0; now <= 3_600_000; now += 5_000) {
      const changed = vardiff.tick(now);
      if (changed !== undefined) changes.push(changed);
    }
    expect(changes.at(-1)).toBe(100);
    expect(changes.length).toBeLessThanOrEqual(2);
  });

  it('reacts after eight shares to a start that is far too low, in bounded steps', () => {
    const vardiff = new Vardiff(policy, 0);
    const changes: number[] = [];
    for (let i = 0; i <= 40 && changes.length === 0; i++) {
      const changed = vardiff.share(i * 150);
      if (changed !== undefined) changes.push(changed, i);
    }
    expect(changes[0]).toBeGreaterThan(4096);
    expect(changes[0]).toBeLessThanOrEqual(16 * 1024);
    expect(changes[1]).toBeLessThanOrEqual(9);
  });

  it('changes nothing while a change is pending, until a share of the new difficulty acknowledges it', () => {
    const vardiff = new Vardiff(policy, 0);
    let changed: number | undefined;
    let now = 0;
    for (; changed === undefined; now += 150) changed = vardiff.share(now);
    expect(vardiff.pending).toBe(true);
    for (let i = 0; i < 8; i++, now += 5_000) expect(vardiff.tick(now), 'not yet acknowledged').toBeUndefined();
    expect(vardiff.share(now + 5), 'acknowledges').toBeUndefined();
    expect(vardiff.pending).toBe(false);
  });

  it('never rises above the network difficulty nor the maximum', () => {
    const vardiff = new Vardiff({ ...policy, max: 5_000 }, 0);
    expect(vardiff.limit(0, 4_200)).toBeUndefined();
    let difficulty = vardiff.difficulty;
    let now = 0;
    for (let i = 0; i < 500; i++, now += 50) difficulty = vardiff.share(now) ?? difficulty;
    expect(difficulty).toBe(4_200);
    expect(vardiff.limit(now, 4.656e-10), 'a test chain').toBe(policy.min);
    expect(new Vardiff({ ...policy, min: 2.32831e-10 }, 0).limit(0, 4.656542373906925e-10)).toBe(4.65654e-10);
  });

  it('takes wishes within the range: start, floor and fixed', () => {
    const vardiff = new Vardiff({ ...policy, min: 10, max: 100_000 }, 0);
    expect(vardiff.suggest(0, 1)).toBe(10);
    expect(vardiff.suggest(0, 10), 'no change is no message').toBeUndefined();
    expect(vardiff.raiseFloor(0, 500)).toBe(500);
    expect(vardiff.suggest(0, 20), 'held up by the floor').toBeUndefined();
    expect(vardiff.difficulty).toBe(500);
    expect(vardiff.fix(0, 9e9)).toBe(100_000);
    let now = 0;
    for (let i = 0; i < 100; i++, now += 60_000) expect(vardiff.tick(now), 'fixed').toBeUndefined();
  });

  it('survives a reconnect through its saved state', () => {
    const before = new Vardiff(policy, 0);
    before.raiseFloor(0, 64);
    before.suggest(0, 77_700);
    const after = new Vardiff(policy, 5_000, JSON.parse(JSON.stringify(before.save())));
    expect(after.difficulty).toBe(77_700);
    expect(after.floor).toBe(64);
  });

  it('rounds to powers of two when asked', () => {
    const vardiff = new Vardiff({ ...policy, powerOfTwo: true, start: 1000 }, 0);
    expect(vardiff.difficulty).toBe(512);
    expect(vardiff.suggest(0, 0.3)).toBe(0.25);
  });

  it('stays in its range whatever happens', () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 120_000 }),
      what: fc.constantFrom('share', 'tick', 'limit', 'suggest', 'floor', 'step'),
      value: fc.double({ min: 1e-12, max: 1e15, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.boolean(), (steps, powerOfTwo) => {
        const range = { ...policy, min: 0.001, max: 1e6, powerOfTwo };
        const vardiff = new Vardiff(range, 0);
        let now = 0;
        for (const { waitMs, what, value } of steps) {
          now += waitMs;
          const before = vardiff.difficulty;
          const wasPending = vardiff.pending;
          let changed: number | undefined;
          if (what === 'share') changed = vardiff.share(now);
          else if (what === 'tick') changed = vardiff.tick(now);
          else if (what === 'limit') changed = vardiff.limit(now, value);
          else if (what === 'suggest') changed = vardiff.suggest(now, value);
          else if (what === 'floor') changed = vardiff.raiseFloor(now, value);
          else changed = vardiff.stepUp(now);
          expect(vardiff.difficulty).toBeGreaterThanOrEqual(range.min);
          expect(vardiff.difficulty).toBeLessThanOrEqual(range.max);
          if (changed === undefined) expect(vardiff.difficulty).toBe(before);
          else expect(changed).toBe(vardiff.difficulty);
          if (what === 'share' && wasPending) expect(changed, 'one change at a time').toBeUndefined();
        }
      }),
    );
  });

  it('rounds down to significant digits', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e15, noNaN: true }), fc.constantFrom(3, 6), (value, digits) => {
        const rounded = roundDown(value, digits);
        expect(rounded).toBeLessThanOrEqual(value);
        expect(rounded).toBeGreaterThan(value * (1 - 2 * 10 ** (1 - digits)));
        expect(Number(rounded.toPrecision(digits))).toBe(rounded);
      }),
    );
  });
});
