import { hash, scryptSync } from 'node:crypto';

// node:crypto and not @headframe/hashing: this chain judges what the pool's own hashing produced, so the two must not
// share an implementation.

/** SHA-256, 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  return plain(hash('sha256', data, 'buffer'));
}

/** SHA-256 of SHA-256, 32 bytes in internal order. */
export function sha256d(data: Uint8Array): Uint8Array {
  return plain(hash('sha256', hash('sha256', data, 'buffer'), 'buffer'));
}

/** RIPEMD-160 of SHA-256, 20 bytes: what scripts name keys by. */
export function hash160(data: Uint8Array): Uint8Array {
  return plain(hash('ripemd160', hash('sha256', data, 'buffer'), 'buffer'));
}

/** scrypt(N=1024, r=1, p=1) with the header as both password and salt: Litecoin's proof of work. */
export function scryptHash(header: Uint8Array): Uint8Array {
  return plain(scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 }));
}

/** Not a Buffer: its slice() would share memory. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
