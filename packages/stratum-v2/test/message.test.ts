import { ByteReader, ByteWriter, isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as codecs from '../src/codec.js';
import {
  B0_32,
  B0_255,
  BOOL,
  BYTES,
  type Codec,
  decodeMessage,
  ERROR_CODES,
  F32,
  type Frame,
  MESSAGES,
  type MessageFields,
  type MessageName,
  messageFrame,
  messageName,
  option,
  STR0_255,
  seq0to64k,
  seq0to255,
  U8,
  U16,
  U24,
  U32,
  U64,
  U256,
} from '../src/index.js';
import { fieldsOf, hex, MESSAGE_NAMES, valuesOf } from './support.js';

const runs = { numRuns: 60 };

/** Fields whose types only the table knows. */
const encode = (name: MessageName, fields: Record<string, unknown>, trailing?: Uint8Array): Frame =>
  messageFrame(name, fields as MessageFields<MessageName>, trailing);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isPoolError(error)) return error.code;
    throw error;
  }
  return 'no error';
}

function read<T>(codec: Codec<T>, text: string): T {
  const reader = new ByteReader(hex(text));
  const value = codec.read(reader);
  expect(reader.remaining).toBe(0);
  return value;
}

function write<T>(codec: Codec<T>, value: T): string {
  const writer = new ByteWriter();
  codec.write(writer, value);
  return Buffer.from(writer.finish()).toString('hex');
}

describe('the table of messages', () => {
  it('has every message of the protocol once', () => {
    const types = MESSAGE_NAMES.map((name) => {
      const { extensionType, messageType } = MESSAGES[name];
      return (extensionType << 8) | messageType;
    });
    expect(new Set(types).size).toBe(types.length);
    const bySubprotocol = new Map<string, number>();
    for (const name of MESSAGE_NAMES) {
      const { subprotocol } = MESSAGES[name];
      bySubprotocol.set(subprotocol, (bySubprotocol.get(subprotocol) ?? 0) + 1);
    }
    expect(Object.fromEntries(bySubprotocol)).toEqual({
      common: 5,
      mining: 21,
      'job-declaration': 8,
      'template-distribution': 7,
      extensions: 3,
    });
  });

  it('starts every channel message with a channel id', () => {
    for (const name of MESSAGE_NAMES) {
      const definition = MESSAGES[name];
      if (definition.isChannelMessage) expect(Object.keys(definition.fields)[0], name).toBe('channelId');
    }
  });

  it('lists error codes of messages that carry one, as printable ASCII', () => {
    for (const [name, codes] of Object.entries(ERROR_CODES)) {
      expect(Object.keys(MESSAGES[name as keyof typeof ERROR_CODES].fields)).toContain('errorCode');
      expect(new Set(codes).size).toBe(codes.length);
      for (const code of codes) expect(code).toMatch(/^[\x21-\x7e]{1,255}$/);
    }
  });
});

describe.each(MESSAGE_NAMES)('%s', (name) => {
  it('decodes what was encoded, and what comes behind', () => {
    fc.assert(
      fc.property(fieldsOf(name), fc.uint8Array({ maxLength: 20 }), (fields, trailing) => {
        const frame = encode(name, fields, trailing);
        expect(messageName(frame)).toBe(name);
        expect(decodeMessage(frame)).toEqual({ kind: 'message', name, fields, trailing });
        // The bit of the channel does not matter, and neither does what happens to the payload later.
        const payload = Uint8Array.from(frame.payload);
        const again = decodeMessage({ ...frame, payload, isChannelMessage: !frame.isChannelMessage });
        payload.fill(0xee);
        expect(again).toEqual({ kind: 'message', name, fields, trailing });
      }),
      runs,
    );
  });

  it('refuses a payload cut anywhere, and never reads beyond it', () => {
    fc.assert(
      fc.property(fieldsOf(name), (fields) => {
        const frame = encode(name, fields);
        for (let length = 0; length < frame.payload.length; length++) {
          // In the middle of other bytes: reading beyond would find some.
          const memory = new Uint8Array(length + 64).fill(0x01);
          memory.set(frame.payload.subarray(0, length), 32);
          const payload = memory.subarray(32, 32 + length);
          expect(codeOf(() => decodeMessage({ ...frame, payload }))).toBe('end_of_data');
        }
      }),
      { numRuns: 8 },
    );
  });

  it('encodes again what any bytes decode to', () => {
    const { extensionType, messageType, isChannelMessage } = MESSAGES[name];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
        let decoded: ReturnType<typeof decodeMessage>;
        try {
          decoded = decodeMessage({ extensionType, messageType, isChannelMessage, payload });
        } catch (error) {
          expect(isPoolError(error, 'end_of_data') || isPoolError(error, 'invalid_data')).toBe(true);
          return;
        }
        if (decoded.kind !== 'message') throw new Error('unknown');
        // Text that is not UTF-8 grows when it is written; everything else fits.
        const fields: Record<string, unknown> = decoded.fields;
        if (Object.values(fields).some((value) => typeof value === 'string' && value.includes('\ufffd'))) return;
        const again = encode(name, fields, decoded.trailing);
        expect(again.payload.length).toBe(payload.length);
        expect(decodeMessage(again)).toEqual(decoded);
      }),
      runs,
    );
  });

  it('names a field that is missing', () => {
    const [sample] = fc.sample(fieldsOf(name), 1);
    for (const [key, codec] of Object.entries<Codec<unknown>>(MESSAGES[name].fields)) {
      if (codec.name.startsWith('OPTION')) continue;
      const fields = { ...sample, [key]: undefined };
      expect(codeOf(() => encode(name, fields))).toBe('invalid_argument');
      expect(() => encode(name, fields)).toThrow(`${name}.${key}: `);
    }
  });
});

it('keeps messages of unknown types', () => {
  const frame: Frame = { extensionType: 0, isChannelMessage: true, messageType: 0x1e, payload: hex('0102') };
  expect(decodeMessage(frame)).toEqual({ kind: 'unknown', frame });
  expect(messageName({ extensionType: 2, messageType: 0 })).toBeUndefined();
  expect(messageName({ extensionType: 1, messageType: 0 })).toBe('RequestExtensions');
});

it('says where a message is wrong', () => {
  const frame = { extensionType: 0, isChannelMessage: true, messageType: 0x19, payload: hex('0100000021') };
  expect(() => decodeMessage(frame)).toThrow('SetExtranoncePrefix.extranoncePrefix: B0_32: 33 bytes, at most 32');
  expect(codeOf(() => decodeMessage(frame))).toBe('invalid_data');
});

describe('data types', () => {
  const all = Object.values(codecs).filter((value) => value !== BYTES) as Codec<unknown>[];

  it('are all there', () => expect(all.length).toBe(17));

  it.each(all)('$name reads what it wrote', (codec) => {
    for (const item of [codec, seq0to255(codec), seq0to64k(codec), option(codec)]) {
      fc.assert(
        fc.property(valuesOf(item), (value) => {
          const text = write(item, value);
          expect(text.length / 2).toBeGreaterThanOrEqual(item.minBytes);
          expect(read(item, text)).toEqual(value);
        }),
        runs,
      );
    }
  });

  it('integers are little-endian and know their ranges', () => {
    expect(write(U24, 0x030201)).toBe('010203');
    expect(read(U24, 'ffffff')).toBe(0xffffff);
    expect(write(U64, 0x0807060504030201n)).toBe('0102030405060708');
    const limits: readonly (readonly [Codec<number>, number])[] = [
      [U8, 0xff],
      [U16, 0xffff],
      [U24, 0xffffff],
      [U32, 0xffffffff],
    ];
    for (const [codec, most] of limits) {
      expect(read(codec, write(codec, most))).toBe(most);
      for (const value of [most + 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(
          codeOf(() => write(codec, value)),
          `${codec.name} ${value}`,
        ).toBe('invalid_argument');
      }
    }
    for (const value of [-1n, 2n ** 64n]) expect(codeOf(() => write(U64, value))).toBe('invalid_argument');
  });

  it('BOOL looks at bit 0 only', () => {
    expect([read(BOOL, '00'), read(BOOL, '01'), read(BOOL, '02'), read(BOOL, '03')]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect([write(BOOL, false), write(BOOL, true)]).toEqual(['00', '01']);
  });

  it('F32 refuses what is no hash rate', () => {
    expect(read(F32, '00000000')).toBe(0);
    expect(read(F32, 'a5d46853')).toBeCloseTo(1e12, -6);
    // -0, -1, infinities, NaN
    for (const text of ['00000080', '000080bf', '0000807f', '000080ff', '0000c07f']) {
      expect(
        codeOf(() => read(F32, text)),
        text,
      ).toBe('invalid_data');
    }
    for (const value of [-0, -1, 1e39, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(
        codeOf(() => write(F32, value)),
        String(value),
      ).toBe('invalid_argument');
    }
  });

  it('lengths and counts have bounds', () => {
    expect(read(B0_32, `20${'ab'.repeat(32)}`).length).toBe(32);
    expect(codeOf(() => read(B0_32, `21${'ab'.repeat(33)}`))).toBe('invalid_data');
    expect(codeOf(() => write(B0_32, new Uint8Array(33)))).toBe('invalid_argument');
    expect(codeOf(() => write(B0_255, new Uint8Array(256)))).toBe('invalid_argument');
    expect(codeOf(() => write(codecs.B0_64K, new Uint8Array(65_536)))).toBe('invalid_argument');
    expect(codeOf(() => write(codecs.B0_16M, new Uint8Array(0x1000000)))).toBe('invalid_argument');
    expect(codeOf(() => write(STR0_255, 'x'.repeat(256)))).toBe('invalid_argument');
    expect(codeOf(() => write(U256, new Uint8Array(31)))).toBe('invalid_argument');
    expect(codeOf(() => write(seq0to255(U8), new Array(256).fill(0)))).toBe('invalid_argument');
    expect(codeOf(() => write(seq0to64k(U8), new Array(65_536).fill(0)))).toBe('invalid_argument');
    expect(codeOf(() => read(option(U8), '0200'))).toBe('invalid_data');
    // 65,535 announced, one there.
    expect(codeOf(() => read(seq0to64k(U256), `ffff${'00'.repeat(32)}`))).toBe('end_of_data');
  });

  it('text that is not UTF-8 is read all the same', () => {
    expect(read(STR0_255, '03ff4142')).toBe('\ufffdAB');
    expect(read(STR0_255, '0341004a')).toBe('A\0J');
  });
});
