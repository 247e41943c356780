import { reject } from '@headframe/primitives';
import { createSubmitFields, SubmitParse } from '@headframe/stratum-v1';
import { describe, expect, it } from 'vitest';
import {
  AgentFramer,
  AgentJobs,
  type AgentJobTerms,
  decodeFrame,
  encodeRegisterWorker,
  encodeSubmit,
  encodeSubmitResponse,
  encodeUnregisterWorker,
  nextSubmitIndex,
  statusOfReject,
  submitFromFrame,
  WorkerTable,
} from '../src/index.js';
import { hex, vectors } from './vectors.js';

/** The pool's side of a connection after authorization, answering every share that cannot be judged. */
class Pool {
  readonly framer = new AgentFramer({ maxFrameBytes: 512 });
  readonly workers = new WorkerTable({ startExponent: 13, maxWorkers: 2 });
  readonly jobs = new AgentJobs<AgentJobTerms>();
  readonly shares: string[] = [];
  readonly lines: string[] = [];
  readonly written: Uint8Array[] = [];
  readonly #fields = createSubmitFields();
  #index = 0;

  receive(chunk: Uint8Array): void {
    const status = this.framer.push(chunk, {
      line: (bytes, start, end) => this.lines.push(Buffer.from(bytes).toString('latin1', start, end)) > 0,
      frame: (bytes, start, end) => this.#frame(bytes, start, end),
    });
    if (status !== 'ok') throw new Error(status);
  }

  #frame(bytes: Uint8Array, start: number, end: number): boolean {
    const frame = decodeFrame(bytes, start, end);
    if (frame.kind === 'register') this.workers.register(frame.sessionId, frame.workerName, frame.clientAgent);
    else if (frame.kind === 'unregister') this.workers.unregister(frame.sessionId);
    else if (frame.kind === 'submit') {
      const index = this.#index;
      this.#index = nextSubmitIndex(index);
      const worker = this.workers.workerName(frame.sessionId);
      const parsed = submitFromFrame(frame, worker, this.jobs.get(frame.jobIndex), this.#fields);
      if (parsed === SubmitParse.submit) this.shares.push(`${index} ${this.#fields.worker} ${this.#fields.ntime}`);
      else this.written.push(encodeSubmitResponse(index, statusOfReject(this.#fields.rejectCode)));
    }
    return true;
  }
}

const SHARE = { jobIndex: 0, extranonce2: 1, nonce: 2, ntime: undefined, versionMask: undefined };

describe('a connection after authorization', () => {
  it('what an agent sent, byte by byte between its lines: shares of the miner, and a repeated request', () => {
    const pool = new Pool();
    pool.jobs.add({ version: 0x20000000, ntime: 1000, versionMask: 0x1fffe000 });
    const { captured } = vectors;
    const stream = Buffer.concat([
      hex(captured['registerWorker_sid0_cgminer4.11.1_s1099'] ?? ''),
      Buffer.from('{"id":"agent.caps","method":"agent.get_capabilities","params":[["verrol","subres"]]}\n'),
      hex(captured.submit_job0_sid0_en2_11223344_nonce_aabbccdd ?? ''),
      hex(captured.submitTimeVer ?? ''),
      hex(captured.unregister_sid0 ?? ''),
      hex(captured.submitVer_mask_00120000_cpp_agent ?? ''),
    ]);
    for (const byte of stream) pool.receive(Uint8Array.of(byte));
    expect(pool.shares).toEqual(['0 s1099 1000', `1 s1099 ${0x57bd2ad0}`]);
    expect(pool.lines).toHaveLength(1);
    expect(pool.written).toEqual([encodeSubmitResponse(2, statusOfReject(reject('job-not-found').code))]);
  });

  it('miners beyond the limit, unknown jobs and session ids keep the count of submits in step', () => {
    const pool = new Pool();
    pool.jobs.add({ version: 0x20000000, ntime: 1000, versionMask: 0 });
    for (const id of [1, 2, 3]) pool.receive(encodeRegisterWorker(id, '', `rig${id}`));
    expect(pool.workers.size).toBe(2);
    pool.receive(encodeSubmit({ ...SHARE, sessionId: 3 }));
    pool.receive(hex('7f140400'));
    pool.receive(hex('7f020e0000010000000000000000'));
    pool.receive(encodeSubmit({ ...SHARE, sessionId: 1, jobIndex: 9 }));
    pool.receive(encodeSubmit({ ...SHARE, sessionId: 1, versionMask: 0x2000 }));
    pool.receive(encodeSubmit({ ...SHARE, sessionId: 1 }));
    expect(pool.shares).toEqual(['3 rig1 1000']);
    expect(pool.written).toEqual([
      encodeSubmitResponse(0, 36),
      encodeSubmitResponse(1, 36),
      encodeSubmitResponse(2, 33),
    ]);
    pool.receive(encodeUnregisterWorker(1));
    pool.receive(encodeRegisterWorker(3, '', 'rig3'));
    expect(pool.workers.workerName(3)).toBe('rig3');
  });
});
