import { checkInteger, checkSessionId } from './check.js';
import { encodeSetDifficultyFrames, MAX_EXPONENT } from './difficulty-frames.js';
import { MAX_SESSION_ID, SESSION_IDS } from './format.js';

export interface WorkerTableOptions {
  /** Difficulty that the agent gives every miner that joins, as exponent of two: the first `mining.set_difficulty`. */
  readonly startExponent: number;
  /** Miners at a time on this connection. Default 65,535, all ids there are; stops an agent that invents miners. */
  readonly maxWorkers?: number;
}

/** What became of a registration. `replaced`: the id was in use, and its miner is another one now. */
export type Registration = 'added' | 'replaced' | 'full' | 'bad-session-id';

/** No miner has this id. */
const ABSENT = 0xff;

/** Ids for which memory is taken at first; agents hand out the lowest free ones. */
const FIRST_CAPACITY = 64;

/** Different user agents shared between miners; beyond it each miner keeps its own string. */
const MAX_SHARED_AGENTS = 256;

/**
 * The miners behind one agent connection by session id: names, and difficulties as exponents of two. Arrays indexed by
 * id grow with the highest id in use, so that a connection with few miners stays small.
 *
 * @example
 * const table = new WorkerTable({ startExponent: 13 });
 * table.register(7, 'rig7', 'cgminer');
 * table.setExponent(7, 14);
 * const frames = table.takeDifficultyFrames(); // write them before the next mining.notify
 */
export class WorkerTable {
  readonly #maxWorkers: number;
  readonly #startExponent: number;
  readonly #agents = new Map<string, string>();
  #names: string[] = [];
  #clientAgents: string[] = [];
  /** Exponent of each id, or {@link ABSENT}. */
  #exponents = new Uint8Array(0);
  /** Exponent that the agent was told last. */
  #told = new Uint8Array(0);
  #size = 0;
  /** Ids whose two exponents may differ lie in `[changedFrom, changedTo)`. */
  #changedFrom = SESSION_IDS;
  #changedTo = 0;

  /** @throws PoolError `invalid_argument` for an option out of range */
  constructor(options: WorkerTableOptions) {
    this.#maxWorkers = options.maxWorkers ?? SESSION_IDS;
    this.#startExponent = options.startExponent;
    checkInteger('maxWorkers', this.#maxWorkers, SESSION_IDS);
    checkInteger('startExponent', this.#startExponent, MAX_EXPONENT);
  }

  /** Miners registered now. */
  get size(): number {
    return this.#size;
  }

  /** Whether a miner has this id. */
  has(sessionId: number): boolean {
    return (this.#exponents[sessionId] ?? ABSENT) !== ABSENT;
  }

  /** Name of the miner with this id. */
  workerName(sessionId: number): string | undefined {
    return this.has(sessionId) ? this.#names[sessionId] : undefined;
  }

  /** User agent of the miner with this id; empty when it told none. */
  clientAgent(sessionId: number): string | undefined {
    return this.has(sessionId) ? this.#clientAgents[sessionId] : undefined;
  }

  /** Difficulty of the miner with this id, as exponent of two. */
  exponent(sessionId: number): number | undefined {
    return this.has(sessionId) ? this.#exponents[sessionId] : undefined;
  }

  /** Adds a miner at the start difficulty, or puts it in the place of the one with this id. Never throws. */
  register(sessionId: number, workerName: string, clientAgent = ''): Registration {
    if (!Number.isInteger(sessionId) || sessionId < 0 || sessionId > MAX_SESSION_ID) return 'bad-session-id';
    const isKnown = this.has(sessionId);
    if (!isKnown) {
      if (this.#size >= this.#maxWorkers) return 'full';
      this.#reserve(sessionId);
      this.#size++;
    }
    this.#names[sessionId] = workerName;
    this.#clientAgents[sessionId] = this.#shared(clientAgent);
    this.#exponents[sessionId] = this.#startExponent;
    this.#told[sessionId] = this.#startExponent;
    return isKnown ? 'replaced' : 'added';
  }

  /** Removes a miner. False when none has this id. */
  unregister(sessionId: number): boolean {
    if (!this.has(sessionId)) return false;
    this.#names[sessionId] = '';
    this.#clientAgents[sessionId] = '';
    this.#exponents[sessionId] = ABSENT;
    this.#told[sessionId] = ABSENT;
    this.#size--;
    if (this.#size === 0) this.clear();
    return true;
  }

  /** Removes all miners and gives back the memory. */
  clear(): void {
    this.#agents.clear();
    this.#names = [];
    this.#clientAgents = [];
    this.#exponents = new Uint8Array(0);
    this.#told = new Uint8Array(0);
    this.#size = 0;
    this.#changedFrom = SESSION_IDS;
    this.#changedTo = 0;
  }

  /** Ids in use, ascending. Do not register or remove miners meanwhile. */
  *sessionIds(): IterableIterator<number> {
    for (let id = 0; id < this.#exponents.length; id++) if (this.#exponents[id] !== ABSENT) yield id;
  }

  /**
   * Gives a miner another difficulty; the agent hears of it by {@link takeDifficultyFrames}. False when no miner has
   * this id.
   * @throws PoolError `invalid_argument` for a session id or exponent out of range
   */
  setExponent(sessionId: number, exponent: number): boolean {
    checkSessionId(sessionId);
    checkInteger('exponent', exponent, MAX_EXPONENT);
    if (!this.has(sessionId)) return false;
    this.#exponents[sessionId] = exponent;
    if (sessionId < this.#changedFrom) this.#changedFrom = sessionId;
    if (sessionId >= this.#changedTo) this.#changedTo = sessionId + 1;
    return true;
  }

  /**
   * The frames that tell the agent all difficulties changed since the last call: exponents ascending, ids ascending,
   * as few frames as the format allows. A difficulty that was changed and changed back costs nothing. Write them before
   * the next `mining.notify`, from which on they count.
   */
  takeDifficultyFrames(): Uint8Array[] {
    const from = this.#changedFrom;
    const to = this.#changedTo;
    this.#changedFrom = SESSION_IDS;
    this.#changedTo = 0;
    const counts = new Uint32Array(MAX_EXPONENT + 1);
    let total = 0;
    for (let id = from; id < to; id++) {
      const exponent = this.#exponents[id] ?? ABSENT;
      if (exponent === this.#told[id] || exponent === ABSENT) continue;
      counts[exponent] = (counts[exponent] ?? 0) + 1;
      total++;
    }
    if (total === 0) return [];
    const ids = new Uint16Array(total);
    const ends = new Uint32Array(MAX_EXPONENT + 1);
    let start = 0;
    for (let exponent = 0; exponent <= MAX_EXPONENT; exponent++) {
      ends[exponent] = start;
      start += counts[exponent] ?? 0;
    }
    for (let id = from; id < to; id++) {
      const exponent = this.#exponents[id] ?? ABSENT;
      if (exponent === this.#told[id] || exponent === ABSENT) continue;
      const at = ends[exponent] ?? 0;
      ids[at] = id;
      ends[exponent] = at + 1;
      this.#told[id] = exponent;
    }
    const frames: Uint8Array[] = [];
    for (let exponent = 0; exponent <= MAX_EXPONENT; exponent++) {
      const end = ends[exponent] ?? 0;
      frames.push(...encodeSetDifficultyFrames(exponent, ids.subarray(end - (counts[exponent] ?? 0), end)));
    }
    return frames;
  }

  #reserve(sessionId: number): void {
    const capacity = this.#exponents.length;
    if (sessionId < capacity) return;
    const grown = Math.min(SESSION_IDS, Math.max(FIRST_CAPACITY, capacity * 2, sessionId + 1));
    const exponents = new Uint8Array(grown).fill(ABSENT);
    const told = new Uint8Array(grown).fill(ABSENT);
    exponents.set(this.#exponents);
    told.set(this.#told);
    this.#exponents = exponents;
    this.#told = told;
    // Filled, so that the arrays stay dense: one with holes may turn into a hash table.
    for (let id = this.#names.length; id < grown; id++) {
      this.#names.push('');
      this.#clientAgents.push('');
    }
  }

  #shared(clientAgent: string): string {
    const known = this.#agents.get(clientAgent);
    if (known !== undefined) return known;
    if (this.#agents.size < MAX_SHARED_AGENTS) this.#agents.set(clientAgent, clientAgent);
    return clientAgent;
  }
}
