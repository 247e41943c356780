/**
 * A small expression builder over the WebAssembly text format. The same SHA-256 source becomes scalar code (a word is
 * an i32) or SIMD code (a word is a v128 holding the word of four shares). Constants are folded while building, so that
 * the constant padding of fixed-length messages costs nothing at run time.
 *
 * A value is one of: `{ constant }` a known 32-bit word, `{ local }` a named local, `{ code }` an expression to be used
 * exactly once.
 */

const rotateRight = (word, bits) => ((word >>> bits) | (word << (32 - bits))) >>> 0;

/** The words that SIMD code loads and splats: a splat from memory is cheaper than building a vector constant. */
export class ConstantPool {
  constructor(address, capacity) {
    this.address = address;
    this.capacity = capacity;
    this.words = [];
  }

  addressOf(word) {
    let index = this.words.indexOf(word);
    if (index < 0) index = this.words.push(word) - 1;
    if (index >= this.capacity) throw new Error(`constant pool is full (${this.capacity} words)`);
    return this.address + 4 * index;
  }
}

export class Code {
  /** @param pool constants of SIMD code, or undefined for scalar code */
  constructor(pool) {
    this.pool = pool;
    this.simd = pool !== undefined;
    this.type = this.simd ? 'v128' : 'i32';
    this.arithmetic = this.simd ? 'i32x4' : 'i32';
    this.wordBytes = this.simd ? 16 : 4;
    this.lines = [];
    this.locals = [];
  }

  emit(...lines) {
    this.lines.push(...lines);
  }

  newLocal(type = this.type) {
    const name = `$v${this.locals.length}`;
    this.locals.push(`(local ${name} ${type})`);
    return name;
  }

  /** The text of a value. */
  text(value) {
    if (value.local !== undefined) return `(local.get ${value.local})`;
    if (value.code !== undefined) return value.code;
    if (this.simd) return `(v128.load32_splat offset=${this.pool.addressOf(value.constant)} (i32.const 0))`;
    return `(i32.const ${value.constant | 0})`;
  }

  /** Evaluates now and keeps the result in a local; constants stay constants. */
  keep(value) {
    if (value.code === undefined) return value;
    const local = this.newLocal();
    this.assign(local, value);
    return { local };
  }

  assign(local, value) {
    this.emit(`(local.set ${local} ${this.text(value)})`);
  }

  /** A word at `offset` bytes from the address in `base` (a text). */
  load(base, offset) {
    return { code: `(${this.type}.load offset=${offset} ${base})` };
  }

  store(base, offset, value) {
    this.emit(`(${this.type}.store offset=${offset} ${base} ${this.text(value)})`);
  }

  #binary(op, a, b) {
    return { code: `(${op} ${this.text(a)} ${this.text(b)})` };
  }

  add(...values) {
    let constant = 0;
    const rest = [];
    for (const value of values) {
      if (value.constant === undefined) rest.push(value);
      else constant = (constant + value.constant) >>> 0;
    }
    if (rest.length === 0) return { constant };
    if (constant !== 0) rest.unshift({ constant });
    return rest.reduce((a, b) => this.#binary(`${this.arithmetic}.add`, a, b));
  }

  sub(a, b) {
    return this.#binary(`${this.arithmetic}.sub`, a, b);
  }

  xor(a, b) {
    if (a.constant !== undefined && b.constant !== undefined) return { constant: (a.constant ^ b.constant) >>> 0 };
    if (a.constant === 0) return b;
    if (b.constant === 0) return a;
    return this.#binary(`${this.type}.xor`, a, b);
  }

  and(a, b) {
    return this.#binary(`${this.type}.and`, a, b);
  }

  shiftRight(value, bits) {
    if (value.constant !== undefined) return { constant: value.constant >>> bits };
    return { code: `(${this.arithmetic}.shr_u ${this.text(value)} (i32.const ${bits}))` };
  }

  rotateRight(value, bits) {
    if (value.constant !== undefined) return { constant: rotateRight(value.constant, bits) };
    if (!this.simd) return { code: `(i32.rotr ${this.text(value)} (i32.const ${bits}))` };
    const word = this.text(value);
    return { code: `(v128.or (i32x4.shr_u ${word} (i32.const ${bits})) (i32x4.shl ${word} (i32.const ${32 - bits})))` };
  }

  /** A function with i32 parameters; `extra` declares more locals. */
  toFunction(name, parameters, extra = '') {
    const declared = parameters.map((parameter) => `(param $${parameter} i32)`).join(' ');
    return `(func $${name} ${declared} ${extra} ${this.locals.join(' ')}\n${this.lines.join('\n')}\n)`;
  }
}

/** The bytes of little-endian words as a data string of the text format; each word `copies` times. */
export function dataWords(words, copies = 1) {
  let text = '';
  for (const word of words) {
    let one = '';
    for (let shift = 0; shift < 32; shift += 8) one += `\\${((word >>> shift) & 255).toString(16).padStart(2, '0')}`;
    text += one.repeat(copies);
  }
  return text;
}

/** A data segment, or nothing when there are no words. */
export function dataSegment(address, words, copies = 1) {
  return words.length === 0 ? '' : `(data (i32.const ${address}) "${dataWords(words, copies)}")`;
}
