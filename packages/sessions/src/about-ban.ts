import { type Ban, isInSubnet } from './bans.js';
import type { SessionCore } from './session.js';

/** Tells which sessions a ban is about. */
export function aboutBan(ban: Ban): (session: SessionCore) => boolean {
  switch (ban.scope) {
    case 'session':
      return (session) => String(session.id) === ban.key;
    case 'address':
      return (session) => !session.exempt && session.address.key === ban.key;
    case 'subnet':
      return (session) => !session.exempt && isInSubnet(ban, session.remoteAddress);
    case 'account':
      return (session) => session.implementation?.hasAccount?.(ban.key) ?? false;
    case 'worker':
      return (session) => session.implementation?.hasWorker?.(ban.key) ?? false;
  }
}
