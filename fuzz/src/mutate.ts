import type { Random } from './random.js';

const encoder = new TextEncoder();

/** Text that parsers of this project treat specially. */
const COMMON_TOKENS: readonly Uint8Array[] = [
  ...['null', 'true', 'false', '{}', '[]', '""', '"', '\\', '\\u0000', '\\ud800', '\\"', ',', ':', '{', '}', '[', ']'],
  ...['\n', '\r\n', ' ', '\t', '\0', '0', '-0', '-1', '1e999', '1e-7', '0.1', '.5', '00', '0x', '1.0', '2147483648'],
  ...['4294967296', '9007199254740993', '1e308', '__proto__', 'constructor', '\u00e9', '\u2028', '\ufeff', '[[[[[[[['],
].map((text) => encoder.encode(text));

/** Bytes at the edges of ranges. */
const EDGE_BYTES: readonly number[] = [
  0, 1, 9, 10, 13, 31, 32, 34, 44, 47, 48, 57, 58, 92, 123, 125, 127, 128, 193, 239, 255,
];

function spliced(bytes: Uint8Array, from: number, to: number, insert: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length - (to - from) + insert.length);
  out.set(bytes.subarray(0, from), 0);
  out.set(insert, from);
  out.set(bytes.subarray(to), from + insert.length);
  return out;
}

/** Position and end of a run of digits after a random place; undefined when there is none. */
function digitsIn(bytes: Uint8Array, random: Random): readonly [number, number] | undefined {
  const isDigit = (at: number): boolean => (bytes[at] ?? 0) >= 48 && (bytes[at] ?? 0) <= 57;
  const begin = random.below(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const at = (begin + i) % bytes.length;
    if (!isDigit(at)) continue;
    let from = at;
    while (from > 0 && isDigit(from - 1)) from--;
    let to = at;
    while (isDigit(to)) to++;
    return [from, to];
  }
  return undefined;
}

export interface MutationSource {
  readonly random: Random;
  /** Inputs to take parts from. */
  readonly pool: readonly Uint8Array[];
  /** Words of the format under test. */
  readonly dictionary: readonly Uint8Array[];
  readonly maxBytes: number;
}

function mutateOnce(bytes: Uint8Array, { random, pool, dictionary }: MutationSource): Uint8Array {
  const at = random.below(bytes.length + 1);
  const length = 1 + random.below(random.below(8) === 0 ? 64 : 6);
  const to = Math.min(bytes.length, at + length);
  switch (random.below(11)) {
    case 0: {
      const out = Uint8Array.from(bytes);
      if (out.length > 0) out[at % out.length] = (out[at % out.length] ?? 0) ^ (1 << random.below(8));
      return out;
    }
    case 1: {
      const out = Uint8Array.from(bytes);
      if (out.length > 0) out[at % out.length] = random.below(256);
      return out;
    }
    case 2: {
      const out = Uint8Array.from(bytes);
      if (out.length > 0) out[at % out.length] = random.pick(EDGE_BYTES, 0);
      return out;
    }
    case 3:
      return spliced(bytes, at, to, new Uint8Array(0));
    case 4:
      return spliced(bytes, at, at, bytes.slice(at, to));
    case 5:
      return spliced(bytes, at, at, random.pick(COMMON_TOKENS, new Uint8Array(0)));
    case 6:
      return spliced(bytes, at, to, random.pick(COMMON_TOKENS, new Uint8Array(0)));
    case 7:
      return spliced(bytes, at, random.below(2) === 0 ? at : to, random.pick(dictionary, new Uint8Array(0)));
    case 8: {
      const other = random.pick(pool, bytes);
      const from = random.below(other.length + 1);
      return spliced(bytes, at, to, other.slice(from, from + 1 + random.below(40)));
    }
    case 9: {
      const digits = digitsIn(bytes, random);
      if (digits === undefined) return bytes.slice(0, at);
      const number = random.below(3) === 0 ? String(random.u32() * 4096) : String(random.below(300) - 2);
      return spliced(bytes, digits[0], digits[1], encoder.encode(number));
    }
    default:
      return random.below(4) === 0
        ? bytes.slice(0, at)
        : spliced(bytes, at, at, new Uint8Array(length * 20).fill(bytes[at] ?? 0));
  }
}

/** A changed copy of `bytes`: one to several small changes, at most `maxBytes` long. */
export function mutate(bytes: Uint8Array, source: MutationSource): Uint8Array {
  let out = bytes;
  const changes = 1 + source.random.below(source.random.below(3) === 0 ? 12 : 3);
  for (let i = 0; i < changes; i++) out = mutateOnce(out, source);
  return out.length > source.maxBytes ? out.slice(0, source.maxBytes) : out;
}
