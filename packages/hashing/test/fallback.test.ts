import { isPoolError } from '@headframe/primitives';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SIMD_WASM } from '../src/kernels.generated.js';
import { bytesOf, doubleSha, expectedResult, makeJob, makeShare, nodeScrypt, packRecords, sha } from './support.js';

// The package looks at the machine when it is first used, so each test loads it anew on a machine of its own.
type Hashing = typeof import('../src/index.js');
const freshHashing = async (): Promise<Hashing> => {
  vi.resetModules();
  return import('../src/index.js');
};

const real = Reflect.get(globalThis, 'WebAssembly') as { validate(bytes: Uint8Array): boolean };
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function expectRight(hashing: Hashing): void {
  const job = makeJob('fallback', { coinbase1Bytes: 98, extranonceBytes: 12, coinbase2Bytes: 140, steps: 3 });
  const shares = Array.from({ length: 5 }, (_, i) => makeShare(`fallback ${i}`, job));
  const results = new Uint8Array(5 * hashing.SHARE_RESULT.stride);
  hashing.createShareHasher().hash(
    shares.map((share) => share.job),
    packRecords(shares),
    5,
    results,
  );
  expect(hex(results)).toBe(hex(Buffer.concat(shares.map(expectedResult))));
  const input = bytesOf('input', 80);
  expect(hex(hashing.sha256(input))).toBe(hex(sha(input)));
  expect(hex(hashing.sha256d(input))).toBe(hex(doubleSha(input)));
  const output = new Uint8Array(64);
  hashing.scrypt1024Many(Buffer.concat([input, input]), 80, 2, output);
  expect(hex(output)).toBe(hex(nodeScrypt(input)).repeat(2));
}

function refusalOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return isPoolError(error) ? error.code : String(error);
  }
  return 'none';
}

describe('a machine without SIMD', () => {
  beforeEach(() => {
    const simdModule = Buffer.from(SIMD_WASM, 'base64');
    // Whatever holds vector instructions is invalid there: the two larger modules.
    const validate = (bytes: Uint8Array): boolean => bytes.length < simdModule.length && real.validate(bytes);
    vi.stubGlobal('WebAssembly', Object.assign(Object.create(real), { validate }));
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('falls back to the scalar kernel and says so', async () => {
    const hashing = await freshHashing();
    expect(hashing.bestHashBackend()).toBe('scalar');
    expect(hashing.createShareHasher().backend).toBe('scalar');
    expect(hashing.scryptHasKernel()).toBe(false);
    expectRight(hashing);
  });

  it('refuses the SIMD backend when it is asked for by name', async () => {
    const hashing = await freshHashing();
    expect(refusalOf(() => hashing.createShareHasher({ backend: 'simd' }))).toBe('not_supported');
  });
});

describe('a runtime without WebAssembly', () => {
  beforeEach(() => {
    vi.stubGlobal('WebAssembly', undefined);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('falls back to node:crypto and says so', async () => {
    const hashing = await freshHashing();
    expect(hashing.createShareHasher().backend).toBe('node');
    expect(hashing.scryptHasKernel()).toBe(false);
    expectRight(hashing);
    expect(refusalOf(() => hashing.createShareHasher({ backend: 'scalar' }))).toBe('not_supported');
  });
});
