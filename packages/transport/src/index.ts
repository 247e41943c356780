export { type AddressMatcher, createAddressMatcher, normalizeAddress } from './address.js';
export { type ConnectOptions, connectTcp, type TlsClientOptions } from './connect.js';
export {
  type Connection,
  type ConnectionHandler,
  type ConnectionKind,
  type Listener,
  nextConnectionId,
} from './connection.js';
export { type Detection, type Detector, detectTls, httpDetector, jsonDetector, MAX_PREFIX_BYTES } from './detect.js';
export { type HttpProbeAnswerOptions, httpProbeAnswer } from './http-probe.js';
export { type ListenOptions, listenTcp } from './listen.js';
export { listenUnix, type UnixListenOptions } from './listen-unix.js';
export {
  type OpenFailure,
  type OpenOptions,
  type OpenResult,
  openConnection,
  type ProxyPolicy,
  type TlsPolicy,
} from './open.js';
export { type ProxyEndpoint, type ProxyHeaderResult, parseProxyHeader } from './proxy-header.js';
export {
  DEFAULT_SEND_LIMITS,
  type Replaceable,
  SendQueue,
  type SendQueueOwner,
  type SendQueuePolicy,
} from './send-queue.js';
export { type NotifyLines, WorkUpdate, type WorkUpdateOptions } from './work-update.js';
