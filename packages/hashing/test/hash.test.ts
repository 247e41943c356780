import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { powAlgorithm, scrypt1024, scrypt1024Many, scryptHasKernel, sha256, sha256d } from '../src/index.js';
import { bytesOf, doubleSha, nodeScrypt, sha } from './support.js';
import vectors from './vectors/pow.json' with { type: 'json' };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const display = (bytes: Uint8Array): string => hex(Uint8Array.from(bytes).reverse());

describe('sha256 and sha256d', () => {
  // FIPS 180-4 examples, as NIST publishes them.
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    [
      'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
      'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1',
    ],
    ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ])('matches the example %.10s', (message, digest) => {
    expect(hex(sha256(Buffer.from(message)))).toBe(digest);
  });

  it.each(vectors.sha256d)('matches sha256d($in)', (vector) => {
    expect(hex(sha256d(Buffer.from(vector.in, 'hex')))).toBe(vector.out);
  });

  it('agrees with node:crypto on every length from 0 to 1100', () => {
    for (let length = 0; length <= 1100; length++) {
      const input = bytesOf(`length ${length}`, length);
      expect(hex(sha256(input)), `sha256 of ${length} bytes`).toBe(hex(sha(input)));
      expect(hex(sha256d(input)), `sha256d of ${length} bytes`).toBe(hex(doubleSha(input)));
    }
  });

  it('returns bytes that later calls leave alone', () => {
    const first = sha256d(Buffer.from('first'));
    const copy = first.slice();
    sha256d(Buffer.from('second'));
    expect(first).toEqual(copy);
    expect(first.buffer.byteLength).toBe(32);
  });
});

describe('scrypt', () => {
  const real = vectors.headers.flatMap((vector) =>
    'scrypt' in vector && vector.scrypt !== undefined ? [{ ...vector, scrypt: vector.scrypt }] : [],
  );

  it('runs in WebAssembly on this machine', () => {
    expect(scryptHasKernel()).toBe(true);
  });

  it.each(real)('matches $name', ({ header, scrypt }) => {
    expect(display(scrypt1024(Buffer.from(header, 'hex')))).toBe(scrypt);
    expect(display(powAlgorithm('scrypt').hash(Buffer.from(header, 'hex')))).toBe(scrypt);
  });

  it('matches all real headers in one call', () => {
    expect(real.length).toBeGreaterThan(3);
    const output = new Uint8Array(32 * real.length);
    const headers = Buffer.concat(real.map(({ header }) => Buffer.from(header, 'hex')));
    scrypt1024Many(headers, 80, real.length, output);
    real.forEach(({ scrypt, name }, i) => {
      expect(display(output.subarray(32 * i, 32 * i + 32)), name).toBe(scrypt);
    });
  });

  it('agrees with scryptSync on any headers, counts and strides', () => {
    fc.assert(
      fc.property(fc.nat({ max: 9 }), fc.integer({ min: 80, max: 130 }), fc.string(), (count, stride, seed) => {
        const headers = bytesOf(seed, Math.max(0, (count - 1) * stride + 80));
        const output = new Uint8Array(32 * count + 5).fill(0xaa);
        scrypt1024Many(headers, stride, count, output);
        for (let i = 0; i < count; i++) {
          const header = headers.subarray(i * stride, i * stride + 80);
          expect(hex(output.subarray(32 * i, 32 * i + 32)), `header ${i}`).toBe(hex(nodeScrypt(header)));
        }
        expect(hex(output.subarray(32 * count))).toBe('aaaaaaaaaa');
      }),
      { numRuns: 40 },
    );
  });

  it('refuses headers and buffers of the wrong size', () => {
    const refusal = (action: () => void): boolean => {
      try {
        action();
      } catch (error) {
        return isPoolError(error, 'invalid_argument');
      }
      return false;
    };
    expect(refusal(() => scrypt1024(new Uint8Array(79)))).toBe(true);
    expect(refusal(() => scrypt1024Many(new Uint8Array(159), 80, 2, new Uint8Array(64)))).toBe(true);
    expect(refusal(() => scrypt1024Many(new Uint8Array(160), 80, 2, new Uint8Array(63)))).toBe(true);
  });
});

describe('powAlgorithm', () => {
  it.each(vectors.headers)('sha256d: $name', (vector) => {
    expect(display(powAlgorithm('sha256d').hash(Buffer.from(vector.header, 'hex')))).toBe(vector.sha256d);
  });

  it.each(['sha256d', 'scrypt'] as const)('%s hashes many as it hashes one', (id) => {
    const algorithm = powAlgorithm(id);
    const headers = bytesOf(id, 112 * 5);
    const output = new Uint8Array(32 * 5);
    algorithm.hashMany(headers, 112, 5, output);
    for (let i = 0; i < 5; i++) {
      const one = algorithm.hash(headers.subarray(i * 112, i * 112 + 80));
      expect(hex(output.subarray(i * 32, i * 32 + 32))).toBe(hex(one));
    }
  });

  it('knows which ones are heavy', () => {
    expect(powAlgorithm('sha256d').heavy).toBe(false);
    expect(powAlgorithm('scrypt').heavy).toBe(true);
  });
});

describe('the embedded kernels', () => {
  it('are what the sources give, byte for byte', () => {
    const script = fileURLToPath(new URL('../scripts/build-wasm.mjs', import.meta.url));
    const run = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect(run.stderr + run.stdout).toMatch(/up to date/);
    expect(run.status).toBe(0);
  });
});
