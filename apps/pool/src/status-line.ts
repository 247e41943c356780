/**
 * Output of a command that goes on: a line that is rewritten on a terminal, and whole lines above it. In a pipe only
 * the whole lines are written.
 */
export class StatusLine {
  readonly #stream: NodeJS.WriteStream;
  #current = '';

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream;
  }

  /** Writes a line that stays. */
  print(text: string): void {
    if (!this.#stream.isTTY) this.#stream.write(`${text}\n`);
    else this.#stream.write(`\r\x1b[K${text}\n${this.#current}`);
  }

  /** Replaces the line at the bottom. */
  update(text: string): void {
    if (!this.#stream.isTTY) return;
    this.#current = text.slice(0, Math.max(20, (this.#stream.columns || 80) - 1));
    this.#stream.write(`\r\x1b[K${this.#current}`);
  }

  /** Ends with a last whole line in place of the one at the bottom. */
  end(text: string): void {
    if (this.#current !== '') this.#stream.write('\r\x1b[K');
    this.#current = '';
    this.#stream.write(`${text}\n`);
  }
}
