import type { MiningContext } from '../context.js';
import type { V1Parts } from '../parts.js';
import type { V1Methods } from '../registry.js';
import { authorize, configure, subscribe } from './handshake.js';
import { getTransactionHashes, getTransactions } from './transactions.js';
import { extranonceSubscribe, suggestDifficulty, suggestTarget } from './wishes.js';

/** Registers what a V1 server answers, by the way that is open to everybody: each can be replaced. */
export function registerBuiltins<Account>(methods: V1Methods<Account>, parts: V1Parts<Account>): void {
  type Context = MiningContext<Account>;
  methods.register('mining.subscribe', { handler: (context: Context) => subscribe(context) });
  methods.register('mining.authorize', { handler: (context: Context) => authorize(context, parts) });
  methods.register('mining.configure', { handler: (context: Context) => configure(context, parts) });
  methods.register('mining.submit', {
    unguarded: true,
    handler: (context: Context) => parts.submit.generic(context, parts.linkOf(context.session)),
  });
  methods.register('mining.extranonce.subscribe', { handler: (context: Context) => extranonceSubscribe(context) });
  methods.register('mining.suggest_difficulty', { handler: (context: Context) => suggestDifficulty(context, parts) });
  methods.register('mining.suggest_target', { handler: (context: Context) => suggestTarget(context, parts) });
  methods.register('mining.get_transactions', {
    phase: 'subscribed',
    handler: (context: Context) => getTransactions(context, parts),
  });
  methods.register('mining.get_txnhashes', {
    phase: 'subscribed',
    handler: (context: Context) => getTransactionHashes(context, parts),
  });
  // We never send several versions; the answer keeps bmminer content.
  methods.register('mining.multi_version', { handler: () => true });
  methods.register('mining.ping', { handler: () => 'pong' });
  methods.register('mining.get_version', { handler: () => parts.serverName });
  methods.register('agent.get_capabilities', { handler: () => ({ capabilities: [] }) });
  for (const name of ['mining.hashrate', 'mining.submit_hashrate', 'eth_submitHashrate']) {
    methods.register(name, { handler: () => true });
  }
  for (const name of ['mining.capabilities', 'mining.pong', 'pong']) methods.register(name, { handler: () => null });
}
