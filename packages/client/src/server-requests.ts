import { encodeError, encodeResult, type RequestMessage } from '@headframe/jsonrpc';
import { isPromiseLike, isReject, type MaybePromise } from '@headframe/primitives';
import { isStratumError, type StratumErrorTuple, toStratumError } from '@headframe/stratum-v1';

/** Answers a request of the pool: the returned value is the result, a rejection the error. */
export type ServerRequestHandler = (params: unknown) => MaybePromise<unknown>;

/** Requests of the pool being answered at once; beyond that they are refused as busy. */
const MAX_SERVER_REQUESTS = 64;
/** Codes of JSON-RPC 2.0 for the two answers that have one there. */
const METHOD_NOT_FOUND = -32601;
const INTERNAL_ERROR = -32603;

/** Answers what a server asks a client. Every request with an id gets exactly one answer. */
export class ServerRequests {
  readonly #handlers = new Map<string, ServerRequestHandler>();
  readonly #reply: (line: string) => void;
  readonly #isJsonrpc2: boolean;
  #answering = 0;

  /** @param options.jsonrpc2 errors as objects instead of `[code, text, null]` */
  constructor(reply: (line: string) => void, options: { readonly jsonrpc2: boolean }) {
    this.#reply = reply;
    this.#isJsonrpc2 = options.jsonrpc2;
  }

  /** Sets the handler of a method; returns the function that takes it away again. */
  handle(method: string, handler: ServerRequestHandler): () => void {
    this.#handlers.set(method, handler);
    return () => {
      if (this.#handlers.get(method) === handler) this.#handlers.delete(method);
    };
  }

  /** @param notified tries the request as a notification; true when it is one: some pools put ids on those */
  answer({ method, params, idText }: RequestMessage, notified: () => boolean): void {
    const handler = this.#handlers.get(method);
    if (handler === undefined) {
      if (notified()) this.#reply(encodeResult(idText, true));
      else this.#refuse(idText, toStratumError('unknown-method'), METHOD_NOT_FOUND);
      return;
    }
    if (this.#answering >= MAX_SERVER_REQUESTS) {
      this.#refuse(idText, toStratumError('busy'));
      return;
    }
    try {
      const answer = handler(params);
      if (!isPromiseLike(answer)) {
        this.#result(idText, answer);
        return;
      }
      this.#answering++;
      answer.then(
        (value) => this.#answered(() => this.#result(idText, value)),
        (error: unknown) => this.#answered(() => this.#failed(idText, error)),
      );
    } catch (error) {
      this.#failed(idText, error);
    }
  }

  #answered(reply: () => void): void {
    this.#answering--;
    reply();
  }

  #result(idText: string, value: unknown): void {
    if (isReject(value)) {
      this.#refuse(idText, toStratumError(value.code, value.reason));
      return;
    }
    let line: string;
    try {
      line = encodeResult(idText, value);
    } catch (error) {
      this.#failed(idText, error);
      return;
    }
    this.#reply(line);
  }

  #failed(idText: string, error: unknown): void {
    if (isStratumError(error)) this.#refuse(idText, error.toTuple());
    else this.#refuse(idText, toStratumError('internal'), INTERNAL_ERROR);
  }

  #refuse(idText: string, tuple: StratumErrorTuple, jsonrpcCode: number = tuple[0]): void {
    this.#reply(encodeError(idText, this.#isJsonrpc2 ? { code: jsonrpcCode, message: tuple[1] } : tuple));
  }
}
