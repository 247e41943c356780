import {
  ACT1_BYTES,
  ACT2_BYTES,
  authorityKeyOf,
  type Frame,
  FrameDecrypter,
  finishInitiator,
  initiate,
  noiseKeyPair,
  respond,
  signCertificate,
} from '@headframe/stratum-v2';
import { check, tolerate } from '../check.js';
import type { FuzzTarget } from '../run.js';

const NOW = 1_800_000_000;
const authoritySecretKey = new Uint8Array(32).fill(1);
const authorityKey = authorityKeyOf(authoritySecretKey);
const keyOf = (byte: number) => noiseKeyPair(new Uint8Array(64).fill(byte));
const staticKey = keyOf(2);
const server = {
  ephemeral: keyOf(3),
  static: staticKey,
  certificate: signCertificate({
    authoritySecretKey,
    staticPublicKey: staticKey.publicKey,
    validFromSeconds: NOW - 1,
    notValidAfterSeconds: NOW + 1,
    random: new Uint8Array(32).fill(4),
  }),
};
const client = initiate(keyOf(5));
const honest = respond(client.act1, server);

/** An opening of a stranger: the handshake, then bytes that claim to be frames. */
function open(bytes: Uint8Array): string {
  const act1 = bytes.subarray(0, ACT1_BYTES);
  const answer = tolerate(['protocol_violation'], () => respond(act1, server));
  check((answer !== undefined) === (act1.length === ACT1_BYTES), 'every 64 bytes are answered, and nothing else');
  if (answer === undefined) return 'too short';
  check(answer.act2.length === ACT2_BYTES, 'the answer has 234 bytes');
  const rest = bytes.subarray(ACT1_BYTES);
  const frames: Frame[] = [];
  const decrypter = new FrameDecrypter(answer.session.receiveKey);
  const isTaken = tolerate(['protocol_violation'], () => {
    decrypter.push(rest, (frame) => frames.push(frame));
    return true;
  });
  check(frames.length === 0, 'nobody without the key makes a frame');
  check((isTaken === undefined) === rest.length >= 22, 'the first header is refused when it is there');
  return isTaken === undefined ? 'refused' : 'waiting';
}

/** A server's answer that was changed on its way: bytes of the input are mixed into it. */
function answer(changes: Uint8Array): string {
  const act2 = Uint8Array.from(honest.act2);
  for (let i = 0; i < changes.length; i++) {
    const at = (changes[0] ?? 0) + i;
    if (at < act2.length) act2[at] = (act2[at] ?? 0) ^ (changes[i] ?? 0);
  }
  const isSame = Buffer.compare(act2, honest.act2) === 0;
  const session = tolerate(['protocol_violation', 'invalid_data'], () =>
    finishInitiator(client.state, act2, { authorityKey, nowSeconds: NOW }),
  );
  check((session !== undefined) === isSame, 'only the very answer is taken');
  return isSame ? 'the answer' : 'a changed answer';
}

/** The first byte of the input chooses the side that gets the rest. */
export const stratumV2NoiseTarget: FuzzTarget = {
  name: 'stratum-v2-noise',
  promise: 'a responder answers any 64 bytes and takes no frame after them; an initiator takes only the very answer',
  maxBytes: 320,
  dictionary: [
    '\0'.repeat(32),
    '\u007f'.repeat(32),
    'x'.repeat(64),
    'x'.repeat(22),
    '{"id":1,"method":"mining.subscribe"}\n',
  ],
  run(bytes) {
    const rest = bytes.subarray(1);
    return (bytes[0] ?? 0) % 2 === 0 ? open(rest) : answer(rest);
  },
};
