import { type Frame, FrameDecrypter, FrameEncrypter, FrameReader, readFrameHeader } from '@headframe/stratum-v2';
import { check, tolerate } from '../check.js';
import type { FuzzTarget } from '../run.js';

const MAX_PAYLOAD = 100;
const KEY = new Uint8Array(32).fill(7);

interface Outcome {
  readonly frames: readonly Frame[];
  readonly isRefused: boolean;
}

interface Reader {
  readonly heldBytes: number;
  push(chunk: Uint8Array, sink: (frame: Frame) => void): void;
}

/** Frames of a whole stream, the slow and obvious way. */
function expectedFrames(stream: Uint8Array): Outcome {
  const frames: Frame[] = [];
  for (let at = 0; stream.length - at >= 6; ) {
    const { payloadLength, ...head } = readFrameHeader(stream.subarray(at));
    if (payloadLength > MAX_PAYLOAD) return { frames, isRefused: true };
    if (stream.length - at - 6 < payloadLength) break;
    frames.push({ ...head, payload: stream.slice(at + 6, at + 6 + payloadLength) });
    at += 6 + payloadLength;
  }
  return { frames, isRefused: false };
}

function collect(reader: Reader, stream: Uint8Array, chunkSize: () => number): Outcome {
  const frames: Frame[] = [];
  for (let at = 0; at < stream.length; ) {
    const size = Math.max(1, chunkSize());
    // A copy that is overwritten afterwards: whoever kept lent bytes is found out.
    const chunk = stream.slice(at, at + size);
    const push = (): true => {
      reader.push(chunk, (frame) => frames.push(frame));
      return true;
    };
    const isTaken = tolerate(['protocol_violation'], push);
    chunk.fill(0x7a);
    if (isTaken === undefined) {
      check(tolerate(['protocol_violation'], push) === undefined, 'a failed reader stays failed');
      return { frames, isRefused: true };
    }
    check(reader.heldBytes <= MAX_PAYLOAD + 22, 'no more held than a frame');
    at += size;
  }
  return { frames, isRefused: false };
}

const textOf = ({ frames, isRefused }: Outcome): string =>
  JSON.stringify([frames.map((frame) => ({ ...frame, payload: [...frame.payload] })), isRefused]);

/** The first byte of the input seeds the sizes of the chunks, the rest is the stream. */
export const stratumV2FramesTarget: FuzzTarget = {
  name: 'stratum-v2-frames',
  promise:
    'any split of a stream gives the same frames, also through encryption, and a payload beyond the limit ends it',
  maxBytes: 400,
  dictionary: [
    '\0\0\0\0\0\0',
    '\0\u0000\u001a\u0018\0\0',
    '\u0001\0\0\u0003\0\0',
    'd\0\0',
    'e\0\0',
    '\u0001\0\u0001\0',
  ],
  run(bytes) {
    const stream = bytes.subarray(1);
    const wanted = expectedFrames(stream);
    const expected = textOf(wanted);
    let state = (bytes[0] ?? 0) + 1;
    const uneven = (): number => {
      state = (state * 75 + 74) % 65_537;
      return 1 + (state % 17);
    };
    const limits = { maxPayloadBytes: MAX_PAYLOAD };
    const sizes = [() => stream.length, () => 1, uneven];
    for (const chunkSize of sizes) {
      const got = textOf(collect(new FrameReader(limits), stream, chunkSize));
      check(got === expected, `${got} instead of ${expected}`);
    }
    const encrypter = new FrameEncrypter(KEY);
    const encrypted = Buffer.concat(wanted.frames.map((frame) => encrypter.encrypt(frame)));
    const decrypted = textOf(collect(new FrameDecrypter(KEY, limits), new Uint8Array(encrypted), uneven));
    check(decrypted === textOf({ ...wanted, isRefused: false }), `${decrypted} through encryption`);
    // The stream as it is, as if it were encrypted: no tag of it can be right.
    const raw = collect(new FrameDecrypter(KEY, limits), stream, uneven);
    check(raw.frames.length === 0 && raw.isRefused === stream.length >= 22, 'what was not encrypted is refused');
    return `${Math.min(wanted.frames.length, 20)} frames${wanted.isRefused ? ', then too long' : ''}`;
  },
};
