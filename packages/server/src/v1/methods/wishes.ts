import { hashToDifficulty } from '@headframe/mining';
import { isReject, type Reject } from '@headframe/primitives';
import { parseSuggestDifficulty, parseSuggestTarget } from '@headframe/stratum-v1';
import type { MiningContext } from '../context.js';
import type { V1Parts } from '../parts.js';

/** `mining.suggest_difficulty`: taken within the listener's range, also before subscribe. */
export function suggestDifficulty<Account>(context: MiningContext<Account>, parts: V1Parts<Account>): true | Reject {
  const difficulty = parseSuggestDifficulty(context.params);
  return isReject(difficulty) ? difficulty : wish(context, parts, difficulty);
}

/** `mining.suggest_target`: the same, as a target. */
export function suggestTarget<Account>(context: MiningContext<Account>, parts: V1Parts<Account>): true | Reject {
  const target = parseSuggestTarget(context.params);
  if (isReject(target)) return target;
  return wish(context, parts, hashToDifficulty(target, context.channel.terms.factor));
}

function wish<Account>(context: MiningContext<Account>, parts: V1Parts<Account>, difficulty: number): true {
  const link = parts.linkOf(context.session);
  // NerdMiner repeats its wish every 30 s: what vardiff found out since then stands.
  if (link.suggested === difficulty) return true;
  link.suggested = difficulty;
  // Behind the reply.
  queueMicrotask(() => parts.mining.suggest(context.channel, difficulty));
  return true;
}

/** `mining.extranonce.subscribe`: never an error, some firmware gives up the pool on one. */
export function extranonceSubscribe<Account>(context: MiningContext<Account>): true {
  context.channel.takesExtranonce = true;
  return true;
}
