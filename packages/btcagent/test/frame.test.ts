import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeFrame,
  encodeRegisterWorker,
  encodeSetDifficultyFrames,
  encodeSubmit,
  encodeSubmitResponse,
  encodeUnregisterWorker,
  exponentOf,
  isAcceptedStatus,
  MAX_REGISTER_BYTES,
  nextSubmitIndex,
  SubmitStatus,
  statusOfReject,
} from '../src/index.js';
import { frames, names, sessionId, u32 } from './arbitraries.js';
import { hex } from './vectors.js';

describe('encode, then decode', () => {
  it('registrations', () => {
    fc.assert(
      fc.property(sessionId, names(30), names(92), (id, clientAgent, workerName) => {
        expect(decodeFrame(encodeRegisterWorker(id, clientAgent, workerName))).toEqual({
          kind: 'register',
          sessionId: id,
          clientAgent,
          workerName: workerName === '' ? '__default__' : workerName,
        });
      }),
    );
  });

  it('departures', () => {
    fc.assert(
      fc.property(sessionId, (id) => {
        expect(decodeFrame(encodeUnregisterWorker(id))).toEqual({ kind: 'unregister', sessionId: id });
      }),
    );
  });

  it('shares in all four forms', () => {
    const optional = fc.option(u32, { nil: undefined });
    const seen = new Set<number>();
    const share = fc.record({
      kind: fc.constant('submit' as const),
      jobIndex: fc.nat(255),
      sessionId,
      extranonce2: u32,
      nonce: u32,
      ntime: optional,
      versionMask: optional,
    });
    fc.assert(
      fc.property(share, (value) => {
        const frame = encodeSubmit(value);
        seen.add(frame[1] ?? 0);
        expect(decodeFrame(frame)).toEqual(value);
      }),
      { numRuns: 300 },
    );
    expect([...seen].sort()).toEqual([0x02, 0x03, 0x12, 0x13].sort());
  });

  it('difficulties', () => {
    fc.assert(
      fc.property(fc.nat(63), fc.uniqueArray(sessionId, { minLength: 1, maxLength: 200 }), (exponent, ids) => {
        const [frame, ...more] = encodeSetDifficultyFrames(exponent, ids);
        expect(more).toEqual([]);
        expect(decodeFrame(frame ?? new Uint8Array(0))).toEqual({
          kind: 'set-difficulty',
          exponent,
          sessionIds: Uint16Array.from(ids),
        });
      }),
    );
    expect(encodeSetDifficultyFrames(3, [])).toEqual([]);
  });

  it('responses', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0x7fffffff), (index, status) => {
        expect(decodeFrame(encodeSubmitResponse(index, status))).toEqual({ kind: 'submit-response', index, status });
      }),
    );
  });
});

describe('hostile frames', () => {
  it('a frame cut at any byte, or one byte longer, is ignored', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        for (let length = 0; length < frame.length; length++) {
          expect(decodeFrame(frame.subarray(0, length)).kind, `cut at ${length}`).toBe('ignored');
        }
        const longer = new Uint8Array(frame.length + 1);
        longer.set(frame);
        expect(decodeFrame(longer)).toMatchObject({ kind: 'ignored', reason: 'wrong-length' });
        expect(decodeFrame(frame, 0, frame.length + 1)).toMatchObject({ reason: 'not-a-frame' });
      }),
    );
  });

  it('a frame cut at any byte whose length says so is ignored, unless it is a registration', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        for (let length = 4; length < frame.length; length++) {
          const cut = frame.slice(0, length);
          cut[2] = length & 0xff;
          cut[3] = length >> 8;
          const { kind } = decodeFrame(cut);
          // Its last byte counts as zero whatever it is.
          expect(kind, `cut to ${length}`).toBe(frame[1] === 1 && length >= 8 ? 'register' : 'ignored');
        }
      }),
    );
  });

  it.each([
    ['7f0204', 'not-a-frame'],
    ['7b020400', 'not-a-frame'],
    ['7f140400', 'unknown-command'],
    ['7fff0400', 'unknown-command'],
    ['7f01070000006100'.slice(0, 14), 'wrong-length'],
    ['7f010800ffff0000', 'bad-value'],
    ['7f04050000', 'wrong-length'],
    ['7f050600010000', 'wrong-length'],
    ['7f050900400100aaaa', 'bad-value'],
    ['7f050900010200aaaa', 'bad-value'],
    ['7f0513000000ffffaaaaaaaaaaaaaaaaaaaaaa', 'bad-value'],
    ['7f100900000000000000'.slice(0, 18), 'wrong-length'],
    ['7f0213000000004433221100000000d02abd57', 'wrong-length'],
  ])('%s: %s', (text, reason) => {
    expect(decodeFrame(hex(text))).toMatchObject({ kind: 'ignored', reason });
  });

  it('any bytes are read or ignored', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(255), (bytes, command) => {
        const frame = Uint8Array.from([0x7f, command, bytes.length + 4, 0, ...bytes]);
        expect(decodeFrame(frame).kind).toBeTypeOf('string');
        expect(decodeFrame(bytes).kind).toBeTypeOf('string');
      }),
      { numRuns: 2000 },
    );
  });

  it('long names are cut, and a registration of 512 bytes is taken, one of 513 not', () => {
    const frame = encodeRegisterWorker(1, 'a'.repeat(300), 'w'.repeat(MAX_REGISTER_BYTES - 308));
    expect(frame.length).toBe(512);
    expect(decodeFrame(frame)).toMatchObject({ clientAgent: 'a'.repeat(30), workerName: 'w'.repeat(92) });
    const longer = new Uint8Array(513);
    longer.set(frame);
    longer[2] = 1;
    expect(decodeFrame(longer)).toEqual({ kind: 'ignored', command: 1, reason: 'wrong-length' });
  });

  it('exactly letters, digits and ._:|^/- stay in names', () => {
    const every = Uint8Array.from({ length: 255 }, (_, at) => at + 1);
    let kept = '';
    for (const byte of every) {
      const frame = decodeFrame(Uint8Array.from([0x7f, 1, 9, 0, 0, 0, 0, byte, 0]));
      if (frame.kind === 'register' && frame.workerName !== '__default__') kept += frame.workerName;
    }
    const allowed = Array.from(every, (byte) => String.fromCharCode(byte)).filter((c) => /[A-Za-z0-9._:|^/-]/.test(c));
    expect(kept).toBe(allowed.join(''));
  });
});

describe('encoders refuse', () => {
  const share = { jobIndex: 0, sessionId: 0, extranonce2: 0, nonce: 0, ntime: undefined, versionMask: undefined };
  it.each([
    ['session id 0xffff', () => encodeUnregisterWorker(0xffff)],
    ['a negative session id', () => encodeRegisterWorker(-1, '', 'w')],
    ['a NUL in a name', () => encodeRegisterWorker(1, '', 'a\0b')],
    ['a name that is too long', () => encodeRegisterWorker(1, '', 'w'.repeat(600))],
    ['job 256', () => encodeSubmit({ ...share, jobIndex: 256 })],
    ['a nonce of 33 bits', () => encodeSubmit({ ...share, nonce: 2 ** 32 })],
    ['an ntime that is a fraction', () => encodeSubmit({ ...share, ntime: 1.5 })],
    ['a mask that is no number', () => encodeSubmit({ ...share, versionMask: Number.NaN })],
    ['exponent 64', () => encodeSetDifficultyFrames(64, [1])],
    ['a session id out of range in a list', () => encodeSetDifficultyFrames(1, [0x10000])],
    ['submit index 65,536', () => encodeSubmitResponse(65_536, 0)],
    ['a negative status', () => encodeSubmitResponse(0, -1)],
  ])('%s', (_, run) => {
    expect(run).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('numbers', () => {
  it('difficulties are rounded up to powers of two', () => {
    expect([0.001, 1, 1.5, 2, 3, 8192, 8193, 2 ** 63, 2 ** 70, Infinity].map(exponentOf)).toEqual([
      0, 0, 1, 1, 2, 13, 14, 63, 63, 63,
    ]);
    for (const bad of [0, -1, Number.NaN]) {
      expect(() => exponentOf(bad)).toThrow(expect.objectContaining({ code: 'invalid_difficulty' }));
    }
  });

  it('submits are counted in 16 bits', () => {
    expect([0, 65_534, 65_535].map(nextSubmitIndex)).toEqual([1, 65_535, 0]);
  });

  it('statuses: four successes, and no rejection is one', () => {
    expect(Object.values(SubmitStatus).filter(isAcceptedStatus)).toHaveLength(4);
    expect(statusOfReject('job-not-found')).toBe(36);
    expect(statusOfReject('stale')).toBe(37);
    expect(statusOfReject('low-difficulty')).toBe(23);
    expect(statusOfReject('invalid-version-bits')).toBe(33);
  });
});
