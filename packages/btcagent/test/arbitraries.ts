import fc from 'fast-check';
import {
  encodeRegisterWorker,
  encodeSetDifficultyFrames,
  encodeSubmit,
  encodeSubmitResponse,
  encodeUnregisterWorker,
} from '../src/index.js';

const NAME_CHARACTERS = [...'ABCXYZabcxyz0189._:|^/-'];

export const sessionId: fc.Arbitrary<number> = fc.nat(0xfffe);
export const u32: fc.Arbitrary<number> = fc.nat(0xffffffff);

/** Texts that are read as they were written. */
export function names(maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...NAME_CHARACTERS), { maxLength }).map((list) => list.join(''));
}

const optional = fc.option(u32, { nil: undefined });

/** Frames of every kind. */
export const frames: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.tuple(sessionId, names(20), names(20)).map(([id, agent, name]) => encodeRegisterWorker(id, agent, name)),
  sessionId.map((id) => encodeUnregisterWorker(id)),
  fc
    .record({ jobIndex: fc.nat(255), sessionId, extranonce2: u32, nonce: u32, ntime: optional, versionMask: optional })
    .map((share) => encodeSubmit(share)),
  fc
    .tuple(fc.nat(63), fc.array(sessionId, { minLength: 1, maxLength: 40 }))
    .map(([exponent, ids]) => encodeSetDifficultyFrames(exponent, ids)[0] ?? new Uint8Array(0)),
  fc.tuple(fc.nat(0xffff), fc.nat(0x7fffffff)).map(([index, status]) => encodeSubmitResponse(index, status)),
);

/** Texts of lines that come out as they went in: no newline, no blanks around, not blank, not the start of a frame. */
export const lines: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('{"id":1,"method":"mining.subscribe","params":[]}', '{"id":"agent.caps"}', '[1]', '\x01\x7f\x04\x00'),
  fc.json({ maxDepth: 2 }).filter((text) => text.trim() === text && text !== ''),
);
