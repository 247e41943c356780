import { createHash, scryptSync } from 'node:crypto';
import { nodeShareHasher, powAlgorithm } from '@headframe/hashing';
import { evaluateShare, type HashableJob } from '@headframe/mining';
import { isPoolError, type MaybePromise } from '@headframe/primitives';
import { afterEach, describe, expect, it } from 'vitest';
import type { PendingShare, ShareEvaluation, ShareValidator, ValidatorListener } from './types.js';

/** What the suite wants of a validator. */
export interface ValidatorWish {
  readonly listener: ValidatorListener<PendingShare>;
  /** Bound of the queue. */
  readonly queue: number;
}

const EVERYTHING = new Uint8Array(32).fill(0xff);
const NOTHING = new Uint8Array(32);

function bytesOf(seed: string, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += 32) {
    const part = createHash('sha256').update(`${seed}/${at}`).digest();
    out.set(part.subarray(0, Math.min(32, length - at)), at);
  }
  return out;
}

interface JobWish {
  readonly coinbase1?: number;
  readonly coinbase2?: number;
  readonly extranonce?: number;
  readonly steps?: number;
  readonly algorithm?: HashableJob['algorithm'];
  readonly networkTarget?: Uint8Array;
}

function makeJob(seed: string, wish: JobWish = {}): HashableJob {
  const { coinbase1 = 98, coinbase2 = 140, extranonce = 12, steps = 12 } = wish;
  return {
    coinbase1: bytesOf(`${seed}/1`, coinbase1),
    coinbase2: bytesOf(`${seed}/2`, coinbase2),
    extranonceLength: extranonce,
    merkleBranch: bytesOf(`${seed}/branch`, 32 * steps),
    previousHash: bytesOf(`${seed}/previous`, 32),
    nbits: 0x1d00ffff,
    algorithm: wish.algorithm ?? 'sha256d',
    networkTarget: wish.networkTarget ?? NOTHING,
  };
}

let serial = 0;
function makeShare(job: HashableJob, shareTarget: Uint8Array = EVERYTHING): PendingShare {
  serial++;
  const seed = `share ${serial}`;
  const [version = 0, ntime = 0] = new Uint32Array(bytesOf(seed, 8).buffer);
  return { job, version, ntime, nonce: serial, extranonce: bytesOf(seed, job.extranonceLength), shareTarget };
}

const sha256d = (bytes: Uint8Array): Uint8Array =>
  createHash('sha256').update(createHash('sha256').update(bytes).digest()).digest();

/** Proof-of-work hash by node:crypto and plain concatenation alone. */
function oracle(share: PendingShare): { header: string; hash: string; pow: string } {
  const { job } = share;
  let root = sha256d(Buffer.concat([job.coinbase1, share.extranonce, job.coinbase2]));
  for (let at = 0; at < job.merkleBranch.length; at += 32) {
    root = sha256d(Buffer.concat([root, job.merkleBranch.subarray(at, at + 32)]));
  }
  const header = Buffer.alloc(80);
  header.writeUInt32LE(share.version, 0);
  header.set(job.previousHash, 4);
  header.set(root, 36);
  header.writeUInt32LE(share.ntime, 68);
  header.writeUInt32LE(job.nbits, 72);
  header.writeUInt32LE(share.nonce, 76);
  const hash = sha256d(header);
  const pow = job.algorithm === 'sha256d' ? hash : scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 });
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return { header: hex(header), hash: hex(hash), pow: hex(pow) };
}

interface Seen {
  readonly share: PendingShare;
  readonly header: string;
  readonly hash: string;
  readonly pow: string;
  readonly shareTarget: boolean;
  readonly network: boolean;
}

/** Records what a validator says. */
class Recorder implements ValidatorListener<PendingShare> {
  readonly seen: Seen[] = [];
  readonly failures: { share: PendingShare; error: Error }[] = [];
  readonly order: string[] = [];
  inSubmit = false;
  sinceBatch = 0;
  drains = 0;
  onEvaluated: ((share: PendingShare) => void) | undefined;
  #waiting: { settled: number; resolve: () => void } | undefined;
  #drainWaiting: (() => void) | undefined;

  evaluated(share: PendingShare, evaluation: ShareEvaluation): void {
    if (this.inSubmit) throw new Error('evaluated was called from inside submit');
    const { bytes, headerOffset, hashOffset, powOffset } = evaluation;
    const hex = (from: number, length: number): string =>
      Buffer.from(bytes.subarray(from, from + length)).toString('hex');
    this.seen.push({
      share,
      header: hex(headerOffset, 80),
      hash: hex(hashOffset, 32),
      pow: hex(powOffset, 32),
      shareTarget: evaluation.meetsShareTarget,
      network: evaluation.meetsNetworkTarget,
    });
    this.sinceBatch++;
    this.#settled();
    this.onEvaluated?.(share);
  }
  failed(share: PendingShare, error: Error): void {
    this.failures.push({ share, error });
    this.sinceBatch++;
    this.#settled();
  }
  batchDone(): void {
    this.sinceBatch = 0;
  }
  drained(): void {
    this.drains++;
    this.#drainWaiting?.();
  }

  #settled(): void {
    const waiting = this.#waiting;
    if (waiting !== undefined && this.seen.length + this.failures.length >= waiting.settled) waiting.resolve();
  }

  /** Resolves when so many shares were evaluated or failed, and their batch is done. */
  async settled(count: number): Promise<void> {
    if (this.seen.length + this.failures.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = { settled: count, resolve };
      });
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  async drain(): Promise<void> {
    if (this.drains > 0) return;
    await new Promise<void>((resolve) => {
      this.#drainWaiting = resolve;
    });
  }
}

/**
 * The suite that every validator passes: same results as the pure function and as node:crypto, submission order,
 * overflow, failures, close. `make` gets the listener and the bound of the queue.
 */
export function describeValidator(
  name: string,
  make: (wish: ValidatorWish) => MaybePromise<ShareValidator<PendingShare>>,
): void {
  describe(`${name}: validator`, () => {
    const open: ShareValidator<PendingShare>[] = [];
    afterEach(async () => {
      await Promise.all(open.splice(0).map((validator) => validator.close()));
    });

    async function start(queue = 4096): Promise<{ validator: ShareValidator<PendingShare>; recorder: Recorder }> {
      const recorder = new Recorder();
      const validator = await make({ listener: recorder, queue });
      open.push(validator);
      return { validator, recorder };
    }
    function submit(validator: ShareValidator<PendingShare>, recorder: Recorder, share: PendingShare): boolean {
      recorder.inSubmit = true;
      const taken = validator.submit(share);
      recorder.inSubmit = false;
      return taken;
    }
    async function judge(shares: readonly PendingShare[]): Promise<readonly Seen[]> {
      const { validator, recorder } = await start();
      for (const share of shares) expect(submit(validator, recorder, share)).toBe(true);
      expect(validator.pending).toBe(shares.length);
      await recorder.settled(shares.length);
      expect(recorder.failures).toEqual([]);
      expect(recorder.sinceBatch, 'batchDone follows the last share').toBe(0);
      expect(validator.pending).toBe(0);
      expect(validator.stats()).toMatchObject({ evaluated: shares.length, failed: 0, pending: 0 });
      return recorder.seen;
    }
    function expectRight(seen: readonly Seen[], shares: readonly PendingShare[]): void {
      expect(seen.length).toBe(shares.length);
      shares.forEach((share, i) => {
        const one = seen[i];
        expect(one?.share, `share ${i} is in its place`).toBe(share);
        const { header, hash, pow } = oracle(share);
        expect({ header: one?.header, hash: one?.hash, pow: one?.pow }, `share ${i}`).toEqual({ header, hash, pow });
        const verdict = evaluateShare(nodeShareHasher, powAlgorithm(share.job.algorithm), share);
        expect(Buffer.from(verdict.pow).toString('hex')).toBe(pow);
        expect(one?.shareTarget).toBe(verdict.meetsShareTarget);
        expect(one?.network).toBe(verdict.meetsNetworkTarget);
      });
    }

    it.each([1, 2, 3, 4, 5, 8, 9, 31])('judges %i shares of one turn like the pure function', async (count) => {
      const job = makeJob('one job');
      const shares = Array.from({ length: count }, () => makeShare(job));
      expectRight(await judge(shares), shares);
    });

    it('judges mixtures of jobs, shapes and extranonce lengths in order of submission', async () => {
      const jobs = [
        makeJob('a'),
        makeJob('b'),
        makeJob('short', { coinbase1: 42, coinbase2: 60, extranonce: 8, steps: 0 }),
        makeJob('long', { coinbase2: 900, extranonce: 20, steps: 3 }),
        makeJob('odd', { coinbase1: 127, extranonce: 1, steps: 1 }),
      ];
      const shares: PendingShare[] = [];
      for (let i = 0; i < 700; i++) {
        const job = jobs[(i * 7 + (i >> 3)) % jobs.length];
        if (job) shares.push(makeShare(job));
      }
      expectRight(await judge(shares), shares);
    });

    it('judges scrypt, alone and mixed with sha256d', async () => {
      const scrypt = makeJob('scrypt', { algorithm: 'scrypt', steps: 2 });
      const sha = makeJob('sha', { steps: 2 });
      const shares = Array.from({ length: 13 }, () => makeShare(scrypt));
      expectRight(await judge(shares), shares);
      const mixed = Array.from({ length: 21 }, (_, i) => makeShare(i % 5 < 2 ? sha : scrypt));
      expectRight(await judge(mixed), mixed);
    });

    it('judges more different jobs than anybody remembers', async () => {
      const jobs = Array.from({ length: 1300 }, (_, i) => makeJob(`many ${i}`, { steps: 1 }));
      const shares = [...jobs, ...jobs.slice(0, 50)].map((job) => makeShare(job));
      expectRight(await judge(shares), shares);
    });

    it.each(['sha256d', 'scrypt'] as const)('%s: a hash equal to a target meets it, one above does not', async (id) => {
      const job = makeJob(`boundary ${id}`, { algorithm: id, steps: 1 });
      const share = makeShare(job);
      const target = Buffer.from(oracle(share).pow, 'hex');
      const value = BigInt(`0x${Buffer.from(target).reverse().toString('hex')}`);
      const below = Buffer.from((value - 1n).toString(16).padStart(64, '0'), 'hex').reverse();
      const at = (shareTarget: Uint8Array, networkTarget: Uint8Array): PendingShare => ({
        ...share,
        job: { ...job, networkTarget },
        shareTarget,
      });
      const seen = await judge([at(target, below), at(below, target), at(target, target), at(below, below)]);
      expect(seen.map(({ shareTarget, network }) => [shareTarget, network])).toEqual([
        [true, false],
        [false, true],
        [true, true],
        [false, false],
      ]);
    });

    it('refuses when the queue is full, takes nothing then, and says when there is room', async () => {
      const { validator, recorder } = await start(16);
      const job = makeJob('overflow');
      const taken: PendingShare[] = [];
      let refused = 0;
      for (let i = 0; i < 40; i++) {
        const share = makeShare(job);
        if (submit(validator, recorder, share)) taken.push(share);
        else refused++;
      }
      expect([taken.length, refused, validator.pending]).toEqual([16, 24, 16]);
      expect(recorder.drains).toBe(0);
      await recorder.drain();
      const more = makeShare(job);
      expect(submit(validator, recorder, more)).toBe(true);
      await recorder.settled(17);
      expectRight(recorder.seen, [...taken, more]);
      expect(recorder.drains).toBe(1);
    });

    it('is not bothered by a burst in one turn that passes every batch size', async () => {
      const job = makeJob('burst', { steps: 1 });
      const shares = Array.from({ length: 2500 }, () => makeShare(job));
      const seen = await judge(shares);
      expect(seen.map(({ share }) => share)).toEqual(shares);
      expect(seen[2499]?.pow).toBe(oracle(shares[2499] ?? makeShare(job)).pow);
    });

    it('takes shares from inside evaluated', async () => {
      const { validator, recorder } = await start();
      const job = makeJob('nested');
      const shares = Array.from({ length: 30 }, () => makeShare(job));
      let next = 3;
      recorder.onEvaluated = () => {
        const share = shares[next++];
        if (share !== undefined) expect(validator.submit(share)).toBe(true);
      };
      for (const share of shares.slice(0, 3)) submit(validator, recorder, share);
      await recorder.settled(30);
      expectRight(recorder.seen, shares);
    });

    it('throws on an extranonce of the wrong length and takes nothing', async () => {
      const { validator, recorder } = await start();
      const job = makeJob('extranonce');
      const good = makeShare(job);
      let thrown: unknown;
      try {
        validator.submit({ ...good, extranonce: new Uint8Array(11) });
      } catch (error) {
        thrown = error;
      }
      expect(isPoolError(thrown, 'invalid_argument')).toBe(true);
      expect(validator.pending).toBe(0);
      submit(validator, recorder, good);
      await recorder.settled(1);
      expectRight(recorder.seen, [good]);
    });

    it('fails the shares of a malformed job and no others', async () => {
      const { validator, recorder } = await start();
      const good = makeJob('good');
      const bad = { ...makeJob('bad'), previousHash: new Uint8Array(31) };
      const shares = Array.from({ length: 11 }, (_, i) => makeShare(i % 4 === 2 ? bad : good));
      for (const share of shares) submit(validator, recorder, share);
      await recorder.settled(11);
      expect(recorder.failures.map(({ share }) => share)).toEqual(shares.filter(({ job }) => job === bad));
      for (const { error } of recorder.failures) {
        expect(isPoolError(error, 'invalid_argument')).toBe(true);
        expect(error.message).toMatch(/previous hash must be 32 bytes/);
      }
      expectRight(
        recorder.seen,
        shares.filter(({ job }) => job === good),
      );
      expect(validator.stats()).toMatchObject({ evaluated: 8, failed: 3 });
    });

    it('goes on when the listener throws', async () => {
      const { validator, recorder } = await start();
      const job = makeJob('throwing');
      const shares = Array.from({ length: 9 }, () => makeShare(job));
      recorder.onEvaluated = (share) => {
        if (share === shares[1]) throw new Error('listener trouble');
      };
      for (const share of shares) submit(validator, recorder, share);
      await recorder.settled(9);
      expectRight(recorder.seen, shares);
    });

    it('judges what is pending when it closes, once, and takes nothing more', async () => {
      const { validator, recorder } = await start();
      const job = makeJob('close');
      const scrypt = makeJob('close scrypt', { algorithm: 'scrypt', steps: 0 });
      const shares = Array.from({ length: 300 }, (_, i) => makeShare(i % 50 === 7 ? scrypt : job));
      for (const share of shares) submit(validator, recorder, share);
      const closed = validator.close();
      expect(validator.close()).toBe(closed);
      expect(submit(validator, recorder, makeShare(job))).toBe(false);
      await closed;
      expectRight(recorder.seen, shares);
      expect(validator.pending).toBe(0);
      await validator.close();
      expect(recorder.seen.length).toBe(300);
      expect(recorder.drains, 'a closed validator has no room').toBe(0);
    });

    it('closes when nothing is pending', async () => {
      const { validator, recorder } = await start();
      await validator.close();
      expect(recorder.seen.length + recorder.failures.length).toBe(0);
    });
  });
}
