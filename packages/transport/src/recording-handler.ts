import type { ConnectionHandler } from './connection.js';

/** Remembers what a connection told. */
export class RecordingHandler implements ConnectionHandler {
  readonly chunks: Uint8Array[] = [];
  drains = 0;
  closes = 0;
  ends = 0;
  error: Error | undefined = undefined;
  #bytes = 0;
  readonly #waiting = new Set<() => void>();

  get bytes(): number {
    return this.#bytes;
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }
  data(chunk: Uint8Array): void {
    this.chunks.push(Uint8Array.from(chunk));
    this.#bytes += chunk.length;
    this.#wake();
  }
  drain(): void {
    this.drains++;
    this.#wake();
  }
  closed(error?: Error): void {
    this.closes++;
    this.error = error;
    this.#wake();
  }
  /** Resolves when `condition` holds; it is asked after each event. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }
  protected noteEnded(): void {
    this.ends++;
    this.#wake();
  }
  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}

/** Like {@link RecordingHandler}, and lets the connection stay half-open. */
export class HalfOpenHandler extends RecordingHandler {
  ended(): void {
    this.noteEnded();
  }
}
