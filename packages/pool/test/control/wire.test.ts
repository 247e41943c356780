import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpWire } from '../../src/control/http-wire.js';
import { JsonFramer } from '../../src/control/json-framer.js';
import { CONTROL_LIMITS } from '../../src/control/limits.js';
import type { ControlWire } from '../../src/control/wire.js';
import { post } from './support.js';

/** Cuts bytes at the places given. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

function all(wire: ControlWire): unknown[] {
  const found: unknown[] = [];
  for (let next = wire.next(); next !== undefined; next = wire.next()) {
    found.push(next.kind === 'request' ? next.text : next.kind);
    if (next.kind === 'failure') break;
  }
  return found;
}

describe('JSON framer', () => {
  const value = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));

  it('finds every value whatever stands between and however the bytes are split (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, fc.constantFrom('', '\n', ' \r\n\t')), { maxLength: 6 }),
        fc.array(fc.nat()),
        (items, cuts) => {
          const framer = new JsonFramer({ maxBytes: 1_000_000, maxDepth: 1000 });
          const bytes = Buffer.from(items.map(([item, space]) => `${JSON.stringify(item)}${space}`).join(''));
          const found: unknown[] = [];
          for (const piece of pieces(bytes, cuts)) {
            framer.push(piece);
            for (let next = framer.next(); next !== undefined; next = framer.next()) {
              found.push('text' in next ? JSON.parse(next.text) : next.failure);
            }
          }
          expect(found).toEqual(items.map(([item]) => JSON.parse(JSON.stringify(item))));
          expect(framer.next()).toBeUndefined();
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['something else', 'GET / HTTP', 'no-json'],
    ['a number', '5', 'no-json'],
    ['more levels than the bound', '['.repeat(9), 'too-deep'],
    ['a value that is too long', `["${'x'.repeat(200)}`, 'too-long'],
    ['a long text of backslashes', `["${'\\'.repeat(200)}`, 'too-long'],
  ])('fails for good with %s', (_what, text, failure) => {
    const framer = new JsonFramer({ maxBytes: 100, maxDepth: 8 });
    framer.push(Buffer.from(text));
    expect(framer.next()).toEqual({ failure });
    framer.push(Buffer.from('{}'));
    expect(framer.next()).toEqual({ failure });
    expect(framer.heldBytes).toBe(0);
  });
});

describe('HTTP wire', () => {
  it('finds every request however the bytes are split (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 4 }),
        fc.array(fc.nat()),
        (bodies, cuts) => {
          const wire = new HttpWire();
          const bytes = Buffer.from(bodies.map((body) => post(body)).join(''));
          const found: unknown[] = [];
          for (const piece of pieces(bytes, cuts)) {
            wire.push(piece);
            found.push(...all(wire));
          }
          expect(found).toEqual(bodies.map((body) => JSON.stringify(body)));
        },
      ),
      { numRuns: 200 },
    );
  });

  const withHead = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n{}`;
  it.each([
    ['GET', 405, withHead('GET / HTTP/1.1')],
    ['another path', 404, withHead('POST /x HTTP/1.1', 'Content-Length: 2')],
    ['HTTP/2', 400, withHead('POST / HTTP/2.0', 'Content-Length: 2')],
    ['no length', 411, withHead('POST / HTTP/1.1')],
    ['two lengths', 400, withHead('POST / HTTP/1.1', 'Content-Length: 2', 'Content-Length: 2')],
    ['a negative length', 400, withHead('POST / HTTP/1.1', 'Content-Length: -2')],
    ['a length with a sign', 400, withHead('POST / HTTP/1.1', 'Content-Length: +2')],
    ['a length in hex', 400, withHead('POST / HTTP/1.1', 'Content-Length: 0x2')],
    ['chunks', 501, withHead('POST / HTTP/1.1', 'Transfer-Encoding: chunked')],
    ['chunks and a length', 501, withHead('POST / HTTP/1.1', 'Content-Length: 2', 'Transfer-Encoding: chunked')],
    ['a space before the colon', 400, withHead('POST / HTTP/1.1', 'Content-Length : 2')],
    ['a folded header', 400, withHead('POST / HTTP/1.1', 'Content-Length: 2', ' folded')],
    ['a bare newline in a header', 400, withHead('POST / HTTP/1.1', 'X: a\nContent-Length: 2')],
    ['a body that is too long', 413, withHead('POST / HTTP/1.1', `Content-Length: ${CONTROL_LIMITS.requestBytes + 1}`)],
    ['a body that is no JSON', 400, 'POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nnull'],
    ['a body of two values', 400, 'POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n{}{}'],
    ['an endless head', 431, `POST / HTTP/1.1\r\nX: ${'x'.repeat(CONTROL_LIMITS.headBytes)}`],
  ])('refuses %s with %i and closes', (_what, status, text) => {
    const wire = new HttpWire();
    wire.push(Buffer.from(text));
    const found = wire.next();
    expect(found).toMatchObject({
      kind: 'failure',
      answer: expect.stringMatching(new RegExp(`^HTTP/1\\.1 ${status} `)),
    });
    expect(found).toMatchObject({ answer: expect.stringContaining('Connection: close\r\n') });
    expect(wire.next()).toBe(found);
    expect(wire.heldBytes).toBe(0);
  });

  it('tells who waits with its body to go on', () => {
    const wire = new HttpWire();
    wire.push(Buffer.from('POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n'));
    expect(wire.next()).toEqual({ kind: 'interim', answer: 'HTTP/1.1 100 Continue\r\n\r\n' });
    expect(wire.next()).toBeUndefined();
    wire.push(Buffer.from('{}'));
    expect(wire.next()).toMatchObject({ kind: 'request', text: '{}', isLast: false });
  });

  it.each([
    ['HTTP/1.1', '', false],
    ['HTTP/1.1', 'close', true],
    ['HTTP/1.0', '', true],
    ['HTTP/1.0', 'keep-alive', false],
  ])('%s with connection %j is the last: %s', (version, connection, isLast) => {
    const wire = new HttpWire();
    const header = connection === '' ? '' : `Connection: ${connection}\r\n`;
    wire.push(Buffer.from(`POST / ${version}\r\nContent-Length: 2\r\n${header}\r\n{}`));
    expect(wire.next()).toMatchObject({ kind: 'request', isLast });
  });
});
