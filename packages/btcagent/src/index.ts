export { type AgentCapability, parseCapabilities } from './capabilities.js';
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
  AGENT_EXTRANONCE1_BYTES,
  AGENT_EXTRANONCE2_BYTES,
  AGENT_PREFIXES,
  type AgentAnswer,
  type AgentHandshake,
  type AgentPolicy,
  type AgentStart,
  answerAuthorize,
  answerCapabilities,
  answerConfigure,
  answerSubscribe,
  encodeAgentRefusal,
  isAgent,
  KEEP_ALIVE_MS,
  keepAliveDelayMs,
  NEW_HANDSHAKE,
  type RequestId,
  sendsResponses,
} from './handshake.js';
export { AGENT_JOBS, AgentJobs, encodeAgentNotify } from './jobs.js';
export {
  encodeSubmitResponse,
  isAcceptedStatus,
  nextSubmitIndex,
  type SubmitResponse,
  SubmitStatus,
  statusOfReject,
} from './response-frames.js';
export { type AgentJobTerms, agentExtranonce2, submitFromFrame } from './submit.js';
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
