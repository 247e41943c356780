import { scryptSync } from 'node:crypto';
import { PoolError } from '@headframe/primitives';
import { LAYOUT, SCRYPT_WASM } from './kernels.generated.js';
import { canRun, type KernelFunction, type KernelMemory, kernelMemory, startKernel } from './wasm.js';

const HEADER_BYTES = 80;
const HASH_BYTES = 32;
const { streams: STREAMS, input: INPUT, output: OUTPUT, memoryBytes: MEMORY_BYTES } = LAYOUT.scrypt;
const PARAMETERS = { N: 1024, r: 1, p: 1 } as const;

interface Kernel {
  readonly memory: KernelMemory;
  readonly run: KernelFunction;
}

let kernel: Kernel | undefined;
let looked = false;

/** Half a megabyte of memory, taken at the first use. */
function getKernel(): Kernel | undefined {
  if (!looked) {
    looked = true;
    if (canRun(SCRYPT_WASM)) {
      const memory = kernelMemory(MEMORY_BYTES);
      kernel = { memory, run: startKernel(SCRYPT_WASM, memory, ['scrypt']).scrypt };
    }
  }
  return kernel;
}

/** True when headers are hashed four at a time in SIMD; otherwise node:crypto hashes them one by one. */
export function scryptHasKernel(): boolean {
  return getKernel() !== undefined;
}

/**
 * scrypt(N = 1024, r = 1, p = 1) of an 80-byte header with itself as salt: Litecoin's and Dogecoin's proof of work.
 * 32 new bytes, little-endian integer.
 * @throws PoolError `invalid_argument` unless the header has 80 bytes.
 */
export function scrypt1024(header: Uint8Array): Uint8Array {
  if (header.length !== HEADER_BYTES) {
    throw new PoolError('invalid_argument', `a header has ${HEADER_BYTES} bytes, not ${header.length}`);
  }
  // One alone: the kernel would take as long as for four, and native code is faster than that.
  return new Uint8Array(scryptSync(header, header, HASH_BYTES, PARAMETERS));
}

/**
 * {@link scrypt1024} of many headers: number i lies at `i * stride` of `headers`, its hash is written at `i * 32` of
 * `output`. Four at a time take the kernel about as long as one takes native code and a half.
 * @throws PoolError `invalid_argument` when a buffer is too short.
 */
export function scrypt1024Many(headers: Uint8Array, stride: number, count: number, output: Uint8Array): void {
  if (count > 0 && headers.length < (count - 1) * stride + HEADER_BYTES) {
    throw new PoolError('invalid_argument', `${count} headers do not fit into ${headers.length} bytes`);
  }
  if (output.length < count * HASH_BYTES) {
    throw new PoolError('invalid_argument', `${count} hashes do not fit into ${output.length} bytes`);
  }
  const found = getKernel();
  for (let done = 0; done < count; ) {
    const group = found === undefined ? 1 : Math.min(STREAMS, count - done);
    if (found === undefined || group === 1) {
      output.set(scrypt1024(headers.subarray(done * stride, done * stride + HEADER_BYTES)), done * HASH_BYTES);
    } else {
      const { bytes } = found.memory;
      for (let i = 0; i < group; i++) {
        const at = (done + i) * stride;
        bytes.set(headers.subarray(at, at + HEADER_BYTES), INPUT + i * HEADER_BYTES);
      }
      found.run();
      output.set(bytes.subarray(OUTPUT, OUTPUT + group * HASH_BYTES), done * HASH_BYTES);
    }
    done += group;
  }
}
