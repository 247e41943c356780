import { StringDecoder } from 'node:string_decoder';
import type { Clock, Logger } from '@headframe/primitives';

/** A line beyond this is cut: nodes print whole scripts and long lists of peers. */
const MAX_LINE_CHARS = 1000;
/** Lines logged in a second; a node that floods must not fill the pool's log. Others are counted. */
const MAX_LINES_PER_SECOND = 100;
/** Lines kept to tell why a node ended. */
const KEPT_LINES = 30;

/** Which of its outputs a node wrote to. */
export type OutputStream = 'stdout' | 'stderr';

export interface NodeOutputOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Replaced wherever they show up. */
  readonly secrets: readonly string[];
  readonly onLine: (stream: OutputStream, line: string) => void;
}

/** Turns what a node prints into bounded log lines, without secrets and control characters. */
export class NodeOutput {
  readonly #options: NodeOutputOptions;
  readonly #readers: Readonly<Record<OutputStream, LineReader>>;
  #last: string[] = [];
  #secondStart = Number.NEGATIVE_INFINITY;
  #inSecond = 0;
  #leftOut = 0;

  constructor(options: NodeOutputOptions) {
    this.#options = options;
    this.#readers = {
      stdout: new LineReader((line) => this.#line('stdout', line)),
      stderr: new LineReader((line) => this.#line('stderr', line)),
    };
  }

  /** The last lines of both outputs, oldest first. */
  get lastLines(): readonly string[] {
    return this.#last;
  }

  write(stream: OutputStream, bytes: Buffer): void {
    this.#readers[stream].write(bytes);
  }

  /** No more will come. */
  end(): void {
    this.#readers.stdout.end();
    this.#readers.stderr.end();
    this.#tellLeftOut();
  }

  #line(stream: OutputStream, raw: string): void {
    const line = this.#clean(raw);
    if (line === '') return;
    this.#last.push(line);
    if (this.#last.length > KEPT_LINES) this.#last = this.#last.slice(-KEPT_LINES);
    const { log, clock, onLine } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - this.#secondStart >= 1000) {
      this.#tellLeftOut();
      this.#secondStart = nowMs;
      this.#inSecond = 0;
    }
    if (++this.#inSecond > MAX_LINES_PER_SECOND) {
      this.#leftOut++;
      return;
    }
    if (stream === 'stderr') log.warn({ line }, 'node says');
    else log.debug({ line }, 'node says');
    onLine(stream, line);
  }

  #tellLeftOut(): void {
    if (this.#leftOut > 0) this.#options.log.debug({ lines: this.#leftOut }, 'output of the node was left out');
    this.#leftOut = 0;
  }

  #clean(raw: string): string {
    let line = raw;
    for (const secret of this.#options.secrets) if (secret !== '') line = line.replaceAll(secret, '***');
    return line
      .replace(/((?:rpcpassword|rpcauth|__cookie__)\s*[=:]\s*)\S+/gi, '$1***')
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
      .trim();
  }
}

/** Splits bytes into lines; keeps no more than the longest line. */
class LineReader {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  #rest = '';
  #isCut = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(bytes: Buffer): void {
    this.#take(this.#decoder.write(bytes));
  }

  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== '') this.#finish();
  }

  #take(text: string): void {
    let from = 0;
    for (;;) {
      const at = text.indexOf('\n', from);
      this.#keep(at === -1 ? text.slice(from) : text.slice(from, at));
      if (at === -1) return;
      this.#finish();
      from = at + 1;
    }
  }

  #keep(part: string): void {
    const room = MAX_LINE_CHARS - this.#rest.length;
    if (part.length > room) this.#isCut = true;
    this.#rest += part.slice(0, room);
  }

  #finish(): void {
    const line = this.#isCut ? `${this.#rest}...` : this.#rest;
    this.#rest = '';
    this.#isCut = false;
    this.#onLine(line);
  }
}
