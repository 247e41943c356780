import { Code, dataSegment } from './code.mjs';
import { scrypt as area } from './layout.mjs';
import { sha256Functions } from './sha256.mjs';

/**
 * scrypt (RFC 7914) with N = 1024, r = 1, p = 1 and 32 bytes out, over an 80-byte header that is password and salt.
 *
 * Salsa20/8 is one long chain of dependent steps, so a core waits most of the time. Four headers worked on side by side
 * fill the gaps: all four take as long as one alone. Blocks live in memory and not in locals, because four streams
 * need every vector register for Salsa20 itself.
 */

const zero = '(i32.const 0)';

/** Salsa20 keeps its 4x4 words as diagonals, so that a quarter round works on four whole vectors. */
const DIAGONALS = [
  [0, 5, 10, 15],
  [4, 9, 14, 3],
  [8, 13, 2, 7],
  [12, 1, 6, 11],
];

const lanesLeft = (code, value, count) => {
  const bytes = [];
  for (let i = 0; i < 16; i++) bytes.push((i + 4 * count) & 15);
  return { code: `(i8x16.shuffle ${bytes.join(' ')} ${code.text(value)} ${code.text(value)})` };
};

/** x ^= rotl(a + b, bits) */
function step(code, x, a, b, bits) {
  const sum = code.keep({ code: `(i32x4.add ${code.text(a)} ${code.text(b)})` });
  const left = { code: `(i32x4.shl ${code.text(sum)} (i32.const ${bits}))` };
  const right = { code: `(i32x4.shr_u ${code.text(sum)} (i32.const ${32 - bits}))` };
  return code.keep(code.xor(code.xor(x, left), right));
}

/** A double round of Salsa20 on every stream. Each step is done for all streams before the next: that interleaves them. */
function doubleRound(code, streams) {
  let states = streams;
  const all = (change) => {
    states = states.map(change);
  };
  for (let round = 0; round < 2; round++) {
    all(([a, b, c, d]) => [a, step(code, b, a, d, 7), c, d]);
    all(([a, b, c, d]) => [a, b, step(code, c, b, a, 9), d]);
    all(([a, b, c, d]) => [a, b, c, step(code, d, c, b, 13)]);
    all(([a, b, c, d]) => [step(code, a, d, c, 18), b, c, d]);
    // Columns become rows and back: the diagonals b and d change roles.
    all(([a, b, c, d]) => [
      a,
      code.keep(lanesLeft(code, d, 1)),
      code.keep(lanesLeft(code, c, 2)),
      code.keep(lanesLeft(code, b, 3)),
    ]);
  }
  return states;
}

/** ROMix over all streams at once, in place. */
function romix() {
  const code = new Code({ addressOf: () => 0 });
  const streams = [];
  for (let s = 0; s < area.streams; s++) {
    streams.push([0, 1, 2, 3].map(() => ({ local: code.newLocal() })));
  }
  const eachVector = (visit) => {
    for (let s = 0; s < area.streams; s++) for (let i = 0; i < 4; i++) visit(s, i);
  };
  const blockAt = (s, half, i) => area.block + 128 * s + 64 * half + 16 * i;
  const fromBlock = (s, half, i) => code.load(zero, blockAt(s, half, i));
  const fromRow = (s, half, i) => code.load(`(local.get $row${s})`, area.pad + s * area.padBytes + 64 * half + 16 * i);

  /** block[half] = Salsa20/8(block[half] ^ block[1 - half]), with the pad's row mixed in before when asked. */
  const salsa = (half, mixRow) => {
    eachVector((s, i) => {
      let other = fromBlock(s, 1 - half, i);
      let own = fromBlock(s, half, i);
      if (mixRow) {
        other = code.keep(code.xor(other, fromRow(s, 1 - half, i)));
        own = code.xor(own, fromRow(s, half, i));
        code.store(zero, blockAt(s, 1 - half, i), other);
      }
      code.assign(streams[s][i].local, code.xor(own, other));
      code.store(zero, area.feed + 64 * s + 16 * i, streams[s][i]);
    });
    const label = `$rounds${code.lines.length}`;
    code.emit('(local.set $left (i32.const 4))', `(loop ${label}`);
    const after = doubleRound(code, streams);
    eachVector((s, i) => code.assign(streams[s][i].local, after[s][i]));
    code.emit(`(br_if ${label} (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))`);
    eachVector((s, i) => {
      const fed = code.add(streams[s][i], code.load(zero, area.feed + 64 * s + 16 * i));
      code.store(zero, blockAt(s, half, i), fed);
    });
  };

  code.emit('(loop $fill');
  for (const half of [0, 1]) {
    eachVector((s, i) => {
      code.store('(local.get $at)', area.pad + s * area.padBytes + 64 * half + 16 * i, fromBlock(s, half, i));
    });
  }
  salsa(0, false);
  salsa(1, false);
  code.emit(
    '(local.set $at (i32.add (local.get $at) (i32.const 128)))',
    `(br_if $fill (i32.lt_u (local.get $at) (i32.const ${area.padBytes}))))`,
  );

  code.emit('(local.set $at (i32.const 1024))', '(loop $mix');
  for (let s = 0; s < area.streams; s++) {
    // Integerify: word 16 of the block, modulo N
    const index = `(i32.and (i32.load offset=${blockAt(s, 1, 0)} ${zero}) (i32.const 1023))`;
    code.emit(`(local.set $row${s} (i32.shl ${index} (i32.const 7)))`);
  }
  salsa(0, true);
  salsa(1, false);
  code.emit('(br_if $mix (local.tee $at (i32.sub (local.get $at) (i32.const 1)))))');
  const rows = Array.from({ length: area.streams }, (_, s) => `(local $row${s} i32)`).join(' ');
  return code.toFunction('romix', [], `(local $at i32) (local $left i32) ${rows}`);
}

const repeat = (count, line) => Array.from({ length: count }, (_, i) => line(i)).join('\n');
const load = (base, offset) => `(i32.load offset=${offset} ${base})`;
const store = (base, offset, value) => `(i32.store offset=${offset} ${base} ${value})`;
const swapped = (value) => `(call $swap ${value})`;
const constant = (value) => `(i32.const ${value | 0})`;
const copy = (to, from, count) => repeat(count, (i) => store(zero, to + 4 * i, load(zero, from + 4 * i)));

/** Compresses the 16 words at `first` and `second` into the state at the address `initial` (a text). */
const compress = (first, second, initial) =>
  `(call $schedule16 (i32.const ${first}) (i32.const ${second}))
   (call $rounds (i32.const ${area.schedule}) ${initial})`;
const compressMessage = (initial) => compress(area.message, area.message + 32, initial);

/** Where word i of a 64-byte Salsa block stands in the diagonal order. */
function placeOf(word) {
  const row = DIAGONALS.findIndex((diagonal) => diagonal.includes(word));
  return 4 * row + DIAGONALS[row].indexOf(word);
}
/** Offset of word i (0 to 31) of the 128-byte block. */
const blockOffset = (word) => 64 * (word >> 4) + 4 * placeOf(word & 15);

const block = `(i32.add (i32.const ${area.block}) (i32.shl (local.get $stream) (i32.const 7)))`;
const innerKey = `(i32.add (i32.const ${area.keys}) (i32.shl (local.get $stream) (i32.const 6)))`;
const outerKey = `(i32.add ${innerKey} (i32.const 32))`;
const state = `(i32.const ${area.state})`;
const initial = `(i32.const ${area.initial})`;

/** State of a hash that has taken the HMAC key block, to the address `to`. */
const keyBlock = (pad, to) =>
  `${repeat(8, (i) => store(zero, area.message + 4 * i, `(i32.xor ${load(zero, area.key + 4 * i)} ${constant(pad)})`))}
   ${repeat(8, (i) => store(zero, area.message + 32 + 4 * i, constant(pad)))}
   ${compressMessage(initial)}
   ${repeat(8, (i) => store(to, 4 * i, load(zero, area.state + 4 * i)))}`;

/** The last 16 bytes of the header and the padding of a message of `bits`, into the message words. */
const headerEnd = (words, bits) => {
  const rest = [...words, 0x80000000];
  while (rest.length < 11) rest.push(0);
  rest.push(bits);
  return `${copy(area.message, area.header + 64, 4)}
    ${rest.map((word, i) => store(zero, area.message + 16 + 4 * i, constant(word))).join('\n')}`;
};

/** One 32-byte block of the first PBKDF2, which fills words 8 * (index - 1) onwards of the ROMix block. */
const expandBlock = (index) =>
  `${store(zero, area.message + 16, constant(index))}
   ${compressMessage(`(i32.const ${area.innerHeader})`)}
   ${compress(area.state, area.outerPadding, outerKey)}
   ${repeat(8, (i) => store(block, blockOffset(8 * (index - 1) + i), swapped(load(zero, area.state + 4 * i))))}`;

export function scryptModule() {
  const sha = sha256Functions(area, undefined);
  return `(module
  (import "env" "memory" (memory 1))
  ${sha.functions}
  ${romix()}
  (func $swap (param $word i32) (result i32)
    (i32.or (i32.and (i32.rotl (local.get $word) (i32.const 8)) (i32.const 0x00ff00ff))
            (i32.and (i32.rotr (local.get $word) (i32.const 8)) (i32.const 0xff00ff00))))

  ;; PBKDF2-HMAC-SHA256(header, header, 1, 128) of one stream into its block; keeps the HMAC key states
  (func $open (param $stream i32) (local $in i32)
    (local.set $in (i32.add (i32.const ${area.input}) (i32.mul (local.get $stream) (i32.const 80))))
    ${repeat(20, (i) => store(zero, area.header + 4 * i, swapped(load('(local.get $in)', 4 * i))))}
    ;; an HMAC key above 64 bytes is hashed first
    ${compress(area.header, area.header + 32, initial)}
    ${headerEnd([], 8 * 80)}
    ${compressMessage(state)}
    ${copy(area.key, area.state, 8)}
    ${keyBlock(0x36363636, innerKey)}
    ${keyBlock(0x5c5c5c5c, outerKey)}
    ${compress(area.header, area.header + 32, innerKey)}
    ${copy(area.innerHeader, area.state, 8)}
    ${headerEnd([0], 8 * (64 + 80 + 4))}
    ${[1, 2, 3, 4].map(expandBlock).join('\n')})

  ;; PBKDF2-HMAC-SHA256(header, block, 1, 32) of one stream to its output
  (func $close (param $stream i32) (local $out i32)
    ${repeat(16, (i) => store(zero, area.message + 4 * i, swapped(load(block, blockOffset(i)))))}
    ${compressMessage(innerKey)}
    ${repeat(16, (i) => store(zero, area.message + 4 * i, swapped(load(block, blockOffset(16 + i)))))}
    ${compressMessage(state)}
    ${compress(area.finalBlock, area.finalBlock + 32, state)}
    ${compress(area.state, area.outerPadding, outerKey)}
    (local.set $out (i32.add (i32.const ${area.output}) (i32.shl (local.get $stream) (i32.const 5))))
    ${repeat(8, (i) => store('(local.get $out)', 4 * i, swapped(load(zero, area.state + 4 * i))))})

  ;; hashes the headers of all streams; a stream left unused costs nothing extra and hashes what lies there
  (func (export "scrypt")
    ${repeat(area.streams, (s) => `(call $open (i32.const ${s}))`)}
    (call $romix)
    ${repeat(area.streams, (s) => `(call $close (i32.const ${s}))`)})
  ${sha.data}
  ${dataSegment(area.outerPadding, [0x80000000, 0, 0, 0, 0, 0, 0, 8 * (64 + 32)])}
  ${dataSegment(area.finalBlock, [1, 0x80000000, ...new Array(13).fill(0), 8 * (64 + 128 + 4)])})`;
}
