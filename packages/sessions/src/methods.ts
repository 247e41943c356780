import { type MaybePromise, PoolError } from '@headframe/primitives';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { MethodContext, MethodDefinition, Phase } from './types.js';

/** A method as the dispatcher uses it: all fields present, in one order. */
export interface RegisteredMethod<Context> {
  readonly name: string;
  readonly schema: StandardSchemaV1 | undefined;
  readonly phase: Phase;
  readonly changesPhase: boolean;
  readonly unguarded: boolean;
  readonly handler: (context: Context) => MaybePromise<unknown>;
}

/** The longest method name that can be registered; longer ones on the wire are unknown without a lookup. */
const MAX_NAME_LENGTH = 64;

/** Methods that peers can call, in any namespace. Registering a name again replaces it. */
export class MethodRegistry<Context extends MethodContext> {
  readonly #methods = new Map<string, RegisteredMethod<Context>>();
  readonly #toPeer = new Set<string>();

  /**
   * Registers or replaces a method. Answers the function that takes it away again (and brings back what it replaced).
   * @throws PoolError `invalid_argument` for an empty or over-long name or a handler that is no function.
   */
  register<Params>(name: string, definition: MethodDefinition<Params, Context & MethodContext<Params>>): () => void {
    if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH) {
      throw new PoolError('invalid_argument', `a method name has 1 to ${MAX_NAME_LENGTH} characters`);
    }
    if (typeof definition.handler !== 'function') {
      throw new PoolError('invalid_argument', `method '${name}' has no handler`);
    }
    const method: RegisteredMethod<Context> = {
      name,
      schema: definition.params,
      phase: definition.phase ?? 'any',
      changesPhase: definition.changesPhase ?? false,
      unguarded: definition.unguarded ?? false,
      // The dispatcher sets `params` to what the schema returned before it calls the handler.
      handler: definition.handler as (context: Context) => MaybePromise<unknown>,
    };
    const replaced = this.#methods.get(name);
    this.#methods.set(name, method);
    return () => {
      if (this.#methods.get(name) !== method) return;
      if (replaced) this.#methods.set(name, replaced);
      else this.#methods.delete(name);
    };
  }

  /** Names that only the server sends (`mining.notify` ...): a peer that calls one is refused. */
  declareToPeer(names: Iterable<string>): void {
    for (const name of names) this.#toPeer.add(name);
  }

  get(name: string): RegisteredMethod<Context> | undefined {
    return this.#methods.get(name);
  }

  /** True when the name is only ever sent by the server. */
  isToPeerOnly(name: string): boolean {
    return this.#toPeer.has(name) && !this.#methods.has(name);
  }

  names(): string[] {
    return [...this.#methods.keys()];
  }
}
