import { ConstantPool, dataSegment } from './code.mjs';
import {
  HASH_INPUT_BYTES,
  hashInput,
  hashOutput,
  LANE_BYTES,
  lanes,
  records,
  results,
  scalar,
  simd,
  sizes,
  slot,
} from './layout.mjs';
import { sha256Functions } from './sha256.mjs';

/** Words of an 80-byte header's second block after its 4 own ones: the padding of an 80-byte message. */
const HEADER_PADDING = [0x80000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 640];

/** Copies the two coinbase blocks that can hold the extranonce from the job to a lane, then puts the extranonce in. */
function prepareLane() {
  const copies = [];
  for (let at = 0; at < 128; at += 8) {
    copies.push(`(i64.store offset=${at} (local.get $lane) (i64.load offset=${slot.tail + at} (local.get $job)))`);
  }
  // All 20 bytes of the record's extranonce field are written, whatever its length, then the bytes after the
  // extranonce are restored from the job: no loop and no branch on the length.
  const restore = [0, 8, 16].map(
    (at) =>
      `(i64.store offset=${at} (local.get $to) (i64.load offset=${slot.tail + at} (i32.add (local.get $job) (local.get $after))))`,
  );
  return `(func $prepareLane (param $record i32) (param $job i32) (param $lane i32) (local $to i32) (local $after i32)
    ${copies.join('\n')}
    (local.set $to (i32.add (local.get $lane) (i32.load offset=${slot.extranonceOffset} (local.get $job))))
    (i64.store (local.get $to) (i64.load offset=12 (local.get $record)))
    (i64.store offset=8 (local.get $to) (i64.load offset=20 (local.get $record)))
    (i32.store offset=16 (local.get $to) (i32.load offset=28 (local.get $record)))
    (local.set $after (i32.add (i32.load offset=${slot.extranonceOffset} (local.get $job))
                               (i32.load offset=${slot.extranonceLength} (local.get $job))))
    (local.set $to (i32.add (local.get $lane) (local.get $after)))
    ${restore.join('\n')})`;
}

const recordAddress = (index) => `(i32.add (i32.const ${records}) (i32.mul ${index} (i32.const ${sizes.recordBytes})))`;
const resultAddress = (index) => `(i32.add (i32.const ${results}) (i32.mul ${index} (i32.const ${sizes.resultBytes})))`;

/** Scalar module: one share, the midstate of a job, and plain SHA-256. */
export function scalarModule() {
  const area = scalar;
  const sha = sha256Functions(area, undefined);
  const swappedLoads = [];
  for (let t = 0; t < 16; t++) {
    swappedLoads.push(
      `(i32.store offset=${area.message + 4 * t} (i32.const 0) (call $swap (i32.load offset=${4 * t} (local.get $from))))`,
    );
  }
  const copyWords = (to, toOffset, from, fromOffset, count, swap = false) => {
    const lines = [];
    for (let i = 0; i < count; i++) {
      const value = `(i32.load offset=${fromOffset + 4 * i} ${from})`;
      lines.push(`(i32.store offset=${toOffset + 4 * i} ${to} ${swap ? `(call $swap ${value})` : value})`);
    }
    return lines.join('\n');
  };
  const zero = '(i32.const 0)';
  const record = '(local.get $record)';
  const job = '(local.get $job)';
  const out = '(local.get $out)';
  return `(module
  (import "env" "memory" (memory 1))
  ${sha.functions}
  ${prepareLane()}
  (func $swap (param $word i32) (result i32)
    (i32.or (i32.and (i32.rotl (local.get $word) (i32.const 8)) (i32.const 0x00ff00ff))
            (i32.and (i32.rotr (local.get $word) (i32.const 8)) (i32.const 0xff00ff00))))
  ;; one 64-byte block of message bytes into the state
  (func $block (param $from i32)
    ${swappedLoads.join('\n')}
    (call $schedule16 (i32.const ${area.message}) (i32.const ${area.message + 32}))
    (call $rounds (i32.const ${area.schedule}) (i32.const ${area.state})))
  (func $blocks (param $from i32) (param $count i32)
    (loop $again
      (call $block (local.get $from))
      (local.set $from (i32.add (local.get $from) (i32.const 64)))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (func $reset ${copyWords(zero, area.state, zero, area.initial, 8)})

  ;; hashes the padded message of $count blocks at the hash input; twice when $double is not 0
  (func (export "hash") (param $count i32) (param $double i32)
    (call $reset)
    (call $blocks (i32.const ${hashInput}) (local.get $count))
    (if (local.get $double) (then (call $hashState)))
    ${copyWords(zero, hashOutput, zero, area.state, 8, true)})

  ;; goes on with the midstate of $job (from the start when $first is not 0) over $count blocks at the hash input
  (func (export "midstate") (param $job i32) (param $count i32) (param $first i32)
    (if (local.get $first) (then (call $reset)) (else ${copyWords(zero, area.state, job, slot.midstate, 8)}))
    (if (local.get $count) (then (call $blocks (i32.const ${hashInput}) (local.get $count))))
    ${copyWords(job, slot.midstate, zero, area.state, 8)})

  ;; one share: $tailBlocks coinbase blocks after the midstate, $steps merkle steps at $job + $branch
  (func (export "share") (param $index i32) (param $job i32) (param $tailBlocks i32) (param $branch i32) (param $steps i32)
    (local $record i32) (local $out i32) (local $from i32)
    (local.set $record ${recordAddress('(local.get $index)')})
    (local.set $out ${resultAddress('(local.get $index)')})
    (call $prepareLane ${record} ${job} (i32.const ${lanes}))
    ${copyWords(zero, area.state, job, slot.midstate, 8)}
    (call $block (i32.const ${lanes}))
    (if (i32.gt_u (local.get $tailBlocks) (i32.const 1)) (then (call $block (i32.const ${lanes + 64}))))
    (if (i32.gt_u (local.get $tailBlocks) (i32.const 2)) (then
      (call $blocks (i32.add ${job} (i32.const ${slot.tail + 128})) (i32.sub (local.get $tailBlocks) (i32.const 2)))))
    (call $hashState)
    (local.set $from (i32.add ${job} (local.get $branch)))
    (if (local.get $steps) (then (loop $again
      (call $hashNode (local.get $from))
      (local.set $from (i32.add (local.get $from) (i32.const 32)))
      (br_if $again (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))))
    ${copyWords(zero, area.header, record, 0, 1, true)}
    ${copyWords(zero, area.header + 4, job, slot.previousHash, 8)}
    ${copyWords(zero, area.header + 36, zero, area.state, 8)}
    ${copyWords(zero, area.header + 68, record, 4, 1, true)}
    ${copyWords(zero, area.header + 72, job, slot.nbits, 1)}
    ${copyWords(zero, area.header + 76, record, 8, 1, true)}
    (call $schedule16 (i32.const ${area.header}) (i32.const ${area.header + 32}))
    (call $rounds (i32.const ${area.schedule}) (i32.const ${area.initial}))
    (call $schedule16 (i32.const ${area.header + 64}) (i32.const ${area.header + 96}))
    (call $rounds (i32.const ${area.schedule}) (i32.const ${area.state}))
    (call $hashState)
    ${copyWords(out, 0, zero, area.header, 20, true)}
    ${copyWords(out, 80, zero, area.state, 8, true)})
  ${sha.data}
  ${dataSegment(area.header + 80, HEADER_PADDING)})`;
}

const SWAP_BYTES = '3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12';
const LOW_WORDS = '0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23';
const HIGH_WORDS = '8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31';
const LOW_HALVES = '0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23';
const HIGH_HALVES = '8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31';

/** Turns four rows of four words into four columns; the rows are locals $a to $d, the columns go through `put`. */
function transpose(put) {
  const mix = (bytes, x, y) => `(i8x16.shuffle ${bytes} (local.get ${x}) (local.get ${y}))`;
  return `(local.set $e ${mix(LOW_WORDS, '$a', '$b')})
    (local.set $f ${mix(HIGH_WORDS, '$a', '$b')})
    (local.set $g ${mix(LOW_WORDS, '$c', '$d')})
    (local.set $h ${mix(HIGH_WORDS, '$c', '$d')})
    ${put(0, mix(LOW_HALVES, '$e', '$g'))}
    ${put(1, mix(HIGH_HALVES, '$e', '$g'))}
    ${put(2, mix(LOW_HALVES, '$f', '$h'))}
    ${put(3, mix(HIGH_HALVES, '$f', '$h'))}`;
}

const LANE_NAMES = ['a', 'b', 'c', 'd'];
const VECTORS = LANE_NAMES.concat(['e', 'f', 'g', 'h'])
  .map((name) => `(local $${name} v128)`)
  .join(' ');
const LANE_ADDRESSES = [0, 1, 2, 3].map((lane) => `(param $p${lane} i32)`).join(' ');
const swapBytes = (vector) => `(i8x16.shuffle ${SWAP_BYTES} ${vector} ${vector})`;

/** `count` words of each lane from its own address to vectors at $to. */
function gather(name, count, swap) {
  const groups = [];
  for (let word = 0; word < count; word += 4) {
    for (let lane = 0; lane < 4; lane++) {
      groups.push(`(local.set $${LANE_NAMES[lane]} (v128.load offset=${4 * word} (local.get $p${lane})))`);
      if (swap) groups.push(`(local.set $${LANE_NAMES[lane]} ${swapBytes(`(local.get $${LANE_NAMES[lane]})`)})`);
    }
    groups.push(transpose((i, column) => `(v128.store offset=${16 * (word + i)} (local.get $to) ${column})`));
  }
  return `(func $${name} ${LANE_ADDRESSES} (param $to i32) ${VECTORS}\n${groups.join('\n')})`;
}

/** Four vectors at $from to 16 message bytes of each lane. */
function scatter4() {
  const loads = LANE_NAMES.map((name, i) => `(local.set $${name} (v128.load offset=${16 * i} (local.get $from)))`);
  const put = (lane, column) =>
    `(local.set $t ${column}) (v128.store (local.get $p${lane}) ${swapBytes('(local.get $t)')})`;
  return `(func $scatter4 ${LANE_ADDRESSES} (param $from i32) ${VECTORS} (local $t v128)
    ${loads.join('\n')}
    ${transpose(put)})`;
}

/** SIMD module: four shares of one shape at a time, one in each lane. */
export function simdModule() {
  const area = simd;
  const pool = new ConstantPool(area.pool, area.poolWords);
  const sha = sha256Functions(area, pool);
  const each = (text) => [0, 1, 2, 3].map(text).join(' ');
  const vector = (address, index) => `(v128.load offset=${address + 16 * index} (i32.const 0))`;
  const copyVectors = (to, from, count) => {
    const lines = [];
    for (let i = 0; i < count; i++) lines.push(`(v128.store offset=${to + 16 * i} (i32.const 0) ${vector(from, i)})`);
    return lines.join('\n');
  };
  const parameters = each((lane) => `(param $i${lane} i32) (param $j${lane} i32)`);
  const locals = each((lane) => `(local $r${lane} i32) (local $o${lane} i32) (local $f${lane} i32)`);
  const outputs = [];
  for (let word = 0; word < 20; word += 4) {
    outputs.push(
      `(call $scatter4 ${each((lane) => `(i32.add (local.get $o${lane}) (i32.const ${4 * word}))`)} (i32.const ${area.header + 16 * word}))`,
    );
  }
  for (let word = 0; word < 8; word += 4) {
    outputs.push(
      `(call $scatter4 ${each((lane) => `(i32.add (local.get $o${lane}) (i32.const ${80 + 4 * word}))`)} (i32.const ${area.state + 16 * word}))`,
    );
  }
  return `(module
  (import "env" "memory" (memory 1))
  ${sha.functions}
  ${prepareLane()}
  ${gather('gather4', 4, false)}
  ${gather('gather4Swapped', 4, true)}
  ${gather('gather8', 8, false)}
  ${gather('gather16Swapped', 16, true)}
  ${scatter4()}
  (func $block ${LANE_ADDRESSES}
    (call $gather16Swapped ${each((lane) => `(local.get $p${lane})`)} (i32.const ${area.message}))
    (call $schedule16 (i32.const ${area.message}) (i32.const ${area.message + 128}))
    (call $rounds (i32.const ${area.schedule}) (i32.const ${area.state})))

  ;; four shares; record and job of each lane, then the shape they have in common
  (func (export "share4") ${parameters} (param $tailBlocks i32) (param $branch i32) (param $steps i32) ${locals}
    ${each(
      (lane) => `(local.set $r${lane} ${recordAddress(`(local.get $i${lane})`)})
      (local.set $o${lane} ${resultAddress(`(local.get $i${lane})`)})
      (call $prepareLane (local.get $r${lane}) (local.get $j${lane}) (i32.const ${lanes + lane * LANE_BYTES}))`,
    )}
    (call $gather8 ${each((lane) => `(local.get $j${lane})`)} (i32.const ${area.state}))
    (call $block ${each((lane) => `(i32.const ${lanes + lane * LANE_BYTES})`)})
    (if (i32.gt_u (local.get $tailBlocks) (i32.const 1)) (then
      (call $block ${each((lane) => `(i32.const ${lanes + lane * LANE_BYTES + 64})`)})))
    (if (i32.gt_u (local.get $tailBlocks) (i32.const 2)) (then
      (local.set $tailBlocks (i32.sub (local.get $tailBlocks) (i32.const 2)))
      ${each((lane) => `(local.set $f${lane} (i32.add (local.get $j${lane}) (i32.const ${slot.tail + 128})))`)}
      (loop $again
        (call $block ${each((lane) => `(local.get $f${lane})`)})
        ${each((lane) => `(local.set $f${lane} (i32.add (local.get $f${lane}) (i32.const 64)))`)}
        (br_if $again (local.tee $tailBlocks (i32.sub (local.get $tailBlocks) (i32.const 1)))))))
    (call $hashState)
    ${each((lane) => `(local.set $f${lane} (i32.add (local.get $j${lane}) (local.get $branch)))`)}
    (if (local.get $steps) (then (loop $again
      (call $gather8 ${each((lane) => `(local.get $f${lane})`)} (i32.const ${area.message + 128}))
      (call $hashNode (i32.const ${area.message + 128}))
      ${each((lane) => `(local.set $f${lane} (i32.add (local.get $f${lane}) (i32.const 32)))`)}
      (br_if $again (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))))
    ;; version, ntime, nonce lie side by side in the record, nbits in the job
    (call $gather4Swapped ${each((lane) => `(local.get $r${lane})`)} (i32.const ${area.message}))
    ${copyVectors(area.header, area.message, 1)}
    ${copyVectors(area.header + 17 * 16, area.message + 16, 1)}
    ${copyVectors(area.header + 19 * 16, area.message + 32, 1)}
    (call $gather4 ${each((lane) => `(i32.add (local.get $j${lane}) (i32.const ${slot.nbits}))`)} (i32.const ${area.message}))
    ${copyVectors(area.header + 18 * 16, area.message, 1)}
    (call $gather8 ${each((lane) => `(i32.add (local.get $j${lane}) (i32.const ${slot.previousHash}))`)} (i32.const ${area.header + 16}))
    ${copyVectors(area.header + 9 * 16, area.state, 8)}
    (call $schedule16 (i32.const ${area.header}) (i32.const ${area.header + 8 * 16}))
    (call $rounds (i32.const ${area.schedule}) (i32.const ${area.initial}))
    (call $schedule16 (i32.const ${area.header + 16 * 16}) (i32.const ${area.header + 24 * 16}))
    (call $rounds (i32.const ${area.schedule}) (i32.const ${area.state}))
    (call $hashState)
    ${outputs.join('\n')})
  ${sha.data}
  ${dataSegment(area.header + 20 * 16, HEADER_PADDING, 4)})`;
}

if (HASH_INPUT_BYTES % 64 !== 0) throw new Error('the hash input must hold whole blocks');
