import { isPoolError } from '@headframe/primitives';
import {
  type Decoded,
  decodeMessage,
  encodeTlvs,
  frameChannelId,
  MESSAGES,
  messageFrame,
  readTlvs,
  workerIdentity,
} from '@headframe/stratum-v2';
import { check } from '../check.js';
import type { FuzzTarget } from '../run.js';

const DEFINITIONS = Object.values(MESSAGES);
/** First bytes of an input that stand for a type that is no message. */
const UNKNOWN_TYPE = 0x1e;

/** Text that is not UTF-8 grows when it is written. */
const hasBadText = (fields: Readonly<Record<string, unknown>>): boolean =>
  Object.values(fields).some((value) => typeof value === 'string' && value.includes('\ufffd'));

/** The first byte of the input chooses the message, the rest is its payload. */
export const stratumV2MessageTarget: FuzzTarget = {
  name: 'stratum-v2-message',
  promise:
    'every message decodes or is refused, what decoded encodes to as many bytes, and TLVs account for every byte',
  maxBytes: 700,
  dictionary: [
    '\u0001\0\0\0',
    '\u0002\0\0\0',
    '\0\0\0\0\0\0\0\0',
    '\u0020',
    '\u0001\u0000\u0000\u0000\u0001',
    'invalid-job-id',
    'x'.repeat(32),
    '\u0002\0\u0001\n\0Worker_001',
    '\0\u0002\u0001\0\nWorker_001',
  ],
  run(bytes) {
    const choice = bytes[0] ?? 0;
    const payload = bytes.subarray(1);
    const definition = DEFINITIONS[choice % (DEFINITIONS.length + 1)];
    const frame = {
      extensionType: definition?.extensionType ?? 0,
      messageType: definition?.messageType ?? UNKNOWN_TYPE,
      isChannelMessage: choice > 127,
      payload,
    };
    check(
      (frameChannelId(frame) === undefined) === (choice <= 127 || payload.length < 4),
      'a channel id, if there is one',
    );
    let decoded: Decoded;
    try {
      decoded = decodeMessage(frame);
    } catch (error) {
      const isKnown = isPoolError(error, 'end_of_data') || isPoolError(error, 'invalid_data');
      if (!isKnown || definition === undefined) throw error;
      check(/^\w+\.\w+: /.test(error.message), `an error that names its field: ${error.message}`);
      return error.message.replace(/\d+/g, 'n');
    }
    if (decoded.kind === 'unknown') {
      check(definition === undefined && decoded.frame === frame, 'an unknown message is kept as it is');
      return 'unknown';
    }
    const { name, fields, trailing } = decoded;
    const { tlvs, rest } = readTlvs(trailing, (extension) => extension === 2);
    check(tlvs.reduce((sum, tlv) => sum + 5 + tlv.value.length, rest.length) === trailing.length, 'every byte counts');
    for (const tlv of tlvs) check(readTlvs(encodeTlvs([tlv]), () => true).tlvs.length === 1, 'a TLV survives');
    const worker = workerIdentity(tlvs) === undefined ? '' : ' with a worker';
    if (hasBadText(fields)) return `${name} with other text`;
    const again = messageFrame(name, fields, trailing);
    check(again.payload.length === payload.length, 'as many bytes as before');
    const second = decodeMessage(again);
    const text = (value: Decoded): string =>
      JSON.stringify(value, (_, entry: unknown) => (typeof entry === 'bigint' ? `${entry}n` : entry));
    check(text(second) === text(decoded), 'decoding, encoding and decoding gives the same');
    return `${name}${trailing.length > 0 ? ' and more' : ''}${worker}`;
  },
};
