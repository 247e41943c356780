/** What a detector thinks of the first bytes of a connection. */
export type Detection = 'yes' | 'no' | 'more';

/** Recognises a protocol by its first bytes. */
export interface Detector {
  readonly name: string;
  /**
   * Judges `prefix[0..length)`, the whole stream so far, at least one byte. For a longer prefix of the same stream
   * the answer may change from `more` only. It must decide within {@link MAX_PREFIX_BYTES}.
   */
  detect(prefix: Uint8Array, length: number): Detection;
}

/** Longest prefix that detectors are asked about; a stream undecided by then is of an unknown protocol. */
export const MAX_PREFIX_BYTES = 512;

/** Text that must follow the quote of the first key. Random bytes look like `{"` and 8 characters once in 10^8 times. */
const TEXT_BYTES = 8;
/** The shortest line with a member, `{"":1}`, has this much. */
const MIN_TEXT_BYTES = 4;

function isText(byte: number): boolean {
  return byte >= 0x20 && byte <= 0x7e;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whether `\n` or `\r\n` stands at `at`. */
function endOfLine(prefix: Uint8Array, at: number, length: number): Detection {
  const newline = prefix[at] === 0x0d ? at + 1 : at;
  if (newline >= length) return 'more';
  return prefix[newline] === 0x0a ? 'yes' : 'no';
}

/**
 * A JSON object: an optional byte order mark and whitespace, `{`, and text that may follow it: `}` or the quote of a
 * key with eight characters of text (fewer when the line ends before). A single `{` does not do, because one in 256
 * random openings of a Noise handshake begins with it.
 */
export const jsonDetector: Detector = {
  name: 'json',
  detect(prefix, length) {
    let at = 0;
    if (prefix[0] === 0xef) {
      if (length < 3) return length === 1 || prefix[1] === 0xbb ? 'more' : 'no';
      if (prefix[1] !== 0xbb || prefix[2] !== 0xbf) return 'no';
      at = 3;
    }
    while (at < length && isSpace(prefix[at] ?? 0)) at++;
    if (at === length) return 'more';
    if (prefix[at] !== 0x7b) return 'no';
    at++;
    while (at < length && isSpace(prefix[at] ?? 0)) at++;
    if (at === length) return 'more';
    // An empty object is junk, but of the kind that gets an answer; its line end tells it from noise.
    if (prefix[at] === 0x7d) return endOfLine(prefix, at + 1, length);
    if (prefix[at] !== 0x22) return 'no';
    for (let i = at + 1; i <= at + TEXT_BYTES; i++) {
      if (i >= length) return 'more';
      const byte = prefix[i] ?? 0;
      if (!isText(byte)) return i > at + MIN_TEXT_BYTES ? endOfLine(prefix, i, length) : 'no';
    }
    return 'yes';
  },
};

/** Methods of RFC 9110, and the preface of HTTP/2. */
const HTTP_METHODS: readonly string[] = [
  'GET ',
  'POST ',
  'HEAD ',
  'PUT ',
  'DELETE ',
  'OPTIONS ',
  'PATCH ',
  'TRACE ',
  'CONNECT ',
  'PRI * HTTP/2',
];

/** An HTTP request: a method in capitals and a space. */
export const httpDetector: Detector = {
  name: 'http',
  detect(prefix, length) {
    let answer: Detection = 'no';
    for (const method of HTTP_METHODS) {
      const upTo = Math.min(method.length, length);
      let at = 0;
      while (at < upTo && prefix[at] === method.charCodeAt(at)) at++;
      if (at < upTo) continue;
      if (upTo === method.length) return 'yes';
      answer = 'more';
    }
    return answer;
  },
};

/**
 * A TLS ClientHello: record type 22, version 3.x with x up to 4, a length that fits a record, message type 1.
 * All six bytes, so that a random opening is not taken for one (once in 10^10 times).
 */
export function detectTls(prefix: Uint8Array, length: number): Detection {
  if (prefix[0] !== 0x16) return 'no';
  if (length > 1 && prefix[1] !== 0x03) return 'no';
  if (length > 2 && (prefix[2] ?? 255) > 4) return 'no';
  if (length > 3 && (prefix[3] ?? 255) > 0x40) return 'no';
  if (length > 5) return prefix[5] === 0x01 ? 'yes' : 'no';
  return 'more';
}
