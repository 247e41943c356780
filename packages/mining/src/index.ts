export type {
  BlockCandidate,
  BlockOutcome,
  BlockStatus,
  Bus,
  BusCalls,
  BusTopics,
  NodeStatus,
  ShareBatch,
  ShareRecord,
  ShareSink,
  TemplateSource,
} from './ports.js';
export type {
  BlockTemplate,
  HashableJob,
  JobRecord,
  JobVariant,
  RequiredOutput,
  TemplateTransaction,
} from './types.js';
