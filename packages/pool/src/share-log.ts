import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ShareBatch, ShareRecord, ShareSink } from '@headframe/mining';
import { BoundedMap, errorMessage, type Logger, PoolError, silentLogger } from '@headframe/primitives';

export interface ShareLogOptions {
  /** Folder of the log files; made when missing. */
  readonly folder: string;
  /** A file that grew past this is closed and the next one begun. Default 256 MiB. */
  readonly maxFileBytes?: number;
  /** Oldest files beyond this number are deleted. Default 0: all are kept. */
  readonly keepFiles?: number;
  readonly log?: Logger;
}

/** Sequences remembered per epoch, to recognise a batch that comes again. A retry comes at once, so few are enough. */
const REMEMBERED_SEQUENCES = 4096;
/**
 * On Linux each write is durable when it returns, which saves a second trip through the thread pool: on a machine whose
 * cores are busy, each trip waits for a core. Elsewhere the flag is missing, or says less than a sync does.
 */
const WRITES_ARE_DURABLE = process.platform === 'linux';
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | (WRITES_ARE_DURABLE ? constants.O_DSYNC : 0);
const FILE_NAME = /^shares-(\d{8})\.ndjson$/;

/**
 * One line of the log. Strings stand once per batch in `strings`; a share is
 * `[time ms, account, worker, address, job id, height, result, difficulty, achieved, block hash or -1]` where the names and
 * the result are positions in `strings`.
 */
function encodeBatch(batch: ShareBatch): string {
  const positions = new Map<string, number>();
  const strings: string[] = [];
  const at = (text: string): number => {
    let position = positions.get(text);
    if (position === undefined) {
      position = strings.length;
      positions.set(text, position);
      strings.push(text);
    }
    return position;
  };
  // Neighbours in a batch agree in most columns, and writing a number out costs more than comparing it.
  let rows = '';
  let who = '';
  let what = '';
  let last: ShareRecord | undefined;
  for (const share of batch.shares) {
    if (last === undefined || !isSameWorker(share, last) || share.timeMs !== last.timeMs) {
      who = `[${share.timeMs},${at(share.account)},${at(share.worker)},${at(share.address)},`;
    }
    if (last === undefined || !isSameWork(share, last)) {
      what = `${share.jobId},${share.height},${at(share.result)},${share.difficulty},`;
    }
    const block = share.blockHash === undefined ? -1 : at(share.blockHash);
    rows += `${last === undefined ? '' : ','}${who}${what}${share.achieved},${block}]`;
    last = share;
  }
  return `{"epoch":${JSON.stringify(batch.epoch)},"sequence":${batch.sequence},"shares":[${rows}],"strings":${JSON.stringify(strings)}}\n`;
}

function isSameWorker(a: ShareRecord, b: ShareRecord): boolean {
  return a.worker === b.worker && a.account === b.account && a.address === b.address;
}

function isSameWork(a: ShareRecord, b: ShareRecord): boolean {
  return a.jobId === b.jobId && a.result === b.result && a.difficulty === b.difficulty && a.height === b.height;
}

/** Reads one line of the log back. @throws PoolError `invalid_data` */
export function decodeShareLogLine(line: string): ShareBatch {
  try {
    const value = JSON.parse(line) as { epoch: string; sequence: number; shares: number[][]; strings: string[] };
    const text = (position: number | undefined): string => {
      const found = value.strings[position ?? -1];
      if (found === undefined) throw new PoolError('invalid_data', `share log: no string ${position}`);
      return found;
    };
    const shares = value.shares.map(
      (row): ShareRecord => ({
        timeMs: row[0] ?? 0,
        account: text(row[1]),
        worker: text(row[2]),
        address: text(row[3]),
        jobId: row[4] ?? 0,
        height: row[5] ?? 0,
        result: text(row[6]) as ShareRecord['result'],
        difficulty: row[7] ?? 0,
        achieved: row[8] ?? 0,
        blockHash: row[9] === -1 ? undefined : text(row[9]),
      }),
    );
    return { epoch: value.epoch, sequence: value.sequence, shares };
  } catch (error) {
    throw new PoolError('invalid_data', `share log line: ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * The default {@link ShareSink}: an append-only log, one line and one fsync per batch. `commit` resolves when the bytes
 * are on disk. After a failed write the file is cut back to the last whole line, so that the same batch can be
 * committed again; a line torn by a crash is cut off at the next start.
 *
 * @throws PoolError `storage_failed` when the folder or file cannot be opened
 */
export async function openShareLog(options: ShareLogOptions): Promise<ShareSink> {
  const log = new ShareLog(options);
  await log.open();
  return log;
}

/** Opens or makes a file. Its name is durable, too; where folders cannot be opened (Windows), the system sees to it. */
async function openDurably(path: string, folderPath: string): Promise<FileHandle> {
  const file = await open(path, OPEN_FLAGS);
  if (process.platform === 'win32') return file;
  let folder: FileHandle | undefined;
  try {
    folder = await open(folderPath, 'r');
    await folder.sync();
  } catch (error) {
    await file.close();
    throw error;
  } finally {
    await folder?.close();
  }
  return file;
}

class ShareLog implements ShareSink {
  readonly #folder: string;
  readonly #maxFileBytes: number;
  readonly #keepFiles: number;
  readonly #log: Logger;
  #file: FileHandle | undefined;
  #number = 0;
  /** Length of the file up to the last whole line. */
  #goodBytes = 0;
  /** True when bytes may lie beyond `goodBytes`: cut them before the next write. */
  #dirty = false;
  readonly #seen = new BoundedMap<string, true>(REMEMBERED_SEQUENCES);
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ShareLogOptions) {
    this.#folder = options.folder;
    this.#maxFileBytes = options.maxFileBytes ?? 256 * 1024 * 1024;
    this.#keepFiles = options.keepFiles ?? 0;
    this.#log = options.log ?? silentLogger;
  }

  async open(): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true });
      const numbers = await this.#numbers();
      this.#number = numbers.at(-1) ?? 1;
      await this.#openFile();
    } catch (error) {
      throw new PoolError('storage_failed', `cannot open the share log in ${this.#folder}: ${errorMessage(error)}`, {
        cause: error,
      });
    }
  }

  /** One commit at a time: batches are written in the order they came. */
  commit(batch: ShareBatch): Promise<void> {
    const done = this.#tail.then(() => this.#write(batch));
    this.#tail = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    await this.#tail;
    this.#closed = true;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #write(batch: ShareBatch): Promise<void> {
    if (this.#closed) throw new PoolError('closed', 'the share log is closed');
    const key = `${batch.epoch}/${batch.sequence}`;
    if (this.#seen.has(key)) return;
    try {
      if (this.#file === undefined) await this.#openFile();
      if (this.#dirty) await this.#cut();
      if (this.#goodBytes >= this.#maxFileBytes) await this.#rotate();
      const bytes = Buffer.from(encodeBatch(batch), 'utf8');
      this.#dirty = true;
      await this.#writeAll(bytes);
      if (!WRITES_ARE_DURABLE) await this.#file?.datasync();
      this.#goodBytes += bytes.length;
      this.#dirty = false;
      this.#seen.set(key, true);
    } catch (error) {
      throw new PoolError('storage_failed', `share log: ${errorMessage(error)}`, { cause: error });
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length; ) {
      const file = this.#file;
      if (!file) throw new PoolError('closed', 'the share log is closed');
      const { bytesWritten } = await file.write(bytes, offset, bytes.length - offset, this.#goodBytes + offset);
      offset += bytesWritten;
    }
  }

  async #cut(): Promise<void> {
    await this.#file?.truncate(this.#goodBytes);
    this.#dirty = false;
  }

  #path(number: number): string {
    return join(this.#folder, `shares-${String(number).padStart(8, '0')}.ndjson`);
  }

  async #numbers(): Promise<number[]> {
    const numbers: number[] = [];
    for (const name of await readdir(this.#folder)) {
      const match = FILE_NAME.exec(name);
      if (match) numbers.push(Number(match[1]));
    }
    return numbers.sort((a, b) => a - b);
  }

  async #openFile(): Promise<void> {
    const path = this.#path(this.#number);
    this.#file = await openDurably(path, this.#folder);
    const { size } = await stat(path);
    this.#goodBytes = await this.#lastLineEnd(size);
    this.#dirty = this.#goodBytes !== size;
    if (this.#dirty)
      this.#log.warn({ path, cutBytes: size - this.#goodBytes }, 'share log ended in a torn line; cut off');
  }

  /** Where the last whole line ends, looking back from the end of the file. */
  async #lastLineEnd(size: number): Promise<number> {
    const chunk = Buffer.alloc(64 * 1024);
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - chunk.length);
      const { bytesRead } = (await this.#file?.read(chunk, 0, end - start, start)) ?? { bytesRead: 0 };
      const at = chunk.lastIndexOf(0x0a, bytesRead - 1);
      if (bytesRead > 0 && at >= 0) return start + at + 1;
      end = start;
    }
    return 0;
  }

  async #rotate(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    this.#number++;
    await this.#openFile();
    if (this.#keepFiles === 0) return;
    const numbers = await this.#numbers();
    for (const number of numbers.slice(0, Math.max(0, numbers.length - this.#keepFiles))) await rm(this.#path(number));
  }
}
