import type { Accounting } from '@headframe/ledger';
import { PoolError } from '@headframe/primitives';
import type { Wallet } from '../../src/index.js';

/**
 * What happens at a call. `dies-before`, `dies-after`: the process ends there, nothing more of it reaches anybody.
 * `fails`: an error instead of the call. `answer-lost`: the call was carried out, but its answer is an error.
 */
export type FaultKind = 'dies-before' | 'dies-after' | 'fails' | 'answer-lost';
export const FAULT_KINDS: readonly FaultKind[] = ['dies-before', 'dies-after', 'fails', 'answer-lost'];

export interface FaultPlan {
  /** Number of the call, from 1; 0 for none. */
  readonly at: number;
  readonly kind: FaultKind;
}

/** One process: counts its calls to the outside, and has a fault at one of them. */
export class Process {
  calls = 0;
  dead = false;
  /** Names of the calls, in order. */
  readonly trace: string[] = [];
  readonly #plan: FaultPlan;
  readonly #pause: () => Promise<void>;

  constructor(plan: FaultPlan = { at: 0, kind: 'fails' }, pause: () => Promise<void> = async () => {}) {
    this.#plan = plan;
    this.#pause = pause;
  }

  accounting(target: Accounting): Accounting {
    return this.#wrap(target, () => new PoolError('storage_failed', 'the answer is lost'));
  }

  wallet(target: Wallet): Wallet {
    return this.#wrap(target, () => new PoolError('rpc_timeout', 'no answer'));
  }

  /** Wraps any object whose methods return promises. */
  #wrap<T extends object>(target: T, failure: () => PoolError): T {
    return new Proxy(target, {
      get: (of, name) => {
        const value: unknown = Reflect.get(of, name, of);
        if (typeof value !== 'function' || typeof name !== 'string' || name === 'close') return value;
        return (...args: unknown[]) =>
          this.boundary(name, () => Promise.resolve(Reflect.apply(value, of, args)), failure);
      },
    });
  }

  /** One call to the outside. */
  async boundary<R>(name: string, call: () => Promise<R>, failure: () => PoolError): Promise<R> {
    await this.#pause();
    if (this.dead) throw new Error('this process is dead');
    this.calls++;
    this.trace.push(name);
    const kind = this.calls === this.#plan.at ? this.#plan.kind : undefined;
    if (kind === 'dies-before') this.dead = true;
    if (kind === 'fails') throw failure();
    if (this.dead) throw new Error('this process is dead');
    const result = await call();
    await this.#pause();
    if (kind === 'dies-after') this.dead = true;
    if (this.dead) throw new Error('this process is dead');
    if (kind === 'answer-lost') throw failure();
    return result;
  }
}
