import { isPoolError, type RejectCode, reject } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import {
  isStratumError,
  MAX_REASON_LENGTH,
  STRATUM_ERRORS,
  StratumError,
  stratumErrorFromReject,
  stratumErrorFromWire,
  stratumErrorJson,
  toStratumError,
} from '../src/index.js';

const CODES = Object.keys(STRATUM_ERRORS) as RejectCode[];

describe('the error registry', () => {
  it.each<[RejectCode, number, string]>([
    ['other', 20, 'Rejected'],
    ['invalid-params', 20, 'Invalid params'],
    ['invalid-extranonce2', 20, 'Invalid extranonce2'],
    ['invalid-ntime', 20, 'Invalid ntime'],
    ['invalid-nonce', 20, 'Invalid nonce'],
    ['invalid-version-bits', 20, 'Invalid version bits'],
    ['ntime-too-old', 20, 'Ntime too old'],
    ['ntime-too-new', 20, 'Ntime too new'],
    ['unknown-method', 20, 'Unknown method'],
    ['not-supported', 20, 'Not supported'],
    ['job-not-found', 21, 'Job not found'],
    ['stale', 21, 'Stale share'],
    ['duplicate', 22, 'Duplicate share'],
    ['low-difficulty', 23, 'Low difficulty share'],
    ['unauthorized', 24, 'Unauthorized worker'],
    ['not-subscribed', 25, 'Not subscribed'],
    ['banned', 24, 'Banned'],
    ['busy', 20, 'Server busy'],
    ['rate-limited', 20, 'Too many requests'],
    ['timeout', 20, 'Timed out'],
    ['internal', 20, 'Internal error'],
  ])('%s is %i %s', (code, number, text) => {
    expect(toStratumError(code)).toEqual([number, text, null]);
    expect(stratumErrorJson(code)).toBe(JSON.stringify([number, text, null]));
    expect(stratumErrorJson(code, 'why "not"')).toBe(JSON.stringify([number, 'why "not"', null]));
  });

  it('has texts that tell every code apart, and none missing above', () => {
    expect(new Set(CODES.map((code) => STRATUM_ERRORS[code].text)).size).toBe(CODES.length);
    expect(CODES.length).toBe(21);
  });

  it('cuts long reasons and ignores empty ones', () => {
    expect(toStratumError('other', 'x'.repeat(1000))[1].length).toBe(MAX_REASON_LENGTH);
    expect(toStratumError('stale', '')[1]).toBe('Stale share');
  });

  it('has the negative table of older node servers as an option', () => {
    const legacy = (code: RejectCode): number => toStratumError(code, undefined, { codes: 'legacy' })[0];
    expect(legacy('not-supported')).toBe(-2);
    expect(legacy('unknown-method')).toBe(-3);
    expect(legacy('other')).toBe(-20);
    expect(legacy('stale')).toBe(-21);
    expect(legacy('duplicate')).toBe(-22);
    expect(legacy('low-difficulty')).toBe(-23);
    expect(legacy('unauthorized')).toBe(-24);
    expect(legacy('not-subscribed')).toBe(-25);
    expect(stratumErrorJson('stale', undefined, { codes: 'legacy' })).toBe('[-21,"Stale share",null]');
  });
});

describe('StratumError', () => {
  it('is a PoolError that knows its wire form', () => {
    const error = new StratumError('unauthorized', 'unknown account');
    expect(isPoolError(error, 'request_failed')).toBe(true);
    expect(isStratumError(error)).toBe(true);
    expect(isStratumError(new Error('x'))).toBe(false);
    expect(error.toTuple()).toEqual([24, 'unknown account', null]);
    expect(stratumErrorFromReject(reject('stale')).toTuple()).toEqual([21, 'Stale share', null]);
  });

  it.each(CODES)('reads back what was sent for %s', (code) => {
    expect(stratumErrorFromWire(toStratumError(code)).rejectCode).toBe(code);
    expect(stratumErrorFromWire(toStratumError(code)).stratumCode).toBe(STRATUM_ERRORS[code].code);
  });

  it.each<[unknown, RejectCode, number, string]>([
    [[21, 'Job not found', null], 'job-not-found', 21, 'Job not found'],
    [[-22, 'dup'], 'duplicate', -22, 'dup'],
    [{ code: 23, message: 'high-hash' }, 'low-difficulty', 23, 'high-hash'],
    [{ code: -3, message: 'no such' }, 'unknown-method', -3, 'no such'],
    ['Stale share', 'stale', 20, 'Stale share'],
    ['something', 'other', 20, 'something'],
    [true, 'other', 20, 'Rejected'],
    [[], 'other', 20, 'Rejected'],
    [{}, 'other', 20, 'Rejected'],
    [['x', 5], 'other', 20, 'Rejected'],
  ])('reads %j', (wire, code, number, reason) => {
    expect(stratumErrorFromWire(wire)).toMatchObject({ rejectCode: code, stratumCode: number, reason });
  });
});
