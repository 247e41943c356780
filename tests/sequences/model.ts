// What the rules say about any sequence of steps: a model that knows only what stood on the wire.
import { settle } from '@headframe/primitives/testing';
import type { Session } from '@headframe/sessions';
import { expect } from 'vitest';
import { type Bench, makeJob } from '../support/bench-server.js';
import type { Message, WireJob, WireMiner, WireShare } from '../support/wire-miner.js';

const MASK = 0x1fffe000;
const LEASE_MS = 600_000;
const BITS = 0x00a2c000;

type Verdict = 'true' | 'stale' | 'bits' | 'low' | 'duplicate';

/** One thing that happens. Indices count back from the newest and wrap around. */
export type Step =
  | { readonly kind: 'share' | 'low' | 'rolled'; readonly miner: number; readonly job: number }
  | { readonly kind: 'again'; readonly miner: number; readonly share: number }
  | { readonly kind: 'burst'; readonly miner: number; readonly job: number; readonly count: number }
  | { readonly kind: 'wish' | 'fix'; readonly miner: number; readonly exponent: number }
  | { readonly kind: 'configure' | 'leave' | 'resume' | 'anew' | 'crash'; readonly miner: number }
  | { readonly kind: 'refresh' | 'block' | 'failCommit' | 'loseAnswer' }
  | { readonly kind: 'time'; readonly seconds: number };

/** One extranonce1 and everything that was ever given under it, over any number of connections. */
class Lineage {
  readonly jobs: WireJob[] = [];
  /** Jobs whose version may be rolled. */
  readonly rollable = new Set<WireJob>();
  mask = 0;
  /** When the last connection ended; undefined while it lives. */
  leftMs: number | undefined = undefined;
}

class Player {
  miner: WireMiner;
  lineage = new Lineage();
  #taken = 0;

  constructor(miner: WireMiner) {
    this.miner = miner;
  }

  /** Takes over the jobs that came since. */
  learn(): void {
    for (const job of this.miner.jobs.slice(this.#taken)) {
      this.lineage.jobs.push(job);
      if (this.lineage.mask !== 0) this.lineage.rollable.add(job);
    }
    this.#taken = this.miner.jobs.length;
  }

  become(miner: WireMiner, lineage: Lineage): void {
    this.miner = miner;
    this.lineage = lineage;
    this.#taken = 0;
  }
}

const EXPECTED: Readonly<Record<Exclude<Verdict, 'true'>, readonly unknown[]>> = {
  stale: [21, 'Stale share', null],
  bits: [20, 'Version bits outside the mask', null],
  low: [23, expect.any(String), null],
  duplicate: [22, 'Duplicate share', null],
};

/** The server under test, and what has to come of what stood on the wire. */
export class World {
  readonly b: Bench;
  readonly players: Player[] = [];
  readonly shares: { readonly share: WireShare; readonly lineage: Lineage }[] = [];
  /** Header hashes that were paid, with the difficulty of the job. */
  readonly paid = new Map<string, number>();
  /** Sent before a crash of the connection: paid or not, the ledger knows. */
  readonly unknown = new Set<string>();
  readonly mayBeBusy: boolean;
  tip = 1;
  jobId = 1;
  failing = 0;
  /** Commits that are durable, but whose answer gets lost. */
  losing = 0;

  constructor(b: Bench, mayBeBusy: boolean) {
    this.b = b;
    this.mayBeBusy = mayBeBusy;
    b.beforeCommit = () => {
      if (this.failing === 0) return;
      this.failing--;
      throw new Error('the ledger is away');
    };
    b.afterCommit = () => {
      if (this.losing === 0) return;
      this.losing--;
      throw new Error('the connection to the ledger broke');
    };
  }

  async join(name: string): Promise<void> {
    const miner = this.b.connect();
    miner.worker = name;
    const player = new Player(await miner.start());
    this.players.push(player);
    player.learn();
  }

  player(index: number): Player {
    const player = this.players[index % this.players.length];
    if (player === undefined) throw new Error('nobody plays');
    return player;
  }

  /** Waits for an answer; a ledger that is away comes back with time. */
  async answer(miner: WireMiner, id: unknown): Promise<Message> {
    for (let turn = 0; turn < 100; turn++) {
      const found = miner.lines.find((line) => line.method === undefined && line.id === id);
      if (found !== undefined) return found;
      await settle();
      const isAway = this.failing > 0 || this.losing > 0 || this.b.server.stats().shares.commitFailures > 0;
      // Commits are paced by the clock, and come again after a while.
      await this.b.clock.advanceAsync(isAway ? 100 : 3, 100);
    }
    throw new Error(`no answer to ${String(id)}`);
  }

  expected(share: WireShare, lineage: Lineage, kind: 'share' | 'low'): Verdict {
    const tip = this.b.server.job?.previousHash;
    const current = Buffer.from(tip ?? [])
      .swap32()
      .toString('hex');
    if (this.unknown.has(share.hash)) this.settleUnknown(share);
    if (share.job.params[1] !== current) return 'stale';
    if (share.bits !== undefined && !lineage.rollable.has(share.job)) return 'bits';
    if (kind === 'low') return 'low';
    return this.paid.has(share.hash) ? 'duplicate' : 'true';
  }

  check(answer: Message, share: WireShare, expected: readonly Verdict[]): void {
    if (answer.result === true) {
      expect(expected, `accepted ${share.hash} of job ${share.job.id}`).toContain('true');
      this.paid.set(share.hash, share.job.difficulty);
      return;
    }
    const [code, text] = answer.error as [number, string];
    // With tiny sets a job fills up, or is forgotten so that another has room: nothing is ever taken unchecked.
    if (this.mayBeBusy && expected.includes('true') && code === 20 && text === 'Too many shares for one job') return;
    if (this.mayBeBusy && code === 21 && text === 'Job not found') return;
    const reasons = expected.flatMap((verdict) => (verdict === 'true' ? [] : [EXPECTED[verdict]]));
    expect(reasons, `${JSON.stringify(answer.error)} for ${share.hash} of job ${share.job.id}`).toContainEqual(
      answer.error,
    );
  }

  async submit(player: Player, share: WireShare, kind: 'share' | 'low'): Promise<void> {
    const { miner, lineage } = player;
    const expected = this.expected(share, lineage, kind);
    const id = `s${Math.random()}`;
    miner.write(miner.submitLine(share, id));
    const answer = await this.answer(miner, id);
    // Somebody else may have changed nothing meanwhile: one step at a time.
    this.check(answer, share, [expected]);
    player.learn();
  }

  pickJob({ lineage }: Player, index: number): WireJob | undefined {
    return lineage.jobs[lineage.jobs.length - 1 - (index % Math.max(1, lineage.jobs.length))];
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case 'share':
      case 'low':
      case 'rolled': {
        const player = this.player(step.miner);
        const job = this.pickJob(player, step.job);
        if (job === undefined || player.miner.closed) return;
        const share = player.miner.search(
          step.kind === 'low'
            ? { job, misses: job.difficulty }
            : { job, ...(step.kind === 'rolled' ? { bits: BITS } : {}) },
        );
        this.shares.push({ share, lineage: player.lineage });
        await this.submit(player, share, step.kind === 'low' ? 'low' : 'share');
        return;
      }
      case 'again': {
        const player = this.player(step.miner);
        const mine = this.shares.filter(({ lineage }) => lineage === player.lineage);
        const known = mine[mine.length - 1 - (step.share % Math.max(1, mine.length))];
        if (known === undefined || player.miner.closed) return;
        const { share } = known;
        const isLow = !this.paid.has(share.hash) && !meets(share);
        await this.submit(player, share, isLow ? 'low' : 'share');
        return;
      }
      case 'burst': {
        const player = this.player(step.miner);
        const job = this.pickJob(player, step.job);
        if (job === undefined || player.miner.closed) return;
        const shares = Array.from({ length: step.count }, () => player.miner.search({ job }));
        const verdicts = shares.map((share) => this.expected(share, player.lineage, 'share'));
        const ids = shares.map((_, i) => `b${i}-${Math.random()}`);
        // Each share twice in one packet: the second is a duplicate, however fast it comes.
        const lines = shares.map(
          (share, i) => player.miner.submitLine(share, ids[i]) + player.miner.submitLine(share, `${ids[i]}d`),
        );
        player.miner.write(lines.join(''));
        for (const [i, share] of shares.entries()) {
          this.shares.push({ share, lineage: player.lineage });
          const expected = verdicts[i] ?? 'true';
          const first = await this.answer(player.miner, ids[i]);
          const second = await this.answer(player.miner, `${ids[i]}d`);
          this.check(first, share, [expected]);
          const wasPaid = this.paid.has(share.hash);
          this.check(second, share, [expected === 'true' && wasPaid ? 'duplicate' : expected]);
        }
        player.learn();
        return;
      }
      case 'wish': {
        const player = this.player(step.miner);
        if (player.miner.closed) return;
        player.miner.send({ id: 1, method: 'mining.suggest_difficulty', params: [10 ** -step.exponent] });
        await settle();
        player.learn();
        return;
      }
      case 'fix': {
        const player = this.player(step.miner);
        const session = this.sessionOf(player.miner.extranonce1);
        if (session !== undefined) this.b.server.setDifficulty(session, 10 ** -step.exponent);
        await settle();
        player.learn();
        return;
      }
      case 'configure': {
        const player = this.player(step.miner);
        if (player.miner.closed) return;
        await player.miner.call(
          'mining.configure',
          [['version-rolling'], { 'version-rolling.mask': 'ffffffff' }],
          `c${Math.random()}`,
        );
        player.lineage.mask = MASK;
        for (const job of player.lineage.jobs) player.lineage.rollable.add(job);
        player.learn();
        return;
      }
      case 'leave': {
        await this.disconnect(this.player(step.miner));
        return;
      }
      case 'crash': {
        // Shares are on their way when the connection breaks.
        const player = this.player(step.miner);
        const job = player.lineage.jobs.at(-1);
        if (job === undefined || player.miner.closed) return;
        const share = player.miner.search({ job });
        this.shares.push({ share, lineage: player.lineage });
        this.unknown.add(share.hash);
        player.miner.write(player.miner.submitLine(share, 'lost'));
        await new Promise<void>((resolve) => queueMicrotask(resolve));
        await this.disconnect(player);
        return;
      }
      case 'resume':
      case 'anew': {
        const player = this.player(step.miner);
        const { lineage, miner: before } = player;
        await this.disconnect(player);
        // A session that still waits for its last answers lives on; nobody may share its extranonce.
        const isFree = this.sessionOf(before.extranonce1) === undefined;
        const isLeased = isFree && this.b.clock.monotonic() - (lineage.leftMs ?? 0) < LEASE_MS;
        lineage.leftMs = undefined;
        const miner = this.b.connect();
        miner.worker = before.worker;
        await miner.start(step.kind === 'resume' ? before.sessionId : undefined);
        const isSame = miner.extranonce1 === before.extranonce1;
        expect(isSame, `${step.kind}: extranonce1`).toBe(step.kind === 'resume' && isLeased);
        // The extension is negotiated per connection; old jobs keep what they were given with.
        lineage.mask = 0;
        player.become(miner, isSame ? lineage : new Lineage());
        player.learn();
        return;
      }
      case 'refresh':
        this.b.publish(makeJob({ id: ++this.jobId, tip: this.tip, clean: false }));
        await this.everybody();
        return;
      case 'block':
        this.b.publish(makeJob({ id: ++this.jobId, tip: ++this.tip }));
        await this.everybody();
        return;
      case 'failCommit':
        this.failing = 2;
        return;
      case 'loseAnswer':
        this.losing = 2;
        return;
      case 'time':
        await this.b.clock.advanceAsync(step.seconds * 1000, 1000);
        await this.everybody();
    }
  }

  sessionOf(extranonce1: string): Session | undefined {
    for (const session of this.b.server.sessions) {
      const { prefix } = this.b.server.channelOf(session);
      if (Buffer.from(prefix ?? []).toString('hex') === extranonce1) return session;
    }
    return undefined;
  }

  async disconnect({ miner, lineage }: Player): Promise<void> {
    if (miner.closed) return;
    miner.connection.destroy();
    lineage.leftMs = this.b.clock.monotonic();
    await settle();
  }

  async everybody(): Promise<void> {
    await settle();
    for (const player of this.players) player.learn();
  }

  /** The ledger says what became of a share whose answer was lost. */
  settleUnknown(share: WireShare): void {
    this.unknown.delete(share.hash);
    const achieved = achievedBy(share);
    const found = this.b.accepted().some((record) => Math.abs(record.achieved / achieved - 1) < 1e-9);
    if (found) this.paid.set(share.hash, share.job.difficulty);
  }

  async finish(): Promise<void> {
    this.failing = 0;
    this.losing = 0;
    await this.b.clock.advanceAsync(30_000, 500);
    for (const { share } of this.shares) if (this.unknown.has(share.hash)) this.settleUnknown(share);
    const ledger = this.b.accepted();
    // Paid what the job was worth when it was sent, once each, and nothing else.
    const byHash = new Map([...this.paid].map(([hash, difficulty]) => [achievedOf(hash).toPrecision(12), difficulty]));
    expect(ledger.length).toBe(this.paid.size);
    for (const record of ledger) {
      expect(byHash.get(record.achieved.toPrecision(12)), `share of ${record.worker}`).toBe(record.difficulty);
      byHash.delete(record.achieved.toPrecision(12));
    }
    expect(byHash.size).toBe(0);
  }
}

function achievedOf(hash: string): number {
  return (0xffff * 2 ** 208) / Number(BigInt(`0x${hash}`));
}

function achievedBy(share: WireShare): number {
  return achievedOf(share.hash);
}

function meets(share: WireShare): boolean {
  return achievedBy(share) >= share.job.difficulty;
}
