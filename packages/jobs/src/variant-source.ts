import type { BlockTemplate, JobRecord, JobVariantOptions } from '@headframe/mining';
import { errorMessage, type Logger, PoolError } from '@headframe/primitives';
import type { JobVariantsFunction } from './job-manager.js';

/** Where the variants of a job come from: a list, or a function of the template that may fail. */
export class VariantSource {
  readonly #variants: readonly JobVariantOptions[] | JobVariantsFunction;
  readonly #log: Logger;
  /** The last of a function that made a job. */
  #good: readonly JobVariantOptions[] | undefined;
  #lastError: string | undefined;

  /** @throws PoolError `invalid_argument` on an empty list */
  constructor(variants: readonly JobVariantOptions[] | JobVariantsFunction, log: Logger) {
    if (typeof variants !== 'function' && variants.length === 0) throw none();
    this.#variants = variants;
    this.#log = log;
  }

  /**
   * Builds a job. Outputs of a function that fails, or that no job can be built with, are replaced by the last ones that
   * worked: they are parts of the reward, so they fit any.
   */
  build(template: BlockTemplate, build: (variants: readonly JobVariantOptions[]) => JobRecord): JobRecord {
    if (typeof this.#variants !== 'function') return build(this.#variants);
    try {
      const variants = this.#variants(rewardOf(template), template);
      if (variants.length === 0) throw none();
      const job = build(variants);
      this.#good = variants;
      this.#lastError = undefined;
      return job;
    } catch (error) {
      if (this.#good === undefined) throw error;
      const message = errorMessage(error);
      this.#log[message === this.#lastError ? 'debug' : 'error'](
        { height: template.height, error: message },
        'no outputs for this template; the coinbase pays those of the last job',
      );
      this.#lastError = message;
      return build(this.#good);
    }
  }
}

function none(): PoolError {
  return new PoolError('invalid_argument', 'at least one job variant is needed');
}

/** What a template leaves to the pool. Negative when it is wrong: building a job says so. */
function rewardOf(template: BlockTemplate): bigint {
  return template.requiredOutputs.reduce((left, { amount }) => left - amount, template.coinbaseValue);
}
