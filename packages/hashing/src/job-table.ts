import { checkJob } from './job-shape.js';
import { LAYOUT } from './kernels.generated.js';
import type { ShareHashJob } from './types.js';
import type { KernelFunction, KernelMemory } from './wasm.js';

/** Memory for jobs. 1 MiB holds 1024 jobs of the usual size (a 1 KiB slot) or 64 with 16 KiB coinbases. */
export const JOB_MEMORY_BYTES = 1 << 20;
const SMALLEST_SLOT_BYTES = 1 << 10;
/** A job above this is not kept here; with 128 KiB there are still eight slots, twice what one kernel call needs. */
const LARGEST_SLOT_BYTES = JOB_MEMORY_BYTES / 8;
/** Shapes alive at once. A pool has two or three (coinbase variants); more start the table over. */
export const MAX_SHAPES = 64;

const { slot: SLOT } = LAYOUT;

interface Entry {
  readonly slot: number;
}

/**
 * The jobs in the kernels' memory, in a ring of slots. A job is loaded when it is first seen (about 1 us) and found
 * again by identity, so it must not change afterwards. Jobs are held weakly.
 *
 * A shape is what shares must have in common to go through one SIMD call: coinbase blocks left to hash, and steps of
 * the merkle branch. The shape of a slot is an index into `tailBlocks`, `branchAt` and `steps`.
 */
export class JobTable {
  readonly #memory: KernelMemory;
  readonly #midstate: KernelFunction;
  /** Called before slots in use are overwritten or all are dropped: whatever refers to a slot must be done with it. */
  readonly #release: () => void;
  readonly #byJob = new WeakMap<ShareHashJob, Entry>();
  #entries: (Entry | undefined)[] = [];
  #slotBytes = SMALLEST_SLOT_BYTES;
  #slots = JOB_MEMORY_BYTES / SMALLEST_SLOT_BYTES;
  #next = 0;
  readonly #shapeByKey = new Map<number, number>();
  readonly #shapeOfSlot = new Uint8Array(JOB_MEMORY_BYTES / SMALLEST_SLOT_BYTES);
  /** How many shares that wait for their kernel call use the slot. The owner counts. */
  readonly pins = new Uint8Array(JOB_MEMORY_BYTES / SMALLEST_SLOT_BYTES);
  readonly tailBlocks = new Uint32Array(MAX_SHAPES);
  readonly branchAt = new Uint32Array(MAX_SHAPES);
  readonly steps = new Uint32Array(MAX_SHAPES);

  constructor(memory: KernelMemory, midstate: KernelFunction, release: () => void) {
    this.#memory = memory;
    this.#midstate = midstate;
    this.#release = release;
  }

  /** Shapes seen since the table was last started over. */
  get shapes(): number {
    return this.#shapeByKey.size;
  }

  address(slot: number): number {
    return LAYOUT.jobs + slot * this.#slotBytes;
  }

  shape(slot: number): number {
    return this.#shapeOfSlot[slot] ?? 0;
  }

  /**
   * The slot of a job, loading it if need be; -1 when its coinbase is too large to be kept here.
   * @throws PoolError `invalid_argument` when the job is malformed
   */
  slotOf(job: ShareHashJob): number {
    const entry = this.#byJob.get(job);
    if (entry !== undefined && this.#entries[entry.slot] === entry) return entry.slot;
    return this.#load(job);
  }

  #load(job: ShareHashJob): number {
    checkJob(job);
    const { coinbase1, coinbase2, extranonceLength, merkleBranch } = job;
    const totalBytes = coinbase1.length + extranonceLength + coinbase2.length;
    const wholeBlocks = Math.floor(coinbase1.length / 64);
    // SHA-256 appends at least nine bytes: 0x80 and the length
    const tailBlocks = Math.ceil((totalBytes + 9) / 64) - wholeBlocks;
    const tailBytes = Math.max(2, tailBlocks) * 64;
    const branchAt = SLOT.tail + tailBytes;
    const needed = branchAt + merkleBranch.length;
    if (needed > LARGEST_SLOT_BYTES) return -1;
    if (needed > this.#slotBytes) {
      this.#startOver(2 ** Math.ceil(Math.log2(needed)));
    }
    const shape = this.#shapeFor(tailBlocks, branchAt, merkleBranch.length / 32);
    const slot = this.#next;
    this.#next = (slot + 1) % this.#slots;
    if ((this.pins[slot] ?? 0) > 0) this.#release();

    const { bytes, view } = this.#memory;
    const at = this.address(slot);
    const tail = at + SLOT.tail;
    const inTail = coinbase1.length - wholeBlocks * 64;
    const afterExtranonce = tail + inTail + extranonceLength;
    this.#writeMidstate(coinbase1, wholeBlocks, at);
    this.#writeSwapped(job.previousHash, at + SLOT.previousHash);
    view.setUint32(at + SLOT.nbits, job.nbits, false);
    view.setUint32(at + SLOT.extranonceOffset, inTail, true);
    view.setUint32(at + SLOT.extranonceLength, extranonceLength, true);
    bytes.fill(0, tail, tail + tailBytes);
    bytes.set(coinbase1.subarray(wholeBlocks * 64), tail);
    bytes.set(coinbase2, afterExtranonce);
    bytes[afterExtranonce + coinbase2.length] = 0x80;
    const lengthAt = tail + tailBlocks * 64 - 8;
    view.setUint32(lengthAt, Math.floor(totalBytes / 2 ** 29), false);
    view.setUint32(lengthAt + 4, totalBytes * 8, false);
    this.#writeSwapped(merkleBranch, at + branchAt);

    const entry: Entry = { slot };
    this.#entries[slot] = entry;
    this.#byJob.set(job, entry);
    this.#shapeOfSlot[slot] = shape;
    return slot;
  }

  #startOver(slotBytes: number): void {
    this.#release();
    this.#slotBytes = slotBytes;
    this.#slots = JOB_MEMORY_BYTES / slotBytes;
    this.#next = 0;
    this.#entries = [];
    this.#shapeByKey.clear();
  }

  #shapeFor(tailBlocks: number, branchAt: number, steps: number): number {
    const key = tailBlocks * 64 + steps;
    const known = this.#shapeByKey.get(key);
    if (known !== undefined) return known;
    if (this.#shapeByKey.size === MAX_SHAPES) this.#startOver(this.#slotBytes);
    const shape = this.#shapeByKey.size;
    this.#shapeByKey.set(key, shape);
    this.tailBlocks[shape] = tailBlocks;
    this.branchAt[shape] = branchAt;
    this.steps[shape] = steps;
    return shape;
  }

  /** Hashes the whole blocks before the extranonce, in pieces that fit the kernels' input. */
  #writeMidstate(coinbase1: Uint8Array, wholeBlocks: number, at: number): void {
    const { bytes } = this.#memory;
    const piece = LAYOUT.hashInputBytes / 64;
    this.#midstate(at, 0, 1);
    for (let done = 0; done < wholeBlocks; done += piece) {
      const blocks = Math.min(piece, wholeBlocks - done);
      bytes.set(coinbase1.subarray(done * 64, (done + blocks) * 64), LAYOUT.hashInput);
      this.#midstate(at, blocks, done === 0 ? 1 : 0);
    }
  }

  /** Message words are big-endian, the kernels' memory is little-endian. */
  #writeSwapped(source: Uint8Array, at: number): void {
    const { bytes } = this.#memory;
    for (let i = 0; i < source.length; i += 4) {
      bytes[at + i] = source[i + 3] ?? 0;
      bytes[at + i + 1] = source[i + 2] ?? 0;
      bytes[at + i + 2] = source[i + 1] ?? 0;
      bytes[at + i + 3] = source[i] ?? 0;
    }
  }
}
