import { encodeRequest, encodeResult, parseMessage, type RpcMessage } from '@headframe/jsonrpc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function parse(text: string): RpcMessage {
  const line = Buffer.from(text);
  const padded = Buffer.concat([Buffer.from('##'), line, Buffer.from('##')]);
  const message = parseMessage(padded, 2, 2 + line.length);
  // A plain Uint8Array reads the same as a Buffer.
  expect(parseMessage(new Uint8Array(line))).toEqual(message);
  return message;
}

describe('parseMessage', () => {
  it('reads requests as miners write them', () => {
    expect(parse('{"id":1,"method":"mining.subscribe","params":["cgminer/4.11.1"]}')).toEqual({
      kind: 'request',
      id: 1,
      idText: '1',
      method: 'mining.subscribe',
      params: ['cgminer/4.11.1'],
    });
    expect(
      parse('{"params": ["a", "b"], "id": "auth", "method": "mining.authorize", "jsonrpc": "2.0", "worker": "r"}'),
    ).toEqual({ kind: 'request', id: 'auth', idText: '"auth"', method: 'mining.authorize', params: ['a', 'b'] });
  });

  it.each(['', ',"params":null', ',"params":[]'])('reads missing and null params as none: %s', (params) => {
    expect(parse(`{"id":0,"method":"m"${params}}`)).toEqual({
      kind: 'request',
      id: 0,
      idText: '0',
      method: 'm',
      params: [],
    });
  });

  it('leaves other params alone', () => {
    expect(parse('{"id":0,"method":"m","params":{"a":1}}')).toMatchObject({ params: { a: 1 } });
    expect(parse('{"id":0,"method":"m","params":7}')).toMatchObject({ params: 7 });
  });

  it('takes calls without id or with a null id for notifications', () => {
    expect(parse('{"id":null,"method":"mining.suggest_target","params":["ff"]}')).toEqual({
      kind: 'notification',
      method: 'mining.suggest_target',
      params: ['ff'],
    });
    expect(parse('{"method":"m"}')).toEqual({ kind: 'notification', method: 'm', params: [] });
  });

  it('reads answers, also incomplete ones', () => {
    expect(parse('{"id":42,"result":"pong","error":null}')).toEqual({
      kind: 'response',
      id: 42,
      idText: '42',
      result: 'pong',
      error: null,
    });
    expect(parse('{"id":42}')).toMatchObject({ kind: 'response', result: null, error: null });
    expect(parse('{"id":42,"method":null,"error":[20,"no",null]}')).toMatchObject({
      kind: 'response',
      error: [20, 'no', null],
    });
    expect(parse('{"id":null,"result":null,"error":"parse error"}')).toMatchObject({ kind: 'response', id: null });
  });

  it.each([
    ['', 'not-json'],
    ['{', 'not-json'],
    ['{"id":1,"method":"a","params":["pass"word"]}', 'not-json'],
    ['{"id":1}{"id":2}', 'not-json'],
    ['GET / HTTP/1.1', 'not-json'],
    ['[]', 'not-an-object'],
    ['[{"id":1,"method":"a"}]', 'not-an-object'],
    ['null', 'not-an-object'],
    ['"x"', 'not-an-object'],
    ['17', 'not-an-object'],
    ['{}', 'bad-method'],
    ['{"params":[]}', 'bad-method'],
    ['{"id":7,"method":5}', 'bad-method'],
    ['{"id":{},"method":"a"}', 'bad-id'],
    ['{"id":[1],"method":"a"}', 'bad-id'],
    ['{"id":true,"method":"a"}', 'bad-id'],
  ])('refuses %s as %s', (text, reason) => {
    expect(parse(text)).toMatchObject({ kind: 'invalid', reason });
  });

  it('keeps the id of a call whose method is no string, so that it can be answered', () => {
    expect(parse('{"id":7,"method":5}')).toMatchObject({ kind: 'invalid', idText: '7' });
  });

  it.each(['12345678901234567890123', '9007199254740993', '-9007199254740993', '1e400', '1.50', '0.1', '-0.25e-7'])(
    'echoes the number %s as it was written',
    (id) => {
      expect(parse(`{"id":${id},"method":"m"}`)).toMatchObject({ kind: 'request', idText: id });
      // Wherever it stands, whatever stands around it.
      expect(
        parse(`{"params":[{"id":5.5},"\\"id\\":6.5"],"x":{"id":7.5},"\\u0069d" : ${id} ,"method":"id","id2":8.5}`),
      ).toMatchObject({ idText: id });
      // JSON.parse takes the last of several.
      expect(parse(`{"id":3.5,"id":${id},"method":"m"}`)).toMatchObject({ idText: id });
    },
  );

  it('echoes any id with the same type and value (property)', () => {
    const id = fc.oneof(
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(id, (value) => {
        const message = parse(JSON.stringify({ method: 'm', id: value }));
        if (message.kind !== 'request') throw new Error(message.kind);
        const echoed = JSON.parse(encodeResult(message.idText, true)) as { id: unknown };
        expect(echoed.id).toEqual(JSON.parse(JSON.stringify(value)));
        expect(encodeResult(message.idText, true)).toMatch(/^[\x20-\x7e]*\n$/);
      }),
    );
  });

  it('survives any bytes (property)', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.json().map((json) => Buffer.from(json)),
        ),
        (bytes) => {
          expect(['request', 'notification', 'response', 'invalid']).toContain(parseMessage(bytes).kind);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads back what the encoder wrote (property)', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string({ unit: 'binary' }), fc.array(fc.jsonValue()), (id, method, params) => {
        const line = Buffer.from(encodeRequest(id, method, params), 'latin1');
        const expected = JSON.parse(JSON.stringify(params)) as unknown;
        const message = parseMessage(line, 0, line.length - 1);
        if (JSON.stringify(params).includes('__proto__')) return;
        expect(message).toEqual({ kind: 'request', id, idText: String(id), method, params: expected });
      }),
    );
  });

  it('drops members called __proto__, written plainly or escaped', () => {
    for (const name of ['__proto__', '\\u005f_proto__', '__pr\\u006fto__']) {
      const message = parse(
        `{"id":1,"method":"m","${name}":{"method":"x"},"params":[{"${name}":{"admin":true},"a":1}]}`,
      );
      if (message.kind !== 'request') throw new Error(message.kind);
      const copy = Object.assign({}, (message.params as object[])[0]) as { admin?: boolean; a?: number };
      expect(copy.admin).toBeUndefined();
      expect(copy.a).toBe(1);
      expect(message.method).toBe('m');
    }
  });

  it('refuses deep nesting but not brackets in strings', () => {
    const deep = (levels: number): string =>
      `{"id":1,"method":"m","params":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(parse(deep(50))).toMatchObject({ kind: 'request' });
    expect(parse(deep(99))).toMatchObject({ kind: 'request' });
    expect(parse(deep(100))).toMatchObject({ kind: 'invalid', reason: 'too-deep' });
    expect(parse(deep(8000))).toMatchObject({ kind: 'invalid', reason: 'too-deep' });
    expect(parse('['.repeat(16_000))).toMatchObject({ kind: 'invalid' });
    expect(parse('{"a":'.repeat(3000))).toMatchObject({ kind: 'invalid' });
    expect(parse(`{"id":1,"method":"m","params":["${'['.repeat(500)}\\"${'{'.repeat(500)}"]}`)).toMatchObject({
      kind: 'request',
    });
  });

  it('keeps names that are not ASCII', () => {
    expect(parse('{"id":"\u00fc","method":"m","params":["\u00fc\ud83d\ude00"]}')).toMatchObject({
      idText: '"\\u00fc"',
      params: ['\u00fc\ud83d\ude00'],
    });
  });
});
