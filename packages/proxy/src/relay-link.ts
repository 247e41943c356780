import type { StratumClient, UnsolicitedMessage } from '@headframe/client';
import {
  type Clock,
  errorMessage,
  isPoolError,
  type Reject,
  type RejectCode,
  reject,
  type Timer,
} from '@headframe/primitives';
import type { CallContext, JsonRpcProtocol } from '@headframe/sessions';
import { decodeSetDifficulty, isStratumError } from '@headframe/stratum-v1';
import type { ProxyConfig } from './config.js';
import type { VerdictEvent } from './events.js';
import { Greeting } from './greeting.js';
import { noUpstream, type RelayUpstream, type RelayUpstreams } from './relay-upstreams.js';
import type { WorkerBook } from './worker-book.js';

export interface RelayParts {
  readonly config: ProxyConfig;
  readonly clock: Clock;
  readonly upstreams: RelayUpstreams;
  readonly book: WorkerBook;
  onVerdict(event: VerdictEvent): void;
}

/** The protocol object of a relayed session. */
export type RelayBase = JsonRpcProtocol<CallContext, RelayLink>;

/** Messages of an upstream that may wait for the reply before them, or for the miner to be moved. */
const MAX_HELD = 256;
/** Methods that an upstream may call on a miner. */
const MAX_CALLED = 32;
/** Between two rounds of attempts, while no upstream can be reached. */
const RETRY_MS = 2_000;
/** A line that lasted less is followed by a pause. */
const SHORT_MS = 30_000;
/** Refusals that count against a miner. */
const BLAMED: ReadonlySet<RejectCode> = new Set([
  'invalid-params',
  'invalid-extranonce2',
  'invalid-ntime',
  'invalid-nonce',
  'invalid-version-bits',
  'duplicate',
  'low-difficulty',
]);

/** One line to an upstream. */
interface Line {
  readonly upstream: RelayUpstream;
  readonly client: StratumClient;
  /** What came before the miner was moved here, or in this turn. */
  held: UnsolicitedMessage[];
  isUsed: boolean;
  readonly sinceMs: number;
}

/** One miner and its own connection to an upstream. Everything either says is passed on. */
export class RelayLink {
  readonly protocol: RelayBase;
  readonly #parts: RelayParts;
  readonly #greeting = new Greeting();
  readonly #stop = new AbortController();
  #line: Line | undefined = undefined;
  #finding: Promise<Line> | undefined = undefined;
  #back: Timer | undefined = undefined;
  #outage: Timer | undefined = undefined;
  #flushing = false;
  #difficulty = 0;
  /** Monotonic time before which no upstream is dialled. */
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(protocol: RelayBase, parts: RelayParts) {
    this.protocol = protocol;
    this.#parts = parts;
  }

  /** Name of the upstream it is on. */
  get upstream(): string | undefined {
    return this.#line?.upstream.name;
  }

  /** True when the miner logged in with this name. */
  hasLogin(username: string): boolean {
    return this.#greeting.hasLogin(username);
  }

  close(): void {
    this.#stop.abort();
    this.#back?.cancel();
    this.#outage?.cancel();
    const line = this.#line;
    this.#line = undefined;
    if (line !== undefined) {
      this.#parts.upstreams.left(line.upstream);
      void line.client.close();
    }
  }

  /** Passes a request of the miner on; what it is answered. */
  async forward(context: CallContext): Promise<unknown> {
    const { method, params } = context;
    for (let attempt = 0; ; attempt++) {
      let line: Line;
      try {
        line = this.#line ?? (await this.#find());
      } catch {
        return reject('busy', 'No upstream');
      }
      if (!context.wantsReply && method !== 'mining.submit') {
        line.client.notify(method, params);
        return undefined;
      }
      const sentMs = this.#parts.clock.monotonic();
      try {
        const result = await line.client.request(method, params);
        this.#heard(context, line, result, sentMs);
        return result;
      } catch (error) {
        // A share is not sent twice: the jobs of the next upstream are others.
        if (isPoolError(error, 'connection_closed') && method !== 'mining.submit' && attempt === 0 && !context.aborted)
          continue;
        return this.#refused(context, line, error);
      }
    }
  }

  #heard({ method, params }: CallContext, line: Line, result: unknown, sentMs: number): void {
    this.#greeting.heard(method, params, result);
    const { session } = this.protocol;
    if (method === 'mining.subscribe') session.markSubscribed();
    else if (method === 'mining.authorize' && result === true) session.markAuthorized();
    else if (method === 'mining.submit') {
      this.#parts.book.answered((this.#parts.clock.monotonic() - sentMs) / 1000);
      this.#verdict(
        line,
        params,
        result === true ? undefined : reject('other', 'The upstream did not accept the share'),
      );
    }
  }

  #refused({ method, params }: CallContext, line: Line, error: unknown): Reject {
    const refusal = isStratumError(error)
      ? reject(error.rejectCode, error.reason)
      : reject(
          'timeout',
          isPoolError(error, 'connection_closed') ? 'The upstream was lost' : 'No answer of the upstream',
        );
    if (method === 'mining.submit') this.#verdict(line, params, refusal, !isStratumError(error));
    return refusal;
  }

  #verdict({ upstream }: Line, params: unknown, refusal: Reject | undefined, isLost = false): void {
    const { book, onVerdict } = this.#parts;
    const [name]: readonly unknown[] = Array.isArray(params) ? params : [];
    const worker = typeof name === 'string' ? name.slice(0, 256) : this.#greeting.username;
    if (refusal === undefined) book.accepted(worker, this.#difficulty, false);
    else if (isLost) book.lost(worker);
    else book.rejected(worker, refusal.code);
    if (refusal === undefined || BLAMED.has(refusal.code)) {
      this.protocol.session.judge(refusal === undefined, this.#difficulty, worker);
    }
    onVerdict({
      upstream: upstream.name,
      worker,
      hash: '',
      isBlock: false,
      difficulty: this.#difficulty,
      accepted: refusal === undefined,
      code: refusal?.code,
      reason: refusal?.reason,
    });
  }

  // --- the line

  #find(): Promise<Line> {
    this.#finding ??= this.#seek().finally(() => {
      this.#finding = undefined;
    });
    return this.#finding;
  }

  /** The best upstream that takes this miner; tries until the session ends. */
  async #seek(): Promise<Line> {
    const { clock, upstreams } = this.#parts;
    const { signal } = this.#stop;
    // An upstream that drops us again and again is not dialled in a loop.
    const restMs = this.#notBeforeMs - clock.monotonic();
    if (restMs > 0) await this.#sleep(restMs);
    while (!signal.aborted) {
      let wasRefused = false;
      for (const upstream of upstreams.candidates()) {
        const line = await this.#try(upstream);
        if (typeof line === 'object') return line;
        if (signal.aborted) break;
        wasRefused ||= line === 'refused';
      }
      if (wasRefused && !signal.aborted) {
        // Nobody takes it as it introduced itself: it has to do so anew, and hears why not.
        this.protocol.session.close('kicked');
        throw noUpstream();
      }
      this.#watchOutage();
      await this.#sleep(RETRY_MS);
    }
    throw noUpstream();
  }

  /** Waits, or until the session ends. */
  #sleep(ms: number): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#parts.clock.setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  /** Connects to an upstream and moves the miner there; undefined when that fails, or that the miner was refused. */
  async #try(upstream: RelayUpstream): Promise<Line | 'refused' | undefined> {
    const { upstreams } = this.#parts;
    const { signal } = this.#stop;
    let client: StratumClient;
    try {
      client = await upstreams.open(upstream, signal);
    } catch {
      return undefined;
    }
    const line: Line = { upstream, client, held: [], isUsed: false, sinceMs: this.#parts.clock.monotonic() };
    client.on('message', (message) => this.#said(line, message));
    try {
      const given = await this.#greeting.repeat(client);
      if (signal.aborted || client.closed) throw noUpstream();
      this.#use(line, given);
      return line;
    } catch (error) {
      client.destroy();
      // A refusal is about this miner, and must not drive the others away.
      if (isStratumError(error)) return 'refused';
      if (!signal.aborted) upstreams.failed(upstream, errorMessage(error));
      return undefined;
    }
  }

  #use(line: Line, given: Pick<Greeting, 'extranonce' | 'versionMask'>): void {
    const { upstreams } = this.#parts;
    const before = this.#line;
    this.#line = line;
    this.#outage?.cancel();
    this.#outage = undefined;
    upstreams.joined(line.upstream);
    if (before !== undefined) this.#leave(before);
    line.client.on('closed', () => this.#lost(line));
    if (this.#tell(given)) {
      line.isUsed = true;
      this.#flushSoon(line);
      this.#planReturn();
    }
  }

  /** Tells the miner what is different now; false when it cannot be told, and must come back. */
  #tell({ extranonce, versionMask }: Pick<Greeting, 'extranonce' | 'versionMask'>): boolean {
    const greeting = this.#greeting;
    if (!greeting.subscribed) return true;
    const { session } = this.protocol;
    const had = greeting.extranonce;
    const isOther =
      extranonce?.extranonce1 !== had?.extranonce1 || extranonce?.extranonce2Size !== had?.extranonce2Size;
    if (isOther && (extranonce === undefined || !greeting.takesExtranonce)) {
      session.notify('client.reconnect', []);
      session.close('kicked');
      return false;
    }
    if (isOther && extranonce !== undefined) {
      session.notify('mining.set_extranonce', [extranonce.extranonce1, extranonce.extranonce2Size]);
      greeting.extranonce = extranonce;
    }
    if (greeting.versionMask !== undefined && versionMask !== greeting.versionMask) {
      greeting.versionMask = versionMask ?? '00000000';
      session.notify('mining.set_version_mask', [greeting.versionMask]);
    }
    return true;
  }

  #leave({ upstream, client }: Line): void {
    this.#parts.upstreams.left(upstream);
    void client.close();
  }

  #lost(line: Line): void {
    if (this.#line !== line) return;
    this.#line = undefined;
    this.#parts.upstreams.left(line.upstream);
    line.upstream.losses++;
    const nowMs = this.#parts.clock.monotonic();
    if (nowMs - line.sinceMs < SHORT_MS) this.#notBeforeMs = nowMs + RETRY_MS;
    // The miner waits for work: no request of its own would bring the next line about.
    this.#find().catch(() => {});
  }

  /** Tries the better upstreams from time to time. */
  #planReturn(): void {
    this.#back?.cancel();
    const { clock, config, upstreams } = this.#parts;
    const line = this.#line;
    if (line === undefined || line.upstream.index === 0 || this.#stop.signal.aborted) return;
    this.#back = clock.setTimeout(async () => {
      for (const upstream of upstreams.candidates(line.upstream.index)) {
        if (this.#line !== line) return;
        if (typeof (await this.#try(upstream)) === 'object') return;
      }
      if (this.#line === line) this.#planReturn();
    }, config.failover.returnAfterSeconds * 1000);
  }

  /** Without an upstream for too long, miners that should not wait are sent to their own fallback. */
  #watchOutage(): void {
    const { clock, config } = this.#parts;
    if (config.outage.miners !== 'refuse') return;
    this.#outage ??= clock.setTimeout(() => this.protocol.session.close('kicked'), config.outage.jobSeconds * 1000);
  }

  // --- what an upstream says

  #said(line: Line, message: UnsolicitedMessage): void {
    const { method, id } = message;
    if (method === 'client.reconnect') {
      // Where the miner is connected to is our business. We come back, to whatever upstream is best.
      queueMicrotask(() => line.client.destroy());
      return;
    }
    if (id !== undefined) {
      this.#called(line, method);
      return;
    }
    if (line.held.length >= MAX_HELD) {
      line.client.destroy();
      return;
    }
    line.held.push(message);
    if (line.isUsed) this.#flushSoon(line);
  }

  /** A request of the upstream goes to the miner, and its answer back. */
  readonly #calledMethods = new Set<string>();
  #called({ client }: Line, method: string): void {
    if (this.#calledMethods.size >= MAX_CALLED) return;
    this.#calledMethods.add(method);
    client.handle(method, (params) => this.protocol.session.request(method, Array.isArray(params) ? params : []));
  }

  /** In the next turn: replies that came before are given by then. */
  #flushSoon(line: Line): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      if (this.#line !== line) return;
      const { held } = line;
      line.held = [];
      for (const { method, params } of held) this.#pass(line, method, params);
    });
  }

  #pass({ upstream }: Line, method: string, params: unknown): void {
    if (method === 'mining.set_difficulty') {
      try {
        this.#difficulty = decodeSetDifficulty(params);
      } catch {
        // The miner may know what it means.
      }
    } else if (method === 'mining.set_extranonce') this.#greeting.renamed(params);
    else if (method === 'mining.notify') {
      upstream.jobs++;
      upstream.jobAtMs = this.#parts.clock.now();
    }
    this.protocol.notify(method, Array.isArray(params) ? params : []);
  }
}
