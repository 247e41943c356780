import { hash } from 'node:crypto';

/** SHA-256 of SHA-256, 32 bytes in internal order. For templates and blocks; shares go through a ShareHasher. */
export function sha256d(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer'));
}
