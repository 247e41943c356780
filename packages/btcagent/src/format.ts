/** First byte of every frame; DEL never starts a JSON text, so one look at a message boundary tells the two apart. */
export const FRAME_MAGIC = 0x7f;

/** Magic, command, and the length of the whole frame as 16 bits little-endian. */
export const FRAME_HEADER_BYTES = 4;

/** Longest frame the 16-bit length can state. */
export const MAX_FRAME_BYTES = 0xffff;

/** Highest session id; 0xffff means "none" and is never registered. */
export const MAX_SESSION_ID = 0xfffe;

/** Session ids there are on one connection: 0 to {@link MAX_SESSION_ID}. */
export const SESSION_IDS = MAX_SESSION_ID + 1;

/** Command bytes of the Bitcoin form of the protocol. */
export const FrameCommand = {
  registerWorker: 0x01,
  submit: 0x02,
  submitWithTime: 0x03,
  unregisterWorker: 0x04,
  setDifficulty: 0x05,
  submitResponse: 0x10,
  submitWithVersion: 0x12,
  submitWithTimeAndVersion: 0x13,
} as const;
export type FrameCommand = (typeof FrameCommand)[keyof typeof FrameCommand];

/** 16 bits, little-endian; the caller has checked the bounds. */
export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

/** 32 bits, little-endian, unsigned; the caller has checked the bounds. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (readU16(bytes, at) | (readU16(bytes, at + 2) << 16)) >>> 0;
}

/** 16 bits, little-endian. */
export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
}

/** 32 bits, little-endian. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  writeU16(bytes, at, value & 0xffff);
  writeU16(bytes, at + 2, value >>> 16);
}

/** A frame of `length` bytes with its header filled in. */
export function newFrame(command: FrameCommand, length: number): Uint8Array {
  const frame = new Uint8Array(length);
  frame[0] = FRAME_MAGIC;
  frame[1] = command;
  writeU16(frame, 2, length);
  return frame;
}
