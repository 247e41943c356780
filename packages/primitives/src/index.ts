export { BoundedMap, BoundedQueue, BoundedSet, TokenBucket } from './bounded.js';
export {
  asciiToBytes,
  bytesToHex,
  concatBytes,
  equalBytes,
  fromDisplayHex,
  HEX_VALUE,
  hexToBytes,
  hexToU32,
  reverseBytes,
  toDisplayHex,
  u32ToHex,
} from './bytes.js';
export { type Clock, systemClock, type Timer } from './clock.js';
export { compactSizeLength, encodeCompactSize } from './compact-size.js';
export { ByteReader, ByteWriter } from './cursor.js';
export { type Listener, TypedEmitter } from './emitter.js';
export { errorMessage, isPoolError, PoolError, type PoolErrorCode, type PoolErrorOptions } from './errors.js';
export { addSnapshots, Histogram, type HistogramSnapshot, quantileOf, SECONDS_BOUNDS } from './histogram.js';
export { type Logger, silentLogger } from './logger.js';
export { isPromiseLike, type MaybePromise } from './promise.js';
export { isReject, type Reject, type RejectCode, reject } from './reject.js';
export { isAtMostLe, MAX_UINT256, uint256FromBytesLe, uint256ToBytesLe } from './uint256.js';
