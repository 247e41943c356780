import { SCALAR_WASM, SIMD_WASM } from './kernels.generated.js';
import { nodeShareHasher } from './node-hasher.js';
import type { HashBackend, ShareHasher } from './types.js';
import { canRun } from './wasm.js';
import { wasmShareHasher } from './wasm-hasher.js';

export interface ShareHasherOptions {
  /** `auto` (the default) takes the fastest one that runs here: `simd`, then `scalar`, then `node`. */
  readonly backend?: 'auto' | HashBackend;
}

/** The fastest backend that runs on this machine. */
export function bestHashBackend(): HashBackend {
  if (!canRun(SCALAR_WASM)) return 'node';
  return canRun(SIMD_WASM) ? 'simd' : 'scalar';
}

/**
 * Makes a share hasher. Look at its `backend` and log when it is not `simd`: the others cost two to five times as much.
 * Jobs are remembered by identity; do not change one after it was used.
 *
 * @throws PoolError `not_supported` when the backend asked for cannot run here; `auto` never throws.
 * @example
 * const hasher = createShareHasher();
 * if (hasher.backend !== 'simd') log.warn({ backend: hasher.backend }, 'shares are hashed without SIMD');
 */
export function createShareHasher(options: ShareHasherOptions = {}): ShareHasher {
  const { backend = 'auto' } = options;
  const chosen = backend === 'auto' ? bestHashBackend() : backend;
  return chosen === 'node' ? nodeShareHasher : wasmShareHasher(chosen);
}
