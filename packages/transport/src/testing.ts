export {
  createMemoryPair,
  listenMemory,
  MemoryConnection,
  type MemoryListener,
  type MemoryListenOptions,
  type MemoryPair,
  type MemoryPairOptions,
} from './memory.js';
export { TEST_CERTIFICATE } from './test-certificate.js';
