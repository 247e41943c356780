import { isAtMostLe } from '@headframe/primitives';

// SHA-256 (FIPS 180-4) bent to one purpose: the same 80-byte header over and over with another nonce. The first 64
// bytes are compressed once ("midstate"), so a try costs two compressions. Plain integer arithmetic: node:crypto
// would spend more time on crossing into C++ than on hashing 16 bytes.

const K = Int32Array.of(
  0x428a2f98,
  0x71374491,
  0xb5c0fbcf,
  0xe9b5dba5,
  0x3956c25b,
  0x59f111f1,
  0x923f82a4,
  0xab1c5ed5,
  0xd807aa98,
  0x12835b01,
  0x243185be,
  0x550c7dc3,
  0x72be5d74,
  0x80deb1fe,
  0x9bdc06a7,
  0xc19bf174,
  0xe49b69c1,
  0xefbe4786,
  0x0fc19dc6,
  0x240ca1cc,
  0x2de92c6f,
  0x4a7484aa,
  0x5cb0a9dc,
  0x76f988da,
  0x983e5152,
  0xa831c66d,
  0xb00327c8,
  0xbf597fc7,
  0xc6e00bf3,
  0xd5a79147,
  0x06ca6351,
  0x14292967,
  0x27b70a85,
  0x2e1b2138,
  0x4d2c6dfc,
  0x53380d13,
  0x650a7354,
  0x766a0abb,
  0x81c2c92e,
  0x92722c85,
  0xa2bfe8a1,
  0xa81a664b,
  0xc24b8b70,
  0xc76c51a3,
  0xd192e819,
  0xd6990624,
  0xf40e3585,
  0x106aa070,
  0x19a4c116,
  0x1e376c08,
  0x2748774c,
  0x34b0bcb5,
  0x391c0cb3,
  0x4ed8aa4a,
  0x5b9cca4f,
  0x682e6ff3,
  0x748f82ee,
  0x78a5636f,
  0x84c87814,
  0x8cc70208,
  0x90befffa,
  0xa4506ceb,
  0xbef9a3f7,
  0xc67178f2,
);
const INITIAL = Int32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** Message schedule of the block being compressed. One per thread: nothing here is re-entrant. */
const W = new Int32Array(64);

/** Compresses the block in `W[0..15]` with the state `from` into `to` (may be the same). */
function compress(from: Int32Array, to: Int32Array): void {
  for (let i = 16; i < 64; i++) {
    const x = W[i - 15] ?? 0;
    const y = W[i - 2] ?? 0;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[i] = ((W[i - 16] ?? 0) + s0 + (W[i - 7] ?? 0) + s1) | 0;
  }
  let a = from[0] ?? 0;
  let b = from[1] ?? 0;
  let c = from[2] ?? 0;
  let d = from[3] ?? 0;
  let e = from[4] ?? 0;
  let f = from[5] ?? 0;
  let g = from[6] ?? 0;
  let h = from[7] ?? 0;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[i] ?? 0) + (W[i] ?? 0)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  to[0] = ((from[0] ?? 0) + a) | 0;
  to[1] = ((from[1] ?? 0) + b) | 0;
  to[2] = ((from[2] ?? 0) + c) | 0;
  to[3] = ((from[3] ?? 0) + d) | 0;
  to[4] = ((from[4] ?? 0) + e) | 0;
  to[5] = ((from[5] ?? 0) + f) | 0;
  to[6] = ((from[6] ?? 0) + g) | 0;
  to[7] = ((from[7] ?? 0) + h) | 0;
}

function swap32(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

/**
 * Tries nonces on an 80-byte header until its SHA-256d, read as a little-endian integer, is not above `target`
 * (32 bytes, little-endian).
 * @returns the nonce, or -1 when none of `count` from `start` on does. `hash` gets the 32 bytes of a find.
 */
export function searchSha256d(
  header: Uint8Array,
  target: Uint8Array,
  start: number,
  count: number,
  hash: Uint8Array,
): number {
  const view = new DataView(header.buffer, header.byteOffset, 80);
  const midstate = new Int32Array(8);
  const state = new Int32Array(8);
  for (let i = 0; i < 16; i++) W[i] = view.getInt32(4 * i, false);
  compress(INITIAL, midstate);
  const tail0 = view.getInt32(64, false);
  const tail1 = view.getInt32(68, false);
  const tail2 = view.getInt32(72, false);
  const top = new DataView(target.buffer, target.byteOffset, 32).getUint32(28, true);
  const out = new DataView(hash.buffer, hash.byteOffset, 32);
  for (let tried = 0; tried < count; tried++) {
    const nonce = (start + tried) >>> 0;
    W[0] = tail0;
    W[1] = tail1;
    W[2] = tail2;
    W[3] = swap32(nonce);
    W[4] = -0x80000000; // the bit after the message
    W.fill(0, 5, 15);
    W[15] = 640; // bits of the header
    compress(midstate, state);
    W.set(state, 0);
    W[8] = -0x80000000;
    W.fill(0, 9, 15);
    W[15] = 256;
    compress(INITIAL, state);
    // The last word of the digest is the top of the integer; it settles nearly every try.
    if (swap32(state[7] ?? 0) > top) continue;
    for (let i = 0; i < 8; i++) out.setInt32(4 * i, state[i] ?? 0, false);
    if (isAtMostLe(hash, 0, target)) return nonce;
  }
  return -1;
}
