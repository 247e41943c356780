import { connectStratum, type StratumClient } from '@headframe/client';
import { type Clock, errorMessage, type Logger, PoolError } from '@headframe/primitives';
import type { ProxyConfig } from './config.js';
import type { UpstreamRow } from './stats.js';
import { tlsOptions, type UpstreamConnect, type UpstreamState } from './upstream.js';

interface Entry {
  readonly index: number;
  readonly name: string;
  readonly settings: ProxyConfig['upstreams'][number];
  /** Monotonic time until which it is left alone. */
  restsUntilMs: number;
  state: UpstreamState;
  detail: string;
  connects: number;
  losses: number;
  jobs: number;
  jobAtMs: number;
  /** Miners on it. */
  links: number;
}

/** An upstream of a one-to-one proxy, as its links see it. */
export type RelayUpstream = Entry;

/** The upstreams of a one-to-one proxy: which one the next miner is connected to. */
export class RelayUpstreams {
  readonly #config: ProxyConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #connect: UpstreamConnect | undefined;
  readonly #entries: readonly Entry[];

  constructor(
    config: ProxyConfig,
    parts: { readonly clock: Clock; readonly log: Logger; readonly connect: UpstreamConnect | undefined },
  ) {
    this.#config = config;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#connect = parts.connect;
    this.#entries = config.upstreams.map((settings, index) => ({
      index,
      name: settings.name ?? settings.url,
      settings,
      restsUntilMs: Number.NEGATIVE_INFINITY,
      state: 'idle',
      detail: '',
      connects: 0,
      losses: 0,
      jobs: 0,
      jobAtMs: 0,
      links: 0,
    }));
  }

  /** True while every upstream is being left alone. */
  get isOut(): boolean {
    return this.#entries.every((entry) => this.#rests(entry));
  }

  /** Those worth trying, the best first; only those before `below` where it is given. */
  candidates(below = this.#entries.length): readonly RelayUpstream[] {
    return this.#entries.filter((entry) => entry.index < below && !this.#rests(entry));
  }

  #rests(entry: Entry): boolean {
    return this.#clock.monotonic() < entry.restsUntilMs;
  }

  /** Opens a connection. An upstream that cannot be reached is left alone for a while. @throws what the connection threw */
  async open(upstream: RelayUpstream, signal: AbortSignal): Promise<StratumClient> {
    const { settings } = upstream;
    const tls = tlsOptions(settings.tls);
    try {
      return await connectStratum({
        url: settings.url,
        ...(this.#connect === undefined ? {} : { connect: this.#connect }),
        ...(tls === undefined ? {} : { tls }),
        agent: 'headframe-proxy',
        clock: this.#clock,
        log: this.#log,
        idleTimeoutMs: this.#config.failover.silentSeconds * 1000,
        signal,
      });
    } catch (error) {
      if (!signal.aborted) this.failed(upstream, errorMessage(error));
      throw error;
    }
  }

  /** A miner is on it now. */
  joined(upstream: RelayUpstream): void {
    upstream.state = 'ready';
    upstream.detail = '';
    upstream.restsUntilMs = Number.NEGATIVE_INFINITY;
    upstream.connects++;
    upstream.links++;
  }

  left(upstream: RelayUpstream): void {
    upstream.links--;
    if (upstream.links === 0 && upstream.state === 'ready') upstream.state = 'idle';
  }

  /** It cannot be reached, or does not want us: the next one is tried. */
  failed(upstream: RelayUpstream, reason: string): void {
    upstream.state = 'ill';
    upstream.detail = reason;
    upstream.losses++;
    upstream.restsUntilMs = this.#clock.monotonic() + this.#config.failover.restSeconds * 1000;
    this.#log.warn({ upstream: upstream.name, reason }, 'upstream not usable');
  }

  rows(): readonly UpstreamRow[] {
    return this.#entries.map(({ name, state, detail, connects, losses, jobs, jobAtMs, links }) => ({
      name,
      active: links > 0,
      state,
      detail,
      difficulty: undefined,
      pending: 0,
      connects,
      losses,
      jobs,
      jobAtMs,
    }));
  }
}

/** No upstream can be reached. */
export function noUpstream(): PoolError {
  return new PoolError('connection_refused', 'no upstream can be reached');
}
