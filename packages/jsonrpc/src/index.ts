export { encodeError, encodeJson, encodeNotification, encodeRequest, encodeResult, encodeTrue } from './encode.js';
export { type FramerStatus, LineFramer, type LineFramerOptions, type LineSink } from './framer.js';
export {
  type InvalidMessage,
  type NotificationMessage,
  parseMessage,
  type RequestMessage,
  type ResponseMessage,
  type RpcMessage,
} from './message.js';
export { type PeerError, readPeerError } from './peer-error.js';
export { PendingRequests, type PendingRequestsOptions, type RequestOptions } from './pending.js';
