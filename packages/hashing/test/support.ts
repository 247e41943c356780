import { createHash, scryptSync } from 'node:crypto';
import fc from 'fast-check';
import { SHARE_RECORD, type ShareHashJob } from '../src/index.js';

/** Independent of the package: createHash, plain concatenation. */
export const sha = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
export const doubleSha = (bytes: Uint8Array): Buffer => sha(sha(bytes));
export const nodeScrypt = (header: Uint8Array): Buffer => scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 });

export interface TestShare {
  readonly job: ShareHashJob;
  readonly version: number;
  readonly ntime: number;
  readonly nonce: number;
  readonly extranonce: Uint8Array;
}

/** The 112 bytes that a hasher must give for a share. */
export function expectedResult(share: TestShare): Buffer {
  const { job } = share;
  let root = doubleSha(Buffer.concat([job.coinbase1, share.extranonce, job.coinbase2]));
  for (let i = 0; i < job.merkleBranch.length; i += 32) {
    root = doubleSha(Buffer.concat([root, job.merkleBranch.subarray(i, i + 32)]));
  }
  const header = Buffer.alloc(80);
  header.writeUInt32LE(share.version, 0);
  header.set(job.previousHash, 4);
  header.set(root, 36);
  header.writeUInt32LE(share.ntime, 68);
  header.writeUInt32LE(job.nbits, 72);
  header.writeUInt32LE(share.nonce, 76);
  return Buffer.concat([header, doubleSha(header)]);
}

export function packRecords(shares: readonly TestShare[]): Uint8Array {
  const records = new Uint8Array(shares.length * SHARE_RECORD.stride);
  const view = new DataView(records.buffer);
  shares.forEach((share, i) => {
    const at = i * SHARE_RECORD.stride;
    view.setUint32(at + SHARE_RECORD.version, share.version, true);
    view.setUint32(at + SHARE_RECORD.ntime, share.ntime, true);
    view.setUint32(at + SHARE_RECORD.nonce, share.nonce, true);
    records.set(share.extranonce, at + SHARE_RECORD.extranonce);
  });
  return records;
}

/** Bytes that look random and depend on the seed only. */
export function bytesOf(seed: string, length: number): Uint8Array {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) parts.push(sha(Buffer.from(`${seed}/${i}`)));
  return new Uint8Array(Buffer.concat(parts).subarray(0, length));
}

export interface Shape {
  readonly coinbase1Bytes: number;
  readonly extranonceBytes: number;
  readonly coinbase2Bytes: number;
  readonly steps: number;
}

export function makeJob(seed: string, shape: Shape): ShareHashJob {
  return {
    coinbase1: bytesOf(`${seed}/c1`, shape.coinbase1Bytes),
    coinbase2: bytesOf(`${seed}/c2`, shape.coinbase2Bytes),
    extranonceLength: shape.extranonceBytes,
    merkleBranch: bytesOf(`${seed}/branch`, 32 * shape.steps),
    previousHash: bytesOf(`${seed}/previous`, 32),
    nbits: bytesOf(`${seed}/bits`, 4).reduce((value, byte) => value * 256 + byte, 0),
  };
}

export function makeShare(seed: string, job: ShareHashJob): TestShare {
  const [version = 0, ntime = 0, nonce = 0] = new Uint32Array(bytesOf(`${seed}/fields`, 12).slice().buffer);
  return { job, version, ntime, nonce, extranonce: bytesOf(`${seed}/extranonce`, job.extranonceLength) };
}

export const shapes: fc.Arbitrary<Shape> = fc.record({
  coinbase1Bytes: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2000 })),
  extranonceBytes: fc.integer({ min: 0, max: 20 }),
  coinbase2Bytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 3000 })),
  steps: fc.integer({ min: 0, max: 16 }),
});
