import {
  type DialOptions,
  type JobStatus,
  type MinerJob,
  MiningClient,
  type ReadyEvent,
  type SubmitOutcome,
} from '@headframe/client';
import { BoundedMap, type Clock, errorMessage, type Logger, PoolError, type Timer } from '@headframe/primitives';
import { isStratumError } from '@headframe/stratum-v1';
import type { ProxyConfig } from './config.js';
import type { UpstreamShare } from './proxied-job.js';

/** What an upstream is doing. */
export type UpstreamState = 'idle' | 'connecting' | 'ready' | 'ill';

/** Opens a connection to an upstream in place of TCP or TLS; for tests and transports of your own. */
export type UpstreamConnect = NonNullable<DialOptions['connect']>;

/** A name that shares are handed in under. */
export interface UpstreamLogin {
  readonly username: string;
  readonly password: string;
}

/** Told what happens to an upstream. */
export interface UpstreamListener {
  /** It has a job: the first one, or another. */
  job(upstream: Upstream, job: MinerJob): void;
  /** The connection is gone, or not to be used any more. */
  lost(upstream: Upstream, reason: string): void;
  /** Introduced; `resumed`: it knows the jobs of the last connection. */
  ready(upstream: Upstream, resumed: boolean): void;
  /** A text for people. */
  notice(upstream: Upstream, text: string): void;
}

export interface UpstreamParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly listener: UpstreamListener;
  readonly connect?: UpstreamConnect | undefined;
  readonly random?: (() => number) | undefined;
}

/** Workers that one connection remembers as authorized; each costs a line when it is made again. */
const MAX_LOGINS = 65_536;
/** Lines that make no sense, in a row without a job between them, after which an upstream is ill. */
const MAX_INVALID = 20;
/** So many workers cannot all be the fault of one miner. */
const ENOUGH_WORKERS = 2;
/** Shares that may wait for an answer. A slow pool at 100 shares a second is 40 s behind then. */
const MAX_PENDING = 4096;
/** Connections lost within a minute of being made, in a row, after which an upstream is left alone. */
const MAX_SHORT = 5;
const SHORT_MS = 60_000;

/** How to trust an upstream, as the client takes it. */
export function tlsOptions(tls: ProxyConfig['upstreams'][number]['tls']): DialOptions['tls'] {
  if (tls === undefined) return undefined;
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.fingerprint === undefined ? {} : { fingerprint256: tls.fingerprint }),
    allowSelfSigned: tls.allowSelfSigned,
  };
}

/** One pool above us: a connection that is made again when lost, and whether it is well. */
export class Upstream {
  readonly index: number;
  readonly name: string;
  readonly settings: ProxyConfig['upstreams'][number];
  readonly log: Logger;
  readonly #config: ProxyConfig;
  readonly #parts: UpstreamParts;
  #client: MiningClient | undefined = undefined;
  #state: UpstreamState = 'idle';
  #job: MinerJob | undefined = undefined;
  #wellSinceMs = 0;
  #rest: Timer | undefined = undefined;
  #silence: Timer | undefined = undefined;
  #rejectsInARow = 0;
  /** Workers of the refusals in a row, and of all shares on this connection; at most two of either. */
  readonly #rejectedWorkers = new Set<string>();
  readonly #judgedWorkers = new Set<string>();
  #invalidInARow = 0;
  #shortInARow = 0;
  #readyAtMs = 0;
  #epoch = 0;
  #jobAtMs = 0;
  #detail = '';
  /** Names and passwords sent to the connection of the moment, with what it said. */
  #logins = new BoundedMap<string, Promise<string | undefined>>(MAX_LOGINS);
  /** Requests without an answer, and how often it was lost, since the start. */
  losses = 0;
  connects = 0;
  jobs = 0;

  constructor(index: number, config: ProxyConfig, parts: UpstreamParts) {
    const settings = config.upstreams[index];
    if (settings === undefined) throw new PoolError('invalid_argument', `there is no upstream ${index}`);
    this.index = index;
    this.settings = settings;
    this.name = settings.name ?? settings.url;
    this.#config = config;
    this.#parts = parts;
    this.log = parts.log.child({ upstream: this.name });
  }

  get state(): UpstreamState {
    return this.#state;
  }
  /** Why it is in this state, in words. */
  get detail(): string {
    return this.#detail;
  }
  /** The job of the moment; undefined unless it is well. */
  get job(): MinerJob | undefined {
    return this.#state === 'ready' ? this.#job : undefined;
  }
  /** Milliseconds of being well without a break. */
  get wellForMs(): number {
    return this.job === undefined ? 0 : this.#parts.clock.monotonic() - this.#wellSinceMs;
  }
  /** Unix milliseconds of the last job; 0 without one. */
  get jobAtMs(): number {
    return this.#jobAtMs;
  }
  /** Changes when the jobs that were given out are worthless: with every connection that does not resume the last one. */
  get epoch(): number {
    return this.#epoch;
  }
  get difficulty(): number | undefined {
    return this.#client?.difficulty;
  }
  /** Requests without an answer so far. */
  get pending(): number {
    return this.#client?.connection?.pendingRequests ?? 0;
  }

  /** Connects, and keeps connected. Does nothing while it does so already, or rests. */
  start(): void {
    if (this.#client !== undefined || this.#rest !== undefined) return;
    const { settings } = this;
    const { clock, connect, random } = this.#parts;
    this.#set('connecting', 'not connected yet');
    const tls = tlsOptions(settings.tls);
    const client = new MiningClient({
      ...(connect === undefined ? { url: settings.url } : { url: settings.url, connect }),
      ...(tls === undefined ? {} : { tls }),
      workers: [{ username: settings.user, password: settings.password }],
      agent: 'headframe-proxy',
      clock,
      log: this.log,
      maxPending: MAX_PENDING,
      ...(random === undefined ? {} : { random }),
    });
    this.#client = client;
    client.on('ready', (event) => this.#ready(client, event));
    client.on('job', (job) => this.#jobCame(client, job));
    client.on('notice', (text) => this.#parts.listener.notice(this, text));
    client.on('invalid', ({ reason, method }) => {
      this.log.debug({ reason, method }, 'the upstream sent something that makes no sense');
      this.#invalidInARow++;
      if (this.#invalidInARow >= MAX_INVALID) this.fail(`${MAX_INVALID} messages that make no sense`);
    });
    client.on('disconnected', ({ error }) => this.#disconnected(client, error));
    client.start().catch((error: unknown) => {
      if (this.#client === client) this.#lost(errorMessage(error));
    });
  }

  /** Disconnects and stays away. */
  stop(): void {
    this.#rest?.cancel();
    this.#rest = undefined;
    this.#end();
    this.#set('idle', 'not in use');
  }

  /** It is ill: disconnects, and comes back after a rest. */
  fail(reason: string): void {
    if (this.#client === undefined) return;
    const { listener, clock } = this.#parts;
    this.log.warn({ reason }, 'upstream is ill');
    this.#end();
    this.#set('ill', reason);
    this.#rest?.cancel();
    this.#rest = clock.setTimeout(() => {
      this.#rest = undefined;
      this.start();
    }, this.#config.failover.restSeconds * 1000);
    this.losses++;
    listener.lost(this, reason);
  }

  /** Whether shares of a job of this upstream still count there. */
  jobStatus(job: MinerJob, epoch: number): JobStatus {
    if (this.#state !== 'ready' || epoch !== this.#epoch) return 'unknown';
    const status = this.#client?.jobStatus(job.jobId) ?? 'unknown';
    // After a resume the connection does not know what was sent on the last one; the pool does.
    return status === 'unknown' ? 'live' : status;
  }

  /**
   * Makes a name known to the upstream, once per connection and password. Resolves with why it was refused, or undefined.
   * @throws PoolError (as a rejection) when there was no answer
   */
  authorize(login: UpstreamLogin): Promise<string | undefined> {
    const { username, password } = login;
    if (username === this.settings.user) return Promise.resolve(undefined);
    // A name with another password is asked again: a wrong one must not speak for the right one, nor the other way round.
    const key = JSON.stringify([username, password]);
    const known = this.#logins.get(key);
    if (known !== undefined) return known;
    const client = this.#client;
    if (client === undefined)
      return Promise.reject(new PoolError('connection_closed', 'not connected to the upstream'));
    const asked = client.request('mining.authorize', [username, password]).then(
      (result) => (result === true ? undefined : 'the upstream does not know the name'),
      (error: unknown) => {
        if (!isStratumError(error)) throw error;
        return error.reason;
      },
    );
    const logins = this.#logins;
    logins.set(key, asked);
    // Without an answer it is asked again.
    asked.catch(() => logins.delete(key));
    return asked;
  }

  /** Hands a share in, right behind the name it is for where that is new. Settles like `MiningClient.submit`. */
  submit(share: UpstreamShare, login: UpstreamLogin): Promise<SubmitOutcome> {
    const client = this.#client;
    if (client === undefined || this.#state !== 'ready') {
      return Promise.reject(new PoolError('connection_closed', 'not connected to the upstream'));
    }
    // Pools read in order: the share need not wait for the answer.
    this.authorize(login).catch(() => {});
    return client.submit(share, login.username);
  }

  /**
   * The upstream's verdict on a share: too many refusals in a row mean that it does not want us. Those of one worker
   * among several do not: it would be in the power of one miner to move all others.
   */
  judged(isAccepted: boolean, worker: string): void {
    if (this.#judgedWorkers.size < ENOUGH_WORKERS) this.#judgedWorkers.add(worker);
    if (isAccepted) {
      this.#rejectsInARow = 0;
      this.#rejectedWorkers.clear();
      return;
    }
    this.#rejectsInARow++;
    if (this.#rejectedWorkers.size < ENOUGH_WORKERS) this.#rejectedWorkers.add(worker);
    const { rejects } = this.#config.failover;
    if (this.#rejectsInARow < rejects || this.#rejectedWorkers.size < this.#judgedWorkers.size) return;
    this.fail(`${rejects} shares refused in a row`);
  }

  #ready(client: MiningClient, { resumed }: ReadyEvent): void {
    if (this.#client !== client) return;
    this.connects++;
    this.#readyAtMs = this.#parts.clock.monotonic();
    this.#logins = new BoundedMap(MAX_LOGINS);
    this.#rejectsInARow = 0;
    this.#rejectedWorkers.clear();
    this.#judgedWorkers.clear();
    if (!resumed) this.#epoch++;
    this.#set('ready', 'no job yet');
    this.#watchSilence();
    this.#parts.listener.ready(this, resumed);
    // Jobs come before the answer to authorize, too.
    const { job } = client;
    if (job !== undefined) this.#take(job);
  }

  #jobCame(client: MiningClient, job: MinerJob): void {
    if (this.#client === client && this.#state === 'ready') this.#take(job);
  }

  #take(job: MinerJob): void {
    const { clock, listener } = this.#parts;
    if (this.#job === undefined) this.#wellSinceMs = clock.monotonic();
    this.#job = job;
    this.#jobAtMs = clock.now();
    this.#invalidInARow = 0;
    this.jobs++;
    this.#set('ready', '');
    this.#watchSilence();
    listener.job(this, job);
  }

  #watchSilence(): void {
    this.#silence?.cancel();
    const { silentSeconds } = this.#config.failover;
    this.#silence = this.#parts.clock.setTimeout(
      () => this.fail(`no job for ${silentSeconds} s`),
      silentSeconds * 1000,
    );
  }

  #disconnected(client: MiningClient, error: Error): void {
    if (this.#client !== client) return;
    const wasShort = this.#state === 'ready' && this.#parts.clock.monotonic() - this.#readyAtMs < SHORT_MS;
    this.#shortInARow = wasShort ? this.#shortInARow + 1 : 0;
    if (this.#shortInARow >= MAX_SHORT) {
      this.#shortInARow = 0;
      this.fail(`${MAX_SHORT} connections that did not last`);
    } else this.#lost(error.message);
  }

  #lost(reason: string): void {
    this.#silence?.cancel();
    this.#job = undefined;
    this.losses++;
    this.#set('connecting', reason);
    this.log.warn({ reason }, 'upstream lost');
    this.#parts.listener.lost(this, reason);
  }

  #end(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#job = undefined;
    this.#silence?.cancel();
    // The next connection is a stranger to the pool.
    this.#epoch++;
    void client?.close();
  }

  #set(state: UpstreamState, detail: string): void {
    this.#state = state;
    this.#detail = detail;
  }
}
