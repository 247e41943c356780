import { settle } from '@headframe/primitives/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerOf, type MinerJob, makeJob, meets, type Work } from './fixtures.js';
import { type Harness, harness, type Miner } from './harness.js';

/** As much as the server remembers, small enough that sequences run into it. */
const LIVE = 5;
const STALE = 3;

type Step =
  | { readonly do: 'share'; readonly job: number }
  | { readonly do: 'low'; readonly job: number }
  | { readonly do: 'again'; readonly which: number }
  | { readonly do: 'foreign'; readonly which: number }
  | { readonly do: 'refresh' }
  | { readonly do: 'block' }
  | { readonly do: 'difficulty'; readonly value: number }
  | { readonly do: 'wish'; readonly value: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'reconnect' }
  | { readonly do: 'begin anew' };

const value = fc.constantFrom(1e-9, 2e-9, 5e-9, 1e-8, 2e-8);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('share' as const), job: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('low' as const), job: fc.nat(12) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('again' as const), which: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('foreign' as const), which: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'refresh' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'block' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('difficulty' as const), value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wish' as const), value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 120 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'reconnect' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'begin anew' as const }) },
);

/** A share that was found: on which job, by which session lineage. */
interface Found {
  readonly job: MinerJob;
  readonly work: Work;
  readonly header: string;
}

/** What the rules say should happen, kept beside the server. */
class Model {
  h: Harness;
  miner: Miner;
  tip = 1;
  nextJob = 2;
  /** Jobs this lineage was given, oldest first, with their tip. */
  known: { readonly job: MinerJob; readonly tip: number }[] = [];
  #seen = 0;
  readonly #ids = new Set<string>();
  /** Tip of the newest job when the last one was taken in. */
  #newestTip = 0;
  readonly paid = new Map<string, number>();
  readonly found: Found[] = [];
  readonly lost: Found[] = [];

  constructor(h: Harness, miner: Miner) {
    this.h = h;
    this.miner = miner;
  }

  /** Takes in what the miner was sent since the last look. */
  look(): void {
    for (const job of this.miner.jobs.slice(this.#seen)) {
      if (this.tip !== this.#newestTip) {
        this.known = this.known.slice(-STALE);
        this.#newestTip = this.tip;
      }
      expect(this.#ids.has(job.id), `job ${job.id} is new to this miner`).toBe(false);
      this.#ids.add(job.id);
      this.known.push({ job, tip: this.tip });
      const live = this.known.filter(({ tip }) => tip === this.tip);
      if (live.length > LIVE) this.known.splice(this.known.length - live.length, 1);
    }
    this.#seen = this.miner.jobs.length;
  }

  /** The verdict the rules demand. */
  expected({ job, header }: Found, isLow: boolean): number | true {
    const entry = this.known.find((known) => known.job.id === job.id);
    if (entry === undefined) return 21;
    if (entry.tip !== this.tip) return 21;
    if (isLow) return 23;
    return this.paid.has(header) ? 22 : true;
  }

  async hand(found: Found, isLow: boolean): Promise<void> {
    const expected = this.expected(found, isLow);
    const answer = await this.miner.submit(found.work, found.job);
    await settle();
    const got = answer.error === null ? answer.result : (answer.error as [number])[0];
    expect(got, `job ${found.job.id} of ${this.known.map(({ job }) => job.id).join()}`).toBe(expected);
    if (expected === true) {
      this.paid.set(found.header, found.job.difficulty);
      const record = this.h.core.accepted().at(-1);
      expect(record?.difficulty, 'credited by the difficulty of its job').toBe(found.job.difficulty);
    }
    this.look();
  }

  mine(job: MinerJob, isLow: boolean): Found {
    const work = this.miner.mine(isLow ? { job, below: job.difficulty } : { job });
    const header = headerOf(job, work);
    expect(meets(header, job.difficulty)).toBe(!isLow);
    return { job, work, header: header.toString('hex') };
  }

  async run(step: Step): Promise<void> {
    const { h, miner } = this;
    switch (step.do) {
      case 'share':
      case 'low': {
        const entry = this.known[this.known.length - 1 - (step.job % this.known.length)];
        if (entry === undefined) return;
        const isLow = step.do === 'low';
        const found = this.mine(entry.job, isLow);
        if (!isLow) this.found.push(found);
        return this.hand(found, isLow);
      }
      case 'again': {
        const found = this.found[step.which % Math.max(1, this.found.length)];
        return found && this.hand(found, false);
      }
      case 'foreign': {
        // Work of a session that was not resumed: its header would be another one here.
        const found = this.lost[step.which % Math.max(1, this.lost.length)];
        if (found === undefined || this.known.some(({ job }) => job.id === found.job.id)) return;
        return this.hand(found, false);
      }
      case 'refresh':
        h.core.publish(makeJob({ id: this.nextJob++, tip: this.tip }));
        break;
      case 'block':
        this.tip++;
        h.core.publish(makeJob({ id: this.nextJob++, tip: this.tip, clean: true }));
        break;
      case 'difficulty': {
        const [session] = [...h.server.sessions].slice(-1);
        if (session) h.server.setDifficulty(session, step.value);
        break;
      }
      case 'wish':
        await miner.call('mining.suggest_difficulty', [step.value]);
        break;
      case 'wait':
        await h.clock.advanceAsync(step.seconds * 1000, 5_000);
        break;
      case 'reconnect':
        await this.#reconnect(miner.sessionId);
        break;
      case 'begin anew':
        await this.#reconnect(undefined);
        this.known = [];
        this.#ids.clear();
        this.lost.push(...this.found.splice(0));
        break;
    }
    await settle();
    this.look();
  }

  async #reconnect(sessionId: string | undefined): Promise<void> {
    const before = this.miner;
    before.connection.destroy();
    await settle();
    this.miner = this.h.connect();
    await this.miner.start(sessionId);
    this.#seen = 0;
    if (sessionId !== undefined) expect(this.miner.extranonce1).toBe(before.extranonce1);
    else expect(this.miner.extranonce1).not.toBe(before.extranonce1);
    // Work found so far must not be found again by counting from zero.
    this.miner.skipTo(before);
  }
}

describe('no order of events', () => {
  it('yields a wrong reject, a wrong credit, or a share paid twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const h = await harness({
          job: makeJob({ id: 1, clean: true }),
          options: {
            difficulty: { start: 5e-9, min: 1e-9, max: 2e-8, target: 5 },
            limits: { jobsPerChannel: LIVE, staleJobsPerChannel: STALE },
            bans: { enabled: false },
          },
        });
        try {
          const model = new Model(h, await h.connect().start());
          model.look();
          for (const one of steps) await model.run(one);
          const accepted = h.core.accepted();
          expect(accepted).toHaveLength(model.paid.size);
          const work = [...model.paid.values()].reduce((sum, difficulty) => sum + difficulty, 0);
          expect(h.server.stats().shares.work).toBeCloseTo(work, 15);
        } finally {
          await h.close();
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
