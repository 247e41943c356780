export {
  BIP320_VERSION_MASK,
  type ConfigureGrants,
  type ConfigureInfo,
  type ConfigureOutcome,
  type ConfigurePolicy,
  MAX_EXTENSIONS,
  negotiateConfigure,
} from './configure.js';
export {
  isStratumError,
  MAX_REASON_LENGTH,
  STRATUM_ERRORS,
  StratumError,
  type StratumErrorEntry,
  type StratumErrorOptions,
  type StratumErrorTuple,
  stratumErrorFromReject,
  stratumErrorFromWire,
  stratumErrorJson,
  toStratumError,
} from './errors.js';
export {
  METHODS,
  type MethodInfo,
  type MethodName,
  type MethodParams,
  type MethodResult,
  type MethodTable,
  methodInfo,
  type StratumResponse,
} from './methods.js';
export {
  decodeNotify,
  encodeNotify,
  encodeNotifyLines,
  type NotifyFields,
  type NotifyLines,
  swapWords,
} from './notify.js';
export { MAX_PASSWORD_LENGTH, type PasswordOptions, parsePassword } from './password.js';
export {
  decodeReconnect,
  decodeSetDifficulty,
  decodeSetVersionMask,
  encodeReconnect,
  encodeSetDifficulty,
  encodeSetExtranonce,
  encodeSetVersionMask,
  encodeShowMessage,
  type ReconnectTarget,
} from './push.js';
export { parseSubmit } from './submit.js';
export {
  createSubmitFields,
  createWorkerNameCache,
  MAX_EXTRANONCE2,
  type SubmitFields,
  SubmitParse,
  type WorkerNameCache,
} from './submit-fields.js';
export { submitFromParams } from './submit-json.js';
export {
  decodeExtranonce,
  decodeSubscribeResult,
  parseSessionId,
  parseSubscribe,
  SESSION_ID_BYTES,
  type SubscribeParams,
  type Subscription,
  subscribeResult,
} from './subscribe.js';
export { parseSuggestDifficulty, parseSuggestTarget, splitMethodArgument } from './suggest.js';
export {
  type AuthorizeParams,
  MAX_USERNAME_LENGTH,
  parseAuthorize,
  splitWorkerName,
  type WorkerName,
} from './worker.js';
