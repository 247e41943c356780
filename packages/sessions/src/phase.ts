import { type Reject, reject } from '@headframe/primitives';
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
