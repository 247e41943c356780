import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, negotiateVersion, type ProtocolRange, parseVersion } from '../src/index.js';

const version = fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));

describe('versions', () => {
  it.each([
    ['1.4', '1.4.2', -1],
    ['1.10', '1.9', 1],
    ['1.4', '1.4', 0],
    ['1.4.0', '1.4', 1],
    ['2', '1.99.99', 1],
    ['0.10', '0.8', 1],
  ])('%s against %s', (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
    expect(Math.sign(compareVersions(b, a))).toBe(-sign === 0 ? 0 : -sign);
  });

  it('are in a total order (property)', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(compareVersions(a, b) === 0).toBe(parseVersion(a)?.join() === parseVersion(b)?.join());
        const [x = a, y = b, z = c] = [a, b, c].sort(compareVersions);
        expect(compareVersions(x, y)).toBeLessThanOrEqual(0);
        expect(compareVersions(y, z)).toBeLessThanOrEqual(0);
        expect(compareVersions(x, z)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it.each(['', '1.', '.4', '1..4', 'v1.4', '1.4 ', '1.4.2.1.0', '-1.4', '1.44444', '1e3', '99999.1'])(
    '%j is none',
    (text) => {
      expect(parseVersion(text)).toBeUndefined();
      expect(() => compareVersions(text, '1.4')).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    },
  );
});

describe('negotiation', () => {
  const modern: ProtocolRange = { min: '1.4', max: '1.4.2' };

  it.each([
    ['1.4', '1.4'],
    ['1.4.2', '1.4.2'],
    ['1.4.1', '1.4.1'],
    [['1.4', '1.6'], '1.4.2'],
    [['1.1', '1.4'], '1.4'],
    [['1.4', '1.4'], '1.4'],
    [undefined, '1.4'],
    [null, '1.4'],
    [['1.0', '9.9'], '1.4.2'],
  ])('%j gives %s', (requested, expected) => {
    expect(negotiateVersion(requested, modern)).toEqual({ ok: true, version: expected });
  });

  it.each([
    ['1.3', 'unsupported protocol version: 1.3'],
    ['1.6', 'unsupported protocol version: 1.6'],
    [['1.0', '1.3'], 'unsupported protocol version: 1.3'],
    [['1.5', '1.6'], 'unsupported protocol version: 1.6'],
    [['1.6', '1.4'], 'unsupported protocol version: 1.4'],
    ['new', 'invalid protocol version'],
    [[], 'invalid protocol version'],
    [['1.4'], 'invalid protocol version'],
    [['1.4', '1.5', '1.6'], 'invalid protocol version'],
    [[1, 2], 'invalid protocol version'],
    [1.4, 'invalid protocol version'],
    [{ min: '1.4' }, 'invalid protocol version'],
  ])('%j fails: %s', (requested, message) => {
    expect(negotiateVersion(requested, modern)).toEqual({ ok: false, message });
  });

  it('finds the newest that both speak, and only that (property)', () => {
    const range = fc
      .tuple(version, version)
      .map(([a, b]): ProtocolRange => (compareVersions(a, b) <= 0 ? { min: a, max: b } : { min: b, max: a }));
    fc.assert(
      fc.property(range, range, (client, server) => {
        const result = negotiateVersion([client.min, client.max], server);
        const common = compareVersions(client.min, server.max) <= 0 && compareVersions(server.min, client.max) <= 0;
        expect(result.ok).toBe(common);
        if (!result.ok) return;
        for (const side of [client, server]) {
          expect(compareVersions(result.version, side.min)).toBeGreaterThanOrEqual(0);
          expect(compareVersions(result.version, side.max)).toBeLessThanOrEqual(0);
        }
        expect([client.max, server.max]).toContain(result.version);
      }),
    );
  });
});
