import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, errorMessage, type Logger, type Timer } from '@headframe/primitives';
import type { BanList } from '@headframe/sessions';
import { z } from 'zod';

/** Bans kept over a restart; of more the youngest. A file of so many has some 3 MB. */
const MAX_KEPT = 20_000;
/** Longest file that is read. */
const MAX_BYTES = 16_777_216;
/** Bans come in swarms: the file is written so long after the first. */
const WRITE_AFTER_MS = 1_000;
const FILE = 'bans.json';

const savedBan = z.object({
  scope: z.enum(['address', 'subnet', 'account', 'worker']),
  key: z.string().min(1).max(256),
  reason: z.string().max(500),
  sinceMs: z.number(),
  untilMs: z.number(),
});
const savedFile = z.object({ version: z.literal(1), bans: z.array(z.unknown()).max(MAX_KEPT) });

interface Modules {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keeps the bans of a pool in a file of its data folder, so that they outlive it. */
export class BanStore {
  readonly #path: string;
  readonly #bans: BanList;
  readonly #clock: Clock;
  readonly #log: Logger;
  #timer: Timer | undefined = undefined;
  #writing: Promise<void> = Promise.resolve();
  #isDirty = false;
  #isOpen = false;

  constructor(folder: string, bans: BanList, { clock, log }: Modules) {
    this.#path = join(folder, FILE);
    this.#bans = bans;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes over what is in the file and keeps it up to date from now on. A file that is damaged is put aside. */
  async open(): Promise<void> {
    const text = await this.#read();
    const count = text === undefined ? 0 : await this.#restore(text);
    if (count > 0) this.#log.info({ bans: count }, 'bans of before are in force');
    this.#isOpen = true;
    this.#bans.onChange = () => this.#changed();
  }

  /** Writes what has changed. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#bans.onChange = () => {};
    this.#timer?.cancel();
    if (this.#isDirty) this.#write();
    await this.#writing;
  }

  async #read(): Promise<string | undefined> {
    try {
      const bytes = await readFile(this.#path);
      if (bytes.length <= MAX_BYTES) return bytes.toString('utf8');
      await this.#putAside('it is too long');
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing) this.#log.error({ error: errorMessage(error) }, 'cannot read the bans of before');
    }
    return undefined;
  }

  async #restore(text: string): Promise<number> {
    let parsed: ReturnType<typeof savedFile.safeParse>;
    try {
      parsed = savedFile.safeParse(JSON.parse(text));
    } catch {
      await this.#putAside('it is no JSON');
      return 0;
    }
    if (!parsed.success) {
      await this.#putAside('it is of another form');
      return 0;
    }
    let count = 0;
    for (const item of parsed.data.bans) {
      const ban = savedBan.safeParse(item);
      try {
        if (ban.success && this.#bans.restore(ban.data)) count++;
      } catch (error) {
        this.#log.warn({ error: errorMessage(error) }, 'a ban of before is not understood');
      }
    }
    return count;
  }

  /** Keeps a damaged file for whoever wants to look at it; the pool goes on without. */
  async #putAside(reason: string): Promise<void> {
    this.#log.error({ file: this.#path, reason }, 'the bans of before are lost: the file was put aside as .damaged');
    await rename(this.#path, `${this.#path}.damaged`).catch(() => {});
  }

  #changed(): void {
    this.#isDirty = true;
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#write();
    }, WRITE_AFTER_MS);
  }

  #write(): void {
    this.#isDirty = false;
    const bans = this.#bans.list().slice(-MAX_KEPT);
    const text = `${JSON.stringify({ version: 1, bans })}\n`;
    this.#writing = this.#writing.then(() => this.#replace(text));
  }

  /** A reader sees the old file or the new one, never half of one. Never rejects. */
  async #replace(text: string): Promise<void> {
    const fresh = `${this.#path}.new`;
    try {
      await writeFile(fresh, text, { mode: 0o600, flush: true });
      await rename(fresh, this.#path);
    } catch (error) {
      this.#log.error({ error: errorMessage(error) }, 'cannot write the bans; they end with this process');
      await rm(fresh, { force: true }).catch(() => {});
    }
  }
}
