import { ByteReader, ByteWriter, isPoolError, PoolError } from '@headframe/primitives';
import type { Codec } from './codec.js';
import { encodeFrame, type Frame } from './frame.js';
import { COMMON_MESSAGES } from './messages/common.js';
import type { FieldsOf, MessageDefinition } from './messages/define.js';
import { EXTENSION_MESSAGES } from './messages/extensions.js';
import { JOB_DECLARATION_MESSAGES } from './messages/job-declaration.js';
import { MINING_MESSAGES } from './messages/mining.js';
import { TEMPLATE_DISTRIBUTION_MESSAGES } from './messages/template-distribution.js';

/** Every message, by its name here: that of the specification without the dot, and `SetNewPrevHashTemplate` for 0x72. */
export const MESSAGES = {
  ...COMMON_MESSAGES,
  ...MINING_MESSAGES,
  ...JOB_DECLARATION_MESSAGES,
  ...TEMPLATE_DISTRIBUTION_MESSAGES,
  ...EXTENSION_MESSAGES,
} as const;

/** Name of a message, the key of {@link MESSAGES}. */
export type MessageName = keyof typeof MESSAGES;

/** The fields of a message: integers as numbers, U64 as bigint, bytes as they lie on the wire. */
export type MessageFields<N extends MessageName> = FieldsOf<(typeof MESSAGES)[N]>;

/** A message that was read; `name` tells which fields it has. */
export type Message<N extends MessageName = MessageName> = {
  readonly [K in N]: {
    readonly name: K;
    readonly fields: MessageFields<K>;
    /** Bytes behind the known fields: TLVs of extensions, or fields of a later version. A copy. */
    readonly trailing: Uint8Array;
  };
}[N];

/** What a frame holds: a message, or a type that is not in {@link MESSAGES} and is kept as it came. */
export type Decoded = ({ readonly kind: 'message' } & Message) | { readonly kind: 'unknown'; readonly frame: Frame };

interface Entry {
  readonly name: MessageName;
  readonly definition: MessageDefinition;
  readonly fields: readonly (readonly [string, Codec<unknown>])[];
}

const byName = new Map<string, Entry>();
const byType = new Map<number, Entry>();
for (const [name, definition] of Object.entries(MESSAGES) as [MessageName, MessageDefinition][]) {
  const entry: Entry = { name, definition, fields: Object.entries(definition.fields) };
  byName.set(name, entry);
  byType.set((definition.extensionType << 8) | definition.messageType, entry);
}

function entryOf(name: string): Entry {
  const entry = byName.get(name);
  if (entry === undefined) throw new PoolError('invalid_argument', `no message is called ${name}`);
  return entry;
}

/** The same error, with the place in front. */
function located(error: unknown, place: string): unknown {
  return isPoolError(error) ? new PoolError(error.code, `${place}: ${error.message}`, { cause: error }) : error;
}

/** The name of a frame's message; undefined when it is none of {@link MESSAGES}. The channel bit does not matter. */
export function messageName(frame: Pick<Frame, 'extensionType' | 'messageType'>): MessageName | undefined {
  return byType.get((frame.extensionType << 8) | frame.messageType)?.name;
}

/**
 * A message as a frame; `trailing` (encoded TLVs) goes behind its fields.
 * @throws PoolError `invalid_argument` when a field is missing or is no value of its type, naming the field
 */
export function messageFrame<N extends MessageName>(name: N, fields: MessageFields<N>, trailing?: Uint8Array): Frame {
  const entry = entryOf(name);
  const values: Readonly<Record<string, unknown>> = fields;
  const writer = new ByteWriter(64);
  for (const [key, codec] of entry.fields) {
    try {
      codec.write(writer, values[key]);
    } catch (error) {
      throw located(error, `${name}.${key}`);
    }
  }
  if (trailing !== undefined) writer.write(trailing);
  const { extensionType, messageType, isChannelMessage } = entry.definition;
  return { extensionType, isChannelMessage, messageType, payload: writer.finish() };
}

/**
 * A message as the bytes of a frame without encryption.
 * @throws PoolError `invalid_argument` as {@link messageFrame} does, and when the payload is longer than a frame's
 */
export function encodeMessage<N extends MessageName>(
  name: N,
  fields: MessageFields<N>,
  trailing?: Uint8Array,
): Uint8Array {
  return encodeFrame(messageFrame(name, fields, trailing));
}

function readFields(entry: Entry, payload: Uint8Array): { fields: Record<string, unknown>; trailing: Uint8Array } {
  const reader = new ByteReader(payload);
  const fields: Record<string, unknown> = {};
  for (const [key, codec] of entry.fields) {
    try {
      fields[key] = codec.read(reader);
    } catch (error) {
      throw located(error, `${entry.name}.${key}`);
    }
  }
  return { fields, trailing: reader.copy(reader.remaining) };
}

/**
 * What a frame holds. Nothing of the payload is kept, except with an unknown message. Bytes behind the known fields
 * are no error.
 * @throws PoolError `end_of_data` when the payload is too short, `invalid_data` when a field has no valid value; both
 *   name the field
 */
export function decodeMessage(frame: Frame): Decoded {
  const entry = byType.get((frame.extensionType << 8) | frame.messageType);
  if (entry === undefined) return { kind: 'unknown', frame };
  const { fields, trailing } = readFields(entry, frame.payload);
  return { kind: 'message', name: entry.name, fields, trailing } as Decoded;
}

/**
 * The fields of one kind of message from a payload.
 * @throws PoolError as {@link decodeMessage} does
 */
export function decodeFields<N extends MessageName>(name: N, payload: Uint8Array): MessageFields<N> {
  return readFields(entryOf(name), payload).fields as MessageFields<N>;
}
