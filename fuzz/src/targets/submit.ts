import { parseMessage } from '@headframe/jsonrpc';
import {
  createSubmitFields,
  parseSubmit,
  type SubmitFields,
  SubmitParse,
  submitFromParams,
} from '@headframe/stratum-v1';
import { check } from '../check.js';
import type { FuzzTarget } from '../run.js';

function describe(outcome: SubmitParse, fields: SubmitFields): string {
  if (outcome === SubmitParse.rejected) return `${fields.rejectCode}: ${fields.rejectReason} (${fields.paramCount})`;
  return JSON.stringify([
    fields.worker,
    fields.jobId,
    Buffer.from(fields.extranonce2.subarray(0, fields.extranonce2Length)).toString('hex'),
    fields.ntime,
    fields.nonce,
    fields.versionBits,
    fields.paramCount,
  ]);
}

// Kept over runs on purpose: the worker cache of one line must not leak into the next.
const shared = createSubmitFields();

export const submitTarget: FuzzTarget = {
  name: 'submit',
  promise: 'the hand-written parser takes only lines that mean the same to the JSON path',
  maxBytes: 1000,
  dictionary: [
    '"mining.submit"',
    '"id":',
    '"method":',
    '"params":',
    '"worker":',
    '"jsonrpc":"2.0",',
    '"00000000"',
    '"504e86ed"',
    ',"1fffe000"',
    '\\u006d',
    '0123456789abcdef',
    '"0x1"',
  ],
  run(bytes) {
    // Framing: what lies around the line must not matter.
    const framed = new Uint8Array(bytes.length + 8).fill(0x22);
    framed.set(bytes, 4);
    const outcome = parseSubmit(framed, 4, 4 + bytes.length, shared);
    const message = parseMessage(bytes);
    const isSubmit =
      (message.kind === 'request' || message.kind === 'notification') && message.method === 'mining.submit';
    if (outcome === SubmitParse.notSubmit) {
      if (!isSubmit) return `other: ${message.kind}`;
      const generic = createSubmitFields();
      const result = submitFromParams(message.params, generic);
      return `generic: ${result === SubmitParse.submit ? 'submit' : generic.rejectReason}`;
    }
    check(isSubmit, `taken as a submit, but ${JSON.stringify(message)}`);
    const idText = message.kind === 'request' ? message.idText : 'null';
    check(shared.idText === idText, `id ${shared.idText} instead of ${idText}`);
    const generic = createSubmitFields();
    const result = submitFromParams(message.params, generic);
    check(result === outcome, `outcome ${outcome}, by JSON ${result}`);
    const [mine, theirs] = [describe(outcome, shared), describe(result, generic)];
    check(mine === theirs, `${mine}, by JSON ${theirs}`);
    return outcome === SubmitParse.submit
      ? `submit ${shared.paramCount} ${shared.jobId < 0 ? 'foreign' : 'known'}`
      : shared.rejectReason;
  },
};
