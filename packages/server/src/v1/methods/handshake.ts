import { isPromiseLike, isReject, type MaybePromise, type Reject, reject } from '@headframe/primitives';
import {
  negotiateConfigure,
  parseAuthorize,
  parsePassword,
  parseSubscribe,
  splitWorkerName,
  subscribeResult,
} from '@headframe/stratum-v1';
import type { MiningContext } from '../context.js';
import type { V1Parts } from '../parts.js';

/** Programs that stand for many miners; the first is what BTCAgent calls itself. */
const MINING_AGENT = /^btccom-agent\//;

/** `mining.subscribe`: extranonce and session id; the same ones when it is repeated. */
export function subscribe<Account>(context: MiningContext<Account>): unknown {
  const { agent, sessionId } = parseSubscribe(context.params);
  const { session } = context;
  if (agent !== undefined) session.agent = agent;
  if (agent !== undefined && MINING_AGENT.test(agent)) {
    session.idleTimeoutMs = Math.max(session.idleTimeoutMs, context.channel.terms.limits.agentIdleTimeoutMs);
  }
  const granted = context.subscribe(sessionId);
  if (isReject(granted)) return granted;
  return subscribeResult(granted.sessionId, granted.extranonce1, granted.extranonce2Size);
}

/** `mining.authorize`: asks the handler who it is. Any number of workers per session. */
export function authorize<Account>(
  context: MiningContext<Account>,
  parts: V1Parts<Account>,
): MaybePromise<true | Reject> {
  const params = parseAuthorize(context.params);
  if (isReject(params)) return params;
  const { username, password } = params;
  const options = parsePassword(password);
  const answer = parts.authorize({
    username,
    password,
    name: splitWorkerName(username),
    options,
    session: context.session,
    // A getter, since an AbortController costs more than the rest of a handshake that looks nothing up.
    get signal() {
      return context.signal;
    },
  });
  const finish = (account: Account | Reject): true | Reject => {
    // Handlers in plain JavaScript answer "nobody" in these ways, too.
    if (account === undefined || account === null || account === false) return reject('unauthorized');
    return isReject(account) ? account : context.authorize(username, account, options);
  };
  return isPromiseLike(answer) ? answer.then(finish) : finish(answer);
}

/** `mining.configure` (BIP 310). May come at any time. */
export function configure<Account>(context: MiningContext<Account>, parts: V1Parts<Account>): unknown {
  const { mining } = parts;
  const { channel } = context;
  const outcome = negotiateConfigure(context.params, {
    versionMask: (parts.versionMask & (mining.desk.current?.versionMask ?? 0xffffffff)) >>> 0,
    minimumDifficulty: (requested) => mining.promiseMinimum(channel, requested),
    subscribeExtranonce: true,
  });
  if (isReject(outcome)) return outcome;
  const { versionMask, minimumDifficulty, subscribeExtranonce, info } = outcome.granted;
  if (versionMask !== undefined) mining.setVersionMask(channel, versionMask, false);
  if (subscribeExtranonce) channel.takesExtranonce = true;
  if (info !== undefined) parts.linkOf(context.session).info = info;
  // The answer goes first: it must be the next line the miner reads.
  if (minimumDifficulty !== undefined) queueMicrotask(() => mining.raiseFloor(channel, minimumDifficulty));
  return outcome.result;
}
