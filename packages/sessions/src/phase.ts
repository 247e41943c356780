import { type Reject, reject } from '@headframe/primitives';
import type { CallContext } from './call-context.js';
import type { WaitingCalls } from './calls.js';
import type { HookList } from './hooks.js';
import type { Phase } from './types.js';

const REFUSAL: Readonly<Record<Exclude<Phase, 'any'>, Reject>> = {
  subscribed: reject('not-subscribed'),
  authorized: reject('unauthorized'),
};

/** Why a method of this phase may not be called yet; undefined when it may. */
export function phaseRefusal(
  session: { readonly subscribed: boolean; readonly authorized: boolean },
  phase: Phase,
): Reject | undefined {
  if (phase === 'any') return undefined;
  return (phase === 'subscribed' ? session.subscribed : session.authorized) ? undefined : REFUSAL[phase];
}

/** Decides a request again each time a phase-changing call in front of it is done. Never rejects. */
export async function guardLater<Context extends CallContext>(
  session: { readonly subscribed: boolean; readonly authorized: boolean },
  waiting: WaitingCalls<Context>,
  request: { readonly context: Context; readonly phase: Phase; readonly onRequest: HookList<Context> },
): Promise<Reject | undefined> {
  for (;;) {
    await waiting.phaseChanged();
    const refusal = phaseRefusal(session, request.phase);
    if (!refusal) return request.onRequest.run(request.context);
    if (!waiting.changesPhaseBefore(request.context)) return refusal;
  }
}
