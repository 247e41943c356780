import { setTimeout as sleep } from 'node:timers/promises';
import { settle } from '@headframe/primitives/testing';
import type { Connection } from '@headframe/transport';
import { sha256d } from './script.js';
import { assemble, targetOf } from './scripted-miner.js';

// A miner that writes and reads raw bytes over any connection, and knows nothing but what stood on the wire. The tests
// of faults and attacks need to send what no client would send.

export type Message = Record<string, unknown> & { id?: unknown; method?: string; result?: unknown; error?: unknown };

/** A job as `mining.notify` gave it, with what was in force then. */
export interface WireJob {
  readonly id: string;
  readonly params: readonly unknown[];
  readonly clean: boolean;
  readonly difficulty: number;
  readonly extranonce1: string;
}

/** A header that was found. */
export interface WireShare {
  readonly job: WireJob;
  readonly extranonce2: string;
  readonly ntime: string;
  readonly nonce: string;
  /** Rolled bits, when a sixth parameter is to be sent. */
  readonly bits: string | undefined;
  /** Display hex of the header hash. */
  readonly hash: string;
}

export interface SearchOptions {
  readonly job?: WireJob;
  /** Difficulty to meet; default that of the job. */
  readonly meets?: number;
  /** Difficulty not to meet. */
  readonly misses?: number;
  readonly bits?: number;
  readonly ntime?: string;
}

const PATIENCE_MS = 10_000;
function hashValue(header: Buffer): bigint {
  return BigInt(`0x${sha256d(header).reverse().toString('hex')}`);
}

export class WireMiner {
  readonly connection: Connection;
  /** Every line received, parsed and raw. */
  readonly lines: Message[] = [];
  readonly raw: string[] = [];
  readonly jobs: WireJob[] = [];
  extranonce1 = '';
  extranonce2Size = 0;
  sessionId = '';
  difficulty = 0;
  worker = 'alice.rig1';
  closed = false;
  #text = '';
  #nextId = 100;
  #extranonce2 = 1;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.start({
      data: (chunk) => this.#data(Buffer.from(chunk).toString('latin1')),
      drain: () => {},
      closed: () => {
        this.closed = true;
      },
    });
  }

  /** Writes bytes as they are. */
  write(bytes: string | Uint8Array): void {
    this.connection.write(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes);
  }

  /** Writes lines, in one piece. */
  send(...messages: readonly (object | string)[]): void {
    this.write(messages.map((one) => `${typeof one === 'string' ? one : JSON.stringify(one)}\n`).join(''));
  }

  /** Sends a request and waits for its answer. */
  call(method: string, params: unknown, id: unknown = this.#nextId++): Promise<Message> {
    this.send({ id, method, params });
    return this.answer(id);
  }

  /** The answer to a request. Does not turn clocks: what waits for one never comes. */
  async answer(id: unknown): Promise<Message> {
    let found: Message | undefined;
    await this.until(`an answer to ${JSON.stringify(id)}`, () => {
      found = this.lines.find((line) => line.method === undefined && line.id === id);
      return found !== undefined;
    });
    return found ?? {};
  }

  /** Waits until `condition` holds: some turns for what is in memory, then some seconds for disks and sockets. */
  async until(what: string, condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < 50; turn++) {
      if (condition()) return;
      await settle();
    }
    const endMs = performance.now() + PATIENCE_MS;
    while (performance.now() < endMs) {
      if (condition()) return;
      await sleep(2);
    }
    throw new Error(`${what} did not come; got: ${this.raw.slice(-10).join(' ') || 'nothing'}`);
  }

  subscribe(sessionId?: string): Promise<Message> {
    return this.call('mining.subscribe', sessionId === undefined ? ['t/1'] : ['t/1', sessionId]);
  }

  authorize(worker: string = this.worker, password = 'x'): Promise<Message> {
    return this.call('mining.authorize', [worker, password]);
  }

  /** Subscribe, authorize, first job. */
  async start(sessionId?: string): Promise<this> {
    await this.subscribe(sessionId);
    const { error } = await this.authorize();
    if (error !== null) throw new Error(`authorize: ${JSON.stringify(error)}`);
    await this.until('the first job', () => this.jobs.length > 0);
    return this;
  }

  get job(): WireJob {
    const job = this.jobs.at(-1);
    if (job === undefined) throw new Error('no job was received');
    return job;
  }

  received(method: string): Message[] {
    return this.lines.filter((line) => line.method === method);
  }

  /** Finds a header of a job. Each call uses another extranonce2. */
  search(options: SearchOptions = {}): WireShare {
    const job = options.job ?? this.job;
    const { bits } = options;
    const [, previousHash, coinbase1, coinbase2, branch, version, nbits, time] = job.params as string[];
    const ntime = options.ntime ?? String(time);
    const extranonce2 = (this.#extranonce2++).toString(16).padStart(2 * this.extranonce2Size, '0');
    const rolled = ((Number.parseInt(String(version), 16) | (bits ?? 0)) >>> 0).toString(16).padStart(8, '0');
    const { header } = assemble(
      {
        previousHash: String(previousHash),
        coinbase1: String(coinbase1),
        coinbase2: String(coinbase2),
        branch: branch as unknown as string[],
        version: String(version),
        bits: String(nbits),
        time: String(time),
        extranonce1: job.extranonce1,
      },
      { extranonce2, version: rolled, time: ntime },
    );
    const target = targetOf(options.meets ?? job.difficulty, 'sha256d');
    const above = options.misses === undefined ? 0n : targetOf(options.misses, 'sha256d');
    for (let nonce = 0; nonce < 4_000_000; nonce++) {
      header.writeUInt32LE(nonce, 76);
      const value = hashValue(header);
      if (
        options.misses === undefined
          ? value > target
          : value <= above || (options.meets !== undefined && value > target)
      )
        continue;
      return {
        job,
        extranonce2,
        ntime,
        nonce: nonce.toString(16).padStart(8, '0'),
        bits: bits === undefined ? undefined : bits.toString(16).padStart(8, '0'),
        hash: value.toString(16).padStart(64, '0'),
      };
    }
    throw new Error('no share found');
  }

  /** Parameters of `mining.submit`. */
  params(share: WireShare, worker: string = this.worker): unknown[] {
    const params = [worker, share.job.id, share.extranonce2, share.ntime, share.nonce];
    return share.bits === undefined ? params : [...params, share.bits];
  }

  /** The line of a submit, newline included. */
  submitLine(share: WireShare, id: unknown, worker: string = this.worker): string {
    return `${JSON.stringify({ id, method: 'mining.submit', params: this.params(share, worker) })}\n`;
  }

  submit(share: WireShare, worker: string = this.worker): Promise<Message> {
    return this.call('mining.submit', this.params(share, worker));
  }

  /** Finds a share and submits it. */
  mine(options: SearchOptions = {}): Promise<Message> {
    return this.submit(this.search(options));
  }

  #subscribed([subscriptions, extranonce1, size]: unknown[]): void {
    const [[, sessionId] = []] = Array.isArray(subscriptions) ? (subscriptions as unknown[][]) : [];
    this.sessionId = String(sessionId);
    this.extranonce1 = String(extranonce1);
    this.extranonce2Size = Number(size);
  }

  #data(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      this.raw.push(line);
      const message = JSON.parse(line) as Message;
      this.lines.push(message);
      this.#notice(message);
    }
  }

  #notice({ method, params, result }: Message): void {
    // As some firmware does: an answer with three members is that to subscribe.
    if (Array.isArray(result) && typeof result[1] === 'string' && typeof result[2] === 'number')
      this.#subscribed(result);
    if (!Array.isArray(params)) return;
    if (method === 'mining.set_difficulty') this.difficulty = Number(params[0]);
    else if (method === 'mining.set_extranonce') {
      this.extranonce1 = String(params[0]);
      this.extranonce2Size = Number(params[1]);
    } else if (method === 'mining.notify') {
      const clean = params[8] === true;
      this.jobs.push({
        id: String(params[0]),
        params,
        clean,
        difficulty: this.difficulty,
        extranonce1: this.extranonce1,
      });
    }
  }
}
