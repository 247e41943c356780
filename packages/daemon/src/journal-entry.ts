import type { BlockStatus } from '@headframe/mining';
import { isRecord } from './rpc-response.js';

/** A block as the journal holds it. */
export interface JournalBlock {
  readonly type: 'block';
  /** Display hex. */
  readonly hash: string;
  readonly height: number;
  /** The whole block; null once it was in a node's active chain, where it need not be sent again. */
  readonly hex: string | null;
  readonly workId: string | null;
  readonly account: string;
  readonly worker: string;
  readonly address: string;
  readonly difficulty: number;
  /** Base units, decimal. */
  readonly reward: string;
  readonly timeMs: number;
}

/** A candidate that could not be made into a block; for a human to look at. */
export interface JournalKept {
  readonly type: 'kept';
  readonly hash: string;
  readonly height: number;
  readonly reason: string;
  /** Hex, 80 bytes. */
  readonly header: string;
  /** Hex, without witness. */
  readonly coinbase: string;
  readonly baseJobId: number;
  readonly account: string;
  readonly worker: string;
  readonly timeMs: number;
}

/** What became of a block. */
export interface JournalStatus {
  readonly type: 'status';
  readonly hash: string;
  /** `confirmed` keeps the block under observation; the others end it. */
  readonly status: Exclude<BlockStatus, 'candidate'>;
  readonly timeMs: number;
}

export type JournalEntry = JournalBlock | JournalKept | JournalStatus;

/** A block whose fate is sealed. */
export interface SettledBlock {
  /** `hex` is null. */
  readonly block: JournalBlock;
  readonly status: Exclude<BlockStatus, 'candidate' | 'confirmed'>;
  /** Unix milliseconds when it was settled. */
  readonly timeMs: number;
}

/** Blocks settled in this file that are remembered; older ones were told of long ago. */
const MAX_SETTLED = 1000;
/** Kept candidates that survive a compaction; older ones are dropped. */
const MAX_KEPT = 1000;

/** An entry from a line, or undefined when the line is damaged. */
export function parseEntry(line: string): JournalEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || typeof value.hash !== 'string' || typeof value.timeMs !== 'number') return undefined;
  switch (value.type) {
    case 'block':
      return isBlock(value) ? (value as unknown as JournalBlock) : undefined;
    case 'kept':
      return typeof value.header === 'string' ? (value as unknown as JournalKept) : undefined;
    case 'status':
      return isStatus(value.status) ? (value as unknown as JournalStatus) : undefined;
    default:
      return undefined;
  }
}

function isBlock(value: Record<string, unknown>): boolean {
  const texts = [value.account, value.worker, value.address];
  return (
    Number.isInteger(value.height) &&
    (value.hex === null || typeof value.hex === 'string') &&
    texts.every((text) => typeof text === 'string') &&
    typeof value.reward === 'string' &&
    /^[0-9]+$/.test(value.reward)
  );
}

function isStatus(status: unknown): boolean {
  return status === 'confirmed' || status === 'matured' || status === 'orphaned' || status === 'rejected';
}

/** What the entries of a journal come to: which blocks are open, and how many bytes are of no more use. */
export class JournalState {
  readonly #open = new Map<string, { block: JournalBlock; confirmed: JournalStatus | undefined; bytes: number }>();
  readonly #settled: SettledBlock[] = [];
  #kept: { readonly entry: JournalKept; readonly bytes: number }[] = [];
  liveBytes = 0;
  deadBytes = 0;
  /** The file ends in the middle of a line. */
  torn = false;

  /** Blocks that are not settled, oldest first. */
  blocks(): JournalBlock[] {
    return [...this.#open.values()].map(({ block }) => block);
  }

  /** The last blocks that were settled since the file was compacted, oldest first. */
  settled(): SettledBlock[] {
    return [...this.#settled];
  }

  apply(entry: JournalEntry, bytes: number): void {
    if (entry.type === 'kept') this.#keep(entry, bytes);
    else if (entry.type === 'block') {
      const known = this.#open.get(entry.hash);
      if (known !== undefined) this.#drop(entry.hash, known.bytes);
      this.#open.set(entry.hash, { block: entry, confirmed: undefined, bytes });
      this.liveBytes += bytes;
    } else this.#applyStatus(entry, bytes);
  }

  /** The lines of a file that holds what is open and nothing else. */
  lines(): string[] {
    const lines = this.#kept.map(({ entry }) => `${JSON.stringify(entry)}\n`);
    for (const { block, confirmed } of this.#open.values()) {
      lines.push(`${JSON.stringify(block)}\n`);
      if (confirmed !== undefined) lines.push(`${JSON.stringify(confirmed)}\n`);
    }
    return lines;
  }

  /** The file holds `lines` now. */
  compacted(lines: readonly string[]): void {
    this.liveBytes = lines.reduce((sum, line) => sum + line.length, 0);
    this.deadBytes = 0;
    this.torn = false;
    for (const item of this.#open.values()) item.bytes = JSON.stringify(item.block).length + 1;
  }

  #keep(entry: JournalKept, bytes: number): void {
    this.#kept.push({ entry, bytes });
    this.liveBytes += bytes;
    if (this.#kept.length <= MAX_KEPT) return;
    const oldest = this.#kept.shift();
    this.liveBytes -= oldest?.bytes ?? 0;
    this.deadBytes += oldest?.bytes ?? 0;
  }

  #applyStatus(entry: JournalStatus, bytes: number): void {
    const item = this.#open.get(entry.hash);
    if (item === undefined || entry.status !== 'confirmed') {
      if (item !== undefined && entry.status !== 'confirmed') {
        this.#drop(entry.hash, item.bytes);
        this.#settled.push({ block: { ...item.block, hex: null }, status: entry.status, timeMs: entry.timeMs });
        if (this.#settled.length > MAX_SETTLED) this.#settled.shift();
      }
      this.deadBytes += bytes;
      return;
    }
    // In a node's chain: the bytes of the block are of no more use, what is known of it is.
    item.block = { ...item.block, hex: null };
    item.confirmed = entry;
    const slim = JSON.stringify(item.block).length + 1;
    this.deadBytes += Math.max(0, item.bytes - slim);
    this.liveBytes += bytes + Math.min(0, slim - item.bytes);
    item.bytes = slim;
  }

  #drop(hash: string, bytes: number): void {
    this.#open.delete(hash);
    this.liveBytes -= bytes;
    this.deadBytes += bytes;
  }
}
