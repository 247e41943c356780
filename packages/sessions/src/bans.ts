import { BoundedMap, type Clock, PoolError } from '@headframe/primitives';
import { type AddressMatcher, createAddressMatcher } from '@headframe/transport';
import { addressKey } from './address.js';
import type { AddressEntry } from './addresses.js';
import { Score } from './score.js';

/** What a ban in a list is keyed by: an address (IPv6: its /64), a CIDR, an account key, the full name of a worker. */
export type ListedScope = 'address' | 'subnet' | 'account' | 'worker';

/** What a ban is keyed by. A `session` verdict closes one session and leaves nothing behind. */
export type BanScope = ListedScope | 'session';

/** The scopes of bans in a list. */
export const BAN_SCOPES: readonly ListedScope[] = ['address', 'subnet', 'account', 'worker'];

/** A ban in force, or the verdict on a session. */
export interface Ban {
  readonly scope: BanScope;
  /** Address (IPv6: its /64), CIDR, account key, name of a worker, or session id. */
  readonly key: string;
  readonly reason: string;
  /** Unix milliseconds. */
  readonly sinceMs: number;
  /** Unix milliseconds; equals `sinceMs` for a session. */
  readonly untilMs: number;
}

/** A ban and when it ends by the clock that nobody sets: setting the machine's time frees nobody and keeps nobody. */
interface Entry {
  readonly ban: Ban;
  /** Monotonic ms. */
  readonly endsMs: number;
  /** Of a subnet. */
  readonly matcher: AddressMatcher | undefined;
}

/** Every new connection is held against each of them. */
const MAX_SUBNETS = 1_024;
/** Longest key: names of workers are shorter on the wire already. */
const MAX_KEY_LENGTH = 256;

const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1'];

/** When somebody is banned and for how long. */
export interface BanOptions {
  /** `false`: scores are kept for show, but nobody is banned by score; `add` still works. Default true. */
  readonly enabled?: boolean;
  /** Default 600,000: long enough to stop a flood, short enough that a repaired miner is back the same day. */
  readonly durationMs?: number;
  /** Past work counts half after it. Default 600,000. */
  readonly halfLifeMs?: number;
  /** Bad shares (decayed count) below which there is no verdict. Default 100: a reconnect can make dozens stale. */
  readonly minBad?: number;
  /** Bad part of the work (by weight) from which on there is a verdict. Default 0.5, as pools have used for years. */
  readonly badRatio?: number;
  /** Sessions closed for protocol violations (decayed) that ban an address without good work. Default 20. */
  readonly strikes?: number;
  /**
   * Addresses and CIDRs that are never banned and never limited by address. Default: this machine, for whoever
   * connects from it is the operator or a local proxy with all miners behind it.
   */
  readonly allow?: readonly string[];
  /** Bans kept at most; the oldest goes first. Default 65,536. */
  readonly maxBans?: number;
  /** Accounts whose work is remembered at most; the oldest goes first. Default 65,536. */
  readonly maxAccounts?: number;
  /** Points of {@link BanList.penalize} (decayed) that ban. Default 100. */
  readonly maxPoints?: number;
}

/** What the ban list must know of a session to judge it. */
export interface JudgedSession {
  readonly id: number;
  readonly address: AddressEntry;
  readonly exempt: boolean;
  score: Score | undefined;
}

/**
 * Who is kept out, by address and by account, and the scores that lead to it. Bans end by themselves. Aware of NAT: an
 * address is banned only when the work of all its sessions together is bad; one bad miner among good ones loses its
 * account or just its session. An account is not blamed for work from an address that does nothing but bad work, for
 * anyone may claim any account.
 */
export class BanList {
  readonly #clock: Clock;
  readonly #bans: Readonly<Record<ListedScope, BoundedMap<string, Entry>>>;
  /** Points by scope and key. */
  readonly #points: BoundedMap<string, Score>;
  readonly #maxPoints: number;
  readonly #accounts: BoundedMap<string, Score>;
  #enabled = true;
  #durationMs = 0;
  readonly #halfLifeMs: number;
  #minBad = 0;
  #badRatio = 0;
  readonly #strikes: number;
  #allow: AddressMatcher;
  /** All subnets that are banned; made when first needed after a change. */
  #inSubnets: AddressMatcher | undefined = undefined;
  /** Called with every new ban, before sessions are closed for it. */
  onBan: (ban: Ban) => void = () => {};
  /** Called when the bans in the list have changed: somebody may want to keep them. */
  onChange: () => void = () => {};

  /** @throws PoolError `invalid_argument` for an `allow` entry that is no address and no CIDR. */
  constructor(options: BanOptions, clock: Clock) {
    const maxBans = options.maxBans ?? 65_536;
    this.#clock = clock;
    this.#bans = {
      address: new BoundedMap(maxBans),
      subnet: new BoundedMap(Math.min(maxBans, MAX_SUBNETS)),
      account: new BoundedMap(maxBans),
      worker: new BoundedMap(maxBans),
    };
    this.#points = new BoundedMap(options.maxAccounts ?? 65_536);
    this.#maxPoints = options.maxPoints ?? 100;
    this.#accounts = new BoundedMap(options.maxAccounts ?? 65_536);
    this.#halfLifeMs = options.halfLifeMs ?? 600_000;
    this.#strikes = options.strikes ?? 20;
    this.#allow = createAddressMatcher(options.allow ?? LOOPBACK);
    this.#setRules(options);
  }

  #setRules(options: BanOptions): void {
    this.#enabled = options.enabled ?? true;
    this.#durationMs = options.durationMs ?? 600_000;
    this.#minBad = options.minBad ?? 100;
    this.#badRatio = options.badRatio ?? 0.5;
  }

  /** Addresses that are never banned or limited by address. */
  get allow(): AddressMatcher {
    return this.#allow;
  }

  /**
   * Other rules from now on; bans in force and scores stay. `allow` counts for connections that come from now on.
   * @throws PoolError `invalid_argument` for an `allow` entry that is no address and no CIDR: nothing changes then.
   */
  change(options: Pick<BanOptions, 'enabled' | 'durationMs' | 'minBad' | 'badRatio' | 'allow'>): void {
    this.#allow = createAddressMatcher(options.allow ?? LOOPBACK);
    this.#setRules(options);
  }

  get size(): number {
    let size = 0;
    for (const scope of BAN_SCOPES) size += this.#bans[scope].size;
    return size;
  }

  /** The ban in force on a remote address, if any: its own, or that of a subnet it is in. */
  findAddress(remoteAddress: string): Ban | undefined {
    const own = this.#bans.address.size === 0 ? undefined : this.#find('address', addressKey(remoteAddress));
    const { subnet } = this.#bans;
    if (own !== undefined || subnet.size === 0) return own;
    // One look for all: which one it was is asked only of addresses that are in some.
    this.#inSubnets ??= createAddressMatcher([...subnet.values()].map(({ ban }) => ban.key));
    if (!this.#inSubnets.matches(remoteAddress)) return undefined;
    const nowMs = this.#clock.monotonic();
    for (const { ban, matcher, endsMs } of subnet.values()) {
      if (endsMs > nowMs && matcher?.matches(remoteAddress) === true) return ban;
    }
    return undefined;
  }

  /** The ban in force on an account key, if any. */
  findAccount(account: string): Ban | undefined {
    return this.#bans.account.size === 0 ? undefined : this.#find('account', account);
  }

  /** The ban in force on a worker, by its full name as the miner writes it, if any. */
  findWorker(name: string): Ban | undefined {
    return this.#bans.worker.size === 0 ? undefined : this.#find('worker', name);
  }

  /**
   * Bans by hand; a longer ban replaces a shorter one. Answers the ban in force.
   * @throws PoolError `invalid_argument` for a subnet that is no CIDR, or a key that is empty or too long
   */
  add(scope: ListedScope, key: string, options: { readonly reason: string; readonly durationMs?: number }): Ban {
    const sinceMs = this.#clock.now();
    const durationMs = options.durationMs ?? this.#durationMs;
    const { ban, isNew } = this.#add(scope, key, {
      reason: options.reason,
      sinceMs,
      untilMs: sinceMs + durationMs,
      durationMs,
    });
    if (isNew) this.onBan(ban);
    if (isNew) this.onChange();
    return ban;
  }

  /**
   * Takes a ban over that was in force before this process began; what is over is left out. {@link onBan} is not called:
   * it is no news, and nobody is connected yet. Answers whether it was taken. @throws PoolError as {@link add}
   */
  restore(ban: Ban): boolean {
    const { scope, key, reason, sinceMs, untilMs } = ban;
    const durationMs = untilMs - this.#clock.now();
    if (scope === 'session' || !(durationMs > 0)) return false;
    this.#add(scope, key, { reason, sinceMs, untilMs, durationMs });
    return true;
  }

  #add(
    scope: ListedScope,
    key: string,
    times: Pick<Ban, 'reason' | 'sinceMs' | 'untilMs'> & { readonly durationMs: number },
  ): { readonly ban: Ban; readonly isNew: boolean } {
    const named = nameOf(scope, key);
    const { durationMs, ...about } = times;
    const endsMs = this.#clock.monotonic() + durationMs;
    const current = this.#entry(scope, named);
    if (current && current.endsMs >= endsMs) return { ban: current.ban, isNew: false };
    const ban: Ban = { scope, key: named, ...about };
    this.#bans[scope].set(named, { ban, endsMs, matcher: matcherOf(ban) });
    if (scope === 'subnet') this.#inSubnets = undefined;
    return { ban, isNew: true };
  }

  /**
   * Counts points against somebody, for reasons of your own; they count half after each half-life. At `maxPoints` it
   * becomes a ban, which is answered.
   * @throws PoolError as {@link add}
   */
  penalize(
    scope: ListedScope,
    key: string,
    options: { readonly points: number; readonly reason: string; readonly durationMs?: number },
  ): Ban | undefined {
    const named = nameOf(scope, key);
    const { points, reason, durationMs } = options;
    const nowMs = this.#clock.monotonic();
    const id = `${scope} ${named}`;
    const score = this.#points.get(id) ?? new Score(nowMs);
    score.add(nowMs, this.#halfLifeMs, false, points);
    this.#points.set(id, score);
    if (!this.#enabled || score.bad < this.#maxPoints) return undefined;
    this.#points.delete(id);
    return this.add(scope, named, { reason, ...(durationMs === undefined ? {} : { durationMs }) });
  }

  /** Points (decayed) that {@link penalize} has counted. @throws PoolError as {@link add} */
  points(scope: ListedScope, key: string): number {
    const score = this.#points.get(`${scope} ${nameOf(scope, key)}`);
    score?.decay(this.#clock.monotonic(), this.#halfLifeMs);
    return score?.bad ?? 0;
  }

  /** Ends a ban. False when there was none. */
  remove(scope: ListedScope, key: string): boolean {
    const wasThere = this.#bans[scope].delete(nameOf(scope, key));
    if (scope === 'subnet') this.#inSubnets = undefined;
    if (wasThere) this.onChange();
    return wasThere;
  }

  /** Bans in force, the oldest first. */
  list(): Ban[] {
    const nowMs = this.#clock.monotonic();
    return BAN_SCOPES.flatMap((scope) => [...this.#bans[scope].values()])
      .filter(({ endsMs }) => endsMs > nowMs)
      .map(({ ban }) => ban)
      .sort((a, b) => a.sinceMs - b.sinceMs);
  }

  /** Drops bans that are over; called now and then by the sweeper. */
  expire(): void {
    const nowMs = this.#clock.monotonic();
    for (const scope of BAN_SCOPES) {
      for (const [key, { endsMs }] of this.#bans[scope].entries()) if (endsMs <= nowMs) this.#bans[scope].delete(key);
    }
  }

  /**
   * Takes one judged share into account; `weight` is its difficulty. Answers the ban it led to, if it did;
   * {@link onBan} has been called for it then. Cheap for a good share: three additions and a map lookup.
   */
  judge(session: JudgedSession, valid: boolean, weight: number, account?: string): Ban | undefined {
    const nowMs = this.#clock.monotonic();
    const halfLifeMs = this.#halfLifeMs;
    const address = session.address;
    session.score ??= new Score(nowMs);
    address.score ??= new Score(nowMs);
    session.score.add(nowMs, halfLifeMs, valid, weight);
    address.score.add(nowMs, halfLifeMs, valid, weight);
    const addressIsBad = address.score.badRatio >= this.#badRatio;
    let accountScore: Score | undefined;
    if (account !== undefined && (valid || !addressIsBad)) {
      accountScore = this.#accounts.get(account);
      if (!accountScore) {
        accountScore = new Score(nowMs);
        this.#accounts.set(account, accountScore);
      }
      accountScore.add(nowMs, halfLifeMs, valid, weight);
    }
    if (valid || !this.#enabled || session.exempt) return undefined;
    const reason = 'too many invalid shares';
    if (this.#isOver(address.score)) return this.add('address', address.key, { reason });
    if (account !== undefined && accountScore && this.#isOver(accountScore)) {
      return this.add('account', account, { reason });
    }
    if (this.#isOver(session.score)) {
      const sinceMs = this.#clock.now();
      const ban: Ban = { scope: 'session', key: String(session.id), reason, sinceMs, untilMs: sinceMs };
      this.onBan(ban);
      return ban;
    }
    return undefined;
  }

  /**
   * Counts a session closed for breaking the protocol (junk, floods, scans). An address that collects enough of them
   * and has no good work to its name is banned.
   */
  strike(session: JudgedSession, reason: string): Ban | undefined {
    const nowMs = this.#clock.monotonic();
    const address = session.address;
    address.strikes ??= new Score(nowMs);
    address.strikes.add(nowMs, this.#halfLifeMs, false, 1);
    if (!this.#enabled || session.exempt || address.strikes.badCount < this.#strikes) return undefined;
    if (address.score && address.score.good > address.score.bad) return undefined;
    return this.add('address', address.key, { reason });
  }

  #isOver(score: Score): boolean {
    return score.badCount >= this.#minBad && score.badRatio >= this.#badRatio;
  }

  #find(scope: ListedScope, key: string): Ban | undefined {
    return this.#entry(scope, key)?.ban;
  }

  #entry(scope: ListedScope, key: string): Entry | undefined {
    const entry = this.#bans[scope].get(key);
    if (!entry || entry.endsMs > this.#clock.monotonic()) return entry;
    this.#bans[scope].delete(key);
    return undefined;
  }
}

/** The key as it stands in the list. @throws PoolError `invalid_argument` */
function nameOf(scope: ListedScope, key: string): string {
  if (key === '' || key.length > MAX_KEY_LENGTH) {
    throw new PoolError('invalid_argument', `the key of a ban has 1 to ${MAX_KEY_LENGTH} characters`);
  }
  if (scope === 'address') return key.endsWith('/64') ? key : addressKey(key);
  return scope === 'subnet' ? key.toLowerCase() : key;
}

function matcherOf({ scope, key }: Ban): AddressMatcher | undefined {
  return scope === 'subnet' ? createAddressMatcher([key]) : undefined;
}

/** True when an address lies in the subnet of a ban. */
export function isInSubnet(ban: Ban, remoteAddress: string): boolean {
  return matcherOf(ban)?.matches(remoteAddress) ?? false;
}
