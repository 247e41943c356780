import {
  encodeNotification,
  type FramerStatus,
  type InvalidMessage,
  LineFramer,
  type LineSink,
  type NotificationMessage,
  parseMessage,
  parsePacket,
  type RequestMessage,
  type RequestOptions,
  type RpcMessage,
} from '@headframe/jsonrpc';
import { isPromiseLike, isReject, type MaybePromise, type Reject, reject } from '@headframe/primitives';
import { Batch, type BatchOwner } from './batch.js';
import type { CallContext } from './call-context.js';
import { Call, WaitingCalls } from './calls.js';
import { encodeInvalid, encodeRefusal, encodeReply } from './encode-reply.js';
import type { JsonRpcSettings } from './jsonrpc-settings.js';
import { Conduct } from './offences.js';
import { OutgoingRequests } from './outgoing.js';
import { guardLater, phaseRefusal } from './phase.js';
import type { SessionProtocol } from './protocol.js';
import { ReplyQueue } from './reply-queue.js';
import { isParsed, type Parsed, validate } from './schema.js';
import type { SessionCore } from './session.js';
import { asText, type Broadcast, PAUSE } from './session-host.js';
import type { CloseReason, Phase } from './types.js';

/**
 * JSON-RPC over lines on one session: framing, dispatch, replies in order, requests to the peer. Everything runs at
 * once in the turn the bytes came in, until a hook, schema or handler returns a promise.
 */
export class JsonRpcProtocol<Context extends CallContext = CallContext, State = undefined>
  implements SessionProtocol, LineSink, BatchOwner
{
  readonly session: SessionCore;
  readonly settings: JsonRpcSettings<Context, State>;
  /** What the layer above keeps for this session. */
  readonly state: State;
  readonly #framer: LineFramer;
  readonly #replies: ReplyQueue;
  #outgoing: OutgoingRequests | undefined = undefined;
  #waiting: WaitingCalls<Context> | undefined = undefined;
  readonly #conduct: Conduct;
  #lines = 0;
  #reading = false;

  constructor(session: SessionCore, settings: JsonRpcSettings<Context, State>) {
    this.session = session;
    this.#conduct = new Conduct(session);
    this.settings = settings;
    this.#framer = new LineFramer({ maxLineBytes: session.host.limits.lineBytes });
    this.#replies = new ReplyQueue(session);
    this.state = settings.createState(this);
  }

  get pending(): number {
    return this.#replies.outstanding;
  }

  // --- for fast paths and the layer above

  /** Takes the place of a request in the order of replies. */
  reserve(): number {
    return this.#replies.reserve();
  }

  /** Gives the reply for a reserved slot: one ASCII line, or `''` when the peer wants none. Must happen once per slot. */
  settle(slot: number, text: string): void {
    this.#replies.settle(slot, text);
    const { session } = this;
    if (session.awaitsReplies) session.checkAfterTurn();
    if (this.#replies.heldLength > session.host.limits.unsentBytes) session.destroy('slow-reader');
  }

  /** Refuses a reserved request. */
  settleReject(slot: number, idText: string | undefined, refusal: Reject): void {
    this.settle(slot, encodeRefusal(this, idText, refusal));
  }

  /** Sends ready-made ASCII lines, but never before a reply that was given earlier. */
  push(text: string): void {
    if (!this.session.closed) this.#replies.notify(text);
  }

  /**
   * Sends a message made for many sessions: at once, except when a notification still waits behind a reply (the first
   * job behind the reply to authorize): then after it.
   */
  broadcast(message: Broadcast): void {
    if (this.#replies.holdsNotification) this.push(asText(message.encode()));
    else this.session.broadcast(message);
  }

  /** True while a subscribe or authorize waits for its promise. */
  get changesPhase(): boolean {
    return this.#waiting?.changesPhaseBefore(undefined) ?? false;
  }

  /** Resolves when the next subscribe or authorize under way is done, or the session has ended. Never rejects. */
  phaseChanged(): Promise<void> {
    return this.changesPhase && this.#waiting ? this.#waiting.phaseChanged() : Promise.resolve();
  }

  /** Phase check and `onRequest` hooks, for handlers of `unguarded` methods. Never throws or rejects. */
  guard(context: Context, phase: Phase): MaybePromise<Reject | undefined> {
    const refusal = phaseRefusal(this.session, phase);
    if (!refusal) return this.settings.onRequest.run(context);
    if (!this.#waiting?.changesPhaseBefore(context)) return refusal;
    return guardLater(this.session, this.#waiting, { context, phase, onRequest: this.settings.onRequest });
  }

  // --- SessionProtocol

  data(chunk: Uint8Array): void {
    this.#read(chunk);
  }

  resume(): void {
    // Called from inside a line: the loop below goes on by itself.
    if (!this.#reading) this.#read(undefined);
  }

  #read(chunk: Uint8Array | undefined): void {
    const { session } = this;
    this.#lines = 0;
    this.#reading = true;
    let status: FramerStatus;
    try {
      status = chunk ? this.#framer.push(chunk, this) : 'ok';
      while (status === 'ok' && this.#framer.stopped && !session.paused && !session.closed) {
        status = this.#framer.resume(this);
      }
    } catch (error) {
      this.#report(error, 'input');
      session.destroy('internal-error');
      return;
    } finally {
      this.#reading = false;
    }
    if (this.#lines > 0) session.countLines(this.#lines, session.host.clock.monotonic());
    if (status === 'line-too-long') session.close('line-too-long');
    else if (status === 'overflow') session.destroy('rate-limited');
  }

  line(bytes: Uint8Array, start: number, end: number): boolean {
    const { session, settings } = this;
    this.#lines++;
    const observed = session.host.events.listenerCount('message') > 0;
    if (observed || settings.fastLine === undefined || !settings.fastLine(this, bytes, start, end)) {
      this.#message(bytes, start, end, observed);
    }
    if (this.#replies.outstanding >= session.host.limits.inFlight) session.pause(PAUSE.inFlight);
    return !session.paused && !session.closed;
  }

  #message(bytes: Uint8Array, start: number, end: number, observed: boolean): void {
    const { maxBatchEntries = 0 } = this.settings;
    const packet =
      maxBatchEntries === 0 ? parseMessage(bytes, start, end) : parsePacket(bytes, start, end, maxBatchEntries);
    if (packet.kind !== 'batch') {
      this.#dispatch(packet, observed, undefined, 0);
      return;
    }
    const { messages } = packet;
    this.#lines += messages.length - 1;
    new Batch(this, messages, { slot: this.reserve(), window: this.session.host.limits.inFlight }).pump();
  }

  get over(): boolean {
    return this.session.closed;
  }
  dispatch(message: RpcMessage, batch: Batch, place: number): void {
    if (batch.length <= this.session.host.limits.unsentBytes) {
      this.#dispatch(message, this.session.host.events.listenerCount('message') > 0, batch, place);
      return;
    }
    // Nobody could read it all: what is left is refused instead of gathered.
    const idText = message.kind === 'request' ? message.idText : undefined;
    batch.settle(place, encodeRefusal(this, idText, reject('rate-limited', 'the replies of the batch are too long')));
  }
  done(batch: Batch, text: string): void {
    this.settle(batch.slot, text);
  }

  #dispatch(message: RpcMessage, observed: boolean, batch: Batch | undefined, place: number): void {
    const { session } = this;
    if (observed) session.host.events.safeEmit('message', { session, message });
    switch (message.kind) {
      case 'request':
      case 'notification': {
        const idText = message.kind === 'request' ? message.idText : undefined;
        this.#request(message, idText, batch, batch === undefined ? this.reserve() : place);
        return;
      }
      case 'response':
        if (!this.#outgoing?.settle(message)) session.log.debug({ id: message.id }, 'answer to nothing');
        batch?.settle(place, '');
        return;
      case 'invalid':
        this.#invalid(message.idText ?? 'null', message.reason, batch, batch === undefined ? this.reserve() : place);
    }
  }

  #invalid(idText: string, reason: InvalidMessage['reason'], batch: Batch | undefined, slot: number): void {
    this.#give(batch, slot, encodeInvalid(this, idText, reason));
    this.#conduct.malformed();
  }

  #give(batch: Batch | undefined, slot: number, text: string): void {
    if (batch) batch.settle(slot, text);
    else this.settle(slot, text);
  }

  notify(method: string, params: readonly unknown[]): void {
    const { settings } = this;
    this.push(settings.encodeNotification?.(this, method, params) ?? encodeNotification(method, params));
  }

  request(method: string, params: readonly unknown[], options?: RequestOptions): Promise<unknown> {
    this.#outgoing ??= new OutgoingRequests(this.session, (line) => this.push(line));
    return this.#outgoing.request(method, params, options);
  }

  sweep(nowMs: number): number {
    const timeoutMs = this.session.host.limits.handlerTimeoutMs;
    for (;;) {
      const oldest = this.#waiting?.oldest;
      if (!oldest) return Number.POSITIVE_INFINITY;
      const dueMs = oldest.waitingSinceMs + timeoutMs;
      if (nowMs < dueMs) return dueMs;
      this.session.log.warn({ method: oldest.method.name, timeoutMs }, 'handler took too long');
      oldest.context.abort();
      this.#reply(oldest, undefined, reject('timeout'));
    }
  }

  shutdown(message: string): void {
    this.settings.shutdown?.(this, message);
  }

  hasAccount(account: string): boolean {
    return this.settings.hasAccount?.(this, account) ?? false;
  }

  hasWorker(name: string): boolean {
    return this.settings.hasWorker?.(this, name) ?? false;
  }

  closed(reason: CloseReason): void {
    this.#waiting?.giveUp();
    this.#framer.clear();
    this.#outgoing?.close();
    this.settings.closed?.(this, reason);
  }

  #request(
    message: RequestMessage | NotificationMessage,
    idText: string | undefined,
    batch: Batch | undefined,
    slot: number,
  ): void {
    const { methods } = this.settings;
    const method = methods.get(message.method);
    if (!method) {
      const toPeerOnly = methods.isToPeerOnly(message.method);
      const refusal = toPeerOnly ? reject('not-supported') : reject('unknown-method');
      this.#give(batch, slot, encodeRefusal(this, idText, refusal));
      this.#conduct.unknownMethod();
      return;
    }
    const wantsReply = idText !== undefined;
    const context = this.settings.createContext(this, { method: method.name, params: message.params, wantsReply });
    const call = new Call(method, context, slot, idText, batch);
    if (method.unguarded) {
      this.#guarded(call, undefined);
      return;
    }
    const refusal = this.guard(context, method.phase);
    if (isPromiseLike(refusal)) {
      this.#wait(call);
      refusal.then((later) => this.#guarded(call, later));
    } else this.#guarded(call, refusal);
  }

  #guarded(call: Call<Context>, refusal: Reject | undefined): void {
    if (call.done) return;
    if (refusal) {
      this.#answer(call, undefined, refusal);
      return;
    }
    if (!call.method.schema) {
      this.#invoke(call);
      return;
    }
    try {
      const parsed = validate(call.method.schema, call.context.params);
      if (isPromiseLike(parsed)) {
        this.#wait(call);
        parsed.then(
          (later) => this.#parsed(call, later),
          (error: unknown) => this.#threw(call, error),
        );
      } else this.#parsed(call, parsed);
    } catch (error) {
      this.#threw(call, error);
    }
  }

  #parsed(call: Call<Context>, parsed: Parsed | Reject): void {
    if (call.done) return;
    if (!isParsed(parsed)) {
      this.#answer(call, undefined, parsed);
      return;
    }
    call.context.params = parsed.value;
    this.#invoke(call);
  }

  #invoke(call: Call<Context>): void {
    let result: unknown;
    try {
      result = call.method.handler(call.context);
    } catch (error) {
      this.#threw(call, error);
      return;
    }
    if (isPromiseLike(result)) {
      this.#wait(call);
      result.then(
        (later) => this.#handled(call, later),
        (error: unknown) => this.#threw(call, error),
      );
    } else this.#handled(call, result);
  }

  #handled(call: Call<Context>, result: unknown): void {
    if (isReject(result)) this.#answer(call, undefined, result);
    else this.#answer(call, result, undefined);
  }

  #threw(call: Call<Context>, error: unknown): void {
    if (call.done) return;
    if (isReject(error)) {
      this.session.log.warn(
        { method: call.method.name, code: error.code },
        'a rejection was thrown; return it instead',
      );
      this.#answer(call, undefined, error);
      return;
    }
    this.#report(error, call.method.name);
    this.#answer(call, undefined, reject('internal'));
  }

  #answer(call: Call<Context>, result: unknown, refusal: Reject | undefined): void {
    if (call.done) return;
    const { beforeReply } = this.settings;
    if (beforeReply.size === 0) {
      this.#reply(call, result, refusal);
      return;
    }
    const { session } = this;
    const veto = beforeReply.run({ method: call.method.name, session, request: call.context, result, refusal });
    if (isPromiseLike(veto)) {
      this.#wait(call);
      veto.then((later) => this.#reply(call, result, later ?? refusal));
    } else this.#reply(call, result, veto ?? refusal);
  }

  #reply(call: Call<Context>, result: unknown, refusal: Reject | undefined): void {
    if (call.done) return;
    call.done = true;
    try {
      this.#give(call.batch, call.slot, encodeReply(this, call, result, refusal));
    } catch (error) {
      // Only `encodeError` can throw here, and without a reply the session would stand still.
      this.#report(error, call.method.name);
      this.session.destroy('internal-error');
    }
    if (call.waitingSinceMs < 0 || !this.#waiting) return;
    this.#waiting.remove(call);
    if (this.#waiting.size === 0) this.#waiting = undefined;
  }

  /** Puts a call on the list of those that may take too long. */
  #wait(call: Call<Context>): void {
    if (call.waitingSinceMs >= 0 || call.done) return;
    const { host } = this.session;
    this.#waiting ??= new WaitingCalls();
    this.#waiting.add(call, host.clock.monotonic());
    this.session.wakeAt(call.waitingSinceMs + host.limits.handlerTimeoutMs);
  }

  #report(error: unknown, where: string): void {
    this.session.host.report(error, where, this.session);
  }
}
