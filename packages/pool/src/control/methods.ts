import { isPromiseLike, isReject, type MaybePromise, PoolError, type Reject } from '@headframe/primitives';
import { type MethodDefinition, validate } from '@headframe/sessions';

/** Any Standard Schema (zod 4, valibot ...) of the params of a method. */
export type ControlSchema<Params> = NonNullable<MethodDefinition<Params>['params']>;

/** A call as its handler sees it. */
export interface ControlCall {
  readonly method: string;
  /** Who calls; empty for the UNIX socket. */
  readonly address: string;
  /** Aborted when the time of the call is over or the caller is gone. */
  readonly signal: AbortSignal;
}

/** Answers a call: with a value, a promise of one, or a `reject`. */
export type ControlHandler<Params> = (params: Params, call: ControlCall) => MaybePromise<unknown | Reject>;

/** More about a method. */
export interface ExposeOptions {
  /** One line for `control.methods`. */
  readonly summary?: string;
  /** Names of the params where they come as a list, in order. Without it the schema gets the list as it is. */
  readonly positional?: readonly string[];
  /** Default 30,000. */
  readonly timeoutMs?: number;
}

/** A method that can be called. */
export interface ControlMethod extends ExposeOptions {
  readonly name: string;
  /** Checks the params and answers; what it returns is a value, a rejection, or a promise of one. */
  readonly run: (params: unknown, call: ControlCall) => MaybePromise<unknown>;
}

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/** The methods of a control server. */
export class ControlMethods {
  readonly #methods = new Map<string, ControlMethod>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Adds a method, in place of the one with that name. Returns the function that takes it back.
   * @throws PoolError `invalid_argument` for a name that is none, `queue_full` when there are too many
   */
  expose<Params>(
    name: string,
    schema: ControlSchema<Params> | undefined,
    handler: ControlHandler<Params>,
    options: ExposeOptions = {},
  ): () => void {
    if (!NAME.test(name)) throw new PoolError('invalid_argument', `not a name of a method: ${name.slice(0, 100)}`);
    if (!this.#methods.has(name) && this.#methods.size >= this.#capacity) {
      throw new PoolError('queue_full', `more than ${this.#capacity} methods`);
    }
    const before = this.#methods.get(name);
    const method: ControlMethod = {
      name,
      ...options,
      run: (params, call) => {
        const named = byName(params, options.positional);
        // Without a schema the handler takes what comes: Params is unknown then.
        if (schema === undefined) return handler(named as Params, call);
        const parsed = validate(schema, named);
        if (isPromiseLike(parsed)) {
          return parsed.then((later) => (isReject(later) ? later : handler(later.value as Params, call)));
        }
        return isReject(parsed) ? parsed : handler(parsed.value as Params, call);
      },
    };
    this.#methods.set(name, method);
    return () => {
      if (this.#methods.get(name) !== method) return;
      if (before === undefined) this.#methods.delete(name);
      else this.#methods.set(name, before);
    };
  }

  get(name: string): ControlMethod | undefined {
    return this.#methods.get(name);
  }

  /** All of them, by name. */
  list(): ControlMethod[] {
    return [...this.#methods.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** Params that came as a list under their names; too long a list stays one, for the schema to refuse. */
function byName(params: unknown, names: readonly string[] | undefined): unknown {
  if (names === undefined || !Array.isArray(params) || params.length > names.length) return params;
  return Object.fromEntries(params.map((value, i) => [names[i] ?? '', value]));
}
