import type { Bus } from '@headframe/mining';
import type { MaybePromise, Reject } from '@headframe/primitives';
import type { Session } from '@headframe/sessions';
import type { Mining } from '../mining.js';
import type { AuthorizeRequest } from '../options.js';
import type { V1Link } from './link.js';
import type { Submit } from './submit.js';

/** What the built-in methods work with. */
export interface V1Parts<Account> {
  readonly mining: Mining<Account>;
  readonly bus: Bus | undefined;
  readonly submit: Submit<Account>;
  /** Version bits that may be rolled here. */
  readonly versionMask: number;
  /** What we call ourselves. */
  readonly serverName: string;
  authorize(request: AuthorizeRequest): MaybePromise<Account | Reject>;
  /** @throws PoolError `invalid_argument` for a session of another protocol */
  linkOf(session: Session): V1Link<Account>;
}
