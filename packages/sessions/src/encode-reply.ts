import { encodeResult, type InvalidMessage } from '@headframe/jsonrpc';
import { type Reject, reject } from '@headframe/primitives';
import type { CallContext } from './call-context.js';
import type { Call } from './calls.js';
import { INVALID_TEXT } from './invalid-message.js';
import type { JsonRpcProtocol } from './jsonrpc-protocol.js';

/** The line that refuses a request; `''` when the peer wants no answer. @throws what `encodeError` throws */
export function encodeRefusal<Context extends CallContext, State>(
  protocol: JsonRpcProtocol<Context, State>,
  idText: string | undefined,
  { code, reason }: Reject,
): string {
  return idText === undefined ? '' : protocol.settings.encodeError(idText, code, reason, protocol);
}

/** The line that answers what is no request. @throws as {@link encodeRefusal} */
export function encodeInvalid<Context extends CallContext, State>(
  protocol: JsonRpcProtocol<Context, State>,
  idText: string,
  reason: InvalidMessage['reason'],
): string {
  const own = protocol.settings.encodeInvalid?.(protocol, idText, reason);
  return own ?? encodeRefusal(protocol, idText, reject('other', INVALID_TEXT[reason]));
}

/** The line that answers a call. A result that cannot be written is `internal` for the peer. @throws as {@link encodeRefusal} */
export function encodeReply<Context extends CallContext, State>(
  protocol: JsonRpcProtocol<Context, State>,
  call: Call<Context>,
  result: unknown,
  refusal: Reject | undefined,
): string {
  const { idText } = call;
  if (idText === undefined) return '';
  if (refusal) return encodeRefusal(protocol, idText, refusal);
  try {
    return protocol.settings.encodeResult?.(protocol, idText, result) ?? encodeResult(idText, result);
  } catch (error) {
    protocol.session.host.report(error, call.method.name, protocol.session);
    return encodeRefusal(protocol, idText, reject('internal'));
  }
}
