import { jobHeader, type MinerJob } from '@headframe/client';
import {
  type BlockCandidate,
  buildHeader,
  deriveJob,
  FIRST_DERIVED_JOB_ID,
  foldBranch,
  mergeVersion,
  sha256d,
} from '@headframe/mining';
import { concatBytes } from '@headframe/primitives';
import { proxiedJob, splitExtranonce, upstreamShare } from '@headframe/proxy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });

const minerJob: fc.Arbitrary<MinerJob> = fc
  .record({
    coinbase1: bytes(1, 100),
    coinbase2: bytes(1, 100),
    steps: fc.integer({ min: 0, max: 4 }),
    extranonce1: bytes(0, 8),
    extranonce2Size: fc.integer({ min: 3, max: 20 }),
    version: u32,
    versionMask: fc.constantFrom(0, 0x1fffe000, 0x00006000, 0xffffffff),
    ntime: u32,
    previousHash: bytes(32),
    branch: bytes(128),
  })
  .map(({ steps, branch, ...fields }) => ({
    jobId: 'abc',
    notify: {
      jobId: 'abc',
      previousHash: fields.previousHash,
      coinbase1: fields.coinbase1,
      coinbase2: fields.coinbase2,
      merkleBranch: branch.slice(0, steps * 32),
      version: fields.version,
      nbits: 0x1702c4e4,
      ntime: fields.ntime,
      clean: true,
    },
    difficulty: 1024,
    extranonce1: fields.extranonce1,
    extranonce2Size: fields.extranonce2Size,
    versionMask: fields.versionMask,
    receivedAtMs: 0,
  }));

const options = {
  id: 0x01020304,
  algorithm: 'sha256d',
  difficultyFactor: 1,
  maxCoinbaseBytes: 16_384,
  clean: true,
  nowMs: 0,
} as const;

describe('a job of an upstream, given to miners', () => {
  it('a header that is found for it is the header the upstream computes of the share', () => {
    fc.assert(
      fc.property(
        minerJob,
        fc.record({
          prefix: bytes(4),
          extranonce2: bytes(8),
          ntime: u32,
          nonce: u32,
          bits: u32,
          mask: u32,
          derived: fc.boolean(),
        }),
        (job, choice) => {
          const split = splitExtranonce(job.extranonce2Size);
          const base = proxiedJob(job, { ...options, split });
          const record = choice.derived ? deriveJob(base, FIRST_DERIVED_JOB_ID + 77, 1) : base;
          const [variant] = record.variants;
          if (variant === undefined) throw new Error('no variant');
          // What a miner and our server make of it.
          const coinbase = concatBytes(
            variant.coinbase1,
            choice.prefix.slice(0, split.extranonce1Size),
            choice.extranonce2.slice(0, split.extranonce2Size),
            variant.coinbase2,
          );
          const mask = (record.versionMask & choice.mask) >>> 0;
          const header = buildHeader({
            version: mergeVersion(record.version, mask, (choice.bits & mask) >>> 0),
            previousHash: record.previousHash,
            merkleRoot: foldBranch(sha256d(coinbase), record.merkleBranch),
            ntime: choice.ntime,
            nbits: record.nbits,
            nonce: choice.nonce,
          });
          const share = upstreamShare(job, { header, coinbase } as BlockCandidate);
          if (share === undefined) throw new Error('no share');
          // What the upstream makes of the share.
          const { versionBits, ...rest } = share;
          const theirs = jobHeader(job, { ...rest, ...(versionBits === undefined ? {} : { versionBits }) });
          const version = job.versionMask === 0 ? job.notify.version : undefined;
          if (version !== undefined)
            expect(new DataView(header.buffer, header.byteOffset).getUint32(0, true)).toBe(version);
          expect(Buffer.from(theirs).toString('hex')).toBe(Buffer.from(header).toString('hex'));
          return true;
        },
      ),
    );
  });

  it('two miners, or two derived jobs, never work on the same coinbase', () => {
    fc.assert(
      fc.property(minerJob, bytes(2), bytes(2), u32, u32, (job, one, other, first, second) => {
        const split = splitExtranonce(job.extranonce2Size);
        const record = proxiedJob(job, { ...options, split });
        const coinbaseOf = (id: number, prefix: Uint8Array): string => {
          const derived = deriveJob(record, FIRST_DERIVED_JOB_ID + (id >>> 1), 1);
          const [variant] = derived.variants;
          if (variant === undefined) throw new Error('no variant');
          expect(variant.coinbase1).toHaveLength(record.variants[0]?.coinbase1.length ?? 0);
          return Buffer.from(concatBytes(variant.coinbase1, prefix.slice(0, split.extranonce1Size))).toString('hex');
        };
        const modulo = 2 ** (8 * split.stamp);
        const isSameWork =
          Buffer.from(one.slice(0, split.extranonce1Size)).equals(other.slice(0, split.extranonce1Size)) &&
          (first >>> 1) % modulo === (second >>> 1) % modulo;
        expect(coinbaseOf(first, one) === coinbaseOf(second, other)).toBe(isSameWork);
      }),
    );
  });

  it('what the upstream fixed of the extranonce is in the coinbase, and the whole has its length', () => {
    fc.assert(
      fc.property(minerJob, (job) => {
        const split = splitExtranonce(job.extranonce2Size);
        const [variant] = proxiedJob(job, { ...options, split }).variants;
        const { coinbase1, coinbase2 } = job.notify;
        expect((variant?.coinbase1.length ?? 0) + (variant?.extranonceLength ?? 0)).toBe(
          coinbase1.length + job.extranonce1.length + job.extranonce2Size,
        );
        expect(variant?.coinbase1.slice(0, coinbase1.length)).toEqual(coinbase1);
        expect(variant?.coinbase2).toEqual(coinbase2);
      }),
    );
  });

  it('is refused when it cannot be mined', () => {
    const [job] = fc.sample(minerJob, { numRuns: 1, seed: 1 });
    if (job === undefined) throw new Error('no sample');
    const split = splitExtranonce(job.extranonce2Size);
    const make =
      (changes: Partial<MinerJob>, settings = {}) =>
      () =>
        proxiedJob({ ...job, ...changes }, { ...options, split, ...settings });
    expect(make({ difficulty: 1e300 })).toThrow(/no hash meets/);
    expect(make({ difficulty: 0 })).toThrow(/positive/);
    expect(make({ notify: { ...job.notify, nbits: 0 } })).toThrow(/nbits/);
    expect(make({ notify: { ...job.notify, coinbase2: new Uint8Array(20_000) } })).toThrow(/coinbase has/);
  });

  it('cannot tell the upstream of version bits that it did not allow', () => {
    const [job] = fc.sample(minerJob, { numRuns: 1, seed: 2 });
    if (job === undefined) throw new Error('no sample');
    const mine = { ...job, versionMask: 0x1fffe000 };
    const header = jobHeader(
      { ...mine, versionMask: 0xffffffff },
      { extranonce2: new Uint8Array(job.extranonce2Size), versionBits: ((~job.notify.version & 1) >>> 0) | 0x40000000 },
    );
    const coinbase = new Uint8Array(300);
    const same = jobHeader(mine, { extranonce2: new Uint8Array(job.extranonce2Size) });
    expect(upstreamShare(mine, { header: same, coinbase } as BlockCandidate)).toBeDefined();
    expect(upstreamShare(mine, { header, coinbase } as BlockCandidate)).toBeUndefined();
  });
});
