import { type Reject, reject } from '@headframe/primitives';
import { CallContext } from '@headframe/sessions';
import type { PasswordOptions } from '@headframe/stratum-v1';
import type { Channel } from '../channel.js';
import type { Mining } from '../mining.js';
import type { V1Link } from './link.js';

/** What a session got by subscribing. */
export interface Subscribed {
  /** Session id that resumes it. */
  readonly sessionId: string;
  readonly extranonce1: Uint8Array;
  readonly extranonce2Size: number;
}

/** What a method handler of a mining server is called with. */
export class MiningContext<Account = unknown, Params = unknown> extends CallContext<Params> {
  readonly #link: V1Link<Account>;
  readonly #mining: Mining<Account>;

  constructor(
    link: V1Link<Account>,
    mining: Mining<Account>,
    request: { readonly method: string; readonly params: Params; readonly wantsReply: boolean },
  ) {
    super(link.protocol.session, request.method, request.params, request.wantsReply);
    this.#link = link;
    this.#mining = mining;
  }

  /** The channel of this session. */
  get channel(): Channel<Account> {
    return this.#link.channel;
  }

  /** Account of the worker authorized first; undefined before. */
  get account(): Account | undefined {
    return this.#link.channel.workers.first?.account;
  }

  /**
   * Subscribes the session: what the built-in `mining.subscribe` does. For methods that take its place; they must be
   * registered with `changesPhase: true`. Repeats give the same.
   */
  subscribe(sessionId?: string): Subscribed | Reject {
    const refusal = this.#mining.subscribe(this.channel, sessionId);
    const { prefix, token, terms } = this.channel;
    if (refusal !== undefined) return refusal;
    if (prefix === undefined || token === undefined) return reject('internal');
    this.#link.expectPhase();
    return { sessionId: token, extranonce1: prefix, extranonce2Size: terms.extranonce2Size };
  }

  /**
   * Takes a worker in, after it was found out whose it is: what the built-in `mining.authorize` does. Register the
   * method with `changesPhase: true`.
   */
  authorize(name: string, account: Account, options?: PasswordOptions): true | Reject {
    // The miner was told that it failed, or has gone.
    if (this.aborted) return reject('timeout');
    const answer = this.#mining.authorize(this.channel, name, account, options);
    if (answer === true) this.#link.expectPhase();
    return answer;
  }
}
