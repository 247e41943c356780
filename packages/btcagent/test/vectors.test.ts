import { createHash } from 'node:crypto';
import { bytesToHex, concatBytes } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import {
  type AgentFrame,
  agentExtranonce2,
  decodeFrame,
  encodeRegisterWorker,
  encodeSetDifficultyFrames,
  encodeSubmit,
  encodeSubmitResponse,
  encodeUnregisterWorker,
  SubmitStatus,
  WorkerTable,
} from '../src/index.js';
import { type ExpectedWorker, hex, vectors } from './vectors.js';

const SHARE = { kind: 'submit', extranonce2: 0x11223344, nonce: 0xaabbccdd } as const;
const NONE = { ntime: undefined, versionMask: undefined };
const TIME = { ntime: 0x57bd2ad0, versionMask: undefined };
const MASK = { ntime: undefined, versionMask: 0x00120000 };
const BOTH = { ntime: 0x57bd2ad0, versionMask: 0x00120000 };
const job0 = { ...SHARE, jobIndex: 0, sessionId: 0 };
const jobA9 = { ...SHARE, jobIndex: 0xa9, sessionId: 0x1122 };

function register(sessionId: number, clientAgent: string, workerName: string): AgentFrame {
  return { kind: 'register', sessionId, clientAgent, workerName };
}

function setDifficulty(exponent: number, ...sessionIds: number[]): AgentFrame {
  return { kind: 'set-difficulty', exponent, sessionIds: Uint16Array.from(sessionIds) };
}

function response(index: number, status: number): AgentFrame {
  return { kind: 'submit-response', index, status };
}

const MEANINGS: Readonly<Record<string, AgentFrame>> = {
  'registerWorker_sid0_cgminer4.11.1_s1099': register(0, 'cgminer/4.11.1', 's1099'),
  unregister_sid0: { kind: 'unregister', sessionId: 0 },
  setDiff_exp13_sid0_sent_by_pool: setDifficulty(13, 0),
  submit_job0_sid0_en2_11223344_nonce_aabbccdd: { ...job0, ...NONE },
  submitTime_ntime_57bd2ad0: { ...job0, ...TIME },
  submitTime_ntime_504e86b9_go_agent_always_sends_time: { ...job0, ...TIME, ntime: 0x504e86b9 },
  submitVer_mask_00120000_cpp_agent: { ...job0, ...MASK },
  submitTimeVer: { ...job0, ...BOTH },
  submitResponse_index0_accept: response(0, SubmitStatus.accepted),
  submitResponse_index1_lowdiff23: response(1, SubmitStatus.lowDifficulty),
  submitResponse_index2_stale21: response(2, SubmitStatus.stale),
  register_sid1122_cgminer_s1099: register(0x1122, 'cgminer', 's1099'),
  submit_job_a9_sid1122: { ...jobA9, ...NONE },
  submitTime_job_a9_sid1122: { ...jobA9, ...TIME },
  submitVer_job_a9_sid1122: { ...jobA9, ...MASK },
  submitTimeVer_job_a9_sid1122: { ...jobA9, ...BOTH },
  unregister_sid1122: { kind: 'unregister', sessionId: 0x1122 },
  setDiff_8192_sids_1122_3344: setDifficulty(13, 0x1122, 0x3344),
  setDiff_2_sid0: setDifficulty(1, 0),
};

/** Registrations that lose characters when they are read, so that they cannot come out as they went in. */
const FILTERED = ['register_fffe_agent_with_quotes', 'register_0_only_quotes_worker_a.b', 'register_0_empty_empty'];

function encode(frame: AgentFrame): Uint8Array {
  switch (frame.kind) {
    case 'register':
      return encodeRegisterWorker(frame.sessionId, frame.clientAgent, frame.workerName);
    case 'unregister':
      return encodeUnregisterWorker(frame.sessionId);
    case 'submit':
      return encodeSubmit(frame);
    case 'set-difficulty':
      return concatBytes(...encodeSetDifficultyFrames(frame.exponent, frame.sessionIds));
    case 'submit-response':
      return encodeSubmitResponse(frame.index, frame.status);
    case 'ignored':
      throw new Error('nothing to encode');
  }
}

describe('vectors', () => {
  const frames = { ...vectors.captured, ...vectors.derived };

  it('are all used: 11 captured, 12 derived, 6 tails', () => {
    expect(Object.keys(vectors.captured)).toHaveLength(11);
    expect(Object.keys(vectors.derived)).toHaveLength(12);
    expect(vectors.registerTail).toHaveLength(6);
    expect(Object.keys(vectors.expected)).toHaveLength(5);
    const used = [...Object.keys(MEANINGS), ...FILTERED, 'setDiff_exp63_65535_sids'];
    expect(used.sort()).toEqual(Object.keys(frames).sort());
  });

  it.each(Object.entries(MEANINGS))('%s is read and written', (name, meaning) => {
    const bytes = hex(frames[name] ?? '');
    expect(decodeFrame(bytes)).toEqual(meaning);
    expect(bytesToHex(encode(meaning))).toBe(frames[name]);
  });

  it.each(FILTERED)('%s is read without the characters that are not allowed', (name) => {
    const { sid, agent, worker } = vectors.expected[name] as ExpectedWorker;
    expect(decodeFrame(hex(frames[name] ?? ''))).toEqual(register(sid, agent, worker));
  });

  it.each([...vectors.registerTail])('a registration that ends in $tailHex', ({ tailHex, agent, worker }) => {
    const length = (6 + tailHex.length / 2).toString(16).padStart(2, '0');
    expect(decodeFrame(hex(`7f01${length}000500${tailHex}`))).toEqual(register(5, agent, worker));
  });

  it('a difficulty for 65,535 miners takes three frames', () => {
    const { totalLength, sha256, frameLengths, counts } = vectors.derived.setDiff_exp63_65535_sids;
    const table = new WorkerTable({ startExponent: 0 });
    for (let id = 0; id < 65_535; id++) {
      table.register(id, 'w');
      table.setExponent(id, 63);
    }
    for (const written of [
      table.takeDifficultyFrames(),
      encodeSetDifficultyFrames(
        63,
        Array.from({ length: 65_535 }, (_, id) => id),
      ),
    ]) {
      expect(written.map((frame) => frame.length)).toEqual(frameLengths);
      const read = written.map((frame) => decodeFrame(frame));
      expect(read.map((frame) => (frame.kind === 'set-difficulty' ? frame.sessionIds.length : -1))).toEqual(counts);
      const all = concatBytes(...written);
      expect(all.length).toBe(totalLength);
      expect(createHash('sha256').update(all).digest('hex')).toBe(sha256);
    }
  });

  it('the extranonce in the coinbase', () => {
    const { submit_job_a9_sid1122: expected, coinbaseExtranonceBytes } = vectors.expected;
    const share = decodeFrame(hex(frames.submit_job_a9_sid1122 ?? ''));
    expect(share).toMatchObject({
      jobIndex: expected.jobId,
      sessionId: expected.sid,
      extranonce2: Number.parseInt(expected.extranonce2_32, 16),
      nonce: Number.parseInt(expected.nonce, 16),
    });
    const extranonce2 = bytesToHex(agentExtranonce2(expected.sid, Number.parseInt(expected.extranonce2_32, 16)));
    expect(extranonce2).toBe(expected.fullExtranonce2Hex);
    expect(coinbaseExtranonceBytes).toContain(`01000001${extranonce2}`);
  });
});
