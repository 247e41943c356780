import { hash } from 'node:crypto';
import { LAYOUT, SCALAR_WASM } from './kernels.generated.js';
import { canRun, type KernelFunction, type KernelMemory, kernelMemory, startKernel } from './wasm.js';

interface Kernel {
  readonly memory: KernelMemory;
  readonly run: KernelFunction;
}

/** From here on native code wins over the kernel, which has no call overhead but no SHA instructions either. */
const NATIVE_FROM_BYTES = 320;

let kernel: Kernel | undefined;
let looked = false;

/** Started at the first use, so that importing the package costs nothing. */
function getKernel(): Kernel | undefined {
  if (!looked) {
    looked = true;
    if (canRun(SCALAR_WASM)) {
      const memory = kernelMemory(LAYOUT.hashMemoryBytes);
      kernel = { memory, run: startKernel(SCALAR_WASM, memory, ['hash']).hash };
    }
  }
  return kernel;
}

function hashInKernel({ memory, run }: Kernel, input: Uint8Array, double: boolean): Uint8Array {
  const { bytes, view } = memory;
  const start = LAYOUT.hashInput;
  const blocks = Math.ceil((input.length + 9) / 64);
  bytes.set(input, start);
  bytes[start + input.length] = 0x80;
  bytes.fill(0, start + input.length + 1, start + blocks * 64 - 4);
  view.setUint32(start + blocks * 64 - 4, input.length * 8, false);
  run(blocks, double ? 1 : 0);
  return bytes.slice(LAYOUT.hashOutput, LAYOUT.hashOutput + 32);
}

/** SHA-256 of any bytes; 32 new bytes. */
export function sha256(input: Uint8Array): Uint8Array {
  const found = input.length < NATIVE_FROM_BYTES ? getKernel() : undefined;
  if (found === undefined) return new Uint8Array(hash('sha256', input, 'buffer'));
  return hashInKernel(found, input, false);
}

/** SHA-256 of SHA-256; 32 new bytes in internal order (reverse them for what nodes print). */
export function sha256d(input: Uint8Array): Uint8Array {
  const found = input.length < NATIVE_FROM_BYTES ? getKernel() : undefined;
  if (found === undefined) return new Uint8Array(hash('sha256', hash('sha256', input, 'buffer'), 'buffer'));
  return hashInKernel(found, input, true);
}
