import { type FramerStatus, LineFramer, type LineSink } from '@headframe/jsonrpc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

class Collector implements LineSink {
  readonly lines: string[] = [];
  readonly sources: Uint8Array[] = [];
  stopAfter = Number.POSITIVE_INFINITY;
  line(bytes: Uint8Array, start: number, end: number): boolean {
    this.lines.push(Buffer.from(bytes.subarray(start, end)).toString('latin1'));
    this.sources.push(bytes);
    return this.lines.length < this.stopAfter;
  }
}

function frame(chunks: readonly Uint8Array[], options = {}): { lines: string[]; status: FramerStatus } {
  const framer = new LineFramer(options);
  const sink = new Collector();
  let status: FramerStatus = 'ok';
  for (const chunk of chunks) {
    // A copy that is overwritten afterwards: the framer may not look at a chunk again.
    const lent = Uint8Array.from(chunk);
    status = framer.push(lent, sink);
    lent.fill(0x23);
  }
  return { lines: sink.lines, status };
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('LineFramer', () => {
  it('cuts at newlines, drops CR, whitespace around lines and blank lines', () => {
    const { lines } = frame([bytes('one\ntwo\r\n\n \t\r\n  three \r\n\r\nfour')]);
    expect(lines).toEqual(['one', 'two', 'three']);
  });

  it('gives the same lines however the stream is split in two', () => {
    const stream = bytes('\xef\xbb\xbf{"id":1}\r\n\n{"id":2}\n  \r\n{"id":3}\n');
    for (let cut = 0; cut <= stream.length; cut++) {
      const { lines } = frame([stream.subarray(0, cut), stream.subarray(cut)]);
      expect(lines, `cut at ${cut}`).toEqual(['{"id":1}', '{"id":2}', '{"id":3}']);
    }
  });

  it('gives the same lines byte by byte and for any split (property)', () => {
    const line = fc.stringMatching(/^[a-z {}":,0-9]{0,40}$/);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.array(fc.nat(1000), { maxLength: 30 }), (texts, cuts) => {
        const stream = bytes(texts.map((text, i) => text + (i % 3 === 0 ? '\r\n' : '\n')).join(''));
        const expected = texts.map((text) => text.trim()).filter((text) => text !== '');
        const at = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
        const pieces = [0, ...at].map((from, i) => stream.subarray(from, at[i] ?? stream.length));
        expect(frame(pieces).lines).toEqual(expected);
        expect(frame(Array.from(stream, (byte) => Uint8Array.of(byte))).lines).toEqual(expected);
      }),
    );
  });

  it('strips a byte order mark at the start of the stream only', () => {
    expect(frame([bytes('\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n')]).lines).toEqual(['{}', '\xef\xbb\xbf{}']);
    expect(frame([bytes('\xef'), bytes('\xbb'), bytes('\xbf'), bytes('\n{}\n')]).lines).toEqual(['{}']);
  });

  it('passes whole lines on without copying', () => {
    const framer = new LineFramer();
    const sink = new Collector();
    const chunk = Buffer.from('{"id":1}\n{"id":2}\n{"id');
    framer.push(chunk, sink);
    expect(sink.sources.every((source) => source.buffer === chunk.buffer)).toBe(true);
    expect(framer.heldBytes).toBe(4);
  });

  it('holds nothing between whole lines', () => {
    const framer = new LineFramer();
    const sink = new Collector();
    framer.push(bytes('{"id'), sink);
    expect(framer.heldBytes).toBe(4);
    framer.push(bytes('":1}\n'), sink);
    expect(framer.heldBytes).toBe(0);
    expect(sink.lines).toEqual(['{"id":1}']);
  });

  it('takes a line of exactly the limit and refuses one byte more, whole or cut', () => {
    const just = 'x'.repeat(100);
    for (const chunks of [[`${just}\n`], [just, '\n'], [just.slice(0, 50), `${just.slice(50)}\n`]]) {
      expect(frame(chunks.map(bytes), { maxLineBytes: 100 })).toEqual({ lines: [just], status: 'ok' });
    }
    for (const chunks of [
      [`${just}x\n`],
      [`${just}x`],
      [just, 'x'],
      [just, 'x\n'],
      [`${just.slice(0, 50)}`, `${just.slice(49)}\n`],
    ]) {
      const { lines, status } = frame(['ok\n', ...chunks].map(bytes), { maxLineBytes: 100 });
      expect(status, JSON.stringify(chunks)).toBe('line-too-long');
      expect(lines).toEqual(['ok']);
    }
  });

  it('counts the limit per line and not per chunk', () => {
    const many = bytes('{"id":1}\n'.repeat(120_000));
    expect(many.length).toBeGreaterThan(1_000_000);
    const { lines, status } = frame([many], { maxLineBytes: 100 });
    expect(status).toBe('ok');
    expect(lines.length).toBe(120_000);
  });

  it('stays failed and holds nothing after a line too long', () => {
    const framer = new LineFramer({ maxLineBytes: 10 });
    const sink = new Collector();
    expect(framer.push(bytes('x'.repeat(11)), sink)).toBe('line-too-long');
    expect(framer.heldBytes).toBe(0);
    expect(framer.push(bytes('\nok\n'), sink)).toBe('line-too-long');
    expect(framer.resume(sink)).toBe('line-too-long');
    expect(sink.lines).toEqual([]);
  });

  it('an endless line never holds more than the limit', () => {
    const framer = new LineFramer({ maxLineBytes: 1000 });
    const sink = new Collector();
    let most = 0;
    for (let i = 0; i < 5000; i++) {
      framer.push(bytes('x'), sink);
      most = Math.max(most, framer.heldBytes);
    }
    expect(most).toBe(1000);
  });

  it('may lower and raise the limit while running', () => {
    const framer = new LineFramer({ maxLineBytes: 10 });
    const sink = new Collector();
    framer.maxLineBytes = 20;
    expect(framer.push(bytes(`${'x'.repeat(15)}\n`), sink)).toBe('ok');
    framer.maxLineBytes = 10;
    expect(framer.push(bytes(`${'x'.repeat(15)}\n`), sink)).toBe('line-too-long');
  });
});

describe('LineFramer, stopping', () => {
  it('keeps what follows a stop and goes on with it', () => {
    const framer = new LineFramer();
    const sink = new Collector();
    sink.stopAfter = 2;
    expect(framer.push(bytes('a\nb\nc\nd'), sink)).toBe('ok');
    expect(sink.lines).toEqual(['a', 'b']);
    expect(framer.stopped).toBe(true);
    expect(framer.push(bytes('d\ne\n'), sink)).toBe('ok');
    expect(sink.lines).toEqual(['a', 'b']);
    sink.stopAfter = Number.POSITIVE_INFINITY;
    framer.resume(sink);
    expect(sink.lines).toEqual(['a', 'b', 'c', 'dd', 'e']);
    expect(framer.stopped).toBe(false);
    expect(framer.heldBytes).toBe(0);
    expect(framer.resume(sink)).toBe('ok');
  });

  it('stops at the line that was completed from the carry', () => {
    const framer = new LineFramer();
    const sink = new Collector();
    framer.push(bytes('a'), sink);
    sink.stopAfter = 1;
    framer.push(bytes('a\nb\n'), sink);
    expect(sink.lines).toEqual(['aa']);
    sink.stopAfter = 9;
    framer.resume(sink);
    expect(sink.lines).toEqual(['aa', 'b']);
  });

  it('gives all lines in order whatever is split and whenever it is stopped (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,20}$/), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 }),
        fc.infiniteStream(fc.boolean()),
        (texts, sizes, decisions) => {
          const stream = bytes(texts.map((text) => `${text}\n`).join(''));
          const framer = new LineFramer({ maxLineBytes: 20 });
          const lines: string[] = [];
          const sink: LineSink = {
            line(source, start, end) {
              lines.push(Buffer.from(source.subarray(start, end)).toString());
              return decisions.next().value !== false;
            },
          };
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = sizes[i % sizes.length] ?? 1;
            expect(framer.push(stream.slice(at, at + size), sink)).toBe('ok');
            at += size;
            if (decisions.next().value === true) framer.resume(sink);
          }
          while (framer.stopped) expect(framer.resume(sink)).toBe('ok');
          expect(lines).toEqual(texts);
        },
      ),
    );
  });

  it('keeps the whole rest of a chunk, and stopping after each line costs no copying', () => {
    const framer = new LineFramer({ maxHeldBytes: 1000 });
    const sink = new Collector();
    sink.stopAfter = 0;
    const startedMs = performance.now();
    expect(framer.push(bytes('{"id":1}\n'.repeat(120_000)), sink)).toBe('ok');
    while (framer.stopped) framer.resume(sink);
    expect(sink.lines.length).toBe(120_000);
    // Copying the rest each time would move 65 GB.
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  it('bounds what comes while stopped', () => {
    const framer = new LineFramer({ maxHeldBytes: 1000 });
    const sink = new Collector();
    sink.stopAfter = 1;
    framer.push(bytes('a\n'), sink);
    for (let i = 0; i < 10; i++) expect(framer.push(new Uint8Array(100).fill(10), sink)).toBe('ok');
    expect(framer.push(bytes('x'), sink)).toBe('overflow');
    expect(framer.heldBytes).toBe(0);
    expect(framer.resume(sink)).toBe('overflow');
  });

  it('finds a line too long after a resume', () => {
    const framer = new LineFramer({ maxLineBytes: 5 });
    const sink = new Collector();
    sink.stopAfter = 1;
    expect(framer.push(bytes('a\nb\ntoo long\n'), sink)).toBe('ok');
    sink.stopAfter = 9;
    expect(framer.resume(sink)).toBe('line-too-long');
    expect(sink.lines).toEqual(['a', 'b']);
  });
});
