import { powAlgorithm } from '@headframe/hashing';
import { PoolError, silentLogger } from '@headframe/primitives';
import { type AutoValidatorOptions, createAutoValidator } from './auto.js';
import { createInlineValidator } from './inline.js';
import { createThreadedValidator } from './threads.js';
import type { PendingShare, ShareValidator, ValidationMode } from './types.js';

export interface CreateValidatorOptions<Share extends PendingShare> extends AutoValidatorOptions<Share> {
  /** `auto` by default. */
  readonly mode?: ValidationMode;
}

function create<Share extends PendingShare>(options: CreateValidatorOptions<Share>): ShareValidator<Share> {
  const { mode = 'auto' } = options;
  if (mode === 'inline') return createInlineValidator(options);
  if (mode === 'threads') return createThreadedValidator(options);
  if (mode === 'auto') return createAutoValidator(options);
  throw new PoolError('invalid_argument', `unknown validation mode ${String(mode)}`);
}

/**
 * Makes the validator of a pool: inline, in threads, or whichever pays at the moment.
 *
 * @throws PoolError `not_supported` when the `backend` asked for cannot run here.
 * @example
 * const validator = createValidator({
 *   mode: 'auto',
 *   listener: {
 *     evaluated: (share, { meetsNetworkTarget }) => verdicts.judge(share, meetsNetworkTarget),
 *     failed: (share, error) => verdicts.fail(share, error),
 *     batchDone: () => ledger.flush(),
 *     drained: () => sessions.resume(),
 *   },
 * });
 * if (!validator.submit(share)) sessions.pause();
 */
export function createValidator<Share extends PendingShare>(
  options: CreateValidatorOptions<Share>,
): ShareValidator<Share> {
  const { log = silentLogger } = options;
  const validator = create(options);
  const { backend, mode } = validator;
  if (backend === 'simd') log.info({ backend, mode }, 'share validation');
  else log.warn({ backend, mode }, 'share validation without SIMD: two to five times the cost per share');
  const { algorithm } = options;
  if (mode === 'inline' && algorithm !== undefined && powAlgorithm(algorithm).heavy) {
    log.warn({ algorithm, mode }, 'a heavy algorithm is judged inline: each share stops the event loop');
  }
  return validator;
}
