import { isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeNotification,
  encodeStratumNotification,
  notificationParams,
  type StratumNotification,
} from '../src/index.js';
import { NOTIFY } from './fake-pool.js';

const bytes = (min: number, max = min): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: min, maxLength: max });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const notification: fc.Arbitrary<StratumNotification> = fc.oneof(
  fc.record({
    method: fc.constant('mining.notify' as const),
    jobId: fc.string({ minLength: 1, maxLength: 128 }),
    previousHash: bytes(32),
    coinbase1: bytes(0, 200),
    coinbase2: bytes(0, 200),
    merkleBranch: fc
      .array(bytes(32), { maxLength: 12 })
      .map((steps) => Uint8Array.from(steps.flatMap((step) => [...step]))),
    version: u32,
    nbits: u32,
    ntime: u32,
    clean: fc.boolean(),
  }),
  fc.record({
    method: fc.constant('mining.set_difficulty' as const),
    difficulty: fc.double({ min: Number.MIN_VALUE, max: 1e300, noNaN: true }),
  }),
  fc.record({
    method: fc.constant('mining.set_extranonce' as const),
    extranonce1: bytes(0, 32),
    extranonce2Size: fc.integer({ min: 0, max: 32 }),
  }),
  fc.record({ method: fc.constant('mining.set_version_mask' as const), mask: u32 }),
  fc.record({
    method: fc.constant('client.reconnect' as const),
    host: fc.option(fc.stringMatching(/^[a-z0-9.-]{1,40}$/), { nil: undefined }),
    port: fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }),
    waitSeconds: fc.integer({ min: 0, max: 3600 }),
  }),
  fc.record({
    method: fc.constant('client.show_message' as const),
    text: fc.stringMatching(/^[\x20-\x7e]{0,100}$/),
  }),
);

interface Wire {
  readonly id: unknown;
  readonly method: string;
  readonly params: unknown;
}

function parsed(line: string): Wire {
  const wire: Wire = JSON.parse(line);
  return wire;
}

describe('notifications as values', () => {
  it('come back from the wire as they were, whatever they are', () => {
    fc.assert(
      fc.property(notification, (value) => {
        const line = encodeStratumNotification(value);
        expect(line).toMatch(/^[\x20-\x7e]*\n$/);
        const wire = parsed(line);
        expect(wire.id).toBeNull();
        expect(wire.method).toBe(value.method);
        expect(decodeNotification(wire.method, wire.params)).toEqual(value);
        expect(decodeNotification(value.method, notificationParams(value))).toEqual(value);
      }),
    );
  });

  it('MiningNotification: reads mining.notify and writes the same line', () => {
    const value = decodeNotification('mining.notify', NOTIFY);
    expect(value).toMatchObject({ method: 'mining.notify', jobId: '6abc0001', version: 0x20000000, clean: true });
    if (value === undefined) throw new Error('not known');
    expect(parsed(encodeStratumNotification(value))).toEqual({ id: null, method: 'mining.notify', params: NOTIFY });
  });

  it('SetDifficultyNotification: reads mining.set_difficulty and writes it without an exponent', () => {
    expect(decodeNotification('mining.set_difficulty', [512])).toEqual({
      method: 'mining.set_difficulty',
      difficulty: 512,
    });
    const line = (difficulty: number): string =>
      encodeStratumNotification({ method: 'mining.set_difficulty', difficulty });
    expect(line(512)).toBe('{"id":null,"method":"mining.set_difficulty","params":[512]}\n');
    expect(line(2.33e-10)).toContain('[0.000000000233]');
    expect(line(1.5e21)).toContain('[1500000000000000000000]');
    expect(line(1.23456e-7)).toContain('[0.000000123456]');
    for (const difficulty of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => line(difficulty)).toThrow(expect.objectContaining({ code: 'invalid_data' }));
    }
  });

  it('writes a reconnect without a target as one without params', () => {
    const target = { method: 'client.reconnect', host: undefined, port: undefined, waitSeconds: 0 } as const;
    expect(notificationParams(target)).toEqual([]);
    expect(notificationParams({ ...target, port: 3333, waitSeconds: 5 })).toEqual([null, '3333', '5']);
  });

  it('escapes what is not ASCII', () => {
    const line = encodeStratumNotification({ method: 'client.show_message', text: 'gr\u00fc\u00df \u{1f600}' });
    expect(line).toContain('gr\\u00fc\\u00df \\ud83d\\ude00');
  });

  it('knows no others, and throws a PoolError on params that make no sense', () => {
    expect(decodeNotification('mining.submit', [])).toBeUndefined();
    fc.assert(
      fc.property(
        fc.constantFrom('mining.notify', 'mining.set_difficulty', 'mining.set_extranonce', 'client.show_message'),
        fc.jsonValue(),
        (method, params) => {
          try {
            decodeNotification(method, params);
          } catch (error) {
            expect(isPoolError(error)).toBe(true);
          }
        },
      ),
    );
  });
});
