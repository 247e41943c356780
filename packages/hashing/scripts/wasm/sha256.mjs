import { Code, dataSegment } from './code.mjs';

/**
 * SHA-256 (FIPS 180-4) as WebAssembly functions over one word layout:
 *
 *   schedule16(first, second)  expands 16 message words (8 at each address) into 64 words W + K
 *   schedule8(message)         the same for a 32-byte message, padding folded in: the second hash of SHA-256d
 *   rounds(schedule, initial)  64 rounds from the state at `initial`; adds it and leaves the sum at `state`
 *
 * Why two phases and not one unrolled compression: with 16 vector registers, eight state words and sixteen message
 * words do not fit together; apart they do. Measured: 17 % faster than the fused form, with a fifth of the code.
 */

/** Integer root by Newton's method; `power` is 2 or 3. */
function integerRoot(value, power) {
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / power) + 1);
  for (;;) {
    const better = (BigInt(power - 1) * root + value / root ** BigInt(power - 1)) / BigInt(power);
    if (better >= root) return root;
    root = better;
  }
}

const primes = [];
for (let candidate = 2; primes.length < 64; candidate++) {
  if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
}
const fraction = (prime, power) => Number(integerRoot(BigInt(prime) << BigInt(32 * power), power) & 0xffffffffn);

/** Round constants: fractional parts of the cube roots of the first 64 primes. */
const ROUND = primes.map((prime) => fraction(prime, 3));
/** Initial state: fractional parts of the square roots of the first 8 primes. */
const INITIAL = primes.slice(0, 8).map((prime) => fraction(prime, 2));

const word = (constant) => ({ constant });

function smallSigma(code, value, first, second, shift) {
  return code.xor(
    code.xor(code.rotateRight(value, first), code.rotateRight(value, second)),
    code.shiftRight(value, shift),
  );
}

function bigSigma(code, value, first, second, third) {
  return code.xor(
    code.xor(code.rotateRight(value, first), code.rotateRight(value, second)),
    code.rotateRight(value, third),
  );
}

/** Expands 16 words (values) and hands each W + K to `take`. */
function expand(code, message, take) {
  const w = message.slice();
  for (let t = 0; t < 64; t++) {
    const at = t & 15;
    if (t >= 16) {
      const early = smallSigma(code, w[(t - 15) & 15], 7, 18, 3);
      const late = smallSigma(code, w[(t - 2) & 15], 17, 19, 10);
      w[at] = code.keep(code.add(late, w[(t - 7) & 15], early, w[at]));
    }
    take(t, code.add(word(ROUND[t]), w[at]));
  }
}

/** W + K of the block that pads a 64-byte message: it is the same for every merkle node. */
function paddingSchedule() {
  const message = [0x80000000, ...new Array(14).fill(0), 512].map(word);
  const out = [];
  expand(new Code(), message, (t, value) => {
    out[t] = value.constant;
  });
  return out;
}

function schedule16(code, area) {
  const message = [];
  for (let t = 0; t < 16; t++) {
    const base = t < 8 ? '(local.get $first)' : '(local.get $second)';
    message.push(code.keep(code.load(base, (t & 7) * code.wordBytes)));
  }
  expand(code, message, (t, value) => code.store('(i32.const 0)', area.schedule + t * code.wordBytes, value));
  return code.toFunction('schedule16', ['first', 'second']);
}

function schedule8(code, area) {
  const message = [];
  for (let t = 0; t < 8; t++) message.push(code.keep(code.load('(local.get $message)', t * code.wordBytes)));
  message.push(word(0x80000000), ...new Array(6).fill(word(0)), word(256));
  expand(code, message, (t, value) => code.store('(i32.const 0)', area.schedule + t * code.wordBytes, value));
  return code.toFunction('schedule8', ['message']);
}

/** Rounds per turn of the loop: state words are back in their places after eight. */
const UNROLLED = 8;

function rounds(code, area) {
  const size = code.wordBytes;
  code.emit(`(local.set $end (i32.add (local.get $schedule) (i32.const ${64 * size})))`);
  const state = [];
  for (let i = 0; i < 8; i++) state.push(code.keep(code.load('(local.get $initial)', i * size)));
  state.push(code.keep(code.xor(state[1], state[2])));

  code.emit('(loop $again');
  let [a, b, c, d, e, f, g, h, bc] = state;
  for (let t = 0; t < UNROLLED; t++) {
    const choice = code.xor(g, code.and(e, code.xor(f, g)));
    const ab = code.keep(code.xor(a, b));
    // maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)), and b ^ c is the a ^ b of the round before.
    const majority = code.xor(b, code.and(ab, bc));
    // The new a is new e - d + Sigma0 + maj. Taking it from new e, and adding d to h early, leaves only five steps
    // between one e and the next; the textbook order has six. The rounds wait for latency, not for ports.
    const rest = code.keep(code.sub(majority, d));
    const early = code.add(code.add(h, code.load('(local.get $schedule)', t * size)), d);
    const nextE = code.keep(code.add(early, choice, bigSigma(code, e, 6, 11, 25)));
    const nextA = code.keep(code.add(code.add(rest, nextE), bigSigma(code, a, 2, 13, 22)));
    [a, b, c, d, e, f, g, h, bc] = [nextA, a, b, c, nextE, e, f, g, ab];
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h, bc].entries()) code.assign(state[i].local, value);
  code.emit(
    `(local.set $schedule (i32.add (local.get $schedule) (i32.const ${UNROLLED * size})))`,
    '(br_if $again (i32.lt_u (local.get $schedule) (local.get $end))))',
  );
  for (let i = 0; i < 8; i++) {
    code.store('(i32.const 0)', area.state + i * size, code.add(state[i], code.load('(local.get $initial)', i * size)));
  }
  return code.toFunction('rounds', ['schedule', 'initial'], '(local $end i32)');
}

/**
 * The three functions and their tables. `area` gives the addresses (layout.mjs).
 *
 * @returns `{ functions, data }`, texts of the text format; take `data` last, it holds the pool too.
 */
export function sha256Functions(area, pool) {
  const copies = pool === undefined ? 1 : 4;
  const functions = [
    schedule16(new Code(pool), area),
    schedule8(new Code(pool), area),
    rounds(new Code(pool), area),
    hashThirtyTwo(area),
    hashNode(area),
  ].join('\n');
  const data = [
    dataSegment(area.initial, INITIAL, copies),
    dataSegment(area.padding64, paddingSchedule(), copies),
    pool === undefined ? '' : dataSegment(pool.address, pool.words),
  ].join('\n');
  return { functions, data };
}

/** Replaces the state by the hash of its 32 bytes: a state's words are the next message's words, without swapping. */
function hashThirtyTwo(area) {
  return `(func $hashState
    (call $schedule8 (i32.const ${area.state}))
    (call $rounds (i32.const ${area.schedule}) (i32.const ${area.initial})))`;
}

/** Replaces the state by SHA-256d(state | 8 words at $right): one step of a merkle fold. */
function hashNode(area) {
  return `(func $hashNode (param $right i32)
    (call $schedule16 (i32.const ${area.state}) (local.get $right))
    (call $rounds (i32.const ${area.schedule}) (i32.const ${area.initial}))
    (call $rounds (i32.const ${area.padding64}) (i32.const ${area.state}))
    (call $hashState))`;
}
