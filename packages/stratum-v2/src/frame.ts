import { PoolError } from '@headframe/primitives';
import { ByteCollector } from './collector.js';

/** Bytes before the payload: extension type U16, message type U8, length of the payload U24. */
export const FRAME_HEADER_BYTES = 6;
/** Longest payload that a header can announce. */
export const MAX_PAYLOAD_BYTES = 0xffffff;
/** Bit 15 of the extension type: the payload starts with a channel id. On the wire the top bit of byte 1. */
const CHANNEL_MSG = 0x8000;

/** What a frame's six bytes say. */
export interface FrameHeader {
  /** 0 for the core protocols; 15 bits. */
  readonly extensionType: number;
  /** The payload starts with a channel id (U32). */
  readonly isChannelMessage: boolean;
  readonly messageType: number;
  /** Bytes of the plain payload. */
  readonly payloadLength: number;
}

/** One message as it travels: who it belongs to, and its bytes. */
export interface Frame {
  /** 0 for the core protocols; 15 bits. */
  readonly extensionType: number;
  /** The payload starts with a channel id (U32). */
  readonly isChannelMessage: boolean;
  readonly messageType: number;
  readonly payload: Uint8Array;
}

/** Reads the first six bytes. @throws PoolError `end_of_data` when there are fewer */
export function readFrameHeader(bytes: Uint8Array): FrameHeader {
  if (bytes.length < FRAME_HEADER_BYTES) {
    throw new PoolError('end_of_data', `a frame header has ${FRAME_HEADER_BYTES} bytes, not ${bytes.length}`);
  }
  const [low = 0, high = 0, messageType = 0, length0 = 0, length1 = 0, length2 = 0] = bytes;
  const type = low | (high << 8);
  return {
    extensionType: type & ~CHANNEL_MSG,
    isChannelMessage: (type & CHANNEL_MSG) !== 0,
    messageType,
    payloadLength: length0 | (length1 << 8) | (length2 << 16),
  };
}

/** Writes a header into the first six bytes. @throws PoolError `invalid_argument` on a value out of range */
export function writeFrameHeader(bytes: Uint8Array, header: FrameHeader): void {
  const { extensionType, messageType, payloadLength } = header;
  const isType = Number.isInteger(extensionType) && extensionType >= 0 && extensionType < CHANNEL_MSG;
  if (!isType) throw new PoolError('invalid_argument', `extension type ${extensionType} has more than 15 bits`);
  if (!Number.isInteger(messageType) || messageType < 0 || messageType > 0xff) {
    throw new PoolError('invalid_argument', `message type ${messageType} is no byte`);
  }
  if (!Number.isInteger(payloadLength) || payloadLength < 0 || payloadLength > MAX_PAYLOAD_BYTES) {
    throw new PoolError('invalid_argument', `a payload of ${payloadLength} bytes, at most ${MAX_PAYLOAD_BYTES}`);
  }
  if (bytes.length < FRAME_HEADER_BYTES) throw new PoolError('invalid_argument', 'no room for a frame header');
  bytes[0] = extensionType & 0xff;
  bytes[1] = (extensionType >> 8) | (header.isChannelMessage ? CHANNEL_MSG >> 8 : 0);
  bytes[2] = messageType;
  bytes[3] = payloadLength & 0xff;
  bytes[4] = (payloadLength >> 8) & 0xff;
  bytes[5] = payloadLength >> 16;
}

/** The bytes of a frame without encryption. @throws PoolError `invalid_argument` on a value out of range */
export function encodeFrame(frame: Frame): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + frame.payload.length);
  writeFrameHeader(bytes, { ...frame, payloadLength: frame.payload.length });
  bytes.set(frame.payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** The channel id in front of a channel message; undefined for other frames and when the payload is too short. */
export function frameChannelId(frame: Frame): number | undefined {
  const { payload } = frame;
  if (!frame.isChannelMessage || payload.length < 4) return undefined;
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, true);
}

/** Bounds of what is taken from a peer. */
export interface FrameLimits {
  /**
   * Longest payload taken, in bytes; default {@link DEFAULT_MAX_PAYLOAD_BYTES}. Stops a peer that announces 16 MiB and
   * feeds them slowly.
   */
  readonly maxPayloadBytes?: number;
}

/**
 * Twice the longest honest message of the mining protocol (SetCustomMiningJob, below 70 KB). Job declaration and
 * template distribution carry transactions: give their readers more.
 */
export const DEFAULT_MAX_PAYLOAD_BYTES = 140_000;

/** The limit to apply. @throws PoolError `invalid_argument` on a limit that no payload length can have */
export function payloadLimit(limits: FrameLimits): number {
  const limit = limits.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES;
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_PAYLOAD_BYTES) {
    throw new PoolError('invalid_argument', `maxPayloadBytes ${limit} is not within 0 to ${MAX_PAYLOAD_BYTES}`);
  }
  return limit;
}

/** @throws PoolError `protocol_violation` when the payload is longer than the limit */
export function checkPayloadLength(header: FrameHeader, limit: number): void {
  if (header.payloadLength > limit) {
    throw new PoolError('protocol_violation', `a payload of ${header.payloadLength} bytes, at most ${limit}`);
  }
}

/** Frames of a stream without encryption, however its bytes are cut. */
export class FrameReader {
  readonly #limit: number;
  readonly #collector = new ByteCollector();
  #header: FrameHeader | undefined;
  #failure: PoolError | undefined;

  /** @throws PoolError `invalid_argument` on a limit out of range */
  constructor(limits: FrameLimits = {}) {
    this.#limit = payloadLimit(limits);
    this.#collector.want(FRAME_HEADER_BYTES);
  }

  /** Bytes held of a frame that is not complete. */
  get heldBytes(): number {
    return this.#collector.length;
  }

  /**
   * Takes bytes and hands each complete frame to `sink`, also those of unknown types. Nothing of `chunk` is kept; the
   * payload belongs to the receiver. What `sink` throws comes out of here, and the rest of `chunk` is lost.
   * @throws PoolError `protocol_violation` on a payload beyond the limit, then and on every later call
   */
  push(chunk: Uint8Array, sink: (frame: Frame) => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    const collector = this.#collector;
    for (let at = 0; at < chunk.length; ) {
      at = collector.take(chunk, at);
      if (!collector.isDone) return;
      if (this.#header === undefined) {
        const header = readFrameHeader(collector.finish());
        try {
          checkPayloadLength(header, this.#limit);
        } catch (error) {
          if (error instanceof PoolError) this.#failure = error;
          throw error;
        }
        this.#header = header;
        collector.want(header.payloadLength);
        if (header.payloadLength > 0) continue;
      }
      const { extensionType, isChannelMessage, messageType } = this.#header;
      const payload = collector.finish();
      this.#header = undefined;
      collector.want(FRAME_HEADER_BYTES);
      sink({ extensionType, isChannelMessage, messageType, payload });
    }
  }
}
