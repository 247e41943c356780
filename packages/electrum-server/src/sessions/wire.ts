import { encodeJson } from '@headframe/jsonrpc';
import type { RejectCode } from '@headframe/primitives';
import type { JsonRpcSettings } from '@headframe/sessions';
import type { ElectrumContext } from './context.js';
import { ELECTRUM_ERROR, failureOfReject, isElectrumFailure } from './errors.js';
import type { ElectrumState } from './state.js';

type Encoders = Required<
  Pick<
    JsonRpcSettings<ElectrumContext, ElectrumState>,
    'encodeError' | 'encodeInvalid' | 'encodeResult' | 'encodeNotification'
  >
>;

/** Two dialects: JSON-RPC 2.0, and what servers up to 1.0 wrote, where an error is a text and notifications have an id. */
function result(isOld: boolean, idText: string, value: unknown): string {
  const json = encodeJson(value);
  return isOld ? `{"id":${idText},"result":${json}}\n` : `{"jsonrpc":"2.0","id":${idText},"result":${json}}\n`;
}

function failure(isOld: boolean, idText: string, code: number, message: string): string {
  if (isOld) return `{"id":${idText},"error":${encodeJson(message)}}\n`;
  return `{"jsonrpc":"2.0","id":${idText},"error":${encodeJson({ code, message })}}\n`;
}

/** How replies and notifications are written, and that their bytes count. */
export const encoders: Encoders = {
  encodeResult: ({ state }, idText, value) => {
    const text = isElectrumFailure(value)
      ? failure(state.isOld, idText, value.code, value.message)
      : result(state.isOld, idText, value);
    state.cost.chargeBytes(text.length);
    return text;
  },
  encodeError: (idText: string, code: RejectCode, reason: string | undefined, { state }) => {
    const { code: number, message } = failureOfReject(code, reason);
    const text = failure(state.isOld, idText, number, message);
    state.cost.chargeBytes(text.length);
    return text;
  },
  encodeInvalid: ({ state }, idText, reason) => {
    const isParse = reason === 'not-json' || reason === 'too-deep';
    const text = isParse ? 'invalid JSON' : reason === 'batch-too-large' ? 'batch too large' : 'invalid request';
    return failure(state.isOld, idText, isParse ? ELECTRUM_ERROR.parse : ELECTRUM_ERROR.invalidRequest, text);
  },
  encodeNotification: ({ state }, method, params) => {
    const json = encodeJson(params);
    const name = encodeJson(method);
    const text = state.isOld
      ? `{"id":null,"method":${name},"params":${json}}\n`
      : `{"jsonrpc":"2.0","method":${name},"params":${json}}\n`;
    state.cost.chargeBytes(text.length);
    return text;
  },
};
