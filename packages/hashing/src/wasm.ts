import { PoolError } from '@headframe/primitives';

// The part of the WebAssembly interface that is used here: Node's types do not declare it, and the DOM's types would
// bring in the whole browser.
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}
interface WasmNamespace {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => WasmInstance;
  readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
}
declare const WebAssembly: WasmNamespace | undefined;

/** A kernel function: numbers in, results in memory. */
export type KernelFunction = (...args: number[]) => void;

/** A fixed-size memory that kernels work in. */
export interface KernelMemory {
  readonly handle: object;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const PAGE_BYTES = 65_536;

/** Compiled once per thread, by the text of the module. */
const modules = new Map<string, object>();

/** True when this machine can run the module (for instance its SIMD instructions). */
export function canRun(base64: string): boolean {
  return (
    typeof WebAssembly !== 'undefined' &&
    (modules.has(base64) || WebAssembly.validate(new Uint8Array(Buffer.from(base64, 'base64'))))
  );
}

/** A memory of at least `bytes`; it never grows, so views of it stay valid. */
export function kernelMemory(bytes: number): KernelMemory {
  if (typeof WebAssembly === 'undefined') throw new PoolError('not_supported', 'this runtime has no WebAssembly');
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return { handle: memory, bytes: new Uint8Array(memory.buffer), view: new DataView(memory.buffer) };
}

/**
 * Starts a module on a memory and returns the wanted functions.
 * @throws PoolError `not_supported` when the module cannot run here.
 */
export function startKernel<Name extends string>(
  base64: string,
  memory: KernelMemory,
  names: readonly Name[],
): Record<Name, KernelFunction> {
  if (typeof WebAssembly === 'undefined' || !canRun(base64)) {
    throw new PoolError('not_supported', 'this machine cannot run the WebAssembly kernel');
  }
  let module = modules.get(base64);
  if (module === undefined) {
    module = new WebAssembly.Module(new Uint8Array(Buffer.from(base64, 'base64')));
    modules.set(base64, module);
  }
  const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.handle } });
  const functions: Partial<Record<Name, KernelFunction>> = {};
  for (const name of names) {
    const value = exports[name];
    if (typeof value !== 'function') throw new PoolError('not_supported', `the kernel has no function ${name}`);
    functions[name] = value as KernelFunction;
  }
  return functions as Record<Name, KernelFunction>;
}
