import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMessageText, parsePacket, parsePacketText } from '../src/index.js';

describe('parsePacket', () => {
  it('reads a single message as parseMessage does', () => {
    const text = '{"id":1,"method":"a"}';
    expect(parsePacketText(text)).toEqual(parseMessageText(text));
    expect(parsePacket(new TextEncoder().encode(`xx${text}yy`), 2, 2 + text.length)).toEqual(parseMessageText(text));
  });

  it('reads a batch, with each id as it was written', () => {
    const packet = parsePacketText(
      ' [ {"id":12345678901234567890,"method":"a"} ,{"method":"b"}, 7, {"id":"x","result":[1,2]}] ',
    );
    expect(packet).toMatchObject({
      kind: 'batch',
      messages: [
        { kind: 'request', idText: '12345678901234567890' },
        { kind: 'notification', method: 'b' },
        { kind: 'invalid', reason: 'not-an-object' },
        { kind: 'response', id: 'x', result: [1, 2] },
      ],
    });
  });

  it.each([
    ['[]', 'not-an-object'],
    [' [ ] ', 'not-an-object'],
    ['[1,]', 'not-json'],
    ['[,]', 'not-json'],
    ['[{"id":1,"method":"a"}', 'not-json'],
    ['[{"id":1,"method":"a"}]x', 'not-json'],
    ['[{"id":1,"method":"a"}}', 'not-json'],
    ['[{"id":1],"method":"a"}', 'not-json'],
    ['["a', 'not-json'],
    ['[1,2,3,4]', 'batch-too-large'],
    [`[${'['.repeat(300)}${']'.repeat(300)}]`, 'too-deep'],
  ])('%s is %s', (text, reason) => {
    expect(parsePacketText(text, 3)).toMatchObject({ kind: 'invalid', reason });
  });

  it('cuts an array where JSON.parse does (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 }), { minLength: 1, maxLength: 8 }), (values) => {
        const packet = parsePacketText(JSON.stringify(values));
        expect(packet.kind).toBe('batch');
        const messages = packet.kind === 'batch' ? packet.messages : [];
        expect(messages).toEqual(values.map((value) => parseMessageText(JSON.stringify(value))));
      }),
    );
  });

  it('takes for a batch only what JSON.parse takes for an array (property)', () => {
    const pieces = fc.constantFrom('[', ']', '{', '}', ',', '"', '\\', ':', '"id"', '1', 'null', ' ', '\n', '"a":1');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = `[${parts.join('')}]`;
        const packet = parsePacketText(text);
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        expect(packet.kind === 'invalid' && packet.reason === 'not-json').toBe(!valid);
      }),
      { numRuns: 2000 },
    );
  });
});
