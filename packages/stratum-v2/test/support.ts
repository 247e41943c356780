import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hexToBytes } from '@headframe/primitives';
import fc from 'fast-check';
import type { Codec, Frame, NoiseKeyPair } from '../src/index.js';
import { encodeFrame, MESSAGES, type MessageName, noiseKeyPair } from '../src/index.js';

export interface MessageVector {
  readonly name: string;
  readonly extension_type: number;
  readonly msg_type: string;
  readonly channel_msg: boolean;
  readonly frame_hex: string;
}

export interface TransportVector {
  readonly from: 'initiator' | 'responder';
  readonly plain?: string;
  readonly cipher?: string;
  readonly plain_header: string;
  readonly payload_len: number;
  readonly cipher_len: number;
  readonly cipher_sha256d: string;
  readonly cipher_first_38: string;
}

export interface NoiseVector {
  readonly initiator_e_priv: string;
  readonly initiator_e_ellswift: string;
  readonly responder_e_priv: string;
  readonly responder_e_ellswift: string;
  readonly responder_s_priv: string;
  readonly responder_s_ellswift: string;
  readonly responder_s_xonly: string;
  readonly authority_priv: string;
  readonly authority_xonly: string;
  readonly schnorr_aux_rand: string;
  readonly valid_from: number;
  readonly not_valid_after: number;
  readonly act1: string;
  readonly act2: string;
  readonly transport: readonly TransportVector[];
  readonly intermediate: Readonly<Record<string, string>>;
}

export interface JobVector {
  readonly template_frame: string;
  readonly extranonce_prefix: string;
  readonly NewExtendedMiningJob_frame: string;
  readonly SubmitSharesExtended_frame: string;
  readonly prev_hash: string;
  readonly nbits: string;
  readonly merkle_root: string;
  readonly header: string;
  readonly header_sha256d: string;
  readonly standard_channel: { readonly extranonce_prefix: string; readonly NewMiningJob_frame: string };
}

export interface Vectors {
  readonly noise_protocol_name: { readonly sha256_ck0: string; readonly h0_sha256_of_ck0: string };
  readonly authority_key_base58: readonly {
    readonly raw_xonly: string;
    readonly base58check?: string;
    readonly base58check_public?: string;
    readonly base58check_secret?: string;
    readonly raw_secret?: string;
  }[];
  readonly bip324_ellswift: {
    readonly decode: readonly { readonly ellswift: string; readonly x: string }[];
    readonly ecdh: readonly {
      readonly priv_ours: string;
      readonly ellswift_ours: string;
      readonly ellswift_theirs: string;
      readonly initiating: boolean;
      readonly shared_secret: string;
    }[];
  };
  readonly sv2_tp_messages: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly messages: readonly MessageVector[];
  readonly tlv: { readonly sri_user_identity_Worker_001: string; readonly spec_text_example: string };
  readonly noise: readonly NoiseVector[];
  readonly targets: readonly {
    readonly hashrate: number;
    readonly shares_per_min: number;
    readonly target_le_wire: string;
  }[];
  readonly jobs: readonly JobVector[];
}

/** Sources are named in vectors/README.md. */
export const vectors = JSON.parse(
  readFileSync(new URL('./vectors/stratum-v2.json', import.meta.url), 'utf8'),
) as Vectors;

export const hex = hexToBytes;

/** `length` bytes that depend on the text alone. */
export function seeded(text: string, length: number): Uint8Array {
  const parts: Buffer[] = [];
  for (let i = 0; parts.length * 32 < length; i++) parts.push(createHash('sha256').update(`${text}/${i}`).digest());
  return Uint8Array.from(Buffer.concat(parts).subarray(0, length));
}

export const keyOf = (text: string): NoiseKeyPair => noiseKeyPair(seeded(text, 64));

export const MESSAGE_NAMES = Object.keys(MESSAGES) as MessageName[];

/** Bytes in pieces whose sizes come from `sizes`, over and over. Each piece is its own memory. */
export function* pieces(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1);
    yield bytes.slice(at, at + size);
    at += size;
  }
}

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const bytesTo = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const integers = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });

const SIMPLE: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  U8: integers(8),
  U16: integers(16),
  U24: integers(24),
  U32: integers(32),
  U64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  BOOL: fc.boolean(),
  F32: fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => Math.abs(value)),
  U256: bytesOf(32),
  PUBKEY: bytesOf(32),
  SIGNATURE: bytesOf(64),
  MAC: bytesOf(16),
  SHORT_TX_ID: bytesOf(6),
  STR0_255: fc.string({ unit: 'binary', maxLength: 63 }),
  B0_32: bytesTo(32),
  B0_255: bytesTo(255),
  B0_64K: bytesTo(300),
  B0_16M: bytesTo(300),
};

/** Random values of a type, found by its name. */
export function valuesOf(codec: Codec<unknown>): fc.Arbitrary<unknown> {
  const [, kind, item] = /^(\w+)\[(\w+)\]$/.exec(codec.name) ?? [];
  const simple = SIMPLE[item ?? codec.name];
  if (simple === undefined) throw new Error(`no values for ${codec.name}`);
  if (kind === undefined) return simple;
  return kind === 'OPTION' ? fc.option(simple, { nil: undefined }) : fc.array(simple, { maxLength: 8 });
}

/** Random fields of a message. */
export function fieldsOf(name: MessageName): fc.Arbitrary<Record<string, unknown>> {
  const codecs: Readonly<Record<string, Codec<unknown>>> = MESSAGES[name].fields;
  return fc.record(Object.fromEntries(Object.entries(codecs).map(([key, codec]) => [key, valuesOf(codec)])));
}

export const frames: fc.Arbitrary<Frame> = fc.record({
  extensionType: integers(15),
  isChannelMessage: fc.boolean(),
  messageType: integers(8),
  payload: bytesTo(80),
});

export const streamOf = (list: readonly Frame[]): Uint8Array =>
  Uint8Array.from(Buffer.concat(list.map((frame) => encodeFrame(frame))));
