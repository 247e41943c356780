import {
  encodeError,
  encodeJson,
  encodeNotification,
  encodeRequest,
  encodeResult,
  encodeTrue,
} from '@headframe/jsonrpc';
import { isPoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';

describe('encoders', () => {
  it('write the three members of an answer in order, one line', () => {
    expect(encodeTrue('5')).toBe('{"id":5,"result":true,"error":null}\n');
    expect(encodeResult('"auth"', { 'version-rolling': true })).toBe(
      '{"id":"auth","result":{"version-rolling":true},"error":null}\n',
    );
    expect(encodeResult('5', undefined)).toBe('{"id":5,"result":null,"error":null}\n');
    expect(encodeError('5', [21, 'Job not found', null])).toBe(
      '{"id":5,"result":null,"error":[21,"Job not found",null]}\n',
    );
    expect(encodeTrue('7')).toBe(encodeResult('7', true));
  });

  it('write calls', () => {
    expect(encodeNotification('mining.set_difficulty', [1000])).toBe(
      '{"id":null,"method":"mining.set_difficulty","params":[1000]}\n',
    );
    expect(encodeRequest(42, 'mining.ping', [])).toBe('{"id":42,"method":"mining.ping","params":[]}\n');
  });

  it('write ASCII only', () => {
    const line = encodeNotification('client.show_message', ['\u00fc \ud83d\ude00 \u2028 \ud800 \x7f \n']);
    expect(line).toMatch(/^[\x20-\x7e]*\n$/);
    expect((JSON.parse(line) as { params: string[] }).params[0]).toBe('\u00fc \ud83d\ude00 \u2028 \ud800 \x7f \n');
  });

  it('refuse what JSON cannot hold', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const value of [1n, cycle, [1n]]) {
      expect(() => encodeJson(value)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
    try {
      encodeRequest(1.5, 'm', []);
      expect.unreachable();
    } catch (error) {
      expect(isPoolError(error, 'invalid_argument')).toBe(true);
    }
  });
});
