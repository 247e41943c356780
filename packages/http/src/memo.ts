import { createHash } from 'node:crypto';
import { BoundedMap, type Clock, type MaybePromise } from '@headframe/primitives';
import { ApiProblem } from './problem.js';

/** A finished answer. */
export interface Answer {
  readonly body: string;
  /** Strong, from the bytes of the body. */
  readonly etag: string;
}

/** Makes the answer of a JSON text. */
export function answerOf(body: string): Answer {
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
}

interface Entry extends Answer {
  /** Monotonic milliseconds. */
  readonly untilMs: number;
}

/** Answers remembered at most, however small. */
const MAX_ENTRIES = 4_096;

/**
 * Answers kept for a few seconds, by what was asked: a thousand browsers cost one query. Requests that come while the
 * answer is made wait for the same one. Bounded in answers, in bytes and in answers made at a time.
 */
export class AnswerMemo {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #maxReads: number;
  readonly #entries = new BoundedMap<string, Entry>(MAX_ENTRIES);
  readonly #underWay = new Map<string, Promise<Answer>>();
  #bytes = 0;

  constructor(options: { readonly clock: Clock; readonly maxBytes: number; readonly maxReads: number }) {
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes;
    this.#maxReads = options.maxReads;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Forgets all answers: something happened that everybody should see at once. */
  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** The answer to `key`, made by `produce` unless it is there and not older than `ttlMs`. Failures are not kept. */
  get(key: string, ttlMs: number, produce: () => MaybePromise<string>): MaybePromise<Answer> {
    const known = this.#entries.get(key);
    if (known !== undefined && known.untilMs > this.#clock.monotonic()) return known;
    const running = this.#underWay.get(key);
    if (running !== undefined) return running;
    if (this.#underWay.size >= this.#maxReads) {
      return Promise.reject(new ApiProblem(503, 'busy', 'too many questions at once', { 'retry-after': '1' }));
    }
    const made = this.#make(key, ttlMs, produce).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, made);
    return made;
  }

  async #make(key: string, ttlMs: number, produce: () => MaybePromise<string>): Promise<Answer> {
    const answer = answerOf(await produce());
    this.#store(key, { ...answer, untilMs: this.#clock.monotonic() + ttlMs });
    return answer;
  }

  #store(key: string, entry: Entry): void {
    this.#forget(key);
    if (entry.body.length > this.#maxBytes) return;
    for (const [oldest] of this.#entries.entries()) {
      if (this.#bytes + entry.body.length <= this.#maxBytes) break;
      this.#forget(oldest);
    }
    this.#bytes += entry.body.length;
    const pushedOut = this.#entries.set(key, entry);
    if (pushedOut !== undefined) this.#bytes -= pushedOut[1].body.length;
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.body.length;
  }
}

/** True when an If-None-Match header names the tag. */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((part) => part.trim().replace(/^W\//, '') === etag);
}
