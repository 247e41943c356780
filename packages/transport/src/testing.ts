export { createMemoryPair, MemoryConnection, type MemoryPair, type MemoryPairOptions } from './memory.js';
export { listenMemory, type MemoryListener, type MemoryListenOptions } from './memory-listener.js';
export { HalfOpenHandler, RecordingHandler } from './recording-handler.js';
export { TEST_CERTIFICATE } from './test-certificate.js';
