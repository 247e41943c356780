import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bytesToHex, hexToBytes, isPoolError, reverseBytes } from '@headframe/primitives';
import { decodeNotify } from '@headframe/stratum-v1';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  jobCoinbase,
  jobHeader,
  jobMerkleRoot,
  type MinerJob,
  searchNonce,
  searchShare,
  shareTarget,
} from '../src/index.js';
import { counterBytes, depositBits, makeWorkUnit } from '../src/work.js';

interface Vectors {
  readonly pairs: readonly {
    readonly name: string;
    readonly extranonce1: string;
    readonly extranonce2Size: number;
    readonly notifyParams: readonly unknown[];
    readonly submitParams: readonly string[];
    readonly versionMask: string;
    readonly header: string;
    readonly hash: string;
    readonly difficulty: number;
  }[];
  readonly scrypt: { readonly header: string; readonly powHash: string; readonly target: string };
}
const vectors: Vectors = JSON.parse(readFileSync(new URL('./vectors/mining.json', import.meta.url), 'utf8'));

function jobOf(pair: Vectors['pairs'][number], difficulty: number): MinerJob {
  const notify = decodeNotify(pair.notifyParams);
  return {
    jobId: notify.jobId,
    notify,
    difficulty,
    extranonce1: hexToBytes(pair.extranonce1),
    extranonce2Size: pair.extranonce2Size,
    versionMask: Number.parseInt(pair.versionMask, 16),
    receivedAtMs: 0,
  };
}

describe('searching real jobs', () => {
  it.each(vectors.pairs)('finds the share of $name again', (pair) => {
    const [, , extranonce2 = '', ntime = '', nonceHex = '', bits] = pair.submitParams;
    const nonce = Number.parseInt(nonceHex, 16);
    const job = jobOf(pair, pair.difficulty * 0.999999);
    const choice = {
      extranonce2: hexToBytes(extranonce2),
      ntime: Number.parseInt(ntime, 16),
      ...(bits !== undefined && { versionBits: Number.parseInt(bits, 16) }),
    };
    expect(bytesToHex(jobHeader(job, { ...choice, nonce }))).toBe(pair.header);
    const found = searchShare(job, { ...choice, startNonce: (nonce - 50) >>> 0, maxNonces: 100 });
    expect(found?.nonce).toBe(nonce);
    expect(bytesToHex(reverseBytes(found?.hash ?? new Uint8Array()))).toBe(pair.hash);
    expect(found?.versionBits).toBe(job.versionMask === 0 ? undefined : choice.versionBits);
    // A hair above what the hash reached: not a share.
    expect(
      searchShare(jobOf(pair, pair.difficulty * 1.000001), { ...choice, startNonce: nonce, maxNonces: 1 }),
    ).toBeUndefined();
  });

  it.each(vectors.pairs)('builds the coinbase and the merkle root of $name', (pair) => {
    const job = jobOf(pair, 1);
    const extranonce2 = hexToBytes(pair.submitParams[2] ?? '');
    const [, , coinbase1, coinbase2] = pair.notifyParams;
    expect(bytesToHex(jobCoinbase(job, extranonce2))).toBe(
      `${coinbase1}${pair.extranonce1}${pair.submitParams[2]}${coinbase2}`,
    );
    expect(bytesToHex(jobMerkleRoot(job, extranonce2))).toBe(pair.header.slice(72, 136));
    expect(() => jobCoinbase(job, new Uint8Array(job.extranonce2Size + 1))).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });

  it('hashes scrypt', () => {
    const header = hexToBytes(vectors.scrypt.header);
    const nonce = new DataView(header.buffer).getUint32(76, true);
    const found = searchNonce({
      header,
      target: reverseBytes(hexToBytes(vectors.scrypt.target)),
      algorithm: 'scrypt',
      startNonce: nonce - 2,
      maxNonces: 5,
    });
    expect(found).toMatchObject({ nonce, hashes: 3 });
    expect(bytesToHex(reverseBytes(found.hash))).toBe(vectors.scrypt.powHash);
  });
});

describe('searchNonce', () => {
  it('agrees with node:crypto on any header', () => {
    const everything = new Uint8Array(32).fill(255);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 80, maxLength: 80 }), fc.nat({ max: 0xffffffff }), (bytes, nonce) => {
        const header = Uint8Array.from(bytes);
        const found = searchNonce({
          header,
          target: everything,
          algorithm: 'sha256d',
          startNonce: nonce,
          maxNonces: 1,
        });
        new DataView(header.buffer).setUint32(76, nonce, true);
        expect(found.nonce).toBe(nonce);
        expect(bytesToHex(found.hash)).toBe(hash('sha256', hash('sha256', header, 'buffer'), 'hex'));
      }),
    );
  });

  it('finds the first nonce that meets the target, and counts', () => {
    const header = new Uint8Array(80).fill(7);
    const target = shareTarget(1e-6);
    const found = searchNonce({ header, target, algorithm: 'sha256d', startNonce: 0, maxNonces: 100_000 });
    expect(found.nonce).toBeGreaterThan(0);
    expect(found.hashes).toBe(found.nonce + 1);
    const before = searchNonce({ header, target, algorithm: 'sha256d', startNonce: 0, maxNonces: found.nonce });
    expect(before).toMatchObject({ nonce: -1, hashes: found.nonce });
  });

  it('wraps after the last nonce', () => {
    const request = { header: new Uint8Array(80), target: new Uint8Array(32).fill(255), algorithm: 'sha256d' } as const;
    expect(searchNonce({ ...request, startNonce: 0xffffffff, maxNonces: 2 }).nonce).toBe(0xffffffff);
    expect(
      searchNonce({ ...request, target: shareTarget(1e-7), startNonce: 0xffffffff, maxNonces: 5000 }).hashes,
    ).toBeLessThan(5000);
  });

  it('refuses wrong lengths', () => {
    const good = {
      header: new Uint8Array(80),
      target: new Uint8Array(32),
      algorithm: 'sha256d',
      startNonce: 0,
    } as const;
    for (const bad of [
      { ...good, header: new Uint8Array(79), maxNonces: 1 },
      { ...good, target: new Uint8Array(31), maxNonces: 1 },
      { ...good, maxNonces: -1 },
      { ...good, maxNonces: 2 ** 33 },
    ]) {
      expect(() => searchNonce(bad)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });
});

describe('work units', () => {
  it('spreads counters over the mask', () => {
    expect(depositBits(0b101, 0x1fffe000)).toBe(0b101 << 13);
    expect(depositBits(0xffffffff, 0x1fffe000)).toBe(0x1fffe000);
    expect(depositBits(3, 0x80000001)).toBe(0x80000001);
    expect(depositBits(7, 0)).toBe(0);
  });
  it('writes counters little-endian and cuts them', () => {
    expect(bytesToHex(counterBytes(0x010203, 4))).toBe('03020100');
    expect(bytesToHex(counterBytes(0x010203, 2))).toBe('0302');
    expect(counterBytes(5, 0).length).toBe(0);
  });
  it('gives every counter another header, with or without version rolling', () => {
    const [pair] = vectors.pairs;
    if (pair === undefined) throw new Error('no vectors');
    for (const rollVersion of [true, false]) {
      const job = { ...jobOf(pair, 1), versionMask: 0x1fffe000 };
      const headers = new Set(
        Array.from({ length: 100 }, (_, counter) =>
          bytesToHex(makeWorkUnit(job, { counter, ntime: job.notify.ntime, rollVersion }).header),
        ),
      );
      expect(headers.size).toBe(100);
    }
    const without = makeWorkUnit(jobOf(pair, 1), { counter: 1, ntime: 1, rollVersion: true });
    expect(without.versionBits).toBeUndefined();
  });
  it('refuses what cannot be', () => {
    const [pair] = vectors.pairs;
    if (pair === undefined) throw new Error('no vectors');
    const job = jobOf(pair, 1);
    const codeOf = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return isPoolError(error) ? error.code : error;
      }
    };
    expect(codeOf(() => jobHeader(job, { extranonce2: new Uint8Array(3) }))).toBe('invalid_argument');
    expect(codeOf(() => jobHeader(job, { extranonce2: new Uint8Array(4), versionBits: 0x2000 }))).toBe(
      'invalid_argument',
    );
  });
});
