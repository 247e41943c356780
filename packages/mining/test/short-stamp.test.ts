import { deriveJob, FIRST_DERIVED_JOB_ID, type JobRecord } from '@headframe/mining';
import { describe, expect, it } from 'vitest';

function record(stampLength: number): JobRecord {
  return {
    id: 1,
    baseId: 1,
    height: 0,
    previousHash: new Uint8Array(32),
    version: 0,
    versionMask: 0,
    nbits: 0x207fffff,
    networkTarget: new Uint8Array(32),
    networkDifficulty: 1,
    ntime: 0,
    minTime: 0,
    merkleBranch: new Uint8Array(0),
    variants: [
      {
        key: '6/main',
        extranonceLength: 6,
        coinbase1: new Uint8Array(8),
        coinbase2: new Uint8Array(1),
        stampOffset: 2,
      },
    ],
    algorithm: 'sha256d',
    clean: true,
    createdAtMs: 0,
    reward: 0n,
    stampLength,
  };
}

describe('a derived job with a short stamp', () => {
  it.each([
    [0, [0, 0, 0, 0, 0, 0, 0, 0]],
    [1, [0, 0, 0x44, 0, 0, 0, 0, 0]],
    [2, [0, 0, 0x33, 0x44, 0, 0, 0, 0]],
    [4, [0, 0, 0x91, 0x22, 0x33, 0x44, 0, 0]],
  ])('of %i bytes changes those and nothing else', (length, expected) => {
    const derived = deriveJob(record(length), FIRST_DERIVED_JOB_ID + 0x11223344, 5);
    expect([...(derived.variants[0]?.coinbase1 ?? [])]).toEqual(expected);
    expect(derived).toMatchObject({ baseId: 1, clean: false });
  });
});
