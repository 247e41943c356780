import { HEX_VALUE, hexToU32 } from '@headframe/primitives';
import {
  hexReason,
  MAX_EXTRANONCE2,
  paramCountReason,
  refuseSubmit,
  SUBMIT_PARAM_CODES,
  SUBMIT_PARAM_NAMES,
  type SubmitFields,
  SubmitParse,
} from './submit-fields.js';

function refuseHex(out: SubmitFields, position: number, text: string): SubmitParse {
  const isPrefixed = text.startsWith('0x') || text.startsWith('0X');
  return refuseSubmit(
    out,
    SUBMIT_PARAM_CODES[position] ?? 'invalid-params',
    hexReason(position, text.length, isPrefixed),
  );
}

/**
 * Reads params that `JSON.parse` delivered, with exactly the meaning of `parseSubmit`. The slow path for lines the
 * hand-written parser passes on, and the oracle it is tested against. Never throws; leaves `idText` alone.
 */
export function submitFromParams(params: unknown, out: SubmitFields): SubmitParse {
  out.paramCount = Array.isArray(params) ? params.length : 0;
  if (!Array.isArray(params)) return refuseSubmit(out, 'invalid-params', 'Params must be an array');
  const list: readonly unknown[] = params;
  if (list.length !== 5 && list.length !== 6) {
    return refuseSubmit(out, 'invalid-params', paramCountReason(list.length));
  }
  const [worker, jobId, extranonce2, ntime, nonce, bits] = list;
  if (worker === null) out.worker = '';
  else if (typeof worker === 'string') out.worker = worker;
  else return refuseSubmit(out, 'invalid-params', 'Worker must be a string');
  for (let i = 1; i < list.length; i++) {
    if (typeof list[i] !== 'string' && !(i === 5 && bits === null)) {
      return refuseSubmit(
        out,
        SUBMIT_PARAM_CODES[i] ?? 'invalid-params',
        `${SUBMIT_PARAM_NAMES[i] ?? 'Param'} must be a hex string`,
      );
    }
  }
  out.jobId = hexToU32(String(jobId));
  const text = String(extranonce2);
  const length = text.length >> 1;
  if (text.length === 0 || text.length !== length * 2 || length > MAX_EXTRANONCE2) return refuseHex(out, 2, text);
  for (let i = 0; i < length; i++) {
    const high = HEX_VALUE[text.charCodeAt(2 * i)] ?? 255;
    const low = HEX_VALUE[text.charCodeAt(2 * i + 1)] ?? 255;
    if ((high | low) > 15) return refuseHex(out, 2, text);
    out.extranonce2[i] = (high << 4) | low;
  }
  out.extranonce2Length = length;
  out.ntime = hexToU32(String(ntime));
  if (out.ntime < 0) return refuseHex(out, 3, String(ntime));
  out.nonce = hexToU32(String(nonce));
  if (out.nonce < 0) return refuseHex(out, 4, String(nonce));
  out.versionBits = -1;
  if (typeof bits === 'string') {
    out.versionBits = hexToU32(bits);
    if (out.versionBits < 0) return refuseHex(out, 5, bits);
  }
  return SubmitParse.submit;
}
