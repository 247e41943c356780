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
  compareVersions,
  MODERN_PROTOCOL,
  type Negotiation,
  negotiateVersion,
  PROTOCOL_VERSIONS,
  type ProtocolRange,
  type ProtocolVersion,
  parseVersion,
} from './version.js';
