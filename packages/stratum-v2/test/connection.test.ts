import { isPoolError } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import {
  authorityKeyOf,
  type Frame,
  messageFrame,
  NoiseClientEnd,
  NoiseServerEnd,
  signCertificate,
} from '../src/index.js';
import { keyOf, pieces, seeded } from './support.js';

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
const serverEnd = (): NoiseServerEnd => new NoiseServerEnd({ ephemeral: keyOf('server'), static: ours, certificate });
const clientEnd = (): NoiseClientEnd => new NoiseClientEnd({ ephemeral: keyOf('client'), authorityKey });
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isPoolError(error)) return error.code;
    throw error;
  }
  return 'no error';
};
const closeChannel = messageFrame('CloseChannel', { channelId: 7, reasonCode: 'bye' });
const reconnect = messageFrame('Reconnect', { newHost: '', newPort: 0 });

describe('two ends', () => {
  it.each([[[1]], [[7, 1, 64, 22]], [[1000]]])('speak, with the bytes cut into %j', (sizes) => {
    const server = serverEnd();
    const client = clientEnd();
    expect(codeOf(() => server.encrypt(reconnect))).toBe('invalid_argument');
    expect(codeOf(() => client.encrypt(closeChannel))).toBe('invalid_argument');
    const answers: Uint8Array[] = [];
    const got: Frame[] = [];
    const toServer = (bytes: Uint8Array): void => {
      for (const piece of pieces(bytes, sizes)) {
        const answer = server.push(piece, (frame) => got.push(frame));
        if (answer !== undefined) answers.push(answer);
      }
    };
    toServer(client.opening);
    expect(answers.map((answer) => answer.length)).toEqual([234]);
    // The answer and the first frame in one stream.
    const stream = Buffer.concat([...answers, server.encrypt(reconnect)]);
    const seen: Frame[] = [];
    for (const piece of pieces(Uint8Array.from(stream), sizes)) client.push(piece, NOW, (frame) => seen.push(frame));
    expect(seen).toEqual([reconnect]);
    expect(client.session?.staticPublicKey).toEqual(ours.publicKey);
    expect(client.session?.handshakeHash).toEqual(server.session?.handshakeHash);
    toServer(client.encrypt(closeChannel));
    expect(got).toEqual([closeChannel]);
    expect(answers.length).toBe(1);
  });

  it('fail for good when the certificate is not good or the answer was changed', () => {
    for (const [nowSeconds, change, code] of [
      [NOW + 7200, 0, 'rejected'],
      [NOW, 1, 'protocol_violation'],
    ] as const) {
      const client = clientEnd();
      const answer = Uint8Array.from(serverEnd().push(client.opening, () => {}) ?? []);
      answer[100] = (answer[100] ?? 0) ^ change;
      expect(codeOf(() => client.push(answer, nowSeconds, () => {}))).toBe(code);
      expect(codeOf(() => client.push(new Uint8Array(1), NOW, () => {}))).toBe(code);
      expect(client.session).toBeUndefined();
    }
  });

  it('refuse what follows a random opening, and stay failed', () => {
    const server = serverEnd();
    expect(server.push(seeded('opening', 64), () => {})?.length).toBe(234);
    for (let i = 0; i < 2; i++) {
      expect(codeOf(() => server.push(seeded('frame', 22), () => {}))).toBe('protocol_violation');
    }
  });

  it('refuse a limit that is none', () => {
    const options = { ephemeral: keyOf('server'), static: ours, certificate, maxPayloadBytes: -1 };
    expect(codeOf(() => new NoiseServerEnd(options))).toBe('invalid_argument');
  });
});
