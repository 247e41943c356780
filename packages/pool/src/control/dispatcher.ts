import { type Clock, errorMessage, isReject, type Logger, type Timer } from '@headframe/primitives';
import type { ControlGuard, GuardVerdict } from './guard.js';
import { CONTROL_LIMITS } from './limits.js';
import type { ControlMethod, ControlMethods } from './methods.js';
import {
  encodeAnswer,
  encodeFailure,
  failureOf,
  failureOfError,
  type ReadCall,
  type RpcCall,
  type RpcFailure,
  readRequest,
} from './rpc.js';
import type { WireReply, WireRequest } from './wire.js';

/** The one method that needs no secret: it brings it. */
export const LOGIN_METHOD = 'control.login';

/** A connection, as far as its calls are concerned. */
export interface Caller {
  /** Empty for the UNIX socket. */
  readonly address: string;
  /** True once it proved that it may call; always for the UNIX socket, whose permissions are the proof. */
  isAuthorized: boolean;
  /** True where every request brings its secret. */
  readonly isStateless: boolean;
  /** Aborted when the connection is gone. */
  readonly signal: AbortSignal;
  /** Called when it proved it. */
  authorized(): void;
}

interface DispatcherParts {
  readonly methods: ControlMethods;
  readonly guard: ControlGuard;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How one call ended: the answer, and what the connection makes of it. */
interface Outcome {
  readonly json: string | undefined;
  readonly status: WireReply['status'];
}

const VERDICTS: Readonly<Record<Exclude<GuardVerdict, 'right'>, RpcFailure>> = {
  wrong: { error: 'unauthorized' },
  failures: { error: 'failures' },
  busy: { error: 'busy' },
};
const STATUSES = { right: 'ok', wrong: 'unauthorized', failures: 'failures', busy: 'busy' } as const;

/** Answers requests: reads them, asks for the secret, calls methods. Never rejects. */
export class Dispatcher {
  readonly #methods: ControlMethods;
  readonly #guard: ControlGuard;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor({ methods, guard, clock, log }: DispatcherParts) {
    this.#methods = methods;
    this.#guard = guard;
    this.#clock = clock;
    this.#log = log;
  }

  /** Works off one request; the calls of a batch one after the other. */
  async answer(request: WireRequest, caller: Caller): Promise<WireReply> {
    let isAuthorized = caller.isAuthorized;
    if (request.credentials !== undefined && !isAuthorized) {
      const verdict = await this.#guard.check(request.credentials.secret, caller.address);
      if (verdict !== 'right') return { json: encodeFailure(null, VERDICTS[verdict]), status: STATUSES[verdict] };
      isAuthorized = true;
      caller.authorized();
    }
    const read = readRequest(request.text, CONTROL_LIMITS.batch);
    if (read.kind === 'single') {
      const { json, status } = await this.#item(read.item, caller, isAuthorized);
      return { json, status };
    }
    const answers: string[] = [];
    let status: WireReply['status'] = 'ok';
    for (const item of read.items) {
      const outcome = await this.#item(item, caller, isAuthorized || caller.isAuthorized);
      if (outcome.json !== undefined) answers.push(outcome.json);
      if (outcome.status === 'failures') status = 'failures';
      if (caller.signal.aborted) break;
    }
    return { json: answers.length === 0 ? undefined : `[${answers.join(',')}]`, status };
  }

  async #item(item: ReadCall, caller: Caller, isAuthorized: boolean): Promise<Outcome> {
    if ('failure' in item) return { json: encodeFailure(item.id, item.failure), status: 'ok' };
    const { call } = item;
    const answer = (failure: RpcFailure, status: Outcome['status'] = 'ok'): Outcome => ({
      json: call.id === undefined ? undefined : encodeFailure(call.id, failure),
      status,
    });
    if (call.method === LOGIN_METHOD) return this.#login(call, caller, answer);
    let { params } = call;
    if (!isAuthorized) {
      if (!this.#guard.takesLegacy || !Array.isArray(params)) return answer(VERDICTS.wrong, 'unauthorized');
      const verdict = this.#guard.checkLegacy(params[0], caller.address);
      if (verdict !== 'right') return answer(VERDICTS[verdict], STATUSES[verdict]);
      // Every call brings it again; the connection is not trusted for the next one, but may stay open.
      caller.authorized();
      params = params.slice(1);
    }
    const method = this.#methods.get(call.method);
    if (method === undefined) return answer({ error: 'method' });
    const result = await this.#run(method, params, caller);
    if ('failure' in result) return answer(result.failure);
    if (call.id === undefined) return { json: undefined, status: 'ok' };
    return { json: this.#encode(call, result.value), status: 'ok' };
  }

  async #login(
    { id, params }: RpcCall,
    caller: Caller,
    answer: (failure: RpcFailure, status?: Outcome['status']) => Outcome,
  ): Promise<Outcome> {
    const right = { json: id === undefined ? undefined : encodeAnswer(id, true), status: 'ok' } as const;
    if (caller.isAuthorized) return right;
    if (caller.isStateless) return answer({ error: 'request', message: 'over HTTP the secret goes into the header' });
    const secret = secretOf(params);
    if (secret === undefined) return answer({ error: 'params', message: 'needs [SECRET] or {"secret": SECRET}' });
    const verdict = await this.#guard.check(secret, caller.address);
    if (verdict !== 'right') return answer(VERDICTS[verdict], STATUSES[verdict]);
    caller.isAuthorized = true;
    caller.authorized();
    return right;
  }

  /** Calls a method within its time. */
  async #run(
    method: ControlMethod,
    params: unknown,
    caller: Caller,
  ): Promise<{ readonly value: unknown } | { readonly failure: RpcFailure }> {
    const timeoutMs = method.timeoutMs ?? CONTROL_LIMITS.callTimeoutMs;
    const abort = new AbortController();
    const gone = (): void => abort.abort();
    if (caller.signal.aborted) gone();
    else caller.signal.addEventListener('abort', gone, { once: true });
    let timer: Timer | undefined;
    try {
      const late = new Promise<{ readonly failure: RpcFailure }>((resolve) => {
        timer = this.#clock.setTimeout(() => {
          resolve({ failure: { error: 'timeout' } });
          abort.abort();
        }, timeoutMs);
        abort.signal.addEventListener('abort', () => resolve({ failure: { error: 'timeout' } }), { once: true });
      });
      const call = { method: method.name, address: caller.address, signal: abort.signal };
      const value = this.#invoke(method, params, call);
      return await Promise.race([value, late]);
    } finally {
      timer?.cancel();
      caller.signal.removeEventListener('abort', gone);
    }
  }

  async #invoke(
    method: ControlMethod,
    params: unknown,
    call: Parameters<ControlMethod['run']>[1],
  ): Promise<{ readonly value: unknown } | { readonly failure: RpcFailure }> {
    try {
      const value = await method.run(params, call);
      return isReject(value) ? { failure: failureOf(value) } : { value };
    } catch (error) {
      if (isReject(error)) return { failure: failureOf(error) };
      const known = failureOfError(error);
      if (known !== undefined) return { failure: known };
      this.#log.error({ err: error, method: method.name }, 'control method failed');
      return { failure: { error: 'internal' } };
    }
  }

  #encode({ id = null, method }: RpcCall, value: unknown): string {
    try {
      const json = encodeAnswer(id, value);
      if (json.length <= CONTROL_LIMITS.replyBytes) return json;
      return encodeFailure(id, {
        error: 'refused',
        code: 'queue_full',
        message: 'the answer is too long: ask for less',
      });
    } catch (error) {
      this.#log.error({ error: errorMessage(error), method }, 'the answer of a control method is no JSON');
      return encodeFailure(id, { error: 'internal' });
    }
  }
}

function secretOf(params: unknown): string | undefined {
  const secret = Array.isArray(params) && params.length === 1 ? params[0] : Reflect.get(Object(params), 'secret');
  return typeof secret === 'string' && secret !== '' ? secret : undefined;
}
