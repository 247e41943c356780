import { createHash, scryptSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type PowAlgorithm, SHARE_RECORD, SHARE_RESULT, type ShareHasher } from '@headframe/hashing';

/** SHA-256d straight from node:crypto: independent of the code under test. */
export function dsha(...parts: readonly Uint8Array[]): Uint8Array {
  const inner = createHash('sha256');
  for (const part of parts) inner.update(part);
  return new Uint8Array(createHash('sha256').update(inner.digest()).digest());
}

/** The share hasher written as plainly as possible. */
export const oracleHasher: ShareHasher = {
  backend: 'node',
  hash(jobs, records, count, results) {
    for (let i = 0; i < count; i++) {
      const job = jobs[i];
      if (job === undefined) throw new Error(`share ${i} has no job`);
      const at = i * SHARE_RECORD.stride;
      const record = records.subarray(at, at + SHARE_RECORD.stride);
      const extranonce = record.subarray(12, 12 + job.extranonceLength);
      let root = dsha(job.coinbase1, extranonce, job.coinbase2);
      for (let step = 0; step < job.merkleBranch.length; step += 32) {
        root = dsha(root, job.merkleBranch.subarray(step, step + 32));
      }
      const header = Buffer.alloc(80);
      header.set(record.subarray(0, 4), 0);
      header.set(job.previousHash, 4);
      header.set(root, 36);
      header.set(record.subarray(4, 8), 68);
      header.writeUInt32LE(job.nbits, 72);
      header.set(record.subarray(8, 12), 76);
      results.set(header, i * SHARE_RESULT.stride + SHARE_RESULT.header);
      results.set(dsha(header), i * SHARE_RESULT.stride + SHARE_RESULT.hash);
    }
  },
};

function powOf(id: PowAlgorithm['id'], hash: (header: Uint8Array) => Uint8Array): PowAlgorithm {
  return {
    id,
    heavy: id === 'scrypt',
    hash,
    hashMany(headers, stride, count, output) {
      for (let i = 0; i < count; i++) output.set(hash(headers.subarray(i * stride, i * stride + 80)), 32 * i);
    },
  };
}

export const sha256dPow = powOf('sha256d', (header) => dsha(header));

export const scryptPow = powOf(
  'scrypt',
  (header) => new Uint8Array(scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 })),
);

/** A parsed vector file. Vectors are read loosely: a wrong field fails the test that uses it. */
// biome-ignore lint/suspicious/noExplicitAny: test data with many shapes
export function loadVectors(name: string): any {
  return JSON.parse(readFileSync(new URL(`./vectors/${name}`, import.meta.url), 'utf8'));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Internal bytes of a hash in display order. */
export function internal(display: string): Uint8Array {
  return bytes(display).reverse();
}

export function display(hash: Uint8Array): string {
  return hex(Uint8Array.from(hash).reverse());
}

/** Previous hash of a Stratum notify (words swapped) to internal bytes. */
export function fromStratumPrevhash(text: string): Uint8Array {
  const out = bytes(text);
  for (let i = 0; i < 32; i += 4) out.subarray(i, i + 4).reverse();
  return out;
}

/** Exact decimal expansion of a double. */
export function exactDecimal(value: number): string {
  let scale = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2; // exact: only the exponent of the double changes
    scale++;
  }
  const digits = (BigInt(scaled) * 5n ** BigInt(scale)).toString().padStart(scale + 1, '0');
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
