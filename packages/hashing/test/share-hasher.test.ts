import { isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bestHashBackend,
  createShareHasher,
  type HashBackend,
  nodeShareHasher,
  SHARE_RECORD,
  SHARE_RESULT,
  type ShareHasher,
  type ShareHashJob,
} from '../src/index.js';
import {
  bytesOf,
  expectedResult,
  makeJob,
  makeShare,
  packRecords,
  type Shape,
  shapes,
  type TestShare,
} from './support.js';
import vectors from './vectors/pow.json' with { type: 'json' };

const USUAL: Shape = { coinbase1Bytes: 98, extranonceBytes: 12, coinbase2Bytes: 140, steps: 12 };

function run(hasher: ShareHasher, shares: readonly TestShare[]): Buffer[] {
  const results = new Uint8Array(shares.length * SHARE_RESULT.stride);
  hasher.hash(
    shares.map((share) => share.job),
    packRecords(shares),
    shares.length,
    results,
  );
  return shares.map((_, i) => Buffer.from(results.subarray(i * SHARE_RESULT.stride, (i + 1) * SHARE_RESULT.stride)));
}

function expectRight(hasher: ShareHasher, shares: readonly TestShare[]): void {
  run(hasher, shares).forEach((result, i) => {
    const share = shares[i];
    if (share === undefined) throw new Error('fewer shares than results');
    expect(result.toString('hex'), `share ${i} of ${shares.length}`).toBe(expectedResult(share).toString('hex'));
  });
}

describe('backends', () => {
  it('uses SIMD on this machine', () => {
    expect(bestHashBackend()).toBe('simd');
    expect(createShareHasher().backend).toBe('simd');
    expect(createShareHasher({ backend: 'auto' }).backend).toBe('simd');
  });

  it.each(['simd', 'scalar', 'node'] as const)('gives the backend asked for: %s', (backend) => {
    expect(createShareHasher({ backend }).backend).toBe(backend);
  });
});

describe.each(['simd', 'scalar', 'node'] as const)('share hasher: %s', (backend: HashBackend) => {
  const hasher = createShareHasher({ backend });

  it('reproduces real blocks and shares, all in one call', () => {
    const shares = vectors.shares.map((vector): TestShare & { header: string; hash: string } => ({
      job: {
        coinbase1: Buffer.from(vector.coinbase1, 'hex'),
        coinbase2: Buffer.from(vector.coinbase2, 'hex'),
        extranonceLength: vector.extranonce.length / 2,
        merkleBranch: Buffer.from(vector.merkleBranch.join(''), 'hex'),
        previousHash: Buffer.from(vector.previousHash, 'hex'),
        nbits: Number.parseInt(vector.nbits, 16),
      },
      version: Number.parseInt(vector.version, 16),
      ntime: Number.parseInt(vector.ntime, 16),
      nonce: Number.parseInt(vector.nonce, 16),
      extranonce: Buffer.from(vector.extranonce, 'hex'),
      header: vector.header,
      hash: vector.hash,
    }));
    expect(shares.length).toBeGreaterThan(8);
    run(hasher, shares).forEach((result, i) => {
      expect(result.subarray(0, 80).toString('hex'), vectors.shares[i]?.name).toBe(shares[i]?.header);
      expect(Buffer.from(result.subarray(80)).reverse().toString('hex'), vectors.shares[i]?.name).toBe(shares[i]?.hash);
    });
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 257, 600])('hashes %i shares of one job', (count) => {
    const job = makeJob('one', USUAL);
    expectRight(
      hasher,
      Array.from({ length: count }, (_, i) => makeShare(`share ${i}`, job)),
    );
  });

  it('hashes every coinbase length around the padding boundaries', () => {
    const shares: TestShare[] = [];
    for (let length = 50; length <= 330; length++) {
      const coinbase1Bytes = Math.min(length - 12, 42 + (length % 67));
      const shape = { coinbase1Bytes, extranonceBytes: 12, coinbase2Bytes: length - 12 - coinbase1Bytes, steps: 1 };
      const job = makeJob(`length ${length}`, shape);
      for (let i = 0; i < 3; i++) shares.push(makeShare(`${length}/${i}`, job));
    }
    expectRight(hasher, shares);
  });

  it('puts an extranonce of every length at every offset in a block', () => {
    const shares: TestShare[] = [];
    for (let offset = 0; offset < 64; offset++) {
      for (let extranonceBytes = 0; extranonceBytes <= 20; extranonceBytes++) {
        const shape = { coinbase1Bytes: 64 + offset, extranonceBytes, coinbase2Bytes: 20, steps: 0 };
        shares.push(makeShare(`${offset}/${extranonceBytes}`, makeJob(`${offset}/${extranonceBytes}`, shape)));
      }
    }
    expectRight(hasher, shares);
  });

  it('ignores what a record holds beyond the extranonce of its job', () => {
    const job = makeJob('beyond', { ...USUAL, extranonceBytes: 5 });
    const shares = Array.from({ length: 4 }, (_, i) => makeShare(`beyond ${i}`, job));
    const records = packRecords(shares);
    for (let i = 0; i < 4; i++) records.fill(0xff, i * 32 + SHARE_RECORD.extranonce + 5, (i + 1) * 32);
    const results = new Uint8Array(4 * SHARE_RESULT.stride);
    hasher.hash([job, job, job, job], records, 4, results);
    expect(Buffer.from(results)).toEqual(Buffer.concat(shares.map(expectedResult)));
  });

  it('agrees with node:crypto on any mixture of jobs and shapes', () => {
    fc.assert(
      fc.property(
        fc.array(shapes, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 24 }),
        fc.string(),
        (someShapes, picks, seed) => {
          // Two jobs per shape, so that lanes mix jobs as well as repeat them.
          const jobs = someShapes.flatMap((shape, i) => [
            makeJob(`${seed}${i}a`, shape),
            makeJob(`${seed}${i}b`, shape),
          ]);
          const shares = picks.map((pick, i) => {
            const job = jobs[pick % jobs.length];
            if (job === undefined) throw new Error('no job');
            return makeShare(`${seed} ${i}`, job);
          });
          expectRight(hasher, shares);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('takes coinbases of 16 KiB and of 1 MiB beside usual ones', () => {
    const large = makeJob('16 KiB', { ...USUAL, coinbase2Bytes: 16_384 - 110 });
    const huge = makeJob('1 MiB', { ...USUAL, coinbase2Bytes: 1 << 20 });
    const longStart = makeJob('long start', { ...USUAL, coinbase1Bytes: 20_000 });
    const usual = makeJob('usual', USUAL);
    const order = [usual, large, huge, usual, longStart, large, usual, huge, usual, large, large];
    expectRight(
      hasher,
      order.map((job, i) => makeShare(`size ${i}`, job)),
    );
    expectRight(hasher, [makeShare('after', usual)]);
  });

  it('keeps working when more jobs are in use than it remembers, in one call and in many', () => {
    const jobs = Array.from({ length: 1500 }, (_, i) => makeJob(`many ${i}`, { ...USUAL, steps: i % 3 }));
    expectRight(
      hasher,
      jobs.map((job, i) => makeShare(`many ${i}`, job)),
    );
    for (const i of [0, 700, 1499]) {
      const job = jobs[i];
      if (job) expectRight(hasher, [makeShare(`again ${i}`, job)]);
    }
  });

  it('keeps working with more shapes than it remembers', () => {
    const shares = Array.from({ length: 400 }, (_, i) =>
      makeShare(`shape ${i}`, makeJob(`shape ${i}`, { ...USUAL, steps: i % 17, coinbase2Bytes: 64 * (i % 29) })),
    );
    expectRight(hasher, shares);
    expectRight(hasher, shares.slice(0, 7));
  });

  it('refuses malformed jobs and short buffers with invalid_argument', () => {
    const job = makeJob('bad', USUAL);
    const results = new Uint8Array(SHARE_RESULT.stride);
    const records = new Uint8Array(SHARE_RECORD.stride);
    const refusal = (jobs: readonly ShareHashJob[], count = 1, from = records, to = results): string => {
      try {
        hasher.hash(jobs, from, count, to);
      } catch (error) {
        if (isPoolError(error, 'invalid_argument')) return error.message;
        throw error;
      }
      return 'accepted';
    };
    expect(refusal([{ ...job, extranonceLength: 21 }])).toMatch(/extranonce length must be 0 to 20 bytes, not 21/);
    expect(refusal([{ ...job, extranonceLength: 1.5 }])).toMatch(/extranonce length/);
    expect(refusal([{ ...job, merkleBranch: new Uint8Array(33) }])).toMatch(/merkle branch .* not 33 bytes/);
    expect(refusal([{ ...job, merkleBranch: new Uint8Array(33 * 32) }])).toMatch(/merkle branch/);
    expect(refusal([{ ...job, previousHash: new Uint8Array(31) }])).toMatch(/previous hash must be 32 bytes, not 31/);
    expect(refusal([{ ...job, nbits: 2 ** 32 }])).toMatch(/nbits/);
    expect(refusal([job], 2)).toMatch(/2 shares need as many jobs, not 1/);
    expect(refusal([job, job], 2, new Uint8Array(63), new Uint8Array(224))).toMatch(/64 bytes of records, not 63/);
    expect(refusal([job, job], 2, new Uint8Array(64), new Uint8Array(223))).toMatch(/224 bytes of results, not 223/);
    expect(refusal([job], -1)).toMatch(/count/);
    expect(refusal([job], 0.5)).toMatch(/count/);
    expect(refusal([job])).toBe('accepted');
  });

  it('is as good as new after a malformed job in the middle of a batch', () => {
    const good = makeJob('good', USUAL);
    const bad = { ...good, previousHash: new Uint8Array(3) };
    const results = new Uint8Array(3 * SHARE_RESULT.stride);
    expect(() => hasher.hash([good, good, bad], new Uint8Array(96), 3, results)).toThrow(/previous hash/);
    expectRight(
      hasher,
      Array.from({ length: 7 }, (_, i) => makeShare(`after ${i}`, good)),
    );
  });

  it('touches no byte outside the results it was asked for', () => {
    const job = makeJob('outside', USUAL);
    const shares = [makeShare('outside', job)];
    const buffer = new Uint8Array(3 * SHARE_RESULT.stride).fill(0xaa);
    hasher.hash([job], packRecords(shares), 1, buffer.subarray(SHARE_RESULT.stride, 2 * SHARE_RESULT.stride));
    expect(buffer.subarray(0, SHARE_RESULT.stride).every((byte) => byte === 0xaa)).toBe(true);
    expect(buffer.subarray(2 * SHARE_RESULT.stride).every((byte) => byte === 0xaa)).toBe(true);
  });
});

describe('hashers of one thread', () => {
  it('do not disturb each other', () => {
    const first = createShareHasher();
    const second = createShareHasher();
    const a = makeJob('a', USUAL);
    const b = makeJob('b', { ...USUAL, steps: 3 });
    expectRight(first, [makeShare('1', a), makeShare('2', b)]);
    expectRight(second, [makeShare('3', b), makeShare('4', a)]);
    expectRight(first, [makeShare('5', b), makeShare('6', a)]);
    expect(nodeShareHasher.backend).toBe('node');
    expect(bytesOf('x', 3)).toHaveLength(3);
  });
});
