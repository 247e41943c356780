import type { Clock } from '@headframe/primitives';
import type { Session } from '@headframe/sessions';
import type { MinerItem } from '../schemas/miners.js';
import type { ChannelView, PoolView } from '../view.js';
import { hashesPerDifficulty } from './pool-info.js';

/** Shares count half after seven minutes: a miner at the usual pace has about thirty in the estimate. */
const TIME_CONSTANT_MS = 600_000;
/** Decay is worked out once a second and not at each share. */
const STEP_MS = 1_000;
/** Younger connections are averaged as if they were that old: one lucky share is no hashrate. */
const LEAST_AGE_MS = 30_000;
const SNAPSHOT_TTL_MS = 2_000;

class Counters {
  accepted = 0;
  rejected = 0;
  lastShareMs = 0;
  /** Sum of difficulties, each decayed since it came. */
  work = 0;
  decayedMs: number;

  constructor(nowMs: number) {
    this.decayedMs = nowMs;
  }

  decay(nowMs: number): void {
    const passedMs = nowMs - this.decayedMs;
    if (passedMs < STEP_MS) return;
    this.work *= Math.exp(-passedMs / TIME_CONSTANT_MS);
    this.decayedMs = nowMs;
  }
}

/** A session with its channel; undefined before it has one. */
export interface Connected {
  readonly session: Session;
  readonly channel: ChannelView | undefined;
}

/** What connections did, counted from events. Nothing is kept of a session that is gone. */
export class MinerBook {
  readonly #view: PoolView;
  readonly #clock: Clock;
  readonly #counters = new WeakMap<Session, Counters>();
  readonly #leave: readonly (() => void)[];
  #snapshot: readonly Session[] = [];
  #snapshotUntilMs = Number.NEGATIVE_INFINITY;

  constructor(view: PoolView, clock: Clock) {
    this.#view = view;
    this.#clock = clock;
    this.#leave = [
      view.on('share', ({ session, difficulty, timeMs }) => {
        const counters = this.#of(session, timeMs);
        counters.accepted++;
        counters.lastShareMs = timeMs;
        counters.decay(timeMs);
        counters.work += difficulty;
      }),
      view.on('rejected', ({ session, timeMs }) => {
        this.#of(session, timeMs).rejected++;
      }),
    ];
  }

  close(): void {
    for (const leave of this.#leave) leave();
  }

  #of(session: Session, nowMs: number): Counters {
    const known = this.#counters.get(session);
    if (known !== undefined) return known;
    const counters = new Counters(nowMs);
    this.#counters.set(session, counters);
    return counters;
  }

  /** All connections, by id; as of some moments ago, but those that closed since are left out. */
  *all(): IterableIterator<Connected> {
    for (const session of this.#sorted()) if (!session.closed) yield { session, channel: this.#channelOf(session) };
  }

  /** The server has its sessions in no order. A hundred thousand take a while to sort: not for every request. */
  #sorted(): readonly Session[] {
    const nowMs = this.#clock.monotonic();
    if (nowMs >= this.#snapshotUntilMs) {
      this.#snapshot = [...this.#view.sessions].sort((a, b) => a.id - b.id);
      this.#snapshotUntilMs = nowMs + SNAPSHOT_TTL_MS;
    }
    return this.#snapshot;
  }

  find(id: number): Connected | undefined {
    for (const session of this.#view.sessions) {
      if (session.id === id && !session.closed) return { session, channel: this.#channelOf(session) };
    }
    return undefined;
  }

  /** Up to `limit` connections with an id above `after`, and whether there are more. */
  page(limit: number, after: number): { readonly items: readonly Connected[]; readonly hasMore: boolean } {
    const items: Connected[] = [];
    const sessions = this.#sorted();
    for (let at = firstAbove(sessions, after); at < sessions.length; at++) {
      const session = sessions[at];
      if (session === undefined || session.closed) continue;
      if (items.length === limit) return { items, hasMore: true };
      items.push({ session, channel: this.#channelOf(session) });
    }
    return { items, hasMore: false };
  }

  #channelOf(session: Session): ChannelView | undefined {
    try {
      return this.#view.server.channelOf(session);
    } catch {
      // A session of another protocol, or one whose channel is not open yet.
      return undefined;
    }
  }

  item({ session, channel }: Connected): MinerItem {
    const counters = this.#counters.get(session);
    const first = channel?.workers.first;
    return {
      session: session.id,
      account: first?.key ?? null,
      worker: first?.name ?? null,
      workers: channel?.workers.size ?? 0,
      difficulty: channel?.difficulty.value ?? 0,
      hashrate: counters === undefined ? 0 : this.#hashrate(counters, session.connectedAtMs),
      agent: session.agent ?? null,
      protocol: session.protocol,
      tls: session.secure,
      connectedMs: session.connectedAtMs,
      lastShareMs: counters === undefined || counters.lastShareMs === 0 ? null : counters.lastShareMs,
      accepted: counters?.accepted ?? 0,
      rejected: counters?.rejected ?? 0,
    };
  }

  #hashrate(counters: Counters, connectedMs: number): number {
    const nowMs = this.#clock.now();
    counters.decay(nowMs);
    const ageMs = Math.max(LEAST_AGE_MS, nowMs - connectedMs);
    // What a steady miner of that age would have left of its work.
    const seconds = (TIME_CONSTANT_MS * (1 - Math.exp(-ageMs / TIME_CONSTANT_MS))) / 1000;
    return (counters.work * hashesPerDifficulty(this.#view.coin.difficultyFactor)) / seconds;
  }
}

/** Position of the first session with an id above `after`, in sessions by id. */
function firstAbove(sessions: readonly Session[], after: number): number {
  let low = 0;
  let high = sessions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sessions[middle]?.id ?? 0) > after) high = middle;
    else low = middle + 1;
  }
  return low;
}
