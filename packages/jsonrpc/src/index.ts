export { encodeError, encodeJson, encodeNotification, encodeRequest, encodeResult, encodeTrue } from './encode.js';
export { type FramerStatus, LineFramer, type LineFramerOptions, type LineSink } from './framer.js';
export {
  type BatchMessage,
  type InvalidMessage,
  type NotificationMessage,
  parseMessage,
  parseMessageText,
  parsePacket,
  parsePacketText,
  type RequestMessage,
  type ResponseMessage,
  type RpcMessage,
} from './message.js';
export { type PeerError, readPeerError } from './peer-error.js';
export { PendingRequests, type PendingRequestsOptions, type RequestOptions } from './pending.js';
