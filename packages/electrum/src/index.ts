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
} from './notifications.js';
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
