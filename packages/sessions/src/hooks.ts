import { isPromiseLike, isReject, type MaybePromise, type Reject } from '@headframe/primitives';

/** A hook may refuse by returning a {@link Reject}, now or later; everything else lets pass. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks on should need no return
export type Hook<Context> = (context: Context) => MaybePromise<Reject | undefined | void>;

/** What a {@link HookList} does with a throw. */
export type HookErrorHandler = (error: unknown, hookName: string) => Reject;

/**
 * The hooks of one name, in the order they were added: a flat frozen array, so that running none costs a length check
 * and running some costs a loop. No promise is made unless a hook returned one.
 */
export class HookList<Context> {
  readonly name: string;
  readonly #onError: HookErrorHandler;
  #hooks: readonly Hook<Context>[] = Object.freeze([]);

  constructor(name: string, onError: HookErrorHandler) {
    this.name = name;
    this.#onError = onError;
  }

  get size(): number {
    return this.#hooks.length;
  }

  /** Adds a hook at the end; returns the function that removes it. */
  add(hook: Hook<Context>): () => void {
    this.#hooks = Object.freeze([...this.#hooks, hook]);
    return () => {
      const at = this.#hooks.indexOf(hook);
      if (at >= 0) this.#hooks = Object.freeze(this.#hooks.toSpliced(at, 1));
    };
  }

  /**
   * Runs the hooks in order until one refuses. A hook that throws (or whose promise rejects) refuses with what
   * `onError` makes of it. Never throws, and the promise it may return never rejects.
   */
  run(context: Context): MaybePromise<Reject | undefined> {
    const hooks = this.#hooks;
    for (let i = 0; i < hooks.length; i++) {
      const hook = hooks[i];
      if (!hook) continue;
      let answer: ReturnType<Hook<Context>>;
      try {
        answer = hook(context);
      } catch (error) {
        return this.#onError(error, this.name);
      }
      if (answer === undefined) continue;
      if (isPromiseLike(answer)) return this.#runLater(hooks, i, answer, context);
      if (isReject(answer)) return answer;
    }
    return undefined;
  }

  async #runLater(
    hooks: readonly Hook<Context>[],
    from: number,
    first: PromiseLike<unknown>,
    context: Context,
  ): Promise<Reject | undefined> {
    try {
      const answer = await first;
      if (isReject(answer)) return answer;
      for (let i = from + 1; i < hooks.length; i++) {
        const next = await hooks[i]?.(context);
        if (isReject(next)) return next;
      }
      return undefined;
    } catch (error) {
      return this.#onError(error, this.name);
    }
  }
}

/** Hooks by name, each with a context of its own. The names are fixed when it is made. */
export class HookRegistry<Contexts extends object> {
  readonly #lists = new Map<string, HookList<never>>();

  constructor(names: readonly (keyof Contexts & string)[], onError: HookErrorHandler) {
    for (const name of names) this.#lists.set(name, new HookList<never>(name, onError));
  }

  /** The list of one name; hold on to it where hooks run often. @throws RangeError for a name that does not exist. */
  list<Name extends keyof Contexts & string>(name: Name): HookList<Contexts[Name]> {
    const list = this.#lists.get(name);
    if (!list) throw new RangeError(`there is no hook '${name}'`);
    // The map is filled by name in the constructor, one context type per name.
    return list as unknown as HookList<Contexts[Name]>;
  }

  /** True when a hook of that name can be added. */
  has(name: string): boolean {
    return this.#lists.has(name);
  }

  /** Adds a hook; returns the function that removes it. */
  add<Name extends keyof Contexts & string>(name: Name, hook: Hook<Contexts[Name]>): () => void {
    return this.list(name).add(hook);
  }
}
