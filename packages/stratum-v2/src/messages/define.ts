import type { Codec, ValueOf } from '../codec.js';

/** The part of the protocol that a message belongs to. */
export type Subprotocol = 'common' | 'mining' | 'job-declaration' | 'template-distribution' | 'extensions';

/** Who sends a message: the client (downstream), the server (upstream), or either. */
export type Sender = 'client' | 'server' | 'both';

/** Fields of a message in the order of the wire. */
export type FieldCodecs = Readonly<Record<string, Codec<unknown>>>;

/** Everything there is to know about a message. */
export interface MessageDefinition<F extends FieldCodecs = FieldCodecs> {
  /** Its name in the specification; two messages are called SetNewPrevHash. */
  readonly wireName: string;
  readonly subprotocol: Subprotocol;
  /** 0 for the core protocols. */
  readonly extensionType: number;
  readonly messageType: number;
  /** The bit that is sent. Either value is taken from a peer: the specification changed it for some messages. */
  readonly isChannelMessage: boolean;
  readonly sender: Sender;
  /** What it is for, in a sentence. */
  readonly about: string;
  readonly fields: F;
}

/** The fields of a message as JavaScript values. */
export type FieldsOf<D> = D extends MessageDefinition<infer F> ? { readonly [K in keyof F]: ValueOf<F[K]> } : never;

type Head = Omit<MessageDefinition, 'fields' | 'subprotocol' | 'extensionType' | 'messageType' | 'wireName'>;

/** A function that defines messages of one subprotocol. */
export function definer(
  subprotocol: Subprotocol,
  extensionType = 0,
): <F extends FieldCodecs>(messageType: number, wireName: string, head: Head, fields: F) => MessageDefinition<F> {
  return (messageType, wireName, head, fields) => ({
    wireName,
    subprotocol,
    extensionType,
    messageType,
    isChannelMessage: head.isChannelMessage,
    sender: head.sender,
    about: head.about,
    fields,
  });
}
