import { isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ACT1_BYTES,
  ACT2_BYTES,
  authorityKeyOf,
  type CertificateProblem,
  type ClientSession,
  certificateProblem,
  decodeCertificate,
  encryptedFrameLength,
  type FinishOptions,
  type Frame,
  FrameDecrypter,
  FrameEncrypter,
  finishInitiator,
  initiate,
  NoiseCipher,
  noiseKeyPair,
  noiseKeyX,
  respond,
  signCertificate,
} from '../src/index.js';
import { frames, keyOf, pieces, seeded } from './support.js';

const NOW = 1_800_000_000;
const authoritySecretKey = seeded('authority', 32);
const authorityKey = authorityKeyOf(authoritySecretKey);
const ours = keyOf('static');
const certificate = signCertificate({
  authoritySecretKey,
  staticPublicKey: ours.publicKey,
  validFromSeconds: NOW - 3600,
  notValidAfterSeconds: NOW + 3600,
  random: seeded('aux', 32),
});
const server = { ephemeral: keyOf('server'), static: ours, certificate };
const { act1, state } = initiate(keyOf('client'));
const { act2, session } = respond(act1, server);
const finish = (bytes: Uint8Array, options: Partial<FinishOptions> = {}): ClientSession =>
  finishInitiator(state, bytes, { authorityKey, nowSeconds: NOW, ...options });

function failure(run: () => unknown): { code: string; problem?: unknown } {
  try {
    run();
  } catch (error) {
    if (!isPoolError(error)) throw error;
    return error.details.problem === undefined
      ? { code: error.code }
      : { code: error.code, problem: error.details.problem };
  }
  return { code: 'no error' };
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

describe('keys', () => {
  it('are the same for the same random bytes, and decode to the point of the secret', () => {
    for (let i = 0; i < 20; i++) {
      const pair = keyOf(`pair ${i}`);
      expect(keyOf(`pair ${i}`)).toEqual(pair);
      expect(noiseKeyX(pair.publicKey)).toEqual(authorityKeyOf(pair.secretKey));
    }
    const random = seeded('x', 64);
    const other = noiseKeyPair(flipped(random, 40));
    expect(other.secretKey).toEqual(noiseKeyPair(random).secretKey);
    expect(other.publicKey).not.toEqual(noiseKeyPair(random).publicKey);
  });

  it('are refused without randomness', () => {
    expect(failure(() => noiseKeyPair(new Uint8Array(64)))).toEqual({ code: 'invalid_argument' });
    expect(failure(() => noiseKeyPair(new Uint8Array(63).fill(1)))).toEqual({ code: 'invalid_argument' });
  });
});

describe('the handshake', () => {
  it('gives both sides the same keys, crosswise', () => {
    const client = finish(act2);
    expect([act1.length, act2.length]).toEqual([ACT1_BYTES, ACT2_BYTES]);
    expect(client.handshakeHash).toEqual(session.handshakeHash);
    expect([client.sendKey, client.receiveKey]).toEqual([session.receiveKey, session.sendKey]);
    expect(client.sendKey).not.toEqual(client.receiveKey);
    expect(client.staticPublicKey).toEqual(ours.publicKey);
  });

  it('is a function of what goes in', () => {
    const again = initiate(keyOf('client'));
    expect(again).toEqual({ act1, state });
    expect(respond(act1, server)).toEqual({ act2, session });
    expect(finish(act2)).toEqual(finish(act2));
  });

  it('fails with any byte of the answer changed', () => {
    for (let at = 0; at < ACT2_BYTES; at += 3) {
      expect(
        failure(() => finish(flipped(act2, at))),
        `byte ${at}`,
      ).toEqual({ code: 'protocol_violation' });
    }
  });

  it('fails with a wrong length', () => {
    for (const length of [0, 63, 65]) {
      expect(failure(() => respond(new Uint8Array(length), server)).code).toBe('protocol_violation');
    }
    for (const length of [0, 170, 233, 235]) {
      expect(failure(() => finish(new Uint8Array(length))).code).toBe('protocol_violation');
    }
  });

  it('fails for another client', () => {
    const other = initiate(keyOf('another client'));
    const run = (): unknown => finishInitiator(other.state, act2, { authorityKey, nowSeconds: NOW });
    expect(failure(run)).toEqual({ code: 'protocol_violation' });
  });

  it('fails with a random answer', () => {
    for (let i = 0; i < 200; i++) {
      expect(failure(() => finish(seeded(`answer ${i}`, ACT2_BYTES)))).toEqual({ code: 'protocol_violation' });
    }
  });
});

describe('the certificate', () => {
  const sign = (changes: Partial<Parameters<typeof signCertificate>[0]>): Uint8Array =>
    signCertificate({
      authoritySecretKey,
      staticPublicKey: ours.publicKey,
      validFromSeconds: NOW - 3600,
      notValidAfterSeconds: NOW + 3600,
      random: seeded('aux', 32),
      ...changes,
    });
  const refused = (bytes: Uint8Array, problem: CertificateProblem, options: Partial<FinishOptions> = {}): void => {
    const answer = respond(act1, { ...server, certificate: bytes });
    expect(failure(() => finish(answer.act2, options))).toEqual({ code: 'rejected', problem });
  };

  it('is refused when it is not time, with room for clocks', () => {
    refused(certificate, 'expired', { nowSeconds: NOW + 3611 });
    refused(certificate, 'not-yet-valid', { nowSeconds: NOW - 3611 });
    expect(finish(act2, { nowSeconds: NOW + 3610 }).certificate.notValidAfterSeconds).toBe(NOW + 3600);
    expect(finish(act2, { nowSeconds: NOW - 3610 }).certificate.validFromSeconds).toBe(NOW - 3600);
    refused(certificate, 'expired', { nowSeconds: NOW + 3601, clockSkewSeconds: 0 });
    refused(certificate, 'not-yet-valid', { nowSeconds: Number.NaN });
  });

  it('is refused from another authority, for another key, and when changed', () => {
    refused(sign({ authoritySecretKey: seeded('impostor', 32) }), 'signature');
    refused(sign({ staticPublicKey: keyOf('other').publicKey }), 'signature');
    refused(flipped(certificate, 73), 'signature');
    refused(flipped(certificate, 6), 'signature');
    refused(flipped(certificate, 0), 'version');
    refused(certificate, 'signature', { authorityKey: new Uint8Array(32).fill(0xff) });
    refused(certificate, 'signature', { authorityKey: new Uint8Array(31) });
  });

  it('is not looked at without an authority key', () => {
    const answer = respond(act1, { ...server, certificate: flipped(certificate, 0) });
    expect(finish(answer.act2, { authorityKey: undefined, nowSeconds: 0 }).certificate.version).toBe(1);
  });

  it('is good for the key in any encoding', () => {
    const random = seeded('static', 64);
    random[50] = (random[50] ?? 0) ^ 0xff;
    const staticPublicKey = noiseKeyPair(random).publicKey;
    expect(staticPublicKey).not.toEqual(ours.publicKey);
    const options = { authorityKey, staticPublicKey, nowSeconds: NOW };
    expect(certificateProblem(decodeCertificate(certificate), options)).toBeUndefined();
  });

  it('is not made from what is none', () => {
    expect(failure(() => sign({ authoritySecretKey: new Uint8Array(32) }))).toEqual({ code: 'invalid_argument' });
    expect(failure(() => sign({ random: new Uint8Array(31) }))).toEqual({ code: 'invalid_argument' });
    expect(failure(() => sign({ validFromSeconds: -1 }))).toEqual({ code: 'invalid_argument' });
    expect(failure(() => decodeCertificate(new Uint8Array(73)))).toEqual({ code: 'invalid_data' });
  });
});

describe('the transport', () => {
  const key = seeded('transport', 32);
  const readAll = (chunks: Iterable<Uint8Array>, decrypter = new FrameDecrypter(key)): Frame[] => {
    const list: Frame[] = [];
    for (const chunk of chunks) {
      decrypter.push(chunk, (frame) => list.push(frame));
      chunk.fill(0x7a);
    }
    return list;
  };
  const encrypted = (list: readonly Frame[]): Uint8Array => {
    const encrypter = new FrameEncrypter(key);
    return Uint8Array.from(Buffer.concat(list.map((frame) => encrypter.encrypt(frame))));
  };
  const frameOf = (length: number): Frame => ({
    extensionType: 0,
    isChannelMessage: false,
    messageType: 9,
    payload: new Uint8Array(length).fill(5),
  });

  it('brings the same frames however the bytes are cut', () => {
    const cut = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 6 }), cut, (list, sizes) => {
        const stream = encrypted(list);
        expect(readAll(pieces(stream, sizes))).toEqual(list);
        expect(readAll(pieces(stream, [1]))).toEqual(list);
      }),
      { numRuns: 40 },
    );
    const list = [frameOf(0), frameOf(1), frameOf(20)];
    const stream = encrypted(list);
    for (let at = 0; at <= stream.length; at++) expect(readAll([stream.slice(0, at), stream.slice(at)])).toEqual(list);
  });

  it.each([
    [0, 22],
    [1, 39],
    [65_518, 65_556],
    [65_519, 65_557],
    [65_520, 65_574],
    [131_038, 131_092],
    [200_000, 200_086],
  ])('a payload of %i bytes takes %i', (length, total) => {
    const bytes = new FrameEncrypter(key).encrypt(frameOf(length));
    expect([bytes.length, encryptedFrameLength(length)]).toEqual([total, total]);
    const decrypter = new FrameDecrypter(key, { maxPayloadBytes: 200_000 });
    const [frame] = readAll(pieces(bytes, [50_000, 1, 16]), decrypter);
    expect(frame?.payload.length).toBe(length);
    expect(frame?.payload.every((byte) => byte === 5)).toBe(true);
    expect(decrypter.heldBytes).toBe(0);
  });

  it('refuses a frame with any byte changed, and everything after it', () => {
    const stream = encrypted([frameOf(30)]);
    for (let at = 0; at < stream.length; at++) {
      const decrypter = new FrameDecrypter(key);
      const push = (bytes: Uint8Array) => (): unknown => readAll([bytes], decrypter);
      expect(failure(push(flipped(stream, at))), `byte ${at}`).toEqual({ code: 'protocol_violation' });
      expect(failure(push(encrypted([frameOf(1)])))).toEqual({ code: 'protocol_violation' });
    }
  });

  it('refuses frames out of order, twice, or left out', () => {
    const encrypter = new FrameEncrypter(key);
    const [first, second] = [encrypter.encrypt(frameOf(1)), encrypter.encrypt(frameOf(2))];
    expect(failure(() => readAll([Uint8Array.from(second)]))).toEqual({ code: 'protocol_violation' });
    expect(failure(() => readAll([first.slice(), first.slice()]))).toEqual({ code: 'protocol_violation' });
    expect(readAll([first, second]).length).toBe(2);
  });

  it('refuses a payload beyond the limit as soon as its header is there', () => {
    const decrypter = new FrameDecrypter(key, { maxPayloadBytes: 10 });
    const bytes = new FrameEncrypter(key).encrypt(frameOf(11)).slice(0, 22);
    expect(failure(() => readAll([bytes], decrypter))).toEqual({ code: 'protocol_violation' });
  });

  it('ends when the nonces are used up, before anything of a frame is made', () => {
    const last = 0xffffffffffffffffn;
    const encrypter = new FrameEncrypter(key, last - 3n);
    const decrypter = new FrameDecrypter(key, {}, last - 3n);
    expect(failure(() => encrypter.encrypt(frameOf(3 * 65_519)))).toEqual({ code: 'closed' });
    expect(readAll([encrypter.encrypt(frameOf(1))], decrypter)).toEqual([frameOf(1)]);
    expect(failure(() => encrypter.encrypt(frameOf(1)))).toEqual({ code: 'closed' });
    expect(readAll([encrypter.encrypt(frameOf(0))], decrypter)).toEqual([frameOf(0)]);
    expect(failure(() => encrypter.encrypt(frameOf(0)))).toEqual({ code: 'closed' });
    expect(failure(() => readAll([new Uint8Array(22)], decrypter))).toEqual({ code: 'closed' });
    expect(failure(() => new NoiseCipher(key, 2n ** 64n))).toEqual({ code: 'invalid_argument' });
    expect(failure(() => new NoiseCipher(new Uint8Array(31)))).toEqual({ code: 'invalid_argument' });
  });

  it('refuses 10,000 random openings', () => {
    // Any 64 bytes are a client's first message; the first frame tells. Some get answers of their own.
    let { receiveKey } = session;
    for (let i = 0; i < 10_000; i++) {
      if (i % 250 === 0) receiveKey = respond(seeded(`opening ${i}`, ACT1_BYTES), server).session.receiveKey;
      const bytes = seeded(`frame ${i}`, 22 + (i % 90));
      expect(failure(() => readAll([bytes], new FrameDecrypter(receiveKey)))).toEqual({ code: 'protocol_violation' });
    }
  });
});
