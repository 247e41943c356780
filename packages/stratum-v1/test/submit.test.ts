import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSubmitFields, parseSubmit, type SubmitFields, SubmitParse, submitFromParams } from '../src/index.js';
import { vectors } from './vectors.js';

const WORKER = 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig1';

function parse(line: string | Uint8Array, out = createSubmitFields()): { outcome: SubmitParse; fields: SubmitFields } {
  const bytes = typeof line === 'string' ? Buffer.from(line, 'utf8') : line;
  return { outcome: parseSubmit(bytes, 0, bytes.length, out), fields: out };
}

/** What counts of the fields after an outcome. */
function snapshot(outcome: SubmitParse, fields: SubmitFields): unknown {
  if (outcome === SubmitParse.notSubmit) return 'not-submit';
  if (outcome === SubmitParse.rejected) {
    return { code: fields.rejectCode, reason: fields.rejectReason, paramCount: fields.paramCount };
  }
  return {
    worker: fields.worker,
    jobId: fields.jobId,
    extranonce2: Buffer.from(fields.extranonce2.subarray(0, fields.extranonce2Length)).toString('hex'),
    ntime: fields.ntime,
    nonce: fields.nonce,
    versionBits: fields.versionBits,
    paramCount: fields.paramCount,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The hand parser against JSON.parse: what it takes must be valid JSON, a submit, with the same fields and an id that
 * echoes; what it refuses must be refused alike.
 */
function expectSameAsJson(bytes: Uint8Array): SubmitParse {
  const text = Buffer.from(bytes).toString('utf8');
  const { outcome, fields } = parse(bytes);
  if (outcome === SubmitParse.notSubmit) return outcome;
  const message: unknown = JSON.parse(text);
  if (!isRecord(message)) throw new Error(`taken as a submit, but no object: ${text}`);
  expect(message.method, text).toBe('mining.submit');
  expect(fields.idText, text).toBe(JSON.stringify(message.id ?? null));
  const other = createSubmitFields();
  expect(snapshot(outcome, fields), text).toEqual(snapshot(submitFromParams(message.params, other), other));
  return outcome;
}

describe('parseSubmit', () => {
  it('reads the usual line', () => {
    const { outcome, fields } = parse(
      `{"id":4,"method":"mining.submit","params":["${WORKER}","6abc0001","00000000000000ff","504e86ed","b2957c02","0a2c4000"]}`,
    );
    expect(outcome).toBe(SubmitParse.submit);
    expect(fields).toMatchObject({
      idText: '4',
      worker: WORKER,
      jobId: 0x6abc0001,
      extranonce2Length: 8,
      ntime: 0x504e86ed,
      nonce: 0xb2957c02,
      versionBits: 0x0a2c4000,
      paramCount: 6,
    });
    expect([...fields.extranonce2.subarray(0, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0xff]);
  });

  it.each([
    ['cgminer order', '{"params":["w","1","01","5","6"],"id":7,"method":"mining.submit"}', '7'],
    ['spaces and tabs', ' {\t"id" : 7 ,\r "method": "mining.submit" , "params" : [ "w" , "1","01", "5" ,"6" ] } ', '7'],
    ['jsonrpc', '{"jsonrpc":"2.0","id":7,"method":"mining.submit","params":["w","1","01","5","6"]}', '7'],
    ['worker member', '{"id":7,"method":"mining.submit","params":["w","1","01","5","6"],"worker":"rig"}', '7'],
    ['string id', '{"id":"a/7","method":"mining.submit","params":["w","1","01","5","6"]}', '"a/7"'],
    ['negative id', '{"id":-7,"method":"mining.submit","params":["w","1","01","5","6"]}', '-7'],
    ['big id', '{"id":123456789012345,"method":"mining.submit","params":["w","1","01","5","6"]}', '123456789012345'],
    ['null id', '{"id":null,"method":"mining.submit","params":["w","1","01","5","6"]}', 'null'],
    ['no id', '{"method":"mining.submit","params":["w","1","01","5","6"]}', 'null'],
  ])('takes %s', (_name, line, idText) => {
    const { outcome, fields } = parse(line);
    expect(outcome).toBe(SubmitParse.submit);
    expect(fields).toMatchObject({ idText, worker: 'w', jobId: 1, ntime: 5, nonce: 6, versionBits: -1, paramCount: 5 });
    expect(expectSameAsJson(Buffer.from(line))).toBe(SubmitParse.submit);
  });

  it.each([
    ['another method', '{"id":1,"method":"mining.ping","params":[]}'],
    ['a response', '{"id":1,"result":true,"error":null}'],
    ['escapes', '{"id":1,"method":"mining.submit","params":["w\\u0041","1","01","5","6"]}'],
    ['an escaped method', '{"id":1,"method":"mining.\\u0073ubmit","params":["w","1","01","5","6"]}'],
    ['a non-ASCII name', '{"id":1,"method":"mining.submit","params":["rig\u00e9","1","01","5","6"]}'],
    ['nested params', '{"id":1,"method":"mining.submit","params":[["w"],"1","01","5","6"]}'],
    ['params null', '{"id":1,"method":"mining.submit","params":null}'],
    ['params {}', '{"id":1,"method":"mining.submit","params":{}}'],
    ['no params', '{"id":1,"method":"mining.submit"}'],
    ['a fractional id', '{"id":1.5,"method":"mining.submit","params":["w","1","01","5","6"]}'],
    ['id true', '{"id":true,"method":"mining.submit","params":["w","1","01","5","6"]}'],
    ['a doubled key', '{"id":1,"id":2,"method":"mining.submit","params":["w","1","01","5","6"]}'],
    ['an unknown key', '{"id":1,"method":"mining.submit","params":["w","1","01","5","6"],"result":1}'],
    ['a leading zero', '{"id":01,"method":"mining.submit","params":["w","1","01","5","6"]}'],
    ['a trailing comma', '{"id":1,"method":"mining.submit","params":["w","1","01","5","6",]}'],
    ['a second value', '{"id":1,"method":"mining.submit","params":["w","1","01","5","6"]}{}'],
    ['a cut line', '{"id":1,"method":"mining.submit","params":["w","1","01","5","6"'],
    ['an empty line', ''],
    ['an array', '[1,2]'],
  ])('leaves %s to the generic path', (_name, line) => {
    expect(parse(line).outcome).toBe(SubmitParse.notSubmit);
  });

  it.each([
    ['["w","1","01","5"]', 'invalid-params', 'Expected 5 or 6 params, got 4'],
    ['[]', 'invalid-params', 'Expected 5 or 6 params, got 0'],
    ['["w","1","01","5","6","0","7"]', 'invalid-params', 'Expected 5 or 6 params, got 7'],
    ['[1,"1","01","5","6"]', 'invalid-params', 'Worker must be a string'],
    ['["w",1,"01","5","6"]', 'invalid-params', 'Job id must be a hex string'],
    ['["w","1",null,"5","6"]', 'invalid-extranonce2', 'Extranonce2 must be a hex string'],
    ['["w","1","01",5,"6"]', 'invalid-ntime', 'Ntime must be a hex string'],
    ['["w","1","01","5",true]', 'invalid-nonce', 'Nonce must be a hex string'],
    ['["w","1","01","5","6",7]', 'invalid-version-bits', 'Version bits must be a hex string'],
    ['["w","1","","5","6"]', 'invalid-extranonce2', 'Extranonce2 is empty'],
    ['["w","1","012","5","6"]', 'invalid-extranonce2', 'Extranonce2 has an odd number of hex digits'],
    ['["w","1","0g","5","6"]', 'invalid-extranonce2', 'Extranonce2 is not hex'],
    ['["w","1","0x01","5","6"]', 'invalid-extranonce2', 'Extranonce2 must be hex without a 0x prefix'],
    [`["w","1","${'00'.repeat(33)}","5","6"]`, 'invalid-extranonce2', 'Extranonce2 is longer than 32 bytes'],
    ['["w","1","01","123456789","6"]', 'invalid-ntime', 'Ntime has more than 8 hex digits'],
    ['["w","1","01","","6"]', 'invalid-ntime', 'Ntime is empty'],
    ['["w","1","01","5","0x06"]', 'invalid-nonce', 'Nonce must be hex without a 0x prefix'],
    ['["w","1","01","5","zz"]', 'invalid-nonce', 'Nonce is not hex'],
    ['["w","1","01","5","6","0X1"]', 'invalid-version-bits', 'Version bits must be hex without a 0x prefix'],
  ])('refuses %s', (params, code, reason) => {
    const line = `{"id":9,"method":"mining.submit","params":${params}}`;
    const { outcome, fields } = parse(line);
    expect(outcome).toBe(SubmitParse.rejected);
    expect(fields).toMatchObject({ idText: '9', rejectCode: code, rejectReason: reason });
    expect(expectSameAsJson(Buffer.from(line))).toBe(SubmitParse.rejected);
  });

  it('reads a null worker as the empty name, and null version bits as absent', () => {
    const { outcome, fields } = parse('{"id":1,"method":"mining.submit","params":[null,"1","01","5","6",null]}');
    expect(outcome).toBe(SubmitParse.submit);
    expect(fields).toMatchObject({ worker: '', versionBits: -1, paramCount: 6 });
  });

  it.each(['', 'bf0g', '123456789', '0x1', 'job'])('reads the foreign job id "%s" as -1', (jobId) => {
    const line = `{"id":1,"method":"mining.submit","params":["w","${jobId}","01","5","6"]}`;
    const { outcome, fields } = parse(line);
    expect(outcome).toBe(SubmitParse.submit);
    expect(fields.jobId).toBe(-1);
    expectSameAsJson(Buffer.from(line));
  });

  it('takes capitals and small letters for the same share', () => {
    const lower = parse('{"id":1,"method":"mining.submit","params":["w","ab","abcd","5a","ff00ff00","00c00000"]}');
    const upper = parse('{"id":1,"method":"mining.submit","params":["w","AB","ABCD","5A","FF00FF00","00C00000"]}');
    expect(snapshot(upper.outcome, upper.fields)).toEqual(snapshot(lower.outcome, lower.fields));
  });

  it('hands out the same string while the worker name stays, and a new one when it changes', () => {
    const out = createSubmitFields();
    const line = (name: string): string => `{"id":1,"method":"mining.submit","params":["${name}","1","01","5","6"]}`;
    parse(line('alice.one'), out);
    const kept = out.names.bytes;
    parse(line('alice.one'), out);
    expect(out.names.bytes).toBe(kept);
    expect(out.worker).toBe('alice.one');
    parse(line('alice.two'), out);
    expect(out.worker).toBe('alice.two');
    parse(line('alice.on'), out);
    expect(out.worker).toBe('alice.on');
  });

  it('does not keep names beyond 255 characters', () => {
    const out = createSubmitFields();
    const name = 'n'.repeat(4000);
    expect(parse(`{"id":1,"method":"mining.submit","params":["${name}","1","01","5","6"]}`, out).outcome).toBe(
      SubmitParse.submit,
    );
    expect(out.worker).toBe(name);
    expect(out.names.bytes.length).toBe(0);
  });

  it('reads only between start and end', () => {
    const line = '{"id":1,"method":"mining.submit","params":["w","1","01","5","6"]}';
    const bytes = Buffer.from(`xx${line}"]}}}`);
    const out = createSubmitFields();
    expect(parseSubmit(bytes, 2, 2 + line.length, out)).toBe(SubmitParse.submit);
    for (let end = 2; end < 2 + line.length; end++) {
      expect(parseSubmit(bytes, 2, end, out), `end ${end}`).toBe(SubmitParse.notSubmit);
    }
  });

  it.each(vectors.pairs.filter((pair) => pair.submitParams !== null))('reads the submit of $name', (pair) => {
    const params = pair.submitParams ?? [];
    const line = JSON.stringify({ id: 3, method: 'mining.submit', params });
    const { outcome, fields } = parse(line);
    expect(outcome).toBe(SubmitParse.submit);
    expect(fields.worker).toBe(params[0]);
    expect(fields.jobId).toBe(Number.parseInt(params[1] ?? '', 16));
    expect(Buffer.from(fields.extranonce2.subarray(0, fields.extranonce2Length)).toString('hex')).toBe(params[2]);
    expect(fields.ntime).toBe(pair.time ?? Number.parseInt(params[3] ?? '', 16));
    expect(fields.nonce).toBe(pair.nonce ?? Number.parseInt(params[4] ?? '', 16));
    expectSameAsJson(Buffer.from(line));
  });
});

describe('parseSubmit against JSON.parse', () => {
  const hexText = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: 0, maxLength: 10 });
  const anyParam = fc.oneof(
    { weight: 8, arbitrary: hexText },
    { weight: 2, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(null, true, 0, 1.5, -3, [], {}, '0x1f', '0', '00'.repeat(33)) },
  );
  const members = fc.record({
    id: fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.double(), fc.boolean()),
    method: fc.constantFrom('mining.submit', 'mining.submit', 'mining.submit', 'mining.notify'),
    params: fc.oneof(
      { weight: 6, arbitrary: fc.array(anyParam, { minLength: 4, maxLength: 7 }) },
      {
        weight: 6,
        arbitrary: fc.tuple(fc.string(), hexText, fc.constantFrom('00', '0011223344556677'), hexText, hexText),
      },
      { weight: 1, arbitrary: fc.constantFrom<unknown>(null, {}, 'x', 5) },
    ),
    jsonrpc: fc.constantFrom('2.0', null, 2),
    worker: fc.constantFrom('rig', 7, true),
  });
  const lines = fc
    .tuple(members, fc.shuffledSubarray(['id', 'method', 'params', 'jsonrpc', 'worker']), fc.constantFrom(0, 1, '\t'))
    .map(([values, keys, space]) => {
      const message = Object.fromEntries(keys.map((key) => [key, values[key as keyof typeof values]]));
      return JSON.stringify(message, null, space).replaceAll('\n', ' ');
    });

  it('agrees on generated lines', () => {
    let taken = 0;
    fc.assert(
      fc.property(lines, (line) => {
        if (expectSameAsJson(Buffer.from(line)) !== SubmitParse.notSubmit) taken++;
      }),
      { numRuns: 6000 },
    );
    expect(taken).toBeGreaterThan(500);
  });

  it('agrees on mutated lines: a byte changed, removed, doubled or inserted', () => {
    const base = [
      `{"id":4,"method":"mining.submit","params":["${WORKER}","6abc0001","00000000000000ff","504e86ed","b2957c02","0a2c4000"]}`,
      '{"params": ["w", "1", "01", "5", "6"], "id": "x", "method": "mining.submit", "jsonrpc": "2.0"}',
    ];
    const edit = fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }), kind: fc.nat({ max: 3 }), common: fc.nat() });
    const common = Buffer.from('"\\{}[]:,0x-+.eE \tnulltruefalse\u0000');
    let taken = 0;
    fc.assert(
      fc.property(fc.constantFrom(...base), fc.array(edit, { minLength: 1, maxLength: 3 }), (line, edits) => {
        let bytes = [...Buffer.from(line)];
        for (const { at, byte, kind, common: pick } of edits) {
          const index = at % bytes.length;
          const value = pick % 3 === 0 ? byte : (common[pick % common.length] ?? 0);
          if (kind === 0) bytes[index] = value;
          else if (kind === 1) bytes = bytes.toSpliced(index, 1);
          else if (kind === 2) bytes = bytes.toSpliced(index, 0, value);
          else bytes = bytes.toSpliced(index, 0, ...bytes.slice(index, index + (byte % 20)));
        }
        if (expectSameAsJson(Uint8Array.from(bytes)) !== SubmitParse.notSubmit) taken++;
      }),
      { numRuns: 10000 },
    );
    expect(taken).toBeGreaterThan(500);
  });
});
