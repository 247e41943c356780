import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgentFramer, type AgentFramerOptions, type AgentFramerStatus, encodeUnregisterWorker } from '../src/index.js';
import { frames, lines } from './arbitraries.js';
import { hex } from './vectors.js';

interface Collected {
  readonly messages: string[];
  status: AgentFramerStatus;
}

/** Pushes the chunks; each is overwritten afterwards, so that whoever kept lent bytes is found out. */
function collect(chunks: readonly Uint8Array[], options: AgentFramerOptions = {}, stopEach = false): Collected {
  const framer = new AgentFramer(options);
  const out: Collected = { messages: [], status: 'ok' };
  const take = (kind: string, bytes: Uint8Array, start: number, end: number): boolean => {
    out.messages.push(`${kind} ${Buffer.from(bytes.subarray(start, end)).toString('latin1')}`);
    return !stopEach;
  };
  const sink = {
    line: (bytes: Uint8Array, start: number, end: number) => take('line', bytes, start, end),
    frame: (bytes: Uint8Array, start: number, end: number) => take('frame', bytes, start, end),
  };
  for (const chunk of chunks) {
    const copy = chunk.slice();
    out.status = framer.push(copy, sink);
    copy.fill(0x55);
    while (out.status === 'ok' && framer.stopped) out.status = framer.resume(sink);
    if (out.status !== 'ok') break;
  }
  return out;
}

function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

function split(stream: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(stream.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const message = fc.oneof(
  frames.map((frame) => ({ wire: frame, text: `frame ${Buffer.from(frame).toString('latin1')}` })),
  fc.tuple(lines, fc.constantFrom('\n', '\r\n', ' \t\r\n', '\n\n', '\n \r\n')).map(([line, end]) => {
    const bytes = Buffer.from(line, 'utf8');
    return { wire: new Uint8Array(Buffer.from(`${line}${end}`)), text: `line ${bytes.toString('latin1')}` };
  }),
);
const streams = fc.array(message, { maxLength: 12 });
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 });

describe('lines and frames on one stream', () => {
  it('any split gives the same messages, stopping after each or not', () => {
    fc.assert(
      fc.property(streams, sizes, fc.boolean(), (list, pieces, stopEach) => {
        const stream = new Uint8Array(Buffer.concat(list.map(({ wire }) => wire)));
        const got = collect(split(stream, pieces), {}, stopEach);
        expect(got).toEqual({ messages: list.map(({ text }) => text), status: 'ok' });
      }),
      { numRuns: 400 },
    );
  });

  it('every split of a stream in two, and in single bytes', () => {
    const frame = hex('7f131700a9221144332211ddccbbaad02abd5700001200');
    const stream = new Uint8Array(
      Buffer.concat([
        latin1('\xef\xbb\xbf{"id":1}\r\n'),
        frame,
        hex('7f04060a0a7f').fill(0, 3, 4),
        frame,
        latin1('[2]\n'),
      ]),
    );
    const whole = collect([stream]);
    expect(whole.messages.map((text) => text.slice(0, 5))).toEqual(['line ', 'frame', 'frame', 'frame', 'line ']);
    expect(whole.messages[0]).toBe('line {"id":1}');
    for (let at = 0; at <= stream.length; at++) {
      expect(collect([stream.subarray(0, at), stream.subarray(at)]), `cut at ${at}`).toEqual(whole);
    }
    expect(collect(split(stream, [1]))).toEqual(whole);
  });

  it('a stream that ends at any byte gives the messages that are whole, and holds the rest', () => {
    const frame = encodeUnregisterWorker(0x0a0a);
    const parts = [latin1('{"a":1}\n'), frame, frame, latin1('{}\n')];
    const ends = [8, 14, 20, 23];
    const stream = new Uint8Array(Buffer.concat(parts));
    for (let length = 0; length <= stream.length; length++) {
      const { messages, status } = collect([stream.subarray(0, length)]);
      expect(status).toBe('ok');
      expect(messages.length, `${length} bytes`).toBe(ends.filter((end) => end <= length).length);
    }
  });

  it('a byte order mark counts at the start of the stream only', () => {
    const mark = latin1('\xef\xbb\xbf[]\n');
    const after = collect([new Uint8Array(Buffer.concat([encodeUnregisterWorker(1), mark]))]);
    expect(after.messages[1]).toBe('line \xef\xbb\xbf[]');
    expect(collect([mark, mark]).messages).toEqual(['line []', 'line \xef\xbb\xbf[]']);
  });

  it('0x7f counts at the beginning of a message only', () => {
    expect(collect([latin1(' \x7f\x04\x06\x00\x00\x00\n')]).messages).toEqual(['line \x7f\x04\x06\x00\x00\x00']);
  });
});

describe('limits', () => {
  it.each([
    ['bad-frame', '7f010000'],
    ['bad-frame', '7fff0300'],
    ['frame-too-long', '7f012100'],
    ['line-too-long', '61'.repeat(33)],
    ['line-too-long', `${'61'.repeat(33)}0a`],
  ])('%s: %s', (status, text) => {
    const options = { maxLineBytes: 32, maxFrameBytes: 32 };
    const good = encodeUnregisterWorker(1);
    const stream = new Uint8Array(Buffer.concat([good, hex(text), good]));
    for (const size of [stream.length, 7, 1]) {
      const got = collect(split(stream, [size]), options);
      expect(got.status, `pieces of ${size}`).toBe(status);
      expect(got.messages).toHaveLength(1);
    }
  });

  it('a line and a frame of just the limit pass', () => {
    const options = { maxLineBytes: 32, maxFrameBytes: 32 };
    const frame = new Uint8Array(32);
    frame.set([0x7f, 0x33, 32, 0]);
    const stream = new Uint8Array(Buffer.concat([latin1(`${'a'.repeat(32)}\n`), frame]));
    for (const size of [stream.length, 5, 1]) {
      expect(collect(split(stream, [size]), options)).toMatchObject({ status: 'ok', messages: { length: 2 } });
    }
  });

  it('never holds more than one message of the longest kind', () => {
    const framer = new AgentFramer({ maxLineBytes: 100, maxFrameBytes: 100 });
    const sink = { line: () => true, frame: () => true };
    const piece = hex('7f146400');
    framer.push(piece, sink);
    for (let i = 0; i < 95; i++) framer.push(Uint8Array.of(0), sink);
    expect(framer.heldBytes).toBe(99);
    framer.push(Uint8Array.of(0), sink);
    expect(framer.heldBytes).toBe(0);
  });

  it('bytes that come while stopped are kept up to the limit, and it stays failed', () => {
    const framer = new AgentFramer({ maxHeldBytes: 10 });
    const seen: number[] = [];
    const sink = {
      line: () => true,
      frame: (_: Uint8Array, start: number, end: number) => {
        seen.push(end - start);
        return false;
      },
    };
    const frame = encodeUnregisterWorker(3);
    expect(framer.push(frame, sink)).toBe('ok');
    expect(framer.push(frame, sink)).toBe('ok');
    expect([framer.stopped, framer.heldBytes, seen.length]).toEqual([true, 6, 1]);
    expect(framer.push(frame, sink)).toBe('overflow');
    expect(framer.resume(sink)).toBe('overflow');
    expect(framer.push(frame, sink)).toBe('overflow');
    expect([framer.heldBytes, seen.length]).toEqual([0, 1]);
  });

  it('what is forgotten does not come back', () => {
    const framer = new AgentFramer();
    const sink = { line: () => true, frame: () => true };
    framer.push(hex('7f04'), sink);
    framer.clear();
    const messages: string[] = [];
    framer.push(latin1('{}\n'), { ...sink, line: () => messages.push('line') > 0 });
    expect(messages).toEqual(['line']);
  });
});
