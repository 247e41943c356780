import type { MinerJob } from '@headframe/client';
import type { Timer } from '@headframe/primitives';
import type { ProxyConfig } from './config.js';
import { Upstream, type UpstreamListener, type UpstreamParts } from './upstream.js';

/** Told which upstream miners work for. */
export interface BoardListener {
  /** Miners work for this upstream from now on; undefined: there is none. `before` is the one until now. */
  switched(upstream: Upstream | undefined, before: Upstream | undefined): void;
  /** Another job of the upstream that miners work for. */
  job(upstream: Upstream, job: MinerJob): void;
  /** An upstream, in use or not, is connected. */
  ready(upstream: Upstream, resumed: boolean): void;
  /** An upstream, in use or not, was lost. */
  lost(upstream: Upstream, reason: string): void;
  notice(upstream: Upstream, text: string): void;
}

/** Chooses among the upstreams: the best that is well, without running to and fro. */
export class Board implements UpstreamListener {
  readonly upstreams: readonly Upstream[];
  readonly #config: ProxyConfig;
  readonly #parts: Omit<UpstreamParts, 'listener'>;
  readonly #listener: BoardListener;
  readonly #lingering = new Map<Upstream, Timer>();
  #active: Upstream | undefined = undefined;
  /** Until the next upstream is tried beside those that give no job. */
  #next: Timer | undefined = undefined;
  /** Until a better upstream has been well for long enough. */
  #back: Timer | undefined = undefined;
  #started = 0;
  #closed = false;

  constructor(config: ProxyConfig, parts: Omit<UpstreamParts, 'listener'>, listener: BoardListener) {
    this.#config = config;
    this.#parts = parts;
    this.#listener = listener;
    this.upstreams = config.upstreams.map((_, index) => new Upstream(index, config, { ...parts, listener: this }));
  }

  /** The upstream that miners work for. */
  get active(): Upstream | undefined {
    return this.#active;
  }

  start(): void {
    this.#startNext();
  }

  close(): void {
    this.#closed = true;
    this.#next?.cancel();
    this.#back?.cancel();
    for (const timer of this.#lingering.values()) timer.cancel();
    this.#lingering.clear();
    for (const upstream of this.upstreams) upstream.stop();
    this.#active = undefined;
  }

  // --- UpstreamListener

  ready(upstream: Upstream, resumed: boolean): void {
    this.#listener.ready(upstream, resumed);
  }

  notice(upstream: Upstream, text: string): void {
    this.#listener.notice(upstream, text);
  }

  job(upstream: Upstream, job: MinerJob): void {
    const active = this.#active;
    if (active === upstream) this.#listener.job(upstream, job);
    else if (active === undefined) this.#use(upstream);
    else if (upstream.index < active.index) this.#plan();
  }

  lost(upstream: Upstream, reason: string): void {
    this.#listener.lost(upstream, reason);
    if (this.#closed) return;
    if (this.#active === upstream) {
      this.#active = undefined;
      this.#endLinger(upstream);
      const other = this.upstreams.find((candidate) => candidate.job !== undefined);
      if (other !== undefined) {
        this.#use(other, upstream);
        return;
      }
      this.#listener.switched(undefined, upstream);
      // All up to the one after it at once: miners have no upstream.
      this.#started = Math.min(upstream.index + 1, this.upstreams.length - 1);
      for (const one of this.upstreams.slice(0, this.#started)) one.start();
      this.#startNext();
    } else if (this.#active === undefined) this.#startNext();
    else this.#plan();
  }

  #use(upstream: Upstream, before = this.#active): void {
    this.#next?.cancel();
    this.#next = undefined;
    this.#endLinger(upstream);
    this.#active = upstream;
    this.#listener.switched(upstream, before);
    // Its job may be one that cannot be mined: then it is lost already, and another one tried.
    if (this.#active !== upstream) return;
    for (const other of this.upstreams) {
      // Better ones are tried for, worse ones are not needed.
      if (other.index < upstream.index) other.start();
      else if (other.index > upstream.index) this.#letGo(other);
    }
    this.#plan();
  }

  /** Goes back to a better upstream when it has been well for long enough. */
  #plan(): void {
    this.#back?.cancel();
    this.#back = undefined;
    const active = this.#active;
    if (active === undefined) return;
    const better = this.upstreams.find(({ index, job }) => index < active.index && job !== undefined);
    if (better === undefined) return;
    const leftMs = this.#config.failover.returnAfterSeconds * 1000 - better.wellForMs;
    if (leftMs <= 0) this.#use(better);
    else this.#back = this.#parts.clock.setTimeout(() => this.#plan(), leftMs);
  }

  /** Stays connected for a while, for shares of the jobs it gave. */
  #letGo(upstream: Upstream): void {
    if (upstream.state === 'idle' || this.#lingering.has(upstream)) return;
    const lingerMs = upstream.job === undefined ? 0 : this.#config.failover.lingerSeconds * 1000;
    if (lingerMs === 0) {
      upstream.stop();
      return;
    }
    const timer = this.#parts.clock.setTimeout(() => {
      this.#lingering.delete(upstream);
      if (this.#active !== upstream) upstream.stop();
    }, lingerMs);
    this.#lingering.set(upstream, timer);
  }

  #endLinger(upstream: Upstream): void {
    this.#lingering.get(upstream)?.cancel();
    this.#lingering.delete(upstream);
  }

  /** Tries the next upstream of the list, and after a while without a job the one after it. */
  #startNext(): void {
    this.#next?.cancel();
    this.#next = undefined;
    const upstream = this.upstreams[this.#started];
    if (upstream === undefined || this.#closed) return;
    this.#started++;
    upstream.start();
    if (this.#started < this.upstreams.length && this.#active === undefined) {
      this.#next = this.#parts.clock.setTimeout(() => this.#startNext(), this.#config.failover.nextAfterSeconds * 1000);
    }
  }
}
