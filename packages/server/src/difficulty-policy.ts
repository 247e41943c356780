import { canonicalDifficulty, type Difficulty, lowestDifficulty } from '@headframe/mining';
import { errorMessage, PoolError } from '@headframe/primitives';
import type { VardiffPolicy } from './vardiff.js';

/** Vardiff of a listener, as configured. */
export interface VardiffOptions {
  /** Difficulty of a new session. Default 1024, or the bound it would cross. */
  readonly start?: number | undefined;
  /** Default: the lowest legal difficulty of the algorithm. */
  readonly min?: number | undefined;
  /** Default: none; the network's difficulty bounds it anyway. */
  readonly max?: number | undefined;
  /** Seconds per share that are aimed at. Default 15. */
  readonly target?: number | undefined;
  /** Part of the target that the pace may be off before the difficulty changes. Default 0.3. */
  readonly variance?: number | undefined;
  /** Only powers of two, as far as six digits can write them. Default false. */
  readonly powerOfTwo?: boolean | undefined;
}

/** A number is a fixed difficulty; an object turns vardiff on. */
export type DifficultyOption = number | VardiffOptions;

/** A checked {@link DifficultyOption}. */
export type DifficultyPolicy =
  | { readonly kind: 'fixed'; readonly difficulty: Difficulty }
  | { readonly kind: 'vardiff'; readonly vardiff: VardiffPolicy };

/** Far above any network: 2^-256 of it is a target of zero. */
const HIGHEST = 1e15;
const DEFAULT_START = 1024;

/**
 * Checks the difficulty of a listener. `path` names it in errors.
 * @throws PoolError `invalid_config`
 */
export function resolveDifficulty(option: DifficultyOption, factor: number, path: string): DifficultyPolicy {
  const read = (value: number, key: string): Difficulty => {
    try {
      return canonicalDifficulty(value, factor);
    } catch (cause) {
      throw new PoolError('invalid_config', `${path}${key}: ${errorMessage(cause)}`, { cause });
    }
  };
  if (typeof option === 'number') return { kind: 'fixed', difficulty: read(option, '') };
  const min = option.min === undefined ? lowestDifficulty(factor).value : read(option.min, '.min').value;
  const max = read(option.max ?? HIGHEST, '.max').value;
  if (min > max) throw new PoolError('invalid_config', `${path}.min: is above max (found ${min} and ${max})`);
  const start = read(option.start ?? Math.min(max, Math.max(min, DEFAULT_START)), '.start').value;
  if (start < min || start > max) {
    throw new PoolError('invalid_config', `${path}.start: is not between min and max (found ${start})`);
  }
  const { target = 15, variance = 0.3, powerOfTwo = false } = option;
  if (!(target > 0 && target <= 3600)) {
    throw new PoolError('invalid_config', `${path}.target: must be above 0 and at most 3600 seconds (found ${target})`);
  }
  if (!(variance >= 0 && variance < 1)) {
    throw new PoolError('invalid_config', `${path}.variance: must be at least 0 and below 1 (found ${variance})`);
  }
  return { kind: 'vardiff', vardiff: { start, min, max, targetSeconds: target, variance, powerOfTwo } };
}
