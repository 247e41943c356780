import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorMessage, type Logger, PoolError, silentLogger } from '@headframe/primitives';
import { type JournalBlock, type JournalEntry, JournalState, parseEntry, type SettledBlock } from './journal-entry.js';

export interface BlockJournalOptions {
  /** The file; its folder is created. */
  readonly path: string;
  /** The file is rewritten without settled blocks when it is longer than this and half of it is dead. Default 64 MiB. */
  readonly compactAboveBytes?: number;
  /** Entries waiting for the disk; further ones fail with `queue_full`. Default 10,000. */
  readonly maxPending?: number;
}

/** The part of a file handle that appending needs. */
export interface JournalFile {
  appendFile(text: string): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

export interface BlockJournalModules {
  readonly log?: Logger;
  /** Opens the file for appending; replaced in tests of full disks. */
  readonly openFile?: (path: string) => Promise<JournalFile>;
}

/**
 * An append-only file of found blocks, one JSON line each, on disk (fsync) when `append` resolves. Written before
 * anybody knows what the nodes say, so that a block survives a crash between the share and the node.
 */
export interface BlockJournal {
  /** Blocks that were not settled when the journal was opened, oldest first. */
  readonly unsettled: readonly JournalBlock[];
  /** Blocks that were settled while it was last open, oldest first: whoever should have heard may have been cut off. */
  readonly settled: readonly SettledBlock[];
  /**
   * Appends; the write begins in this tick when the disk is idle. Entries that come meanwhile share one fsync.
   * @throws PoolError `storage_failed` (the disk is full ...), `queue_full` or `closed`, as a rejection.
   */
  append(entry: JournalEntry): Promise<void>;
  /** Writes what is pending, then closes the file. Idempotent. */
  close(): Promise<void>;
}

const DEFAULT_COMPACT_ABOVE_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_PENDING = 10_000;
const NEWLINE = 0x0a;

/**
 * Opens the journal, creating folder and file, and reads what is in it. A torn last line (power cut in the middle of
 * a write) and lines that are damaged are skipped and logged; nothing that can be read is lost.
 * @throws PoolError `storage_failed` when folder or file cannot be read or made.
 */
export async function openBlockJournal(
  options: BlockJournalOptions,
  modules: BlockJournalModules = {},
): Promise<BlockJournal> {
  const log = modules.log ?? silentLogger;
  try {
    await mkdir(dirname(options.path), { recursive: true });
    const state = await readState(options.path, log);
    if (state.deadBytes > 0) await compact(options.path, state, log);
    const journal = new FileBlockJournal(options, state, modules);
    await journal.open();
    return journal;
  } catch (error) {
    throw storageError(options.path, error);
  }
}

class FileBlockJournal implements BlockJournal {
  readonly unsettled: readonly JournalBlock[];
  readonly settled: readonly SettledBlock[];
  readonly #path: string;
  readonly #log: Logger;
  readonly #state: JournalState;
  readonly #openFile: (path: string) => Promise<JournalFile>;
  readonly #compactAboveBytes: number;
  readonly #maxPending: number;
  #file: JournalFile | undefined;
  #waiting: { readonly entry: JournalEntry; readonly settle: (error?: PoolError) => void }[] = [];
  #writing: Promise<void> | undefined;
  /** The last byte of the file is not a newline: a write broke off in the middle of a line. */
  #torn: boolean;
  #closed = false;

  constructor(options: BlockJournalOptions, state: JournalState, modules: BlockJournalModules) {
    this.#path = options.path;
    this.#state = state;
    this.#torn = state.torn;
    this.#log = modules.log ?? silentLogger;
    this.#openFile = modules.openFile ?? ((path) => open(path, 'a', 0o600));
    this.#compactAboveBytes = options.compactAboveBytes ?? DEFAULT_COMPACT_ABOVE_BYTES;
    this.#maxPending = options.maxPending ?? DEFAULT_MAX_PENDING;
    this.unsettled = state.blocks();
    this.settled = state.settled();
  }

  async open(): Promise<void> {
    this.#file = await this.#openFile(this.#path);
    await syncFolder(this.#path);
  }

  append(entry: JournalEntry): Promise<void> {
    if (this.#closed) return Promise.reject(new PoolError('closed', 'block journal is closed'));
    if (this.#waiting.length >= this.#maxPending) {
      return Promise.reject(new PoolError('queue_full', `${this.#waiting.length} journal entries wait for the disk`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, settle: (error) => (error === undefined ? resolve() : reject(error)) });
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    await this.#file
      ?.close()
      .catch((error: unknown) => this.#log.warn({ error: errorMessage(error) }, 'journal close'));
    this.#file = undefined;
  }

  /** Writes until nothing waits. Never rejects. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const lines = batch.map(({ entry }) => `${JSON.stringify(entry)}\n`);
      let failure: PoolError | undefined;
      try {
        await this.#append((this.#torn ? '\n' : '') + lines.join(''));
        for (const [index, { entry }] of batch.entries()) this.#state.apply(entry, lines[index]?.length ?? 0);
      } catch (error) {
        failure = storageError(this.#path, error);
      }
      for (const { settle } of batch) settle(failure);
      if (failure === undefined) await this.#compactIfDue();
    }
  }

  async #append(text: string): Promise<void> {
    if (this.#file === undefined) throw new Error('the file is not open');
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
      this.#torn = false;
    } catch (error) {
      // Part of the line may be in the file: the next entry must not be glued to it.
      this.#torn = true;
      throw error;
    }
  }

  async #compactIfDue(): Promise<void> {
    const { liveBytes, deadBytes } = this.#state;
    if (liveBytes + deadBytes < this.#compactAboveBytes || deadBytes < liveBytes) return;
    try {
      await compact(this.#path, this.#state, this.#log);
      await this.#file?.close();
      this.#file = undefined;
      this.#file = await this.#openFile(this.#path);
    } catch (error) {
      this.#log.error({ path: this.#path, error: errorMessage(error) }, 'cannot compact the block journal');
      this.#file ??= await this.#openFile(this.#path).catch(() => undefined);
    }
  }
}

/** Reads line by line; the file may be larger than memory likes, but never larger than its open blocks plus one line. */
async function readState(path: string, log: Logger): Promise<JournalState> {
  const state = new JournalState();
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return state;
    throw error;
  }
  let damaged = 0;
  try {
    for await (const line of file.readLines({ encoding: 'utf8' })) {
      const entry = parseEntry(line);
      if (entry === undefined) {
        if (line !== '') damaged++;
        state.deadBytes += line.length + 1;
      } else state.apply(entry, line.length + 1);
    }
  } finally {
    // readLines closes it at the end of the file; this is for an error in between.
    await file.close().catch(() => {});
  }
  state.torn = await endsWithoutNewline(path);
  if (damaged > 0) log.warn({ path, lines: damaged }, 'skipped damaged lines of the block journal');
  return state;
}

async function endsWithoutNewline(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size === 0) return false;
    const last = Buffer.alloc(1);
    await file.read(last, 0, 1, size - 1);
    return last[0] !== NEWLINE;
  } finally {
    await file.close();
  }
}

/** Rewrites the file with what is not settled: complete under another name, then renamed. */
async function compact(path: string, state: JournalState, log: Logger): Promise<void> {
  const temporary = `${path}.new`;
  const lines = state.lines();
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(lines.join(''));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(path);
    log.debug({ path, blocks: lines.length, droppedBytes: state.deadBytes }, 'compacted the block journal');
    state.compacted(lines);
  } catch (error) {
    // A full disk: go on with the long file.
    log.warn({ path, error: errorMessage(error) }, 'cannot compact the block journal');
    await unlink(temporary).catch(() => {});
  }
}

/** Makes a new or renamed file survive a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function storageError(path: string, error: unknown): PoolError {
  return new PoolError('storage_failed', `block journal ${path}: ${errorMessage(error)}`, { cause: error });
}
