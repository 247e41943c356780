import type { ElectrumLimits } from './limits.js';

/** What a method costs beside its bytes: about a unit per lookup in the index or call to the node. */
const METHOD_COSTS: ReadonlyMap<string, number> = new Map([
  ['server.ping', 0.1],
  ['server.version', 0.5],
  ['server.banner', 0.5],
  ['server.features', 0.5],
  ['blockchain.headers.subscribe', 0.5],
  ['blockchain.estimatefee', 0.5],
  ['blockchain.relayfee', 0.5],
  ['blockchain.block.header', 0.5],
  ['blockchain.block.headers', 2],
  ['blockchain.transaction.broadcast', 5],
  ['blockchain.transaction.broadcast_package', 20],
  ['blockchain.transaction.get_merkle', 2],
  ['blockchain.transaction.id_from_pos', 2],
]);
const DEFAULT_COST = 1;
/** Traffic of one unit, both ways. */
const BYTES_PER_UNIT = 5000;
/** Items of a history that cost a unit to look up. */
const ITEMS_PER_UNIT = 100;

/** What a session has used up: it grows with each request and byte, and decays. */
export class CostBudget {
  readonly #limits: ElectrumLimits;
  #cost = 0;
  #atMs: number;

  constructor(limits: ElectrumLimits, nowMs: number) {
    this.#limits = limits;
    this.#atMs = nowMs;
  }

  /** Cost at a moment (monotonic ms). */
  at(nowMs: number): number {
    const seconds = Math.max(0, nowMs - this.#atMs) / 1000;
    this.#cost = Math.max(0, this.#cost - seconds * this.#limits.costDecayPerSecond);
    this.#atMs = Math.max(nowMs, this.#atMs);
    return this.#cost;
  }

  chargeMethod(name: string): void {
    this.#cost += METHOD_COSTS.get(name) ?? DEFAULT_COST;
  }
  chargeBytes(count: number): void {
    this.#cost += count / BYTES_PER_UNIT;
  }
  chargeItems(count: number): void {
    this.#cost += count / ITEMS_PER_UNIT;
  }

  /** True when the session has to go. */
  isSpent(nowMs: number): boolean {
    return this.at(nowMs) > this.#limits.costHard;
  }

  /** How long the session is not to be read: 0 up to the soft limit, then growing up to the hard one. */
  pauseMs(nowMs: number): number {
    const { costSoft, costHard, pauseMs } = this.#limits;
    const over = this.at(nowMs) - costSoft;
    if (!(over > 0)) return 0;
    return Math.ceil(pauseMs * Math.min(1, over / Math.max(1, costHard - costSoft)));
  }
}
