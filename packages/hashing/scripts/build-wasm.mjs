// Builds the WebAssembly kernels from scripts/wasm/*.mjs and embeds them in src/kernels.generated.ts, so that no
// package has to carry or find an asset file. The result is committed and the same on every machine;
// `--check` fails when the file on disk differs from what the sources give.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
// The assembler is Binaryen as AssemblyScript ships it.
import binaryen from 'assemblyscript/binaryen';
import * as layout from './wasm/layout.mjs';
import { scryptModule } from './wasm/scrypt.mjs';
import { scalarModule, simdModule } from './wasm/share.mjs';

const target = fileURLToPath(new URL('../src/kernels.generated.ts', import.meta.url));

function assemble(name, text) {
  const module = binaryen.parseText(text);
  // Only what the text uses: the scalar module must load where SIMD does not.
  module.setFeatures(name === 'scalar' ? binaryen.Features.MVP : binaryen.Features.SIMD128);
  if (!module.validate()) throw new Error(`the ${name} module is not valid`);
  const bytes = module.emitBinary();
  module.dispose();
  return Buffer.from(bytes).toString('base64');
}

/** The part of the layout that the TypeScript side needs. */
const LAYOUT = {
  hashInput: layout.hashInput,
  hashInputBytes: layout.HASH_INPUT_BYTES,
  hashOutput: layout.hashOutput,
  hashMemoryBytes: layout.hashBytes,
  records: layout.records,
  results: layout.results,
  chunkShares: layout.sizes.chunkShares,
  jobs: layout.jobs,
  slot: layout.slot,
  scrypt: {
    streams: layout.scrypt.streams,
    input: layout.scrypt.input,
    output: layout.scrypt.output,
    memoryBytes: layout.scrypt.bytes,
  },
};

function generate() {
  return `// Made by scripts/build-wasm.mjs from scripts/wasm. Do not edit.

/** Addresses in the memory of the kernels; see scripts/wasm/layout.mjs. */
export const LAYOUT = ${JSON.stringify(LAYOUT, null, 2)} as const;

/** SHA-256d of whole shares one at a time, and plain SHA-256; base64. */
export const SCALAR_WASM: string = '${assemble('scalar', scalarModule())}';

/** SHA-256d of four whole shares at a time; base64. */
export const SIMD_WASM: string = '${assemble('simd', simdModule())}';

/** scrypt(1024, 1, 1) of four headers at a time; base64. */
export const SCRYPT_WASM: string = '${assemble('scrypt', scryptModule())}';
`;
}

const text = generate();
let current = '';
try {
  current = readFileSync(target, 'utf8');
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}
if (text === current) {
  console.log('kernels.generated.ts is up to date');
} else if (process.argv.includes('--check')) {
  console.error('kernels.generated.ts does not match its sources: run `node scripts/build-wasm.mjs`');
  process.exitCode = 1;
} else {
  writeFileSync(target, text);
  console.log('kernels.generated.ts written');
}
