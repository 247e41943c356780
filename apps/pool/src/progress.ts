const BAR_WIDTH = 30;
/** In a pipe a line is written at each tenth. */
const PIPE_STEP = 0.1;

/**
 * Progress of long work on standard error, so that the result on standard output stays clean: a bar on a terminal, a line
 * at each tenth in a pipe.
 */
export class Progress {
  readonly #what: string;
  readonly #stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
  #toldPart = 0;
  #bar = '';

  constructor(what: string, stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY'> = process.stderr) {
    this.#what = what;
    this.#stream = stream;
  }

  /** `part` is from 0 to 1. */
  update = (part: number): void => {
    const done = Math.max(0, Math.min(1, part));
    if (this.#stream.isTTY === true) {
      const full = Math.floor(done * BAR_WIDTH);
      const bar = `${this.#what} [${'='.repeat(full)}${' '.repeat(BAR_WIDTH - full)}] ${Math.floor(done * 100)} %`;
      if (bar === this.#bar) return;
      this.#bar = bar;
      this.#stream.write(`\r\x1b[K${bar}`);
    } else if (done - this.#toldPart >= PIPE_STEP - 1e-9) {
      this.#toldPart = done;
      this.#stream.write(`${this.#what}: ${Math.floor(done * 100)} %\n`);
    }
  };

  /** Takes the bar away. */
  end(): void {
    if (this.#bar !== '') this.#stream.write('\r\x1b[K');
    this.#bar = '';
  }
}
