import { type MethodContext, type MethodDefinition, MethodRegistry, type RegisteredMethod } from '@headframe/sessions';
import { splitMethodArgument } from '@headframe/stratum-v1';
import type { MiningContext } from './context.js';

/** Methods that some firmware calls with the argument inside the name. */
const WITH_ARGUMENT: ReadonlySet<string> = new Set(['mining.suggest_difficulty', 'mining.suggest_target']);
const CHANGES_PHASE: ReadonlySet<string> = new Set(['mining.subscribe', 'mining.authorize']);

/** The methods of a V1 server. */
export class V1Methods<Account> extends MethodRegistry<MiningContext<Account>> {
  override register<Params>(
    name: string,
    definition: MethodDefinition<Params, MiningContext<Account> & MethodContext<Params>>,
  ): () => void {
    // Whoever replaces these need not know what else they do.
    return super.register(name, CHANGES_PHASE.has(name) ? { changesPhase: true, ...definition } : definition);
  }

  override get(name: string): RegisteredMethod<MiningContext<Account>> | undefined {
    const method = super.get(name);
    if (method !== undefined || !name.includes('(')) return method;
    const split = splitMethodArgument(name);
    const base = WITH_ARGUMENT.has(split.method) ? super.get(split.method) : undefined;
    const { argument } = split;
    if (base === undefined || argument === undefined || base.schema !== undefined) return base;
    return {
      ...base,
      handler: (context) => {
        if (!Array.isArray(context.params) || context.params.length === 0) context.params = [argument];
        return base.handler(context);
      },
    };
  }
}
