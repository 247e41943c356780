export type { ReconnectOptions } from './backoff.js';
export { ElectrumCalls, type HeaderRange, type Operation } from './calls.js';
export { ElectrumClient, type ElectrumClientEvents } from './client.js';
export { type ConnectionObserver, ElectrumConnection, type WireOptions } from './connection.js';
export {
  DEFAULT_TCP_PORT,
  DEFAULT_TLS_PORT,
  type ElectrumEndpoint,
  type KnownServer,
  parseElectrumServer,
  parsePeer,
} from './endpoint.js';
export {
  ELECTRUM_ERRORS,
  ElectrumError,
  type ElectrumErrorEntry,
  type ElectrumErrorKind,
  type ElectrumErrorObject,
  type ElectrumErrorOptions,
  electrumError,
  electrumErrorFromWire,
  isElectrumError,
  rejectToElectrumError,
  toElectrumError,
} from './errors.js';
export type {
  HeaderObject,
  HeaderTip,
  HistoryItem,
  MempoolItem,
  MerkleProof,
  ScriptBalance,
  ServerFeatures,
  ServerPeer,
  UnspentItem,
} from './fields.js';
export {
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  CHUNK_HEADERS,
  encodeBlockHeader,
  type HeaderProof,
  type HeadersAnswer,
  headerHexOf,
  headerObjectOf,
  parseBlockHeader,
  parseHeaderChain,
  splitHeaders,
  verifyHeaderProof,
} from './header.js';
export type { SubscriptionEvents } from './hub.js';
export {
  displayBranch,
  type MerkleBranch,
  type MerkleClaim,
  merkleBranchOf,
  merkleRootFromBranch,
  verifyMerkleProof,
} from './merkle.js';
export {
  DEFAULT_MAX_BATCH,
  DEFAULT_MAX_LINE_BYTES,
  type ElectrumDialect,
  encodeElectrumBatch,
  encodeElectrumError,
  encodeElectrumNotification,
  encodeElectrumRequest,
  encodeElectrumResult,
  parseElectrumMessage,
} from './message.js';
export type { ArgumentInputs, ArgumentValues, MethodArgument, MethodForm, MethodSpec } from './method-types.js';
export {
  type ElectrumForms,
  type ElectrumMethodName,
  type ElectrumMethods,
  isElectrumMethod,
  METHODS,
  methodForm,
  methodForms,
  methodNames,
  type OldElectrumMethods,
  type SelectedForm,
} from './methods.js';
export {
  AddressNotification,
  decodeNotification,
  type ElectrumNotification,
  HeadersNotification,
  type NotificationCall,
  NumBlocksNotification,
  ScripthashNotification,
  type SubscriptionMethod,
} from './notifications.js';
export type { ElectrumClientOptions, ElectrumConnectOptions } from './options.js';
export { ElectrumPool, type ElectrumPoolEvents, type ElectrumPoolOptions } from './pool.js';
export type { ServerState, ServerStatus } from './pool-member.js';
export {
  type BatchCall,
  type BatchOutcome,
  type BatchOutcomes,
  ElectrumSession,
  type OpenSessionOptions,
  openSession,
} from './session.js';
export { historyStatus, type StatusItem, scripthashOf, sortHistory } from './status.js';
export {
  compareVersions,
  MODERN_PROTOCOL,
  type Negotiation,
  negotiateVersion,
  PROTOCOL_VERSIONS,
  type ProtocolRange,
  type ProtocolVersion,
  parseVersion,
} from './version.js';
