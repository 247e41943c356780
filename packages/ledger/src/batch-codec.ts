import type { ShareRecord } from '@headframe/mining';
import { PoolError } from '@headframe/primitives';
import { workOfDifficulty } from './work.js';

/**
 * The stored form of a batch, about 16 bytes a share:
 *
 *     u8 version, varint shares, varint n, n x (varint characters that are those of the string before, varint length,
 *     UTF-8 of the rest), varint n, n x f64 difficulty,
 *     varint n, n x (varint job id, varint height), varint time of the first share,
 *     shares x (zigzag varint ms since the share before, varint account, worker, address, result (positions in the
 *     strings), varint job, varint difficulty, varint block hash + 1 or 0, f64 achieved)
 *
 * Floats are little-endian; a varint has seven bits a byte, low ones first.
 */
const VERSION = 1;
/** A batch with more is refused: the committer sends a few thousand. */
export const MAX_BATCH_SHARES = 65_536;
/** The scratch of an unusually large batch is not kept. */
const KEPT_SCRATCH_BYTES = 1024 * 1024;
/** Most bytes that one share adds besides its strings: nine varints of at most 8 bytes, three floats. */
const SHARE_BYTES = 9 * 8 + 3 * 8;

class Positions<Key> {
  readonly keys: Key[] = [];
  readonly #map = new Map<Key, number>();
  at(key: Key): number {
    let position = this.#map.get(key);
    if (position === undefined) {
      position = this.keys.length;
      this.#map.set(key, position);
      this.keys.push(key);
    }
    return position;
  }
}

class Writer {
  bytes = Buffer.alloc(4096);
  length = 0;
  room(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return;
    const grown = Buffer.alloc(Math.max(this.bytes.length * 2, this.length + bytes));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }
  f64(value: number): void {
    this.length = this.bytes.writeDoubleLE(value, this.length);
  }
  /** Workers mostly begin with the name of their account, and addresses with those before them. */
  text(text: string, before: string): void {
    let same = 0;
    while (same < text.length && same < before.length && text.charCodeAt(same) === before.charCodeAt(same)) same++;
    // Not between the halves of a surrogate pair: neither is a character of its own.
    if (same > 0 && (text.charCodeAt(same - 1) & 0xfc00) === 0xd800) same--;
    const rest = text.slice(same);
    const bytes = Buffer.byteLength(rest);
    this.room(bytes + 16);
    this.varint(same);
    this.varint(bytes);
    this.length += this.bytes.write(rest, this.length, 'utf8');
  }
}

let scratch = new Writer();

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

/** Packs a batch; the result has a buffer of its own. @throws PoolError `invalid_argument` when it is too large or holds what is no difficulty */
export function encodeShares(shares: readonly ShareRecord[]): Uint8Array<ArrayBuffer> {
  if (shares.length > MAX_BATCH_SHARES) {
    throw new PoolError('invalid_argument', `a batch holds at most ${MAX_BATCH_SHARES} shares, not ${shares.length}`);
  }
  const strings = new Positions<string>();
  const difficulties = new Positions<number>();
  const jobs = new Positions<string>();
  const jobNumbers: number[] = [];
  let lastJobId = -1;
  let lastHeight = -1;
  let lastJob = 0;
  const columns = new Int32Array(shares.length * 7);
  let at = 0;
  for (const share of shares) {
    if (share.jobId !== lastJobId || share.height !== lastHeight) {
      lastJobId = share.jobId;
      lastHeight = share.height;
      lastJob = jobs.at(`${lastJobId}/${lastHeight}`);
      if (lastJob * 2 === jobNumbers.length) jobNumbers.push(lastJobId, lastHeight);
    }
    columns[at++] = strings.at(share.account);
    columns[at++] = strings.at(share.worker);
    columns[at++] = strings.at(share.address);
    columns[at++] = strings.at(share.result);
    columns[at++] = lastJob;
    columns[at++] = difficulties.at(share.difficulty);
    columns[at++] = share.blockHash === undefined ? 0 : strings.at(share.blockHash) + 1;
  }
  // Found now rather than when the statistics are made of it, which would never get past it.
  for (const difficulty of difficulties.keys) workOfDifficulty(difficulty);
  const out = scratch;
  out.length = 0;
  out.room(64 + shares.length * SHARE_BYTES);
  out.bytes[out.length++] = VERSION;
  out.varint(shares.length);
  out.varint(strings.keys.length);
  for (const [i, text] of strings.keys.entries()) out.text(text, strings.keys[i - 1] ?? '');
  // The strings may have used up the room that was made for the shares.
  out.room(64 + (shares.length + difficulties.keys.length + jobs.keys.length) * SHARE_BYTES);
  out.varint(difficulties.keys.length);
  for (const difficulty of difficulties.keys) out.f64(difficulty);
  out.varint(jobs.keys.length);
  for (const number of jobNumbers) out.varint(number);
  let timeMs = Math.round(shares[0]?.timeMs ?? 0);
  out.varint(timeMs);
  at = 0;
  for (const share of shares) {
    const ms = Math.round(share.timeMs);
    out.varint(zigzag(ms - timeMs));
    timeMs = ms;
    for (let i = 0; i < 7; i++) out.varint(columns[at++] ?? 0);
    out.f64(share.achieved);
  }
  const bytes = new Uint8Array(out.length);
  bytes.set(out.bytes.subarray(0, out.length));
  if (out.bytes.length > KEPT_SCRATCH_BYTES) scratch = new Writer();
  return bytes;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      if (byte < 0x80) return value + byte * factor;
      value += (byte - 0x80) * factor;
    }
    throw new PoolError('invalid_data', 'stored batch: broken number');
  }
  count(): number {
    const count = this.varint();
    if (count > this.#bytes.length) throw new PoolError('invalid_data', 'stored batch: more items than bytes');
    return count;
  }
  f64(): number {
    if (this.#at + 8 > this.#bytes.length) throw new PoolError('invalid_data', 'stored batch: cut short');
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }
  text(before: string): string {
    const same = this.varint();
    const length = this.varint();
    if (this.#at + length > this.#bytes.length) throw new PoolError('invalid_data', 'stored batch: cut short');
    this.#at += length;
    return before.slice(0, same) + this.#bytes.toString('utf8', this.#at - length, this.#at);
  }
}

function item<T>(list: readonly T[], position: number): T {
  const found = list[position];
  if (found === undefined) throw new PoolError('invalid_data', `stored batch: no item ${position}`);
  return found;
}

/** Unpacks what {@link encodeShares} made. @throws PoolError `invalid_data` */
export function decodeShares(bytes: Uint8Array): ShareRecord[] {
  const reader = new Reader(bytes);
  if (reader.varint() !== VERSION) throw new PoolError('invalid_data', 'stored batch: unknown version');
  const count = reader.count();
  let before = '';
  const strings = Array.from({ length: reader.count() }, () => {
    before = reader.text(before);
    return before;
  });
  const difficulties = Array.from({ length: reader.count() }, () => reader.f64());
  const jobs = Array.from({ length: reader.count() }, () => ({ id: reader.varint(), height: reader.varint() }));
  let timeMs = reader.varint();
  const shares: ShareRecord[] = [];
  for (let i = 0; i < count; i++) {
    const delta = reader.varint();
    timeMs += delta % 2 === 0 ? delta / 2 : -(delta + 1) / 2;
    const account = item(strings, reader.varint());
    const worker = item(strings, reader.varint());
    const address = item(strings, reader.varint());
    // The writer had one of the codes; a code of a later version counts as invalid.
    const result = item(strings, reader.varint()) as ShareRecord['result'];
    const job = item(jobs, reader.varint());
    const difficulty = item(difficulties, reader.varint());
    const block = reader.varint();
    const blockHash = block === 0 ? undefined : item(strings, block - 1);
    const achieved = reader.f64();
    shares.push({
      timeMs,
      account,
      worker,
      address,
      jobId: job.id,
      height: job.height,
      result,
      difficulty,
      achieved,
      blockHash,
    });
  }
  if (!reader.isAtEnd) throw new PoolError('invalid_data', 'stored batch: bytes left over');
  return shares;
}
