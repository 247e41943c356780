import { LineFramer } from '@headframe/jsonrpc';
import { check } from '../check.js';
import type { FuzzTarget } from '../run.js';

const MAX_LINE = 64;

/** Lines of a whole stream, the slow and obvious way. */
function expectedLines(stream: Uint8Array): { readonly lines: readonly string[]; readonly tooLong: boolean } {
  const lines: string[] = [];
  let text = Buffer.from(stream).toString('latin1');
  let isFirst = true;
  for (;;) {
    const newline = text.indexOf('\n');
    let line = newline < 0 ? text : text.slice(0, newline);
    if (line.length > MAX_LINE) return { lines, tooLong: true };
    if (newline < 0) return { lines, tooLong: false };
    text = text.slice(newline + 1);
    if (isFirst && line.startsWith('\u00ef\u00bb\u00bf')) line = line.slice(3);
    isFirst = false;
    const trimmed = line.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
    if (trimmed !== '') lines.push(trimmed);
  }
}

function collect(
  stream: Uint8Array,
  chunkSize: (at: number) => number,
  stopAfterEach: boolean,
): { lines: string[]; tooLong: boolean } {
  const framer = new LineFramer({ maxLineBytes: MAX_LINE, maxHeldBytes: 1 << 20 });
  const lines: string[] = [];
  const sink = {
    line(bytes: Uint8Array, start: number, end: number): boolean {
      lines.push(Buffer.from(bytes).toString('latin1', start, end));
      return !stopAfterEach;
    },
  };
  for (let at = 0; at < stream.length; ) {
    const size = Math.max(1, chunkSize(at));
    // A copy that is overwritten afterwards: whoever kept lent bytes is found out.
    const chunk = stream.slice(at, at + size);
    let status = framer.push(chunk, sink);
    chunk.fill(0x7a);
    while (status === 'ok' && framer.stopped) status = framer.resume(sink);
    if (status !== 'ok') {
      check(status === 'line-too-long', `status ${status}`);
      return { lines, tooLong: true };
    }
    check(framer.heldBytes <= MAX_LINE, 'more held than a line');
    at += size;
  }
  return { lines, tooLong: false };
}

/** The first byte of the input seeds the sizes of the chunks, the rest is the stream. */
export const framerTarget: FuzzTarget = {
  name: 'framer',
  promise: 'any split of a stream gives the same lines, and a line beyond the limit ends it',
  maxBytes: 400,
  dictionary: [
    '\n',
    '\r\n',
    '\n\n',
    ' \t\r\n',
    '\u00ef\u00bb\u00bf',
    '{"id":1}\n',
    'x'.repeat(MAX_LINE),
    'x'.repeat(MAX_LINE + 1),
  ],
  run(bytes) {
    const stream = bytes.subarray(1);
    const expected = JSON.stringify(expectedLines(stream));
    let state = (bytes[0] ?? 0) + 1;
    const uneven = (): number => {
      state = (state * 75 + 74) % 65_537;
      return 1 + (state % 17);
    };
    for (const [chunkSize, how] of [
      [() => stream.length, 'whole'],
      [() => 1, 'byte by byte'],
      [uneven, 'uneven'],
    ] as const) {
      for (const stopAfterEach of [false, true]) {
        const got = JSON.stringify(collect(stream, chunkSize, stopAfterEach));
        check(got === expected, `${how}${stopAfterEach ? ', stopping' : ''}: ${got} instead of ${expected}`);
      }
    }
    const { lines, tooLong } = expectedLines(stream);
    return `${Math.min(lines.length, 20)} lines${tooLong ? ', then too long' : ''}`;
  },
};
