import { PoolError } from '@headframe/primitives';
import { LIMITS, type Limits } from '@headframe/sessions';
import type { ChannelTerms } from './channel.js';
import { type DifficultyOption, resolveDifficulty } from './difficulty-policy.js';
import { EXTRANONCE_PREFIX_LENGTH } from './extranonce.js';
import { MINING_LIMITS, type MiningLimits } from './limits.js';
import type { ExtranonceSizes } from './mining.js';
import type { MiningServerOptions } from './options.js';

const DEFAULT_EXTRANONCE2_SIZE = 8;
/** Firmware and rental services in use work within these; see the notes on extranonce2 in the V1 reference. */
const EXTRANONCE2_MIN = 4;
const EXTRANONCE2_MAX = 8;

/** Terms by listener. */
export interface TermsTable {
  /** Terms of a listener, or of connections attached without one. */
  of(listener: number): ChannelTerms;
  /**
   * Gives a listener another difficulty; the terms so far stay as they are. False when there is no such listener.
   * @throws PoolError `invalid_config`
   */
  change(listener: number, difficulty: DifficultyOption): boolean;
  /** Gives all listeners another size of extranonce2; the terms so far stay as they are. */
  resize(extranonce2Size: number): void;
}

/**
 * Terms of every listener, and of connections attached without one.
 * @throws PoolError `invalid_config`
 */
export function resolveTerms<Account>(options: MiningServerOptions<Account>, limits: MiningLimits): TermsTable {
  const factor = options.difficultyFactor ?? 1;
  const difficulty: DifficultyOption = options.difficulty ?? {};
  const terms = (option: DifficultyOption, extranonce2Size: number, path: string): ChannelTerms => {
    if (!Number.isInteger(extranonce2Size) || extranonce2Size < EXTRANONCE2_MIN || extranonce2Size > EXTRANONCE2_MAX) {
      throw new PoolError(
        'invalid_config',
        `${path}extranonce2Size: must be ${EXTRANONCE2_MIN} to ${EXTRANONCE2_MAX} (found ${extranonce2Size})`,
      );
    }
    return { policy: resolveDifficulty(option, factor, `${path}difficulty`), factor, extranonce2Size, limits };
  };
  let common = terms(difficulty, DEFAULT_EXTRANONCE2_SIZE, '');
  const listeners = (options.listeners ?? []).map((listener, i) =>
    terms(listener.difficulty ?? difficulty, listener.extranonce2Size ?? DEFAULT_EXTRANONCE2_SIZE, `listeners[${i}].`),
  );
  return {
    of: (index) => listeners[index] ?? common,
    change: (index, option) => {
      const before = listeners[index];
      if (before === undefined) return false;
      const path = `listeners[${index}].difficulty`;
      listeners[index] = { ...before, policy: resolveDifficulty(option, factor, path) };
      return true;
    },
    resize: (extranonce2Size) => {
      common = { ...common, extranonce2Size };
      for (const [i, before] of listeners.entries()) listeners[i] = { ...before, extranonce2Size };
    },
  };
}

/** Extranonce lengths that jobs must have a variant for. */
export function extranonceLengths<Account>(options: MiningServerOptions<Account>): readonly number[] {
  const sizes = (options.listeners ?? []).map((listener) => listener.extranonce2Size ?? DEFAULT_EXTRANONCE2_SIZE);
  if (sizes.length === 0) sizes.push(DEFAULT_EXTRANONCE2_SIZE);
  return [...new Set(sizes)].map((size) => size + EXTRANONCE_PREFIX_LENGTH);
}

/**
 * Takes the overrides apart: session limits and mining limits share one table in the configuration.
 * @throws PoolError `invalid_config` for a name that is neither
 */
export function splitLimits(overrides: Partial<Limits & MiningLimits> = {}): Partial<Limits> {
  const sessions: Record<string, number> = {};
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined || name in MINING_LIMITS) continue;
    if (!(name in LIMITS)) throw new PoolError('invalid_config', `there is no limit '${name}'`);
    sessions[name] = value;
  }
  return sessions as Partial<Limits>;
}

/** @throws PoolError `invalid_argument` for sizes that cannot be */
export function checkSizes({ extranonce1Size, extranonce2Size }: ExtranonceSizes): void {
  const isSize = (size: number, most: number): boolean => Number.isInteger(size) && size >= 1 && size <= most;
  if (!isSize(extranonce1Size, EXTRANONCE_PREFIX_LENGTH) || !isSize(extranonce2Size, EXTRANONCE2_MAX)) {
    throw new PoolError(
      'invalid_argument',
      `extranonce1 has 1 to ${EXTRANONCE_PREFIX_LENGTH} bytes and extranonce2 1 to ${EXTRANONCE2_MAX}, not ${extranonce1Size} and ${extranonce2Size}`,
    );
  }
}
