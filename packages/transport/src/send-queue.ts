import type { Clock, Timer } from '@headframe/primitives';
import type { Connection } from './connection.js';

/**
 * A message that a newer one makes superfluous: while it waits to be sent, `merge` puts the newer in its place.
 * Immutable, since a broadcast gives the same object to many queues.
 */
export interface Replaceable<Self> {
  /** What to send instead of this one and the newer one. */
  merge(newer: Self): Self;
  /** The bytes, or ASCII text. Cached by the implementation where many queues send the same. */
  encode(): Uint8Array | string;
}

/** Whom a queue tells that the peer does not read. Called once; close the connection. */
export interface SendQueueOwner {
  slowReader(): void;
}

/** Bounds that all queues of a server share. */
export interface SendQueuePolicy {
  readonly clock: Clock;
  /** Unsent bytes at which the peer counts as a slow reader. DESIGN: 1 MiB. Stops a frozen peer from filling memory. */
  readonly maxUnsentBytes: number;
  /** How long unsent bytes may stay above zero. DESIGN: 30,000. Stops a peer that reads a byte now and then. */
  readonly drainTimeoutMs: number;
}

/** 1 MiB and 30 s. */
export const DEFAULT_SEND_LIMITS = { maxUnsentBytes: 1_048_576, drainTimeoutMs: 30_000 } as const;

/**
 * What stands between a session and its socket, so that one frozen miner does not pile up jobs.
 *
 * Ordinary writes go to the socket at once. A broadcast goes to the socket too while the socket is idle; while it has
 * unsent bytes, the broadcast is held in the one slot there is, merged with the one held before, and goes out when
 * the socket is empty again. Bytes given to the socket are never replaced.
 *
 * Ordinary writes overtake a held broadcast. Replies may do so: their order against notifications is free. What
 * changes the work (difficulty, extranonce, version mask, job) must therefore always come by `broadcast`, inside one
 * message with the job it belongs to.
 *
 * Forward `drain` and `closed` of the connection to {@link drained} and {@link close}.
 */
export class SendQueue<Message extends Replaceable<Message>> {
  readonly #connection: Connection;
  readonly #policy: SendQueuePolicy;
  readonly #owner: SendQueueOwner;
  #held: Message | undefined = undefined;
  #timer: Timer | undefined = undefined;
  /** Monotonic time since when there are unsent bytes; undefined while there are none. */
  #unsentSinceMs: number | undefined = undefined;
  #over = false;

  constructor(connection: Connection, policy: SendQueuePolicy, owner: SendQueueOwner) {
    this.#connection = connection;
    this.#policy = policy;
    this.#owner = owner;
  }

  /** The broadcast that waits, if one does. */
  get held(): Message | undefined {
    return this.#held;
  }

  /** Sends now, in order with other writes. */
  write(bytes: Uint8Array | string): void {
    if (this.#over) return;
    const connection = this.#connection;
    connection.write(bytes);
    const unsent = connection.unsentBytes;
    if (unsent > 0) this.#watch(unsent);
  }

  /** Sends now if nothing is unsent, otherwise when the socket is empty; a newer one takes its place until then. */
  broadcast(message: Message): void {
    if (this.#over) return;
    const held = this.#held;
    if (held !== undefined) this.#held = held.merge(message);
    else if (this.#connection.unsentBytes > 0) this.#held = message;
    else this.write(message.encode());
  }

  /** The connection has drained. */
  drained(): void {
    this.#unsentSinceMs = undefined;
    const held = this.#held;
    if (held === undefined || this.#over) return;
    this.#held = undefined;
    this.write(held.encode());
  }

  /** Forgets everything; nothing is sent any more. Idempotent. */
  close(): void {
    this.#over = true;
    this.#held = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #watch(unsent: number): void {
    if (unsent > this.#policy.maxUnsentBytes) {
      this.#giveUp();
      return;
    }
    this.#unsentSinceMs ??= this.#policy.clock.monotonic();
    // One timer at a time, which looks at the clock when it fires: a busy socket fills and drains many times a second.
    if (this.#timer === undefined) this.#arm(this.#policy.drainTimeoutMs);
  }

  #arm(delayMs: number): void {
    this.#timer = this.#policy.clock.setTimeout(() => this.#check(), delayMs);
  }

  #check(): void {
    this.#timer = undefined;
    const since = this.#unsentSinceMs;
    if (since === undefined || this.#over) return;
    const leftMs = since + this.#policy.drainTimeoutMs - this.#policy.clock.monotonic();
    if (leftMs > 0) this.#arm(leftMs);
    else this.#giveUp();
  }

  #giveUp(): void {
    if (this.#over) return;
    this.close();
    this.#owner.slowReader();
  }
}
