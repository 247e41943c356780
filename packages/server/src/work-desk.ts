import {
  canonicalDifficulty,
  deriveJob,
  FIRST_DERIVED_JOB_ID,
  type HashableJob,
  hashableJob,
  type JobRecord,
} from '@headframe/mining';
import { type Clock, equalBytes, Histogram, type Logger } from '@headframe/primitives';
import { encodeSetDifficulty, encodeSetExtranonce, encodeSetVersionMask } from '@headframe/stratum-v1';
import { type NotifyLines, WorkUpdate } from '@headframe/transport';
import type { Channel } from './channel.js';
import { ChannelJob } from './channel-job.js';
import { notifyLines, type PreparedJob, PreparedVariants } from './prepared-variants.js';

/** Settings that change together with a job. */
export interface WorkChange {
  /** The miner must drop older work. */
  readonly clean?: boolean;
  /** The extranonce prefix changed. */
  readonly extranonce?: boolean;
  /** Tell the version mask. */
  readonly versionMask?: boolean;
}

/** Told when a channel's difficulty changes while it works. */
export type RetargetListener<Account> = (channel: Channel<Account>, from: number, to: number) => void;

const IDS = 0x80000000;

/** Gives channels their jobs: the one of the moment, or one derived from it that only this channel gets. */
export class WorkDesk<Account = unknown> {
  /** Seconds from the first to the last write to a socket when a job of a new block went to all. */
  readonly broadcastSeconds = new Histogram();
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onRetarget: RetargetListener<Account>;
  #current: JobRecord | undefined = undefined;
  #tip = 0;
  /** Of the current job, by extranonce length. */
  readonly #prepared = new Map<number, PreparedVariants>();
  #nextDerived: number;

  constructor(parts: {
    readonly clock: Clock;
    readonly log: Logger;
    readonly onRetarget: RetargetListener<Account>;
  }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#onRetarget = parts.onRetarget;
    // Ids must differ from those before a restart. A thousand per second of uptime would be needed to catch up.
    this.#nextDerived = parts.clock.now() % IDS;
  }

  /** The newest job, undefined while the core has sent none. */
  get current(): JobRecord | undefined {
    return this.#current;
  }

  /** Number of the chain tip: one more with every new previous block. */
  get tip(): number {
    return this.#tip;
  }

  /** Makes a job the one of the moment. True when it builds on another block, or says that older jobs are worthless. */
  publish(record: JobRecord): boolean {
    const before = this.#current;
    const isNewTip = before === undefined || record.clean || !equalBytes(before.previousHash, record.previousHash);
    this.#current = record;
    this.#prepared.clear();
    if (isNewTip) this.#tip++;
    return isNewTip;
  }

  /** There is no job any more: older ones are worthless, and nobody gets work before the next. */
  withdraw(): void {
    this.#current = undefined;
    this.#prepared.clear();
    this.#tip++;
  }

  /** Gives the channel the current job as it is, shared with all others. */
  give(channel: Channel<Account>, clean: boolean): void {
    const record = this.#current;
    if (record === undefined) return;
    const prepared = this.#prepare(channel);
    if (prepared === undefined || channel.prefix === undefined) return;
    // An id names one piece of work: a job that the channel had, and may have forgotten with what was paid on it, comes
    // back under another one. Ids of the core increase.
    if (record.id <= channel.newestBaseId) {
      this.renew(channel, { clean });
      return;
    }
    this.#adjust(channel, record);
    this.#remember(channel, prepared.hashable, record);
    if (channel.sentDifficulty?.value === channel.difficulty.value) {
      channel.sendWork(clean ? prepared.clean : prepared.keep);
    } else this.#send(channel, prepared.lines, { clean });
  }

  /**
   * Gives all channels the job of a new block. First the writes, then the books: with them between, the last of 10,000
   * miners would have its job a fifth later. No share comes in before both are done.
   */
  giveAll(channels: Iterable<Channel<Account>>): void {
    const record = this.#current;
    if (record === undefined) return;
    const told: Channel<Account>[] = [];
    const startedMs = this.#clock.monotonic();
    for (const channel of channels) {
      const prepared = this.#prepare(channel);
      if (prepared === undefined || channel.prefix === undefined) continue;
      this.#adjust(channel, record);
      if (record.id > channel.newestBaseId && channel.sentDifficulty?.value === channel.difficulty.value) {
        channel.sendWork(prepared.clean);
        told.push(channel);
      } else this.give(channel, true);
    }
    this.broadcastSeconds.record((this.#clock.monotonic() - startedMs) / 1000);
    for (const channel of told) {
      const prepared = this.#prepare(channel);
      if (prepared !== undefined) this.#remember(channel, prepared.hashable, record);
    }
  }

  /** Gives the channel fresh work of the current job: the same content under a new id. */
  renew(channel: Channel<Account>, change: WorkChange = {}): void {
    const record = this.#current;
    const { prefix } = channel;
    if (record === undefined || prefix === undefined) return;
    const prepared = this.#prepare(channel);
    if (prepared === undefined) return;
    const derived = deriveJob(record, this.#derivedId(), this.#clock.now());
    this.#adjust(channel, record);
    const hashable = hashableJob(derived, prepared.key);
    this.#remember(channel, hashable, derived);
    this.#send(channel, notifyLines(derived, hashable), change);
  }

  /** Tells the difficulty alone: a sign of life while there is no job. It is told again with the first job. */
  tellDifficulty(channel: Channel<Account>): void {
    channel.sendLine(encodeSetDifficulty(channel.difficulty.text));
  }

  #send(channel: Channel<Account>, notify: NotifyLines, change: WorkChange): void {
    const { difficulty, prefix } = channel;
    const tellDifficulty = channel.sentDifficulty?.value !== difficulty.value;
    channel.sentDifficulty = difficulty;
    channel.sendWork(
      new WorkUpdate({
        notify,
        clean: change.clean ?? false,
        ...(tellDifficulty ? { difficulty: encodeSetDifficulty(difficulty.text) } : {}),
        ...(change.extranonce && prefix
          ? { extranonce: encodeSetExtranonce(prefix, channel.terms.extranonce2Size) }
          : {}),
        ...(change.versionMask ? { versionMask: encodeSetVersionMask(channel.versionMask) } : {}),
      }),
    );
  }

  /** The vardiff ceiling follows the network. */
  #adjust(channel: Channel<Account>, record: JobRecord): void {
    const { vardiff } = channel;
    if (vardiff === undefined) return;
    const changed = vardiff.limit(this.#clock.monotonic(), record.networkDifficulty);
    if (changed !== undefined) this.adopt(channel, changed);
  }

  /** The channel's difficulty from the next job on. */
  adopt(channel: Channel<Account>, difficulty: number): void {
    const from = channel.difficulty.value;
    channel.difficulty = canonicalDifficulty(difficulty, channel.terms.factor);
    if (channel.working && from !== channel.difficulty.value) this.#onRetarget(channel, from, channel.difficulty.value);
  }

  #remember(channel: Channel<Account>, hashable: HashableJob, record: JobRecord): void {
    if (channel.jobCount === 0) channel.vardiff?.begin(this.#clock.monotonic());
    channel.addJob(
      new ChannelJob(record, hashable, {
        difficulty: channel.difficulty,
        prefix: channel.prefix ?? new Uint8Array(0),
        tip: this.#tip,
        versionMask: (channel.versionMask & record.versionMask) >>> 0,
      }),
    );
    channel.baseJobId = record.baseId;
    if (record.baseId > channel.newestBaseId) channel.newestBaseId = record.baseId;
    channel.workSentMs = this.#clock.monotonic();
  }

  #prepare(channel: Channel<Account>): PreparedJob | undefined {
    const { extranonceLength } = channel;
    let prepared = this.#prepared.get(extranonceLength);
    if (prepared === undefined) {
      const record = this.#current;
      if (record === undefined) return undefined;
      prepared = new PreparedVariants(record, extranonceLength);
      this.#prepared.set(extranonceLength, prepared);
      if (prepared.count === 0) {
        this.#log.error({ job: record.id, extranonceLength }, 'the job has no variant for this extranonce length');
      }
    }
    return prepared.only ?? prepared.of(channel.outputSets);
  }

  #derivedId(): number {
    const id = FIRST_DERIVED_JOB_ID + this.#nextDerived;
    this.#nextDerived = (this.#nextDerived + 1) % IDS;
    return id;
  }
}
