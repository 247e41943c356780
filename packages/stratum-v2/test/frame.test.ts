import { isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  encodeTlvs,
  type Frame,
  FrameReader,
  frameChannelId,
  readTlvs,
  type Tlv,
  workerIdentity,
  workerIdentityTlv,
} from '../src/index.js';
import { frames, hex, pieces, streamOf } from './support.js';

const anyCut = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

function readAll(chunks: Iterable<Uint8Array>, reader = new FrameReader()): Frame[] {
  const list: Frame[] = [];
  for (const chunk of chunks) {
    reader.push(chunk, (frame) => list.push(frame));
    // Whoever kept lent bytes is found out.
    chunk.fill(0x7a);
  }
  return list;
}

describe('FrameReader', () => {
  it('reads the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 8 }), anyCut, (list, sizes) => {
        const stream = streamOf(list);
        expect(readAll(pieces(stream, sizes))).toEqual(list);
        expect(readAll(pieces(stream, [1]))).toEqual(list);
        expect(readAll([Uint8Array.from(stream)])).toEqual(list);
      }),
    );
  });

  it('reads the same frames cut at every byte', () => {
    const list: Frame[] = [0, 1, 5, 0].map((length, at) => ({
      extensionType: at,
      isChannelMessage: at % 2 === 1,
      messageType: at,
      payload: new Uint8Array(length).fill(at),
    }));
    const stream = streamOf(list);
    for (let at = 0; at <= stream.length; at++) {
      expect(readAll([stream.slice(0, at), stream.slice(at)])).toEqual(list);
    }
  });

  it('gives nothing before a frame is complete, and holds no more than came', () => {
    const reader = new FrameReader({ maxPayloadBytes: 0xffffff });
    const announced = hex('0000ffffffff');
    expect(readAll([announced], reader)).toEqual([]);
    expect(reader.heldBytes).toBe(0);
    expect(readAll([new Uint8Array(10)], reader)).toEqual([]);
    expect(reader.heldBytes).toBe(10);
  });

  it('takes payloads up to the limit and stays failed beyond it', () => {
    const reader = new FrameReader({ maxPayloadBytes: 3 });
    const frame = (length: number): Uint8Array =>
      encodeFrame({ extensionType: 0, isChannelMessage: false, messageType: 1, payload: new Uint8Array(length) });
    expect(readAll([frame(3)], reader).length).toBe(1);
    for (const chunk of [frame(4).subarray(0, 6), frame(1)]) {
      const error = (() => {
        try {
          readAll([chunk], reader);
        } catch (thrown) {
          return thrown;
        }
        return undefined;
      })();
      expect(isPoolError(error, 'protocol_violation')).toBe(true);
    }
  });

  it('refuses limits that no length can have', () => {
    for (const maxPayloadBytes of [-1, 0.5, 0x1000000, Number.NaN]) {
      expect(() => new FrameReader({ maxPayloadBytes })).toThrow('maxPayloadBytes');
    }
  });
});

describe('frames', () => {
  const frame: Frame = { extensionType: 0, isChannelMessage: true, messageType: 0x21, payload: hex('0403020199') };

  it('write the channel bit into the second byte', () => {
    expect(Buffer.from(encodeFrame(frame)).toString('hex')).toBe('0080210500000403020199');
  });

  it('refuse values out of range', () => {
    for (const wrong of [
      { extensionType: 0x8000 },
      { extensionType: -1 },
      { messageType: 256 },
      { messageType: 0.5 },
    ]) {
      expect(() => encodeFrame({ ...frame, ...wrong })).toThrow(/type/);
    }
    expect(() => encodeFrame({ ...frame, payload: new Uint8Array(0x1000000) })).toThrow('16777216');
  });

  it('name their channel', () => {
    expect(frameChannelId(frame)).toBe(0x01020304);
    expect(frameChannelId({ ...frame, isChannelMessage: false })).toBeUndefined();
    expect(frameChannelId({ ...frame, payload: hex('040302') })).toBeUndefined();
  });
});

describe('TLVs', () => {
  const tlvs: fc.Arbitrary<Tlv> = fc.record({
    extensionType: fc.constantFrom(2, 3, 0x4001),
    fieldType: fc.integer({ min: 0, max: 255 }),
    value: fc.uint8Array({ maxLength: 40 }),
  });
  const isKnown = (extension: number): boolean => [2, 3, 0x4001].includes(extension);

  it('are read in either byte order', () => {
    fc.assert(
      fc.property(fc.array(tlvs, { maxLength: 5 }), fc.constantFrom('le' as const, 'be' as const), (list, order) => {
        const read = readTlvs(encodeTlvs(list, order), isKnown);
        expect(read.rest.length).toBe(0);
        expect(read.tlvs).toEqual(list.map((tlv) => ({ ...tlv, order })));
      }),
    );
  });

  it('never throw, and account for every byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const { tlvs: list, rest } = readTlvs(bytes, isKnown);
        expect(list.reduce((sum, tlv) => sum + 5 + tlv.value.length, rest.length)).toBe(bytes.length);
      }),
    );
  });

  it('of extensions that are not negotiated are little-endian', () => {
    const { tlvs: list } = readTlvs(hex('02000101004a'), () => false);
    expect(list).toEqual([{ extensionType: 2, fieldType: 1, value: hex('4a'), order: 'le' }]);
  });

  it('refuse what they cannot say', () => {
    const value = new Uint8Array(0);
    expect(() => encodeTlvs([{ extensionType: 0x10000, fieldType: 0, value }])).toThrow('out of range');
    expect(() => encodeTlvs([{ extensionType: 1, fieldType: 256, value }])).toThrow('out of range');
    expect(() => encodeTlvs([{ extensionType: 1, fieldType: 0, value: new Uint8Array(65_536) }])).toThrow('65535');
    expect(() => workerIdentityTlv('x'.repeat(33))).toThrow('32');
    expect(workerIdentity([{ extensionType: 2, fieldType: 1, value: new Uint8Array(33) }])).toBeUndefined();
    expect(workerIdentity([{ extensionType: 2, fieldType: 2, value }])).toBeUndefined();
  });
});
