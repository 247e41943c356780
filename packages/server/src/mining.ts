import { canonicalDifficulty, type Difficulty, type JobRecord } from '@headframe/mining';
import { type Clock, type Logger, type Reject, reject, type TypedEmitter } from '@headframe/primitives';
import type { SessionCore } from '@headframe/sessions';
import type { PasswordOptions } from '@headframe/stratum-v1';
import type { Accounts } from './accounts.js';
import { Broadcaster, type BroadcasterOptions } from './broadcaster.js';
import { Channel, type ChannelPort, type KeptChannel } from './channel.js';
import type { MiningEvents } from './events.js';
import { ExtranonceAllocator } from './extranonce.js';
import { LeaseStore, newSessionToken } from './lease.js';
import type { MiningLimits } from './limits.js';
import { checkSizes, type TermsTable } from './terms.js';
import { WorkDesk } from './work-desk.js';

/** What {@link Mining} works with. */
export interface MiningParts<Account> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: MiningLimits;
  readonly events: TypedEmitter<MiningEvents<Account>>;
  readonly accounts: Accounts<Account>;
  readonly broadcast: Omit<BroadcasterOptions, 'clock'>;
  readonly keepAliveWith: 'work' | 'ping';
  readonly announceVersionMask: boolean;
  readonly terms: TermsTable;
  readonly isBanned: (accountKey: string, workerName: string) => boolean;
  /** Output sets for a user agent, best first. */
  readonly outputSets: ((userAgent: string) => readonly string[]) | undefined;
}

/** How the room for extranonce is split between us and the miner, in bytes. */
export interface ExtranonceSizes {
  /** Ours, 1 to 4: the miner's extranonce1. */
  readonly extranonce1Size: number;
  /** The miner's to roll, 1 to 8. */
  readonly extranonce2Size: number;
}

/** The life of channels, whatever protocol they come by: subscribe, authorize, work, leave, come back. */
export class Mining<Account> {
  readonly parts: MiningParts<Account>;
  readonly desk: WorkDesk<Account>;
  readonly broadcaster: Broadcaster<Account>;
  readonly leases: LeaseStore<KeptChannel>;
  /** Undefined until the core said which prefixes are ours. */
  extranonces: ExtranonceAllocator | undefined = undefined;
  #workers = 0;

  constructor(parts: MiningParts<Account>) {
    this.parts = parts;
    const { clock, log, limits, events } = parts;
    this.desk = new WorkDesk<Account>({
      clock,
      log,
      onRetarget: (channel, from, to) => {
        if (events.listenerCount('retargeted') === 0) return;
        events.safeEmit('retargeted', { session: channel.session, channel, from, to });
      },
    });
    this.leases = new LeaseStore({
      ttlMs: limits.leaseMs,
      limit: limits.leaseMs > 0 ? limits.leases : 0,
      onEnd: (kept, nowMs) => this.extranonces?.release(kept.prefix, nowMs),
    });
    this.broadcaster = new Broadcaster(
      this.desk,
      { clock, ...parts.broadcast },
      {
        beforeSweep: () => this.leases.expire(clock.monotonic()),
        keepAlive: (channel) => this.#keepAlive(channel),
      },
    );
  }

  /** Workers on all channels. */
  get workers(): number {
    return this.#workers;
  }

  open(session: SessionCore, port: ChannelPort): Channel<Account> {
    return new Channel(session, port, this.parts.terms.of(session.listener.index), this.parts.clock.monotonic());
  }

  /** Gives the channel its extranonce: that of a session it resumes, or a new one. Repeats change nothing. */
  subscribe(channel: Channel<Account>, sessionId: string | undefined): Reject | undefined {
    if (channel.prefix !== undefined) return undefined;
    const nowMs = this.parts.clock.monotonic();
    const kept = sessionId === undefined ? undefined : this.leases.take(sessionId, nowMs);
    if (kept !== undefined) {
      channel.adopt(kept, nowMs);
      channel.token = sessionId;
    } else {
      channel.prefix = this.extranonces?.allocate(nowMs);
      if (channel.prefix === undefined) return reject('busy', 'No extranonce to give');
      channel.token = newSessionToken();
    }
    const { outputSets } = this.parts;
    if (outputSets !== undefined) channel.outputSets = outputSets(channel.session.agent ?? '');
    channel.session.markSubscribed();
    const { events } = this.parts;
    events.safeEmit('subscribed', { session: channel.session, channel, resumed: kept !== undefined });
    return undefined;
  }

  /** Takes an account in under a name. The first one of a session may set its difficulty by password options. */
  authorize(
    channel: Channel<Account>,
    name: string,
    account: Account,
    options: PasswordOptions | undefined,
  ): true | Reject {
    const { accounts, limits, events, isBanned } = this.parts;
    const key = accounts.key(account);
    if (isBanned(key, name)) return reject('banned');
    if (channel.session.closed) return reject('internal');
    if (!channel.workers.hasRoom(name) || this.#workers >= limits.workers) {
      return reject('busy', 'Too many workers');
    }
    const worker = { name, account, key, address: accounts.address(account) };
    if (channel.workers.add(worker)) this.#workers++;
    if (!channel.working && options !== undefined) this.#applyOptions(channel, options);
    channel.session.markAuthorized();
    events.safeEmit('authorized', { session: channel.session, channel, worker });
    return true;
  }

  /**
   * Takes a worker from a channel: its shares are answered as those of nobody from now on. False when there is none of
   * exactly this name.
   */
  forgetWorker(channel: Channel<Account>, name: string): boolean {
    const isKnown = channel.workers.remove(name);
    if (isKnown) this.#workers--;
    return isKnown;
  }

  /** Begins to send work, once the replies to subscribe and authorize are given. */
  start(channel: Channel<Account>, greet: (give: () => void) => void): void {
    const { session } = channel;
    if (channel.working || channel.prefix === undefined || !session.authorized || session.closed) return;
    channel.working = true;
    const nowMs = this.parts.clock.monotonic();
    channel.workSentMs = nowMs;
    channel.vardiff?.begin(nowMs);
    this.broadcaster.add(channel);
    // A miner that comes back counts extranonce2 from zero: on a job it had it would find its old shares again. That job
    // may even be forgotten here, and with it what was paid: only work of its own is safe.
    const isResumed = channel.jobCount > 0;
    greet(() => {
      if (this.parts.announceVersionMask && channel.versionMask !== 0) {
        this.desk.renew(channel, { clean: true, versionMask: true });
      } else if (isResumed) this.desk.renew(channel, { clean: true });
      else this.desk.give(channel, true);
    });
  }

  /** The session is over: what it needs to come back is kept for a while. */
  close(channel: Channel<Account>): void {
    this.broadcaster.remove(channel);
    this.#workers -= channel.workers.size;
    const nowMs = this.parts.clock.monotonic();
    const kept = channel.keep();
    if (kept !== undefined && channel.token !== undefined) this.leases.put(channel.token, kept, nowMs);
    else if (channel.prefix !== undefined) this.extranonces?.release(channel.prefix, nowMs, true);
  }

  // --- difficulty

  /** A miner's wish. Answers without telling whether it was granted: that shows in the next `set_difficulty`. */
  suggest(channel: Channel<Account>, difficulty: number): void {
    this.#change(channel, channel.vardiff?.suggest(this.parts.clock.monotonic(), difficulty));
  }

  /** True when the channel will never go below `difficulty`: within the listener's range, that can be promised. */
  promiseMinimum(channel: Channel<Account>, difficulty: number): boolean {
    const { policy } = channel.terms;
    return difficulty <= (policy.kind === 'fixed' ? policy.difficulty.value : policy.vardiff.max);
  }

  raiseFloor(channel: Channel<Account>, difficulty: number): void {
    this.#change(channel, channel.vardiff?.raiseFloor(this.parts.clock.monotonic(), difficulty));
  }

  /** The operator's word, for good; within the listener's range where there is one. */
  setDifficulty(channel: Channel<Account>, difficulty: number): Difficulty {
    const wanted = canonicalDifficulty(difficulty, channel.terms.factor);
    const { vardiff } = channel;
    this.#change(
      channel,
      vardiff === undefined ? wanted.value : vardiff.fix(this.parts.clock.monotonic(), wanted.value),
    );
    return channel.difficulty;
  }

  /** The channel's listener has other terms now: what the miner asked for stays, within them. */
  changeTerms(channel: Channel<Account>): void {
    const terms = this.parts.terms.of(channel.session.listener.index);
    this.#change(channel, channel.changeTerms(terms, this.parts.clock.monotonic()));
  }

  #applyOptions(channel: Channel<Account>, options: PasswordOptions): void {
    if (options.minimumDifficulty !== undefined) this.raiseFloor(channel, options.minimumDifficulty);
    if (options.difficulty !== undefined) this.suggest(channel, options.difficulty);
    if (options.fixedDifficulty !== undefined) {
      this.#change(channel, channel.vardiff?.fix(this.parts.clock.monotonic(), options.fixedDifficulty));
    }
  }

  #change(channel: Channel<Account>, difficulty: number | undefined): void {
    if (difficulty === undefined || difficulty === channel.difficulty.value) return;
    this.desk.adopt(channel, difficulty);
    if (channel.working) this.desk.renew(channel);
  }

  // --- other settings

  /** New version bits for a channel; older jobs may be rolled by their own mask, too. */
  setVersionMask(channel: Channel<Account>, mask: number, tell: boolean): void {
    channel.versionMask = mask >>> 0;
    channel.widenMask(mask);
    if (tell && channel.working) this.desk.renew(channel, { versionMask: true });
  }

  /** Another extranonce prefix, with new work. False when the miner cannot be told, or there is none left. */
  renewExtranonce(channel: Channel<Account>): boolean {
    const old = channel.prefix;
    if (!channel.takesExtranonce || !channel.working || old === undefined) return false;
    const nowMs = this.parts.clock.monotonic();
    const prefix = this.extranonces?.allocate(nowMs);
    if (prefix === undefined) return false;
    channel.prefix = prefix;
    this.extranonces?.release(old, nowMs);
    this.desk.renew(channel, { clean: true, extranonce: true });
    return true;
  }

  /**
   * Sizes of extranonce for sessions to come; those that are open need {@link changeExtranonce}.
   * @throws PoolError `invalid_argument` for sizes that cannot be
   */
  resize(sizes: ExtranonceSizes): void {
    checkSizes(sizes);
    const { terms, limits, clock } = this.parts;
    terms.resize(sizes.extranonce2Size);
    if (this.extranonces?.length === sizes.extranonce1Size) return;
    // What is leased has the old size.
    this.leases.clear(clock.monotonic());
    this.extranonces = new ExtranonceAllocator({
      instance: 0,
      length: sizes.extranonce1Size,
      limit: limits.extranonces,
      cooldownMs: limits.leaseMs,
    });
  }

  /**
   * Other sizes of extranonce, from this job on. Miners that can be told get it with the job; the others cannot go on
   * and are handed to `leave`. The job must have a variant for `extranonce1Size + extranonce2Size` bytes.
   * @param channels of all sessions, those without work included
   * @throws PoolError `invalid_argument` for sizes that cannot be
   */
  changeExtranonce(
    sizes: ExtranonceSizes,
    record: JobRecord,
    channels: Iterable<Channel<Account>>,
    leave: (channel: Channel<Account>) => void,
  ): void {
    this.resize(sizes);
    const nowMs = this.parts.clock.monotonic();
    const { terms } = this.parts;
    this.broadcaster.replace(record);
    for (const channel of channels) {
      const { prefix } = channel;
      const before = channel.terms.extranonce2Size;
      channel.terms = terms.of(channel.session.listener.index);
      if (prefix === undefined) continue;
      const isOther = prefix.length !== sizes.extranonce1Size;
      if (!isOther && before === sizes.extranonce2Size) {
        if (channel.working) this.desk.give(channel, true);
        continue;
      }
      const renewed = isOther ? this.extranonces?.allocate(nowMs) : prefix;
      if (!channel.working || !channel.takesExtranonce || renewed === undefined) leave(channel);
      else {
        channel.prefix = renewed;
        this.desk.renew(channel, { clean: true, extranonce: true });
      }
    }
    this.parts.events.safeEmit('job', { job: record, clean: true });
  }

  /** Takes the job back: shares of it are stale, and miners wait until there is another. */
  withdrawJob(): void {
    this.broadcaster.withdraw();
  }

  #keepAlive(channel: Channel<Account>): void {
    channel.workSentMs = this.parts.clock.monotonic();
    if (this.parts.keepAliveWith === 'ping') {
      channel.request('mining.ping', []).catch((error: unknown) => {
        channel.session.log.debug({ err: error }, 'no answer to ping');
      });
    } else if (this.desk.current !== undefined) this.desk.renew(channel);
    else this.desk.tellDifficulty(channel);
  }
}
