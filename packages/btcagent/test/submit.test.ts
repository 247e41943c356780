import { bytesToHex } from '@headframe/primitives';
import { createSubmitFields, SubmitParse, submitFromParams } from '@headframe/stratum-v1';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agentExtranonce2, type SubmitShare, submitFromFrame } from '../src/index.js';
import { sessionId, u32 } from './arbitraries.js';

const JOB = { version: 0x20002000, ntime: 0x504e86b9, versionMask: 0x1fffe000 };
const SHARE: SubmitShare = {
  kind: 'submit',
  jobIndex: 0xa9,
  sessionId: 0x1122,
  extranonce2: 0x11223344,
  nonce: 0xaabbccdd,
  ntime: undefined,
  versionMask: undefined,
};

describe('a share as the fields of a submit', () => {
  it('has the extranonce2 with the session id, and the ntime of the job', () => {
    const out = createSubmitFields();
    expect(submitFromFrame(SHARE, 'rig', JOB, out)).toBe(SubmitParse.submit);
    expect(out).toMatchObject({
      idText: 'null',
      worker: 'rig',
      jobId: 0xa9,
      extranonce2Length: 8,
      ntime: JOB.ntime,
      nonce: 0xaabbccdd,
      versionBits: -1,
      paramCount: 5,
    });
    expect(bytesToHex(out.extranonce2.subarray(0, 8))).toBe('0000112211223344');
    submitFromFrame({ ...SHARE, ntime: 0, versionMask: 0 }, 'rig', JOB, out);
    expect([out.ntime, out.versionBits]).toEqual([JOB.ntime, -1]);
  });

  it('gives the header that the agent hashed, as the V1 parser would', () => {
    const job = fc.record({ version: u32, ntime: u32, versionMask: u32 });
    const share = fc.record({
      kind: fc.constant('submit' as const),
      jobIndex: fc.nat(255),
      sessionId,
      extranonce2: u32,
      nonce: u32,
      ntime: fc.option(u32, { nil: undefined }),
      versionMask: fc.option(u32, { nil: undefined }),
    });
    const out = createSubmitFields();
    const parsed = createSubmitFields();
    const hex8 = (value: number): string => value.toString(16).padStart(8, '0');
    fc.assert(
      fc.property(job, share, (terms, given) => {
        const flipped = ((given.versionMask ?? 0) & terms.versionMask) >>> 0;
        const value = { ...given, versionMask: given.versionMask === undefined ? undefined : flipped };
        expect(submitFromFrame(value, 'w', terms, out)).toBe(SubmitParse.submit);
        const bits = out.versionBits === -1 ? terms.version & terms.versionMask : out.versionBits;
        expect(((terms.version & ~terms.versionMask) | bits) >>> 0).toBe((terms.version ^ flipped) >>> 0);
        const params = [
          'w',
          value.jobIndex.toString(16),
          bytesToHex(agentExtranonce2(value.sessionId, value.extranonce2)),
          hex8(value.ntime || terms.ntime),
          hex8(value.nonce),
        ];
        if (out.versionBits !== -1) params.push(hex8(out.versionBits));
        expect(submitFromParams(params, parsed)).toBe(SubmitParse.submit);
        const { names: _, rejectCode: __, rejectReason: ___, idText: ____, ...same } = out;
        expect(parsed).toMatchObject(same);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what no miner or no job stands for, and bits outside the mask', () => {
    const out = createSubmitFields();
    expect(submitFromFrame(SHARE, undefined, JOB, out)).toBe(SubmitParse.rejected);
    expect(out.rejectCode).toBe('job-not-found');
    expect(submitFromFrame(SHARE, 'rig', undefined, out)).toBe(SubmitParse.rejected);
    expect(out.rejectCode).toBe('job-not-found');
    for (const versionMask of [1, 0x80000000, 0x20000000, 0xffffffff]) {
      expect(submitFromFrame({ ...SHARE, versionMask }, 'rig', JOB, out), `${versionMask}`).toBe(SubmitParse.rejected);
      expect(out.rejectCode).toBe('invalid-version-bits');
    }
  });

  it('an extranonce2 out of range is refused', () => {
    for (const [id, value] of [
      [0xffff, 0],
      [0, 2 ** 32],
      [-1, 0],
    ] as const) {
      expect(() => agentExtranonce2(id, value)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });
});
