import { bytesToHex, hexToBytes, isPoolError, reverseBytes } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeNotify,
  decodeReconnect,
  decodeSetDifficulty,
  decodeSetVersionMask,
  decodeSubscribeResult,
  encodeNotify,
  encodeNotifyLines,
  encodeReconnect,
  encodeSetDifficulty,
  encodeSetExtranonce,
  encodeSetVersionMask,
  encodeShowMessage,
  METHODS,
  methodInfo,
  type NotifyFields,
  subscribeResult,
  swapWords,
} from '../src/index.js';
import { vectors } from './vectors.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isPoolError(error)) return error.code;
    throw error;
  }
  return 'nothing thrown';
};

describe('swapWords', () => {
  it.each(vectors.wordSwap)('$display', ({ headerBytes, stratumPrevhash, display }) => {
    expect(bytesToHex(swapWords(hexToBytes(headerBytes)))).toBe(stratumPrevhash);
    expect(bytesToHex(reverseBytes(swapWords(hexToBytes(stratumPrevhash))))).toBe(display);
  });
  it('refuses a broken word', () => {
    expect(codeOf(() => swapWords(new Uint8Array(3)))).toBe('invalid_argument');
  });
});

describe('notify', () => {
  it.each(vectors.pairs)('reads and writes $name', (pair) => {
    const fields = decodeNotify(pair.notifyParams);
    if (pair.previousBlockHash !== undefined) {
      expect(bytesToHex(reverseBytes(fields.previousHash))).toBe(pair.previousBlockHash);
      expect(fields.nbits).toBe(Number.parseInt(pair.bits ?? '', 16));
    }
    const line = text(encodeNotify(fields));
    expect(line.endsWith('\n')).toBe(true);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual({ id: null, method: 'mining.notify', params: pair.notifyParams });
    const lines = encodeNotifyLines(fields);
    expect(text(fields.clean ? lines.clean : lines.keep)).toBe(line);
  });

  const bytes = (options: { minLength: number; maxLength: number }): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array(options).map((array) => Uint8Array.from(array));
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  const notify: fc.Arbitrary<NotifyFields> = fc.record({
    jobId: u32.map((id) => id.toString(16)),
    previousHash: bytes({ minLength: 32, maxLength: 32 }),
    coinbase1: bytes({ minLength: 0, maxLength: 300 }),
    coinbase2: bytes({ minLength: 0, maxLength: 300 }),
    merkleBranch: fc.nat({ max: 14 }).chain((n) => bytes({ minLength: 32 * n, maxLength: 32 * n })),
    version: u32,
    nbits: u32,
    ntime: u32,
    clean: fc.boolean(),
  });

  it('decodes what it encoded', () => {
    fc.assert(
      fc.property(notify, (fields) => {
        const message: { params: unknown } = JSON.parse(text(encodeNotify(fields)));
        expect(decodeNotify(message.params)).toEqual(fields);
      }),
    );
  });

  it('refuses malformed params with a reason and never with anything but a PoolError', () => {
    const good = vectors.pairs[0]?.notifyParams ?? [];
    const junk = [undefined, null, 5, '', 'zz', 'abc', [], [5], {}, true, 'ab'.repeat(31), '1234567890'];
    for (let position = 0; position < 9; position++) {
      for (const value of junk) {
        const params = good.with(position, value);
        const code = codeOf(() => decodeNotify(params));
        expect(['invalid_data', 'invalid_hex', 'nothing thrown'], `${position}: ${String(value)}`).toContain(code);
      }
    }
    for (const params of [null, undefined, {}, [], good.slice(0, 8), 'x']) {
      expect(codeOf(() => decodeNotify(params))).toBe('invalid_data');
    }
    expect(codeOf(() => decodeNotify(good.with(8, 'true')))).toBe('invalid_data');
    expect(codeOf(() => decodeNotify(good.with(4, new Array(33).fill('00'.repeat(32)))))).toBe('invalid_data');
  });

  it('refuses to write a job id that is not hex', () => {
    const fields = decodeNotify(vectors.pairs[0]?.notifyParams);
    expect(codeOf(() => encodeNotify({ ...fields, jobId: '1",' }))).toBe('invalid_argument');
  });
});

describe('notifications', () => {
  it.each(['1', '0.001', '1024', '0.0000000002328306', '70000000000000'])('set_difficulty %s', (decimal) => {
    const line = text(encodeSetDifficulty(decimal));
    expect(line).toBe(`{"id":null,"method":"mining.set_difficulty","params":[${decimal}]}\n`);
    const message: { params: unknown } = JSON.parse(line);
    expect(decodeSetDifficulty(message.params)).toBe(Number(decimal));
  });
  it.each(['0', '0.0', '-1', '1e-7', '01', '.5', '5.', 'NaN', '', ' 1', '1\n'])(
    'refuses difficulty "%s"',
    (decimal) => {
      expect(codeOf(() => encodeSetDifficulty(decimal))).toBe('invalid_difficulty');
    },
  );
  it.each([[[0]], [['x']], [[]], [null], [[-1]], [[Number.POSITIVE_INFINITY]]])('does not believe %j', (params) => {
    expect(codeOf(() => decodeSetDifficulty(params))).toBe('invalid_data');
  });

  it('set_extranonce, set_version_mask', () => {
    expect(text(encodeSetExtranonce(Uint8Array.of(1, 0xab), 8))).toBe(
      '{"id":null,"method":"mining.set_extranonce","params":["01ab",8]}\n',
    );
    expect(text(encodeSetVersionMask(0x1fffe000))).toBe(
      '{"id":null,"method":"mining.set_version_mask","params":["1fffe000"]}\n',
    );
    expect(decodeSetVersionMask(['1fffe000'])).toBe(0x1fffe000);
    expect(codeOf(() => decodeSetVersionMask([5]))).toBe('invalid_data');
  });

  it('reconnect', () => {
    expect(text(encodeReconnect())).toBe('{"id":null,"method":"client.reconnect","params":[]}\n');
    const line = text(encodeReconnect({ host: 'pool.example', port: 3333, waitSeconds: 5 }));
    expect(line).toBe('{"id":null,"method":"client.reconnect","params":["pool.example","3333","5"]}\n');
    expect(decodeReconnect(['pool.example', '3333', '5'])).toEqual({
      host: 'pool.example',
      port: 3333,
      waitSeconds: 5,
    });
    expect(decodeReconnect(['', 0, 'x'])).toEqual({ host: undefined, port: undefined, waitSeconds: 0 });
    expect(decodeReconnect(null)).toEqual({ host: undefined, port: undefined, waitSeconds: 0 });
    expect(decodeReconnect(['h', 70000, 1e9])).toEqual({ host: 'h', port: undefined, waitSeconds: 3600 });
  });

  it('show_message stays one line of ASCII', () => {
    const line = text(encodeShowMessage('caf\u00e9 "\n\u2028'));
    expect(line).toBe('{"id":null,"method":"client.show_message","params":["caf\\u00e9 \\"\\n\\u2028"]}\n');
  });
});

describe('subscribe result', () => {
  it('is read as it was written', () => {
    const result = subscribeResult('0c7ab001', Uint8Array.of(0x0c, 0x7a, 0xb0, 1), 8);
    expect(JSON.stringify(result)).toBe(
      '[[["mining.set_difficulty","0c7ab001"],["mining.notify","0c7ab001"]],"0c7ab001",8]',
    );
    expect(decodeSubscribeResult(result)).toEqual({
      sessionId: '0c7ab001',
      extranonce1: Uint8Array.of(0x0c, 0x7a, 0xb0, 1),
      extranonce2Size: 8,
    });
  });
  it('takes the odd forms', () => {
    expect(decodeSubscribeResult([['mining.notify', 'ae68'], '', 8])).toMatchObject({
      sessionId: 'ae68',
      extranonce1: new Uint8Array(0),
    });
    expect(decodeSubscribeResult([[['mining.notify', 'sid']], '01', 4]).sessionId).toBe('sid');
    expect(decodeSubscribeResult([null, '01', 4]).sessionId).toBeUndefined();
  });
  it.each([[null], [[]], [[[], 'zz', 4]], [[[], '01', '4']], [[[], '01', 33]], [[[], '0', 4]], [[[], 1, 4]]])(
    'refuses %j',
    (result) => {
      expect(codeOf(() => decodeSubscribeResult(result))).toBe('invalid_data');
    },
  );
});

describe('method table', () => {
  it('describes every method once', () => {
    expect(new Set(METHODS.map(({ name }) => name)).size).toBe(METHODS.length);
    for (const info of METHODS) {
      expect(info.summary, info.name).toMatch(/\.$/);
      expect(info.params, info.name).not.toBe('');
      expect(info.kind === 'notification' ? info.result === '' : info.result !== '', info.name).toBe(true);
      expect(methodInfo(info.name)).toEqual(info);
    }
    expect(methodInfo('toString')).toBeUndefined();
  });
});
