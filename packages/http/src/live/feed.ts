import { type Clock, errorMessage, type Logger, type Timer } from '@headframe/primitives';
import type { HttpLimits } from '../limits.js';
import { ApiProblem } from '../problem.js';
import type { LiveEventName, LiveEvents } from '../schemas/events.js';
import { type Frame, ReplayRing } from './ring.js';
import { LiveStream, type StreamSink } from './stream.js';

/** State is what the newest of replaces all others; the rest happened and is told in full. */
const STATE: Readonly<Record<LiveEventName, boolean>> = {
  pool: true,
  node: true,
  job: true,
  share: true,
  block: false,
  payment: false,
};

export interface LiveFeedParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: HttpLimits;
}

/** A reader's place in the feed. */
export interface Subscription {
  drained(): void;
  /** Leaves the feed; harmless when repeated. */
  leave(): void;
}

interface Reader {
  readonly stream: LiveStream;
  readonly address: string;
}

/** Hands events to all live streams. Each event is serialised once. */
export class LiveFeed {
  readonly #parts: LiveFeedParts;
  readonly #ring: ReplayRing;
  readonly #readers = new Set<Reader>();
  readonly #byAddress = new Map<string, number>();
  readonly #heartbeat: Timer;
  #closed = false;

  constructor(parts: LiveFeedParts) {
    const { clock, limits } = parts;
    this.#parts = parts;
    this.#ring = new ReplayRing(clock.now().toString(36), limits.replayEvents);
    this.#heartbeat = clock.setInterval(() => this.#beat(), limits.heartbeatMs);
  }

  /** Streams that are open. */
  get size(): number {
    return this.#readers.size;
  }

  /** Tells everybody. */
  publish<Name extends LiveEventName>(event: Name, data: LiveEvents[Name]): void {
    if (this.#closed) return;
    const frame = this.#ring.add(event, JSON.stringify(data), STATE[event]);
    for (const reader of this.#readers) this.#send(reader, frame);
  }

  /** @throws ApiProblem when there are too many streams, in all or of one address */
  checkRoom(address: string): void {
    const { streams, streamsPerAddress } = this.#parts.limits;
    const later = { 'retry-after': '30' };
    if (this.#closed) throw new ApiProblem(503, 'closing', 'the server is closing', later);
    if (this.#readers.size >= streams) throw new ApiProblem(503, 'busy', 'too many live streams', later);
    if ((this.#byAddress.get(address) ?? 0) >= streamsPerAddress) {
      throw new ApiProblem(429, 'too_many_streams', 'too many live streams from this address', later);
    }
  }

  /** Adds a reader and sends it the state of things and what it missed. Call `checkRoom` first. */
  add(sink: StreamSink, address: string, lastEventId: string | undefined): Subscription {
    const reader: Reader = { stream: new LiveStream(sink, this.#parts.limits.streamQueue), address };
    this.#readers.add(reader);
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    for (const frame of this.#ring.since(lastEventId)) {
      if (!this.#send(reader, frame)) break;
    }
    return {
      drained: () => reader.stream.drained(this.#parts.clock.monotonic()),
      leave: () => this.#remove(reader),
    };
  }

  /** Ends all streams, and takes no more. */
  close(): void {
    this.#closed = true;
    this.#heartbeat.cancel();
    for (const reader of [...this.#readers]) {
      this.#remove(reader);
      reader.stream.end();
    }
  }

  #send(reader: Reader, frame: Frame): boolean {
    try {
      if (reader.stream.send(frame, this.#parts.clock.monotonic())) return true;
    } catch (error) {
      this.#parts.log.debug({ error: errorMessage(error) }, 'a live stream broke');
    }
    this.#cut(reader);
    return false;
  }

  #beat(): void {
    const { clock, limits } = this.#parts;
    const nowMs = clock.monotonic();
    for (const reader of [...this.#readers]) {
      if (!reader.stream.beat(nowMs, limits.streamDrainMs)) this.#cut(reader);
    }
  }

  #cut(reader: Reader): void {
    this.#remove(reader);
    reader.stream.destroy();
  }

  #remove(reader: Reader): void {
    if (!this.#readers.delete(reader)) return;
    const left = (this.#byAddress.get(reader.address) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(reader.address, left);
    else this.#byAddress.delete(reader.address);
  }
}
