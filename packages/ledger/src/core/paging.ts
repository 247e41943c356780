import { PoolError } from '@headframe/primitives';
import { MAX_PAGE } from '../limits.js';

const DEFAULT_PAGE = 100;

/** @throws PoolError `invalid_argument` */
export function pageLimit(limit: number = DEFAULT_PAGE): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw new PoolError('invalid_argument', `a page has 1 to ${MAX_PAGE} items, not ${limit}`);
  }
  return limit;
}
