import { type Coin, decodeAddress } from '@headframe/coins';
import type { Accounting, AccountSettings } from '@headframe/ledger';
import type { Difficulty } from '@headframe/mining';
import type { Payouts } from '@headframe/payouts';
import { type Logger, type MaybePromise, PoolError } from '@headframe/primitives';
import type { Ban, BanList, ListedScope, Session } from '@headframe/sessions';
import { BigNumber } from 'bignumber.js';
import type { ReloadResult } from './reload.js';
import { UNITS_PER_COIN } from './setup.js';

/** Where a miner is sent. */
export interface AdminReconnect {
  readonly host: string;
  readonly port: number;
  readonly waitSeconds: number;
}

interface AdminWorker {
  readonly name: string;
  readonly key: string;
}

interface AdminChannel {
  readonly difficulty: Difficulty;
  readonly workers: { readonly size: number; readonly first: AdminWorker | undefined };
}

/** What the operator's calls need of a pool; a `Pool` is one. */
export interface AdminTarget {
  readonly coin: Coin;
  readonly log: Logger;
  readonly isPaused: boolean;
  readonly sessions: Iterable<Session>;
  readonly bans: Pick<BanList, 'list' | 'add' | 'remove'>;
  readonly ledger: { readonly accounting: Pick<Accounting, 'settings' | 'changeSettings'> } | undefined;
  readonly payouts: Payouts | undefined;
  readonly server: {
    channelOf(session: Session): AdminChannel;
    kick(session: Session): void;
    setDifficulty(session: Session, difficulty: number): Difficulty;
    reconnect(session: Session, target?: AdminReconnect): void;
    notifyAll(method: string, params: readonly unknown[]): number;
  };
  pause(): void;
  resume(): void;
  refreshTemplate(): void;
  /** Reads the configuration again from where it came; undefined when that is not known. */
  readonly reloadSource?: (() => MaybePromise<ReloadResult>) | undefined;
}

/** A connection as the operator sees it. */
export interface AdminConnection {
  readonly session: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Position in `listeners`; -1: attached. */
  readonly listener: number;
  readonly protocol: string;
  readonly tls: boolean;
  readonly agent: string | null;
  /** Unix milliseconds. */
  readonly connectedMs: number;
  /** Of the first worker. */
  readonly account: string | null;
  readonly worker: string | null;
  readonly workers: number;
  readonly difficulty: number;
}

/** Settings of an account as they are told: amounts in coins, as text. */
export interface AdminSettings {
  readonly account: string;
  readonly address: string | null;
  readonly minimumPayout: string | null;
  readonly donationPercent: number;
  readonly isHeld: boolean;
}

/** What is to change; what is left out stays, null takes back. */
export interface AdminSettingsChange {
  readonly address?: string | null | undefined;
  /** Coins, as text. */
  readonly minimumPayout?: string | null | undefined;
  readonly donationPercent?: number | undefined;
  readonly isHeld?: boolean | undefined;
}

const PPM_PER_PERCENT = 10_000;

/** What operators do with a running pool, whichever way they ask: the control RPC, the HTTP API, a program. */
export class PoolAdmin {
  readonly #pool: AdminTarget;

  constructor(pool: AdminTarget) {
    this.#pool = pool;
  }

  // --- connections

  /** Up to `limit` connections with an id above `after`, by id, and whether there are more. */
  connections(limit: number, after = -1): { readonly items: readonly AdminConnection[]; readonly hasMore: boolean } {
    const open = [...this.#pool.sessions].filter((session) => session.id > after && !session.closed);
    open.sort((a, b) => a.id - b.id);
    return { items: open.slice(0, limit).map((session) => this.#show(session)), hasMore: open.length > limit };
  }

  /** @throws PoolError `not_found` */
  find(id: number): Session {
    for (const session of this.#pool.sessions) if (session.id === id && !session.closed) return session;
    throw new PoolError('not_found', 'no such session');
  }

  /** Closes a connection. @throws PoolError `not_found` */
  kick(id: number): void {
    this.#pool.server.kick(this.find(id));
  }

  /**
   * Fixes the difficulty of a connection, within the range of its listener; answers what it became.
   * @throws PoolError `not_found`, `invalid_difficulty`
   */
  setDifficulty(id: number, difficulty: number): number {
    const session = this.find(id);
    if (this.#channel(session) === undefined) throw new PoolError('not_found', 'this session has no channel yet');
    return this.#pool.server.setDifficulty(session, difficulty).value;
  }

  /**
   * Asks one miner or all to come back, here or elsewhere; answers how many were told. Many ignore it.
   * @throws PoolError `not_found`
   */
  reconnect(options: { readonly session?: number | undefined; readonly target?: AdminReconnect | undefined }): number {
    const { session, target } = options;
    const chosen = session === undefined ? [...this.#pool.sessions] : [this.find(session)];
    let count = 0;
    for (const one of chosen) {
      if (one.closed || this.#channel(one) === undefined) continue;
      this.#pool.server.reconnect(one, target);
      count++;
    }
    return count;
  }

  /** Shows a text on all miners (client.show_message); answers how many were told. */
  message(text: string): number {
    return this.#pool.server.notifyAll('client.show_message', [text]);
  }

  // --- bans

  bans(): Ban[] {
    return this.#pool.bans.list();
  }

  /** Bans, and closes the connections concerned. @throws PoolError `invalid_argument` for a key that is no such thing */
  ban(
    scope: ListedScope,
    key: string,
    options: { readonly reason: string; readonly seconds?: number | undefined },
  ): Ban {
    const { reason, seconds } = options;
    return this.#pool.bans.add(scope, key, {
      reason,
      ...(seconds === undefined ? {} : { durationMs: seconds * 1000 }),
    });
  }

  /** @throws PoolError `not_found` */
  unban(scope: ListedScope, key: string): void {
    if (!this.#pool.bans.remove(scope, key)) throw new PoolError('not_found', 'no such ban');
  }

  // --- the pool

  /** Turns new miners away, or lets them in again; answers whether it is paused. */
  setPaused(isPaused: boolean): boolean {
    if (isPaused) this.#pool.pause();
    else this.#pool.resume();
    return this.#pool.isPaused;
  }

  refreshTemplate(): void {
    this.#pool.refreshTemplate();
  }

  /** Until the next start. @throws PoolError `not_supported` for a logger without levels */
  setLogLevel(level: string): void {
    const { log } = this.#pool;
    if (!('level' in log)) throw new PoolError('not_supported', 'the logger of this pool has no level');
    log.level = level;
    log.info({ level }, 'log level changed by the operator');
  }

  /** Reads the configuration again. @throws PoolError `not_supported`, `invalid_config` */
  async reload(): Promise<ReloadResult> {
    const { reloadSource } = this.#pool;
    if (reloadSource === undefined) {
      throw new PoolError('not_supported', 'this pool was not started from a configuration file');
    }
    return reloadSource();
  }

  // --- accounts and payments

  /** @throws PoolError `not_supported` without a ledger */
  async settings(account: string): Promise<AdminSettings> {
    return settingsOf(await this.#accounting().settings(account));
  }

  /** @throws PoolError `not_supported`, `invalid_address`, `invalid_argument` for an amount that is none */
  async changeSettings(account: string, change: AdminSettingsChange): Promise<AdminSettings> {
    const { address, minimumPayout, donationPercent, isHeld } = change;
    const accounting = this.#accounting();
    if (typeof address === 'string') decodeAddress(this.#pool.coin, address);
    const settings = await accounting.changeSettings(account, {
      ...(address === undefined ? {} : { address }),
      ...(minimumPayout === undefined ? {} : { minimumPayout: minimumPayout === null ? null : unitsOf(minimumPayout) }),
      ...(donationPercent === undefined ? {} : { donationPpm: ppmOf(donationPercent) }),
      ...(isHeld === undefined ? {} : { isHeld }),
    });
    return settingsOf(settings);
  }

  /** The payer. @throws PoolError `not_supported` when the pool makes no payments */
  get payouts(): Payouts {
    if (this.#pool.payouts !== undefined) return this.#pool.payouts;
    throw new PoolError('not_supported', 'this pool makes no payments: set payout.payments in its configuration');
  }

  #accounting(): Pick<Accounting, 'settings' | 'changeSettings'> {
    if (this.#pool.ledger !== undefined) return this.#pool.ledger.accounting;
    throw new PoolError('not_supported', 'this pool has no ledger: set storage.url in its configuration');
  }

  #channel(session: Session): AdminChannel | undefined {
    try {
      return this.#pool.server.channelOf(session);
    } catch {
      // A session of another protocol, or one whose channel is not open yet.
      return undefined;
    }
  }

  #show(session: Session): AdminConnection {
    const channel = this.#channel(session);
    const first = channel?.workers.first;
    return {
      session: session.id,
      remoteAddress: session.remoteAddress,
      remotePort: session.remotePort,
      listener: session.listener.index,
      protocol: session.protocol,
      tls: session.secure,
      agent: session.agent ?? null,
      connectedMs: session.connectedAtMs,
      account: first?.key ?? null,
      worker: first?.name ?? null,
      workers: channel?.workers.size ?? 0,
      difficulty: channel?.difficulty.value ?? 0,
    };
  }
}

function settingsOf({ account, address, minimumPayout, donationPpm, isHeld }: AccountSettings): AdminSettings {
  const coins = (units: bigint): string => new BigNumber(units.toString()).div(UNITS_PER_COIN).toFixed(8);
  return {
    account,
    address: address ?? null,
    minimumPayout: minimumPayout === undefined ? null : coins(minimumPayout),
    donationPercent: donationPpm / PPM_PER_PERCENT,
    isHeld,
  };
}

function unitsOf(coins: string): bigint {
  const units = /^\d{1,15}(\.\d{1,40})?$/.test(coins) ? new BigNumber(coins).times(UNITS_PER_COIN) : undefined;
  if (units?.isInteger() !== true) {
    throw new PoolError('invalid_argument', `not an amount of coins with at most 8 decimals: ${coins.slice(0, 40)}`);
  }
  return BigInt(units.toFixed(0));
}

function ppmOf(percent: number): number {
  const ppm = Math.round(percent * PPM_PER_PERCENT);
  if (Math.abs(ppm - percent * PPM_PER_PERCENT) <= 1e-6) return ppm;
  throw new PoolError('invalid_argument', `a percentage has at most four decimals, not ${percent}`);
}

/** A value as JSON has it: amounts (bigint) as text in base units, what is undefined as null. */
export function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}
