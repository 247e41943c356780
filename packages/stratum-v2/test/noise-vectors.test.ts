import { createHash } from 'node:crypto';
import { bytesToHex } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import {
  authorityKeyOf,
  decodeAuthorityKey,
  decodeAuthoritySecret,
  decodeCertificate,
  encodeAuthorityKey,
  encodeAuthoritySecret,
  type Frame,
  FrameDecrypter,
  FrameEncrypter,
  FrameReader,
  finishInitiator,
  initiate,
  noiseKeyX,
  readFrameHeader,
  respond,
  signCertificate,
} from '../src/index.js';
import { sharedSecret } from '../src/noise/keys.js';
import { initialState } from '../src/noise/symmetric.js';
import { hex, type NoiseVector, type TransportVector, vectors } from './support.js';

describe('BIP 324', () => {
  const { decode, ecdh } = vectors.bip324_ellswift;

  it('has 76 encodings and 7 shared secrets', () => expect([decode.length, ecdh.length]).toEqual([76, 7]));

  it.each(decode)('decodes $ellswift', ({ ellswift, x }) => {
    expect(bytesToHex(noiseKeyX(hex(ellswift)))).toBe(x);
  });

  it.each(ecdh)('shares $shared_secret', (vector) => {
    const ours = { secretKey: hex(vector.priv_ours), publicKey: hex(vector.ellswift_ours) };
    expect(bytesToHex(sharedSecret(ours, hex(vector.ellswift_theirs), vector.initiating))).toBe(vector.shared_secret);
  });
});

describe('authority keys', () => {
  it('are 2', () => expect(vectors.authority_key_base58.length).toBe(2));

  it.each(vectors.authority_key_base58)('$raw_xonly', (vector) => {
    const text = vector.base58check ?? vector.base58check_public ?? '';
    expect(bytesToHex(decodeAuthorityKey(text))).toBe(vector.raw_xonly);
    expect(encodeAuthorityKey(hex(vector.raw_xonly))).toBe(text);
    const { base58check_secret: secretText, raw_secret: secret } = vector;
    if (secretText === undefined || secret === undefined) return;
    expect(bytesToHex(decodeAuthoritySecret(secretText))).toBe(secret);
    expect(encodeAuthoritySecret(hex(secret))).toBe(secretText);
    expect(bytesToHex(authorityKeyOf(hex(secret)))).toBe(vector.raw_xonly);
  });
});

it('starts from the hash of the protocol name', () => {
  const { chainingKey, hash } = initialState();
  expect(bytesToHex(chainingKey)).toBe(vectors.noise_protocol_name.sha256_ck0);
  expect(bytesToHex(hash)).toBe(vectors.noise_protocol_name.h0_sha256_of_ck0);
});

function partsOf(vector: NoiseVector) {
  const staticKey = { secretKey: hex(vector.responder_s_priv), publicKey: hex(vector.responder_s_ellswift) };
  const certificate = signCertificate({
    authoritySecretKey: hex(vector.authority_priv),
    staticPublicKey: staticKey.publicKey,
    validFromSeconds: vector.valid_from,
    notValidAfterSeconds: vector.not_valid_after,
    random: hex(vector.schnorr_aux_rand),
  });
  const initiator = { secretKey: hex(vector.initiator_e_priv), publicKey: hex(vector.initiator_e_ellswift) };
  const responder = { secretKey: hex(vector.responder_e_priv), publicKey: hex(vector.responder_e_ellswift) };
  return { staticKey, certificate, initiator, responder };
}

/** The frame of a vector, from its bytes or from the rule for long ones. */
function plainFrame(vector: TransportVector): Frame {
  if (vector.plain === undefined) {
    const { payloadLength, ...head } = readFrameHeader(hex(vector.plain_header));
    expect(payloadLength).toBe(vector.payload_len);
    return { ...head, payload: Uint8Array.from({ length: payloadLength }, (_, i) => i % 251) };
  }
  const frames: Frame[] = [];
  new FrameReader().push(hex(vector.plain), (frame) => frames.push(frame));
  const [frame] = frames;
  if (frame === undefined) throw new Error('no frame');
  return frame;
}

describe('handshakes of the reference implementation', () => {
  it('are 3 with 51 frames', () => {
    expect(vectors.noise.length).toBe(3);
    expect(vectors.noise.reduce((sum, vector) => sum + vector.transport.length, 0)).toBe(51);
  });

  it.each(vectors.noise)('handshake $#', (vector) => {
    const { staticKey, certificate, initiator, responder } = partsOf(vector);
    const steps = vector.intermediate;
    expect(bytesToHex(noiseKeyX(staticKey.publicKey))).toBe(vector.responder_s_xonly);
    expect(bytesToHex(certificate)).toBe(steps.signature_noise_message);
    const { act1, state } = initiate(initiator);
    expect(bytesToHex(act1)).toBe(vector.act1);
    expect(bytesToHex(state.symmetric.hash)).toBe(steps.h_after_act1);
    expect(bytesToHex(sharedSecret(initiator, responder.publicKey, true))).toBe(steps.ee);
    expect(bytesToHex(sharedSecret(staticKey, initiator.publicKey, false))).toBe(steps.es);
    const { act2, session } = respond(act1, { ephemeral: responder, static: staticKey, certificate });
    expect(bytesToHex(act2)).toBe(vector.act2);
    const authorityKey = hex(vector.authority_xonly);
    const client = finishInitiator(state, hex(vector.act2), { authorityKey, nowSeconds: vector.valid_from + 1 });
    expect(bytesToHex(client.handshakeHash)).toBe(steps.h_final);
    expect(bytesToHex(session.handshakeHash)).toBe(steps.h_final);
    expect(bytesToHex(client.sendKey)).toBe(steps.c1_initiator_to_responder_key);
    expect(bytesToHex(client.receiveKey)).toBe(steps.c2_responder_to_initiator_key);
    expect([session.receiveKey, session.sendKey]).toEqual([client.sendKey, client.receiveKey]);
    expect(client.staticPublicKey).toEqual(staticKey.publicKey);
    expect(client.certificate).toEqual(decodeCertificate(certificate));

    const limits = { maxPayloadBytes: 200_000 };
    const ends = {
      initiator: [new FrameEncrypter(client.sendKey), new FrameDecrypter(session.receiveKey, limits)],
      responder: [new FrameEncrypter(session.sendKey), new FrameDecrypter(client.receiveKey, limits)],
    } as const;
    for (const entry of vector.transport) {
      const [encrypter, decrypter] = ends[entry.from];
      const frame = plainFrame(entry);
      const bytes = encrypter.encrypt(frame);
      if (entry.cipher !== undefined) expect(bytesToHex(bytes)).toBe(entry.cipher);
      else {
        expect(bytes.length).toBe(entry.cipher_len);
        expect(bytesToHex(bytes.subarray(0, 38))).toBe(entry.cipher_first_38);
        const once = createHash('sha256').update(bytes).digest();
        expect(createHash('sha256').update(once).digest('hex')).toBe(entry.cipher_sha256d);
      }
      const got: Frame[] = [];
      decrypter.push(bytes, (item) => got.push(item));
      expect(got.length).toBe(1);
      expect(Buffer.compare(got[0]?.payload ?? new Uint8Array(), frame.payload)).toBe(0);
      expect(got[0]?.messageType).toBe(frame.messageType);
    }
  });
});
