export { FakeClock, settle } from '@headframe/primitives/testing';
export { createFleet, type Fleet, type FleetMember, type FleetMinerOptions, type FleetOptions } from './fleet.js';
export {
  createMemoryMiner,
  MemoryMiner,
  type MemoryMinerOptions,
  type MinerTarget,
  type Verdict,
} from './memory-miner.js';
export { createMemorySink, type MemorySink } from './memory-sink.js';
export { createRandom, type Random } from './random.js';
export { type SolveOptions, solveJob, type Wanted } from './solve.js';
export { createTestJob, type TestJobOptions } from './test-job.js';
export { createTestPool, type TestPool, type TestPoolOptions } from './test-pool.js';
export { until } from './until.js';
