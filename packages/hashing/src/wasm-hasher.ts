import { checkBatch } from './job-shape.js';
import { JOB_MEMORY_BYTES, JobTable, MAX_SHAPES } from './job-table.js';
import { LAYOUT, SCALAR_WASM, SIMD_WASM } from './kernels.generated.js';
import { nodeShareHasher } from './node-hasher.js';
import { SHARE_RECORD, SHARE_RESULT, type ShareHasher, type ShareHashJob } from './types.js';
import { type KernelFunction, type KernelMemory, kernelMemory, startKernel } from './wasm.js';

const LANES = 4;
const RECORD_BYTES = SHARE_RECORD.stride;
const RESULT_BYTES = SHARE_RESULT.stride;

/**
 * Hashes shares in WebAssembly. Shares wait per shape until four fill the SIMD lanes; what is left at the end goes with
 * lanes doubled (two or three shares; still cheaper than one by one) or through the scalar kernel (a single one).
 */
class WasmShareHasher implements ShareHasher {
  readonly backend: 'simd' | 'scalar';
  readonly #memory: KernelMemory;
  readonly #one: KernelFunction;
  readonly #four: KernelFunction | undefined;
  readonly #table: JobTable;
  /** Shares that wait for their lanes, by shape: index in the batch and slot of the job. */
  readonly #waiting = new Uint8Array(MAX_SHAPES);
  readonly #index = new Int32Array(MAX_SHAPES * LANES);
  readonly #slot = new Int32Array(MAX_SHAPES * LANES);

  constructor(backend: 'simd' | 'scalar') {
    this.backend = backend;
    this.#memory = kernelMemory(LAYOUT.jobs + JOB_MEMORY_BYTES);
    const scalar = startKernel(SCALAR_WASM, this.#memory, ['share', 'midstate']);
    this.#one = scalar.share;
    this.#four = backend === 'simd' ? startKernel(SIMD_WASM, this.#memory, ['share4']).share4 : undefined;
    this.#table = new JobTable(this.#memory, scalar.midstate, () => this.#flush());
  }

  hash(jobs: readonly ShareHashJob[], records: Uint8Array, count: number, results: Uint8Array): void {
    checkBatch(jobs, records, count, results, RESULT_BYTES);
    for (let start = 0; start < count; start += LAYOUT.chunkShares) {
      this.#hashChunk(jobs, records, start, Math.min(LAYOUT.chunkShares, count - start), results);
    }
  }

  #hashChunk(
    jobs: readonly ShareHashJob[],
    records: Uint8Array,
    start: number,
    count: number,
    results: Uint8Array,
  ): void {
    const { bytes } = this.#memory;
    bytes.set(records.subarray(start * RECORD_BYTES, (start + count) * RECORD_BYTES), LAYOUT.records);
    let tooLarge: number[] | undefined;
    let lastJob: ShareHashJob | undefined;
    let slot = -1;
    try {
      for (let i = 0; i < count; i++) {
        const job = jobs[start + i];
        if (job === undefined) continue;
        if (job !== lastJob) {
          slot = this.#table.slotOf(job);
          lastJob = job;
        }
        if (slot < 0) {
          tooLarge ??= [];
          tooLarge.push(start + i);
        } else if (this.#four === undefined) this.#hashOne(i, slot);
        else this.#enqueue(i, slot);
      }
    } finally {
      this.#flush();
    }
    results.set(bytes.subarray(LAYOUT.results, LAYOUT.results + count * RESULT_BYTES), start * RESULT_BYTES);
    if (tooLarge !== undefined) for (const i of tooLarge) hashOutside(jobs, records, i, results);
  }

  #enqueue(index: number, slot: number): void {
    const shape = this.#table.shape(slot);
    const waiting = this.#waiting[shape] ?? 0;
    const at = shape * LANES + waiting;
    this.#index[at] = index;
    this.#slot[at] = slot;
    this.#table.pins[slot] = (this.#table.pins[slot] ?? 0) + 1;
    this.#waiting[shape] = waiting + 1;
    if (waiting + 1 === LANES) this.#hashGroup(shape);
  }

  /** Hashes whatever waits. */
  #flush(): void {
    for (let shape = 0; shape < this.#table.shapes; shape++) {
      if ((this.#waiting[shape] ?? 0) > 0) this.#hashGroup(shape);
    }
  }

  #hashGroup(shape: number): void {
    const waiting = this.#waiting[shape] ?? 0;
    const first = shape * LANES;
    this.#waiting[shape] = 0;
    for (let lane = 0; lane < waiting; lane++) {
      const slot = this.#slot[first + lane] ?? 0;
      this.#table.pins[slot] = (this.#table.pins[slot] ?? 1) - 1;
    }
    if (waiting === 1 || this.#four === undefined) {
      this.#hashOne(this.#index[first] ?? 0, this.#slot[first] ?? 0);
      return;
    }
    // Lanes without a share repeat the first one and write the same result once more.
    const c = waiting > 2 ? first + 2 : first;
    const d = waiting > 3 ? first + 3 : first;
    this.#four(
      this.#index[first] ?? 0,
      this.#address(first),
      this.#index[first + 1] ?? 0,
      this.#address(first + 1),
      this.#index[c] ?? 0,
      this.#address(c),
      this.#index[d] ?? 0,
      this.#address(d),
      this.#table.tailBlocks[shape] ?? 0,
      this.#table.branchAt[shape] ?? 0,
      this.#table.steps[shape] ?? 0,
    );
  }

  #address(at: number): number {
    return this.#table.address(this.#slot[at] ?? 0);
  }

  #hashOne(index: number, slot: number): void {
    const shape = this.#table.shape(slot);
    this.#one(
      index,
      this.#table.address(slot),
      this.#table.tailBlocks[shape] ?? 0,
      this.#table.branchAt[shape] ?? 0,
      this.#table.steps[shape] ?? 0,
    );
  }
}

/** A share whose coinbase is too large for the kernels' memory (above about 100 KiB). */
function hashOutside(jobs: readonly ShareHashJob[], records: Uint8Array, index: number, results: Uint8Array): void {
  const record = records.subarray(index * RECORD_BYTES, (index + 1) * RECORD_BYTES);
  const result = results.subarray(index * RESULT_BYTES, (index + 1) * RESULT_BYTES);
  nodeShareHasher.hash(jobs.slice(index, index + 1), record, 1, result);
}

/** @throws PoolError `not_supported` when this machine cannot run the kernel. */
export function wasmShareHasher(backend: 'simd' | 'scalar'): ShareHasher {
  return new WasmShareHasher(backend);
}
