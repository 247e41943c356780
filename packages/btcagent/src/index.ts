export {
  difficultyText,
  encodeSetDifficultyFrames,
  exponentOf,
  MAX_EXPONENT,
  MAX_IDS_PER_FRAME,
  type SetDifficulty,
} from './difficulty-frames.js';
export {
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  FrameCommand,
  MAX_FRAME_BYTES,
  MAX_SESSION_ID,
  SESSION_IDS,
} from './format.js';
export { type AgentFrame, decodeFrame, type IgnoredFrame } from './frame.js';
export { AgentFramer, type AgentFramerOptions, type AgentFramerStatus, type AgentSink } from './framer.js';
export {
  encodeSubmitResponse,
  isAcceptedStatus,
  nextSubmitIndex,
  type SubmitResponse,
  SubmitStatus,
  statusOfReject,
} from './response-frames.js';
export { encodeSubmit, type SubmitShare } from './submit-frames.js';
export {
  DEFAULT_WORKER_NAME,
  encodeRegisterWorker,
  encodeUnregisterWorker,
  MAX_CLIENT_AGENT,
  MAX_REGISTER_BYTES,
  MAX_WORKER_NAME,
  type RegisterWorker,
  type UnregisterWorker,
} from './worker-frames.js';
export { type Registration, WorkerTable, type WorkerTableOptions } from './worker-table.js';
