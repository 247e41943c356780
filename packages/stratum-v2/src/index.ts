export {
  authorityKeyOf,
  decodeAuthorityKey,
  decodeAuthoritySecret,
  encodeAuthorityKey,
  encodeAuthoritySecret,
} from './authority-key.js';
export {
  B0_16M,
  B0_32,
  B0_64K,
  B0_255,
  BOOL,
  BYTES,
  type Codec,
  F32,
  MAC,
  PUBKEY,
  SHORT_TX_ID,
  SIGNATURE,
  STR0_255,
  U8,
  U16,
  U24,
  U32,
  U64,
  U256,
  type ValueOf,
} from './codec.js';
export { ERROR_CODES, PROTOCOL_VERSION, PROTOCOLS, SETUP_FLAGS, VERSION_ROLLING_MASK } from './constants.js';
export {
  DEFAULT_MAX_PAYLOAD_BYTES,
  encodeFrame,
  FRAME_HEADER_BYTES,
  type Frame,
  type FrameHeader,
  type FrameLimits,
  FrameReader,
  frameChannelId,
  MAX_PAYLOAD_BYTES,
  readFrameHeader,
} from './frame.js';
export {
  type Decoded,
  decodeFields,
  decodeMessage,
  encodeMessage,
  MESSAGES,
  type Message,
  type MessageFields,
  type MessageName,
  messageFrame,
  messageName,
} from './message.js';
export type { FieldCodecs, FieldsOf, MessageDefinition, Sender, Subprotocol } from './messages/define.js';
export {
  CERTIFICATE_BYTES,
  type CertificateProblem,
  certificateProblem,
  decodeCertificate,
  encodeCertificate,
  type NoiseCertificate,
  type SignCertificateOptions,
  signCertificate,
  type VerifyCertificateOptions,
} from './noise/certificate.js';
export { NoiseCipher, TAG_BYTES } from './noise/cipher.js';
export { type ClientEndOptions, NoiseClientEnd, NoiseServerEnd } from './noise/connection.js';
export {
  ACT1_BYTES,
  ACT2_BYTES,
  type ClientSession,
  type FinishOptions,
  finishInitiator,
  type InitiatorState,
  initiate,
  type NoiseSession,
  type RespondOptions,
  respond,
} from './noise/handshake.js';
export { KEY_PAIR_RANDOM_BYTES, NOISE_KEY_BYTES, type NoiseKeyPair, noiseKeyPair, noiseKeyX } from './noise/keys.js';
export type { SymmetricState } from './noise/symmetric.js';
export { encryptedFrameLength, FrameDecrypter, FrameEncrypter } from './noise/transport.js';
export { option, seq0to64k, seq0to255 } from './sequence.js';
export { targetFromHashrate } from './target.js';
export {
  encodeTlvs,
  type ReadTlv,
  readTlvs,
  type Tlv,
  type TlvOrder,
  type Tlvs,
  WORKER_TRACKING_EXTENSION,
  workerIdentity,
  workerIdentityTlv,
} from './tlv.js';
export { formatStratumV2Url, parseStratumV2Url, type StratumV2Address } from './url.js';
