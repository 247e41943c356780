import {
  type AgentFrame,
  AgentFramer,
  AgentJobs,
  decodeFrame,
  encodeRegisterWorker,
  encodeSetDifficultyFrames,
  encodeSubmit,
  encodeSubmitResponse,
  encodeUnregisterWorker,
  submitFromFrame,
  WorkerTable,
} from '@headframe/btcagent';
import { concatBytes, equalBytes } from '@headframe/primitives';
import { createSubmitFields, SubmitParse } from '@headframe/stratum-v1';
import { check } from '../check.js';
import type { FuzzTarget } from '../run.js';

const MAX_LINE = 64;
const MAX_FRAME = 128;
const JOB = { version: 0x20000000, ntime: 0x504e86b9, versionMask: 0x1fffe000 };

/** What a framer finds in the stream when it comes in pieces of so many bytes. */
function collect(stream: Uint8Array, step: number, stopEach: boolean): { found: string[]; frames: Uint8Array[] } {
  const framer = new AgentFramer({ maxLineBytes: MAX_LINE, maxFrameBytes: MAX_FRAME });
  const found: string[] = [];
  const frames: Uint8Array[] = [];
  const sink = {
    line(bytes: Uint8Array, start: number, end: number): boolean {
      check(end > start && end - start <= MAX_LINE, 'a line within the limit');
      found.push(`line ${Buffer.from(bytes).toString('latin1', start, end)}`);
      return !stopEach;
    },
    frame(bytes: Uint8Array, start: number, end: number): boolean {
      check(end - start >= 4 && end - start <= MAX_FRAME, 'a frame within the limit');
      found.push(`frame ${Buffer.from(bytes).toString('hex', start, end)}`);
      frames.push(new Uint8Array(bytes.subarray(start, end)));
      return !stopEach;
    },
  };
  for (let at = 0; at < stream.length; at += step) {
    // A copy that is overwritten afterwards: whoever kept lent bytes is found out.
    const chunk = stream.slice(at, at + step);
    let status = framer.push(chunk, sink);
    chunk.fill(0x7a);
    while (status === 'ok' && framer.stopped) status = framer.resume(sink);
    if (status !== 'ok') {
      found.push(status);
      break;
    }
    check(framer.heldBytes <= MAX_FRAME, 'more held than a message');
  }
  return { found, frames };
}

/** The frame written again, where that gives the same bytes. */
function again(frame: AgentFrame): Uint8Array | undefined {
  if (frame.kind === 'submit') return frame.sessionId === 0xffff ? undefined : encodeSubmit(frame);
  if (frame.kind === 'unregister')
    return frame.sessionId === 0xffff ? undefined : encodeUnregisterWorker(frame.sessionId);
  if (frame.kind === 'submit-response') {
    return frame.status < 0 ? undefined : encodeSubmitResponse(frame.index, frame.status);
  }
  if (frame.kind !== 'set-difficulty' || frame.sessionIds.length === 0 || frame.sessionIds.includes(0xffff)) {
    return undefined;
  }
  return concatBytes(...encodeSetDifficultyFrames(frame.exponent, frame.sessionIds));
}

export const btcagentTarget: FuzzTarget = {
  name: 'btcagent',
  promise:
    'any split of lines and frames gives the same messages, frames are read or ignored, and the table stays bounded',
  maxBytes: 600,
  dictionary: [
    '\u007f\u0001\u000c\0\u0001\0a\0rig\0',
    '\u007f\u0002\u000f\0\u0001\u0001\0\u0001\u0002\u0003\u0004\u0001\u0002\u0003\u0004',
    '\u007f\u0013\u0017\0',
    '\u007f\u0004\u0006\0\u0001\0',
    '\u007f\u0005\u0009\0\u000d\u0001\0\u0001\0',
    '\u007f\u0010\u000a\0',
    '\u007f\u0014\u0003\0',
    '{"id":1}\n',
    '\r\n',
    '\0',
  ],
  run(bytes) {
    const whole = collect(bytes, Math.max(1, bytes.length), false);
    for (const step of [1, 3, 17]) {
      for (const stopEach of [false, true]) {
        const cut = collect(bytes, step, stopEach);
        check(JSON.stringify(cut.found) === JSON.stringify(whole.found), `pieces of ${step}: ${cut.found.join()}`);
      }
    }
    const table = new WorkerTable({ startExponent: 10, maxWorkers: 4 });
    const jobs = new AgentJobs<typeof JOB>();
    jobs.add(JOB);
    const fields = createSubmitFields();
    const kinds = new Set<string>();
    for (const raw of whole.frames) {
      const frame = decodeFrame(raw);
      kinds.add(frame.kind === 'ignored' ? frame.reason : frame.kind);
      const written = again(frame);
      check(written === undefined || equalBytes(written, raw), 'written as it was read');
      if (frame.kind === 'register') {
        const { sessionId, clientAgent, workerName } = frame;
        check(/^[A-Za-z0-9._:|^/-]{1,92}$/.test(workerName), `a clean name: ${workerName}`);
        const same = decodeFrame(encodeRegisterWorker(sessionId, clientAgent, workerName));
        check(JSON.stringify(same) === JSON.stringify(frame), 'a registration reads as it was written');
        kinds.add(table.register(sessionId, workerName, clientAgent));
        check(table.size <= 4, 'no more miners than allowed');
      } else if (frame.kind === 'unregister') table.unregister(frame.sessionId);
      else if (frame.kind === 'set-difficulty') {
        for (const id of frame.sessionIds) if (table.has(id)) table.setExponent(id, frame.exponent);
        for (const told of table.takeDifficultyFrames()) check(decodeFrame(told).kind === 'set-difficulty', 'a frame');
      } else if (frame.kind === 'submit') {
        const job = jobs.get(frame.jobIndex);
        const parsed = submitFromFrame(frame, table.workerName(frame.sessionId), job, fields);
        kinds.add(parsed === SubmitParse.submit ? 'share' : fields.rejectCode);
        check(
          parsed !== SubmitParse.submit || (table.has(frame.sessionId) && job !== undefined),
          'a share of somebody',
        );
      }
    }
    const last = whole.found.at(-1)?.split(' ')[0] ?? 'nothing';
    return `${[...kinds].sort().join()}, ${last}`;
  },
};
