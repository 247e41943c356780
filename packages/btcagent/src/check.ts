import { PoolError } from '@headframe/primitives';
import { MAX_SESSION_ID } from './format.js';

/** @throws PoolError `invalid_argument` unless the value is an integer from 0 to `max` */
export function checkInteger(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new PoolError('invalid_argument', `${name} must be an integer from 0 to ${max}`, { details: { value } });
  }
}

/** @throws PoolError `invalid_argument` unless the value is a session id */
export function checkSessionId(value: number): void {
  checkInteger('session id', value, MAX_SESSION_ID);
}
