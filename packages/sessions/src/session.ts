import { type Logger, PoolError } from '@headframe/primitives';
import { type Connection, SendQueue, type SendQueueOwner } from '@headframe/transport';
import type { AddressEntry } from './addresses.js';
import type { JudgedSession } from './bans.js';
import type { Sweepable } from './deadlines.js';
import type { Flushable } from './output.js';
import type { SessionProtocol } from './protocol.js';
import { RequestBudget } from './request-budget.js';
import type { Score } from './score.js';
import {
  asText,
  type Broadcast,
  PAUSE,
  type PauseCause,
  type SessionHost,
  type SessionParts,
  STRIKES,
} from './session-host.js';
import { SessionInput } from './session-input.js';
import type { CloseReason, ListenerInfo, Session, SessionState } from './types.js';

/** Output is paused for when so much waits in the socket: a quarter of the bound leaves room for replies under way. */
const PAUSE_OUTPUT_PART = 4;

/** One connection: what every protocol needs of it. Small, without timers or closures of its own. */
export class SessionCore implements Session, Sweepable, Flushable, JudgedSession, SendQueueOwner {
  readonly id: number;
  readonly host: SessionHost;
  readonly listener: ListenerInfo;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly address: AddressEntry;
  /** True for addresses that are never limited or banned (`bans.allow`). */
  readonly exempt: boolean;
  readonly protocol: string;
  readonly connectedAtMs: number;
  agent: string | undefined = undefined;
  /** Once set, the session closes with `shutdown` after its last reply. */
  isLeaving = false;
  score: Score | undefined = undefined;
  readonly #connection: Connection;
  readonly #queue: SendQueue<Broadcast>;
  #implementation: SessionProtocol | undefined = undefined;
  #state: SessionState | undefined = undefined;
  #log: Logger | undefined = undefined;
  #slot = -1;
  /** Text to be written at the end of the turn. */
  #out = '';
  #dirty = false;
  #paused = 0;
  #started = false;
  #subscribed = false;
  #authorized = false;
  #reason: CloseReason | undefined = undefined;
  #ended = false;
  #peerEnded = false;
  #checking = false;
  #kickedFor: CloseReason | undefined = undefined;
  #startedMs: number;
  #lastLineMs: number;
  #idleTimeoutMs: number;
  readonly #budget: RequestBudget;

  constructor(host: SessionHost, connection: Connection, parts: SessionParts) {
    const nowMs = host.clock.monotonic();
    this.id = parts.id;
    this.host = host;
    this.listener = parts.listener;
    this.remoteAddress = parts.remoteAddress;
    this.remotePort = parts.remotePort;
    this.address = parts.address;
    this.exempt = parts.exempt;
    this.protocol = parts.protocol;
    this.connectedAtMs = host.clock.now();
    this.#connection = connection;
    this.#queue = new SendQueue<Broadcast>(connection, host.sendPolicy, this);
    this.#startedMs = nowMs;
    this.#lastLineMs = nowMs;
    this.#idleTimeoutMs = host.limits.idleTimeoutMs;
    this.#budget = new RequestBudget(nowMs, host.limits);
  }

  get secure(): boolean {
    return this.#connection.secure;
  }
  get state(): SessionState {
    this.#state ??= {};
    return this.#state;
  }
  get log(): Logger {
    this.#log ??= this.host.log.child({ session: this.id, address: this.remoteAddress });
    return this.#log;
  }
  get closed(): boolean {
    return this.#reason !== undefined;
  }
  get idleTimeoutMs(): number {
    return this.#idleTimeoutMs;
  }
  set idleTimeoutMs(ms: number) {
    this.#idleTimeoutMs = ms;
    this.wakeAt(this.#lastLineMs + ms);
  }
  /** Set once closing began. */
  get closeReason(): CloseReason | undefined {
    return this.#reason;
  }
  get subscribed(): boolean {
    return this.#subscribed;
  }
  get authorized(): boolean {
    return this.#authorized;
  }
  /** True while reading is paused, for whatever cause. */
  get paused(): boolean {
    return this.#paused !== 0;
  }
  /** True when something happens once replies are out: reading goes on, or the session closes. */
  get awaitsReplies(): boolean {
    return (this.#paused & PAUSE.inFlight) !== 0 || this.#peerEnded || this.isLeaving || this.host.draining;
  }
  /** Requests whose reply is not out. */
  get pending(): number {
    return this.#implementation?.pending ?? 0;
  }
  /** What the protocol keeps for this session. */
  get implementation(): SessionProtocol | undefined {
    return this.#implementation;
  }

  /** Puts the session on the books. Called once by the server, before {@link start}. */
  prepare(implementation: SessionProtocol): void {
    this.#implementation = implementation;
    this.#slot = this.host.deadlines.add(this, this.#startedMs + this.host.limits.authorizeTimeoutMs);
  }

  /** Begins to read. Called once by the server. */
  start(): void {
    if (this.#ended) return;
    this.#started = true;
    if (this.#paused !== 0) this.#connection.pause();
    this.#connection.start(new SessionInput(this));
  }

  /** Like {@link close}, but lets this turn finish: the reply to the share that led to a ban still goes out. */
  kick(reason: CloseReason): void {
    if (this.#reason !== undefined || this.#kickedFor !== undefined) return;
    this.#kickedFor = reason;
    this.pause(PAUSE.leaving);
    this.checkAfterTurn();
  }

  /** The peer has asked for work (`subscribed` phase). */
  markSubscribed(): void {
    this.#subscribed = true;
  }

  /** A name was accepted: the session leaves the budget for those that have not. */
  markAuthorized(): void {
    if (this.#authorized || this.#ended) return;
    this.#authorized = true;
    this.address.authorized++;
  }

  // --- output

  /** Adds ASCII text to what is written at the end of the turn, in one piece. */
  send(text: string): void {
    if (this.#reason !== undefined) return;
    this.#out += text;
    if (!this.#dirty) {
      this.#dirty = true;
      this.host.output.add(this);
    }
    if (this.#out.length > this.host.limits.unsentBytes) this.flush();
  }

  /**
   * Sends a message made for many sessions, behind the text of this turn. While earlier output waits in the socket it
   * is held, and a newer one takes its place. Its bytes must not change afterwards.
   */
  broadcast(message: Broadcast): void {
    if (this.#reason !== undefined) return;
    if (this.#out !== '') {
      if (this.#connection.unsentBytes === 0 && this.#queue.held === undefined) {
        // One write with the replies of this turn: copying a job costs a tenth of a system call.
        this.#out += asText(message.encode());
        return;
      }
      this.#writeOut();
    }
    this.#queue.broadcast(message);
    this.#afterWrite();
  }

  /** Writes what has gathered in this turn. Called by the scheduler; harmless at any time. */
  flush(): void {
    this.#dirty = false;
    if (this.#out !== '' && !this.#ended) this.#writeOut();
  }

  /** Has {@link afterTurn} called at the end of this turn. */
  checkAfterTurn(): void {
    if (this.#checking) return;
    this.#checking = true;
    this.host.output.after(this);
  }

  /**
   * Goes on reading when replies made room, and closes when the last reply is out and nothing more will come. At the
   * end of the turn and not in `settle`, which is called from inside validators and framers.
   */
  afterTurn(): void {
    this.#checking = false;
    if (this.#reason !== undefined) return;
    if (this.#kickedFor !== undefined) {
      this.close(this.#kickedFor);
      return;
    }
    if (this.pending <= this.host.limits.inFlight / 2) this.resume(PAUSE.inFlight);
    if (this.pending > 0 || this.#reason !== undefined) return;
    if (this.host.draining || this.isLeaving) this.close('shutdown');
    else if (this.#peerEnded) this.close('client-closed');
  }

  #writeOut(): void {
    const text = this.#out;
    this.#out = '';
    this.#queue.write(text);
    this.#afterWrite();
  }

  #afterWrite(): void {
    if (this.#connection.unsentBytes > this.host.limits.unsentBytes / PAUSE_OUTPUT_PART) this.pause(PAUSE.output);
  }

  /** The peer does not read what we write. */
  slowReader(): void {
    this.destroy('slow-reader');
  }

  // --- input

  /** Stops reading for a cause until {@link resume} is called for it. */
  pause(cause: PauseCause): void {
    const before = this.#paused;
    this.#paused = before | cause;
    if (before === 0 && this.#started && !this.#ended) this.#connection.pause();
  }

  /** Takes back one cause of a pause; reading goes on when it was the last. */
  resume(cause: PauseCause): void {
    if ((this.#paused & cause) === 0) return;
    this.#paused &= ~cause;
    if (this.#paused !== 0 || this.#reason !== undefined) return;
    try {
      this.#implementation?.resume();
    } catch (error) {
      this.host.report(error, 'resume', this);
      this.destroy('internal-error');
    }
    if (this.#paused === 0 && this.#started && this.#reason === undefined) this.#connection.resume();
  }

  /**
   * Counts lines that came in at `nowMs` (monotonic): they keep the session from being idle and are charged to the
   * rates. Pauses reading when a rate is used up.
   */
  countLines(count: number, nowMs: number): void {
    this.#lastLineMs = nowMs;
    if (this.#reason !== undefined || this.#takeRequests(count, nowMs)) return;
    this.pause(PAUSE.rate);
    this.host.deadlines.lower(this.#slot, nowMs);
  }

  /** Charges requests to the session and its address; false when either has used up its rate. */
  #takeRequests(count: number, nowMs: number): boolean {
    const { limits } = this.host;
    const hasRoom = this.#budget.take(count, nowMs, limits);
    return (this.exempt || this.address.takeRequests(nowMs, count, limits)) && hasRoom;
  }

  /** Makes sure that the protocol's `sweep` is called soon after `atMs` (monotonic). */
  wakeAt(atMs: number): void {
    if (this.#reason === undefined) this.host.deadlines.lower(this.#slot, atMs);
  }

  /** Judges a share for the ban list; may close this session and others. `weight` is its difficulty. */
  judge(valid: boolean, weight: number, account?: string): void {
    this.host.bans.judge(this, valid, weight, account);
  }

  // --- Session

  notify(method: string, params: readonly unknown[]): void {
    if (this.#reason === undefined) this.#implementation?.notify(method, params);
  }

  request(
    method: string,
    params: readonly unknown[],
    options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<unknown> {
    const implementation = this.#implementation;
    if (!implementation) return Promise.reject(new PoolError('connection_closed', 'the session has not started'));
    return implementation.request(method, params, options);
  }

  close(reason: CloseReason): void {
    if (this.#reason !== undefined) return;
    if (this.#out !== '') this.#writeOut();
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.host.deadlines.set(this.#slot, this.host.clock.monotonic() + this.host.limits.drainTimeoutMs);
    this.#connection.end();
  }

  destroy(reason: CloseReason): void {
    this.#reason ??= reason;
    if (this.#ended) return;
    this.#connection.destroy();
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const reason = this.#reason ?? 'client-closed';
    this.#reason = reason;
    this.#out = '';
    this.#queue.close();
    this.host.deadlines.remove(this.#slot);
    this.#slot = -1;
    if (this.#authorized) this.address.authorized--;
    try {
      this.#implementation?.closed(reason);
    } catch (error) {
      this.host.report(error, 'session end', this);
    }
    this.host.ended(this, reason);
    if (STRIKES.has(reason)) this.host.bans.strike(this, reason);
  }

  // --- called by the connection

  received(chunk: Uint8Array): void {
    if (this.#reason === undefined) this.#implementation?.data(chunk);
  }

  drained(): void {
    this.#queue.drained();
    this.resume(PAUSE.output);
  }

  /** The peer will send no more: it gets the answers it still waits for, then the session ends. */
  peerEnded(): void {
    this.#peerEnded = true;
    this.checkAfterTurn();
  }

  connectionClosed(error: Error | undefined): void {
    this.#reason ??= error ? 'socket-error' : 'client-closed';
    this.#end();
  }

  // --- Sweepable

  sweep(nowMs: number): number {
    if (this.#reason !== undefined) {
      // Closing, and the time for that is over.
      this.destroy(this.#reason);
      return Number.POSITIVE_INFINITY;
    }
    let next = this.#authorized ? Number.POSITIVE_INFINITY : this.#startedMs + this.host.limits.authorizeTimeoutMs;
    if (nowMs >= next) return this.#endFor('authorize-timeout');
    if ((this.#paused & PAUSE.rate) !== 0) {
      if (this.#takeRequests(0, nowMs)) this.resume(PAUSE.rate);
      else next = nowMs;
    }
    // A session that we do not read cannot send a line.
    if (this.#paused !== 0) this.#lastLineMs = nowMs;
    const idleAtMs = this.#lastLineMs + this.#idleTimeoutMs;
    if (nowMs >= idleAtMs) return this.#endFor('idle-timeout');
    next = Math.min(next, idleAtMs);
    try {
      return Math.min(next, this.#implementation?.sweep(nowMs) ?? Number.POSITIVE_INFINITY);
    } catch (error) {
      this.host.report(error, 'sweep', this);
      this.destroy('internal-error');
      return Number.POSITIVE_INFINITY;
    }
  }

  #endFor(reason: CloseReason): number {
    this.close(reason);
    return Number.POSITIVE_INFINITY;
  }
}
