import { BoundedMap } from '@headframe/primitives';
import type { Limits } from './limits.js';
import type { Score } from './score.js';

/** What is known of one address (an IPv6 /64 counts as one). Shared by its sessions. */
export class AddressEntry {
  readonly key: string;
  /** Open sessions. */
  sessions = 0;
  /** Of those, the ones that have authorised. */
  authorized = 0;
  /** Work of all its sessions; made with the first judged share. */
  score: Score | undefined = undefined;
  /** Sessions closed for breaking the protocol, decayed like a score. */
  strikes: Score | undefined = undefined;
  #connectTokens: number;
  #connectMs: number;
  #requestTokens: number;
  #requestMs: number;

  constructor(key: string, nowMs: number, limits: Limits) {
    this.key = key;
    this.#connectTokens = limits.connectBurstPerAddress;
    this.#connectMs = nowMs;
    this.#requestTokens = limits.requestBurstPerAddress;
    this.#requestMs = nowMs;
  }

  /** Takes the right to one new connection. */
  takeConnect(nowMs: number, limits: Limits): boolean {
    const refill = ((nowMs - this.#connectMs) * limits.connectsPerSecondPerAddress) / 1000;
    this.#connectTokens = Math.min(limits.connectBurstPerAddress, this.#connectTokens + refill);
    this.#connectMs = nowMs;
    if (this.#connectTokens < 1) return false;
    this.#connectTokens--;
    return true;
  }

  /** Counts `count` requests; false when the budget is used up and reading should pause. The requests count anyway. */
  takeRequests(nowMs: number, count: number, limits: Limits): boolean {
    if (nowMs > this.#requestMs) {
      const rate = limits.requestsPerSecondPerAddress + this.authorized * limits.requestsPerSecondPerMember;
      const tokens = this.#requestTokens + ((nowMs - this.#requestMs) * rate) / 1000;
      this.#requestTokens = Math.min(limits.requestBurstPerAddress, tokens);
      this.#requestMs = nowMs;
    }
    this.#requestTokens -= count;
    return this.#requestTokens > 0;
  }
}

/** All addresses: those with sessions, and a bounded memory of those that had some. */
export class AddressTable {
  readonly #limits: Limits;
  readonly #live = new Map<string, AddressEntry>();
  readonly #idle: BoundedMap<string, AddressEntry>;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#idle = new BoundedMap(limits.rememberedAddresses);
  }

  /** Addresses with at least one session. */
  get size(): number {
    return this.#live.size;
  }

  /** The entry of an address, made when it is new. It is remembered from the first {@link enter} or {@link park} on. */
  entry(key: string, nowMs: number): AddressEntry {
    return this.#live.get(key) ?? this.#idle.get(key) ?? new AddressEntry(key, nowMs, this.#limits);
  }

  /** The entry of an address when there is one. */
  find(key: string): AddressEntry | undefined {
    return this.#live.get(key) ?? this.#idle.get(key);
  }

  /** Counts a session in. */
  enter(entry: AddressEntry): void {
    entry.sessions++;
    if (entry.sessions > 1) return;
    this.#idle.delete(entry.key);
    this.#live.set(entry.key, entry);
  }

  /** Counts a session out. */
  leave(entry: AddressEntry): void {
    entry.sessions--;
    if (entry.sessions > 0) return;
    this.#live.delete(entry.key);
    this.#idle.set(entry.key, entry);
  }

  /** Remembers an address whose connection was refused, so that its rate goes on counting. */
  park(entry: AddressEntry): void {
    if (entry.sessions === 0) this.#idle.set(entry.key, entry);
  }
}
