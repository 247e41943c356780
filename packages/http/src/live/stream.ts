import type { Frame } from './ring.js';

/** Where a stream writes: a response fits. */
export interface StreamSink {
  /** False when what was written waits in memory: `drain` follows. */
  write(bytes: Uint8Array | string): boolean;
  end(): void;
  destroy(): void;
}

const HEARTBEAT = ': still here\n\n';

/**
 * One reader of the live feed. While it does not drain nothing more is written to it: of state only the newest waits,
 * of the rest a bounded queue. A reader that fills it, or does not drain in time, is cut: it comes back with the id of
 * the last event it got.
 */
export class LiveStream {
  readonly #sink: StreamSink;
  readonly #maxQueue: number;
  #queue: Frame[] = [];
  #blockedSinceMs: number | undefined = undefined;

  constructor(sink: StreamSink, maxQueue: number) {
    this.#sink = sink;
    this.#maxQueue = maxQueue;
  }

  /** Events that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Sends or queues an event; false when the reader is too slow for it: cut the stream. */
  send(frame: Frame, nowMs: number): boolean {
    if (this.#blockedSinceMs === undefined) {
      this.#write(frame.bytes, nowMs);
      return true;
    }
    if (frame.isState) this.#queue = this.#queue.filter(({ event, isState }) => !isState || event !== frame.event);
    this.#queue.push(frame);
    return this.#queue.length <= this.#maxQueue;
  }

  /** Keeps a quiet stream open; false when the reader has not drained since `drainMs` ago. */
  beat(nowMs: number, drainMs: number): boolean {
    if (this.#blockedSinceMs !== undefined) return nowMs - this.#blockedSinceMs < drainMs;
    this.#write(HEARTBEAT, nowMs);
    return true;
  }

  /** The sink has room again. */
  drained(nowMs: number): void {
    this.#blockedSinceMs = undefined;
    const queue = this.#queue;
    this.#queue = [];
    for (const [at, frame] of queue.entries()) {
      this.#write(frame.bytes, nowMs);
      if (this.#blockedSinceMs === undefined) continue;
      this.#queue = queue.slice(at + 1);
      return;
    }
  }

  #write(bytes: Uint8Array | string, nowMs: number): void {
    if (!this.#sink.write(bytes)) this.#blockedSinceMs = nowMs;
  }

  end(): void {
    this.#sink.end();
  }
  destroy(): void {
    this.#sink.destroy();
  }
}
