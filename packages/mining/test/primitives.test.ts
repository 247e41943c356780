import { ByteReader, encodeCompactSize } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  auxSlot,
  buildHeader,
  canonicalDifficulty,
  compareDifficulty,
  difficultyTarget,
  encodeBip34Height,
  foldBranch,
  hashToDifficulty,
  lowestDifficulty,
  mergeVersion,
  merkleBranch,
  merkleRoot,
  nbitsToTarget,
  networkDifficulty,
  networkTargetBytes,
  parseHeader,
  sha256d,
  targetToNbits,
  witnessCommitment,
  witnessCommitmentScript,
} from '../src/index.js';
import { bytes, dsha, exactDecimal, hex, internal, loadVectors } from './oracle.js';

const { primitives } = loadVectors('stratum-v1.json');
const u32 = (text: string): number => Number.parseInt(text, 16);
const big = (text: string): bigint => BigInt(`0x${text}`);

const FACTORS: Readonly<Record<string, number>> = {
  sha256d: 1,
  'scrypt (x65536)': 65536,
  'x256 family (x16r, groestl, lyra2v2 ...)': 256,
};

describe('sha256d', () => {
  it.each(primitives.doubleSha256 as { in: string; out: string }[])('hashes "$in"', ({ in: input, out }) => {
    expect(hex(sha256d(bytes(input)))).toBe(out);
  });
});

describe('compact sizes', () => {
  it.each(primitives.compactSize as { n: string; hex: string }[])('$n', ({ n, hex: expected }) => {
    if (BigInt(n) > BigInt(Number.MAX_SAFE_INTEGER)) {
      // Nothing in a block can be that long: refused, not rounded.
      expect(() => encodeCompactSize(Number(n))).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
      return;
    }
    expect(hex(encodeCompactSize(Number(n)))).toBe(expected);
    expect(new ByteReader(bytes(expected)).compactSize()).toBe(Number(n));
  });
});

describe('compact targets', () => {
  it.each(
    primitives.nbits as {
      bits: string;
      negative: boolean;
      overflow: boolean;
      usableTarget: boolean;
      target?: string;
      canonicalBits?: string;
      difficulty?: number;
    }[],
  )('$bits', (vector) => {
    const expanded = nbitsToTarget(u32(vector.bits));
    expect(expanded.negative).toBe(vector.negative);
    expect(expanded.overflow).toBe(vector.overflow);
    if (vector.target !== undefined) expect(expanded.target).toBe(big(vector.target));
    if (vector.canonicalBits !== undefined) {
      expect(targetToNbits(expanded.target, { negative: expanded.negative })).toBe(u32(vector.canonicalBits));
    }
    const usable = networkTargetBytes(u32(vector.bits));
    expect(usable !== undefined).toBe(vector.usableTarget);
    if (usable !== undefined && vector.difficulty !== undefined) {
      expect(hex(usable.slice().reverse())).toBe(vector.target);
      expect(networkDifficulty(usable, 1) / vector.difficulty).toBeCloseTo(1, 12);
    }
  });

  it('survives encode, decode, encode', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), (target) => {
        const nbits = targetToNbits(target);
        const back = nbitsToTarget(nbits);
        expect(back.negative || back.overflow).toBe(false);
        expect(back.target <= target).toBe(true);
        // At least 15 bits of the mantissa are kept.
        expect((target - back.target) << 15n <= target).toBe(true);
        expect(targetToNbits(back.target)).toBe(nbits);
      }),
    );
  });
});

describe('difficulty', () => {
  it.each(
    primitives.difficultyToTarget as {
      algorithm: string;
      difficulty: number;
      target: string;
      targetLittleEndianBytes: string;
    }[],
  )('$algorithm $difficulty', ({ algorithm, difficulty, target, targetLittleEndianBytes }) => {
    const factor = FACTORS[algorithm];
    if (factor === undefined) throw new Error(`no factor for ${algorithm}`);
    // The vectors take the double as an exact rational. Written out in full it is a decimal like any other.
    expect(difficultyTarget(exactDecimal(difficulty), factor)).toBe(big(target));
    const canonical = canonicalDifficulty(difficulty, factor);
    expect(canonical.value).toBe(Number(difficulty.toPrecision(6)));
    if (canonical.value !== difficulty) return; // 4294967296 has more than six digits
    if (Number.isInteger(difficulty * 2)) expect(hex(canonical.target)).toBe(targetLittleEndianBytes);
    // Otherwise the text on the wire (0.1) and the double next to it differ after 16 digits.
    const ratio = (big(hex(canonical.target.slice().reverse())) * 10n ** 15n) / big(target);
    expect(ratio >= 10n ** 15n - 1n && ratio <= 10n ** 15n + 1n).toBe(true);
  });

  it.each(primitives.hashToDifficulty as { hash: string; difficulty: number }[])('of hash $hash', (vector) => {
    const padded = new Uint8Array(40);
    padded.set(internal(vector.hash), 5);
    expect(hashToDifficulty(internal(vector.hash), 1) / vector.difficulty).toBeCloseTo(1, 13);
    expect(hashToDifficulty(padded, 1, 5)).toBe(hashToDifficulty(internal(vector.hash), 1));
    expect(hashToDifficulty(internal(vector.hash), 65536) / vector.difficulty).toBeCloseTo(65536, 6);
  });

  it('knows pdiff from bdiff', () => {
    const { pdiffDiff1, bdiffDiff1, ratio } = primitives.pdiffBdiff;
    expect(difficultyTarget('1', 1)).toBe(big(bdiffDiff1));
    expect(hashToDifficulty(internal(pdiffDiff1), 1) * ratio).toBeCloseTo(1, 12);
  });

  it('a hash of zero has a finite difficulty', () => {
    expect(Number.isFinite(hashToDifficulty(new Uint8Array(32), 65536))).toBe(true);
  });

  it.each([
    [1, '1'],
    [0.1, '0.1'],
    ['0.00015', '0.00015'],
    ['1.5e-4', '0.00015'],
    ['+512', '512'],
    ['0512.000000', '512'],
    ['1e-7', '0.0000001'],
    [1e-7, '0.0000001'],
    ['1E6', '1000000'],
    [1234567, '1234570'],
    [1234564, '1234560'],
    ['1234565', '1234570'],
    [999999.9, '1000000'],
    [0.000123456789, '0.000123457'],
    ['.5', '0.5'],
    ['5.', '5'],
    [' 8 ', '8'],
    [1e21, '1000000000000000000000'],
  ])('%s is written %s', (input, text) => {
    const difficulty = canonicalDifficulty(input, 1);
    expect(difficulty.text).toBe(text);
    expect(difficulty.value).toBe(Number(text));
  });

  it.each([
    0,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    '-1',
    '0x10',
    'abc',
    '1e999999',
    '1e9999999999999',
    '.',
    '1,5',
    '9'.repeat(401),
    '1e-400',
    1e70,
    2 ** -33,
  ])('%s is no difficulty', (input) => {
    expect(() => canonicalDifficulty(input, 1)).toThrow(expect.objectContaining({ code: 'invalid_difficulty' }));
  });

  it.each([1, 256, 65536])('the lowest one of factor %i has a target below 2^256 and can be named', (factor) => {
    const lowest = lowestDifficulty(factor);
    const exact = factor * 2 ** -32;
    expect(lowest.value).toBeGreaterThanOrEqual(exact);
    expect(lowest.value).toBeLessThan(exact * 1.00001);
    expect(hex(lowest.target.slice().reverse())).toMatch(/^fff[ef]/);
    expect(canonicalDifficulty(lowest.value, factor).text).toBe(lowest.text);
    expect(canonicalDifficulty(lowest.text, factor).target).toEqual(lowest.target);
    // Legal, but nearest with 6 digits would be below the lowest.
    expect(canonicalDifficulty(exact, factor).text).toBe(lowest.text);
    expect(() => canonicalDifficulty(exact * 0.999999, factor)).toThrow(
      expect.objectContaining({ code: 'invalid_difficulty' }),
    );
  });

  it('is exact for any text of at most six digits, and orders like its targets', () => {
    const text = fc
      .tuple(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: -9, max: 20 }))
      .map(([digits, exponent]) => `${digits}e${exponent}`)
      .filter((candidate) => Number(candidate) >= 3e-10);
    fc.assert(
      fc.property(text, text, fc.constantFrom(1, 256, 65536), (left, right, factor) => {
        if (Number(left) < factor * 2.4e-10 || Number(right) < factor * 2.4e-10) return;
        const a = canonicalDifficulty(left, factor);
        const b = canonicalDifficulty(right, factor);
        expect(a.text).toMatch(/^(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/);
        expect(a.value).toBe(Number(left));
        expect(canonicalDifficulty(a.text, factor)).toEqual(a);
        const [digits = '', exponent = ''] = left.split('e');
        const scale = 10n ** BigInt(Math.abs(Number(exponent)));
        const diff1 = (0xffffn << 208n) * BigInt(factor);
        const expected = Number(exponent) >= 0 ? diff1 / (BigInt(digits) * scale) : (diff1 * scale) / BigInt(digits);
        expect(big(hex(a.target.slice().reverse()))).toBe(expected);
        const order = Math.sign(compareDifficulty(a, b));
        const targets = big(hex(b.target.slice().reverse())) - big(hex(a.target.slice().reverse()));
        expect(order).toBe(targets === 0n ? 0 : targets > 0n ? 1 : -1);
      }),
    );
  });

  it('a factor that is no positive integer is refused', () => {
    for (const factor of [0, -1, 0.5, Number.NaN]) {
      expect(() => canonicalDifficulty(1, factor)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });
});

describe('BIP 34 height', () => {
  it.each(primitives.bip34 as { height: number; push: string }[])('$height', ({ height, push }) => {
    expect(hex(encodeBip34Height(height))).toBe(push);
  });
  it.each([-1, 1.5, 2 ** 31, Number.NaN])('%s is refused', (height) => {
    expect(() => encodeBip34Height(height)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('version rolling', () => {
  it.each(
    primitives.versionMerge as {
      jobVersion: string;
      mask: string;
      submittedBits: string;
      bip310?: string;
      reject?: boolean;
    }[],
  )('$jobVersion & $mask with $submittedBits', ({ jobVersion, mask, submittedBits, bip310, reject }) => {
    const merged = mergeVersion(u32(jobVersion), u32(mask), u32(submittedBits));
    expect(merged).toBe(reject ? -1 : u32(bip310 ?? ''));
  });
  it('works with the top bit', () => {
    expect(mergeVersion(0xffffffff, 0x80000000, 0)).toBe(0x7fffffff);
    expect(mergeVersion(0, 0xffffffff, 0xffffffff)).toBe(0xffffffff);
    expect(mergeVersion(0, 0x1fffe000, 0x80000000)).toBe(-1);
  });
});

describe('merkle trees', () => {
  const leaf = (i: number): Uint8Array => {
    const out = new Uint8Array(32);
    out[0] = i;
    return out;
  };

  it.each(
    primitives.merkleBranchShape as {
      txCountIncludingCoinbase: number;
      branchLength: number;
      branch: string[];
      rootBytes: string;
    }[],
  )(
    'of $txCountIncludingCoinbase transactions',
    ({ txCountIncludingCoinbase: count, branchLength, branch, rootBytes }) => {
      const leaves = Array.from({ length: count }, (_, i) => leaf(i));
      const packed = merkleBranch(leaves.slice(1));
      expect(packed.length).toBe(32 * branchLength);
      expect(hex(packed)).toBe(branch.join(''));
      expect(hex(foldBranch(leaf(0), packed))).toBe(rootBytes);
      expect(hex(merkleRoot(leaves))).toBe(rootBytes);
    },
  );

  it.each(
    primitives.merkleBranchFold as {
      source: string;
      coinbase: string;
      coinbaseHashBytes: string;
      branch: string[];
      rootBytes: string;
    }[],
  )('$source', ({ coinbase, coinbaseHashBytes, branch, rootBytes }) => {
    expect(hex(sha256d(bytes(coinbase)))).toBe(coinbaseHashBytes);
    expect(hex(foldBranch(bytes(coinbaseHashBytes), bytes(branch.join(''))))).toBe(rootBytes);
  });

  it('folding the branch equals hashing the whole tree', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { minLength: 1, maxLength: 40 }),
        (leaves) => {
          let level: readonly Uint8Array[] = leaves;
          while (level.length > 1) {
            const next: Uint8Array[] = [];
            for (let i = 0; i < level.length; i += 2) {
              const left = level[i] ?? leaf(0);
              next.push(dsha(left, level[i + 1] ?? left));
            }
            level = next;
          }
          expect(merkleRoot(leaves)).toEqual(level[0]);
        },
      ),
    );
  });

  it('commits to an empty block as every node does', () => {
    const commitment = witnessCommitment([]);
    expect(hex(commitment)).toBe('e2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9');
    expect(hex(witnessCommitmentScript(commitment))).toBe(`6a24aa21a9ed${hex(commitment)}`);
  });

  it('refuses hashes of another length', () => {
    expect(() => merkleBranch([new Uint8Array(31)])).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(() => foldBranch(new Uint8Array(32), new Uint8Array(33))).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
    expect(() => merkleRoot([])).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('merged-mining slots', () => {
  it.each(primitives.auxSlot as { nonce: number; chainId: number; merkleHeight: number; slot: number }[])(
    'chain $chainId, nonce $nonce, height $merkleHeight',
    ({ nonce, chainId, merkleHeight, slot }) => {
      expect(auxSlot(nonce, chainId, merkleHeight)).toBe(slot);
    },
  );
  it('stay inside the highest tree', () => {
    expect(auxSlot(0xffffffff, 0xffff, 30)).toBeLessThan(2 ** 30);
    expect(() => auxSlot(0, 1, 31)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('headers', () => {
  it('survive building and parsing', () => {
    const u32s = fc.integer({ min: 0, max: 0xffffffff });
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(
        fc.record({ version: u32s, previousHash: hash, merkleRoot: hash, ntime: u32s, nbits: u32s, nonce: u32s }),
        (fields) => {
          const header = buildHeader(fields);
          expect(header.length).toBe(80);
          expect(parseHeader(header)).toEqual({
            ...fields,
            previousHash: Uint8Array.from(fields.previousHash),
            merkleRoot: Uint8Array.from(fields.merkleRoot),
          });
        },
      ),
    );
  });
  it('of another length are refused', () => {
    expect(() => parseHeader(new Uint8Array(79))).toThrow(expect.objectContaining({ code: 'invalid_block' }));
    const wrong = {
      version: 1,
      previousHash: new Uint8Array(31),
      merkleRoot: new Uint8Array(32),
      ntime: 0,
      nbits: 0,
      nonce: 0,
    };
    expect(() => buildHeader(wrong)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
