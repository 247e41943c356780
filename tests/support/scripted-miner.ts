import { scryptSync } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { sha256d } from './script.js';
import { waitFor, within } from './wait.js';

// A Stratum miner of the tests' own: it shares no code with the product, so that both would have to make the same
// mistake for it to go unseen.

/** A job as mining.notify announced it, with the difficulty and extranonce that were in force then. */
export interface MinerJob {
  readonly id: string;
  readonly previousHash: string;
  readonly coinbase1: string;
  readonly coinbase2: string;
  readonly branch: readonly string[];
  readonly version: string;
  readonly bits: string;
  readonly time: string;
  readonly clean: boolean;
  readonly difficulty: number;
  readonly extranonce1: string;
  readonly extranonce2Size: number;
}

export interface Solution {
  /** Parameters of mining.submit. */
  readonly params: readonly string[];
  /** Display hex of the block hash. */
  readonly hash: string;
  readonly header: Buffer;
  /** Without witness. */
  readonly coinbase: Buffer;
  readonly isBlock: boolean;
}

export interface StratumReply {
  readonly result: unknown;
  readonly error: readonly [number, string, unknown] | null;
}

export interface MinerOptions {
  readonly port: number;
  readonly algorithm?: 'sha256d' | 'scrypt';
  readonly worker?: string;
  readonly password?: string;
  /** What it calls itself. Default `scripted/1.0`. */
  readonly agent?: string;
}

export interface SolveOptions {
  /** What the hash must be: a block, a share that is no block, or neither (a hash above the share target). */
  readonly want: 'block' | 'share' | 'miss';
  /** Seconds added to the job's time. */
  readonly timeOffset?: number;
  /** Bits to roll, inside the mask. */
  readonly versionBits?: { readonly bits: number; readonly mask: number };
}

const DIFF1 = 0xffffn << 208n;

/** floor(diff1 * factor / difficulty), from the decimal that was written on the wire. */
export function targetOf(difficulty: number, algorithm: 'sha256d' | 'scrypt'): bigint {
  const [mantissa = '0', exponent = '0'] = difficulty.toString().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const shift = fraction.length - Number(exponent);
  const numerator = BigInt(whole + fraction) * 10n ** BigInt(Math.max(0, -shift));
  const denominator = 10n ** BigInt(Math.max(0, shift));
  const base = algorithm === 'scrypt' ? DIFF1 * 65536n : DIFF1;
  const target = (base * denominator) / numerator;
  const limit = (1n << 256n) - 1n;
  return target > limit ? limit : target;
}

function networkTarget(bits: string): bigint {
  const value = Number.parseInt(bits, 16);
  return BigInt(value & 0x7fffff) << BigInt(8 * ((value >>> 24) - 3));
}

function leHash(hash: Buffer): bigint {
  return BigInt(`0x${Buffer.from(hash).reverse().toString('hex')}`);
}

function le32(hex: string): Buffer {
  return Buffer.from(hex, 'hex').reverse();
}

/** Each 4-byte word reversed: the form of the previous hash in mining.notify. */
function swapWords(hex: string): Buffer {
  return Buffer.from(hex, 'hex').swap32();
}

function u32Hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** Fields of a header as they stand in mining.submit and mining.notify. */
export interface HeaderFields {
  readonly extranonce2: string;
  readonly version: string;
  readonly time: string;
  readonly nonce?: string;
}

/** Coinbase (without witness) and header of a job's block. */
export function assemble(
  job: Omit<MinerJob, 'id' | 'clean' | 'difficulty' | 'extranonce2Size'>,
  { extranonce2, version, time, nonce = '00000000' }: HeaderFields,
): { readonly coinbase: Buffer; readonly header: Buffer } {
  const coinbase = Buffer.from(job.coinbase1 + job.extranonce1 + extranonce2 + job.coinbase2, 'hex');
  let root: Buffer = sha256d(coinbase);
  for (const step of job.branch) root = sha256d(Buffer.concat([root, Buffer.from(step, 'hex')]));
  const parts = [le32(version), swapWords(job.previousHash), root, le32(time), le32(job.bits), le32(nonce)];
  return { coinbase, header: Buffer.concat(parts) };
}

export class ScriptedMiner {
  readonly algorithm: 'sha256d' | 'scrypt';
  readonly worker: string;
  readonly #password: string;
  readonly #agent: string;
  readonly #socket: Socket;
  readonly #pending = new Map<number, (reply: StratumReply) => void>();
  #rest = '';
  #nextId = 1;
  #extranonce2 = 0;
  extranonce1 = '';
  extranonce2Size = 0;
  sessionId = '';
  difficulty = 1;
  closed = false;
  /** Everything the server sent, in order, parsed. */
  readonly messages: Record<string, unknown>[] = [];
  /** Jobs in the order they came. */
  readonly jobs: MinerJob[] = [];

  private constructor(socket: Socket, options: MinerOptions) {
    this.#socket = socket;
    this.algorithm = options.algorithm ?? 'sha256d';
    this.worker = options.worker ?? 'rig.1';
    this.#password = options.password ?? 'x';
    this.#agent = options.agent ?? 'scripted/1.0';
    socket.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      for (const settle of this.#pending.values()) settle({ result: null, error: [-1, 'connection closed', null] });
      this.#pending.clear();
    });
  }

  /** Connects only. */
  static open(options: MinerOptions): Promise<ScriptedMiner> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(options.port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => resolve(new ScriptedMiner(socket, options)));
    });
  }

  /** Connects, subscribes, authorizes and waits for the first job. */
  static async start(options: MinerOptions): Promise<ScriptedMiner> {
    const miner = await ScriptedMiner.open(options);
    await miner.subscribe();
    const { result, error } = await miner.request('mining.authorize', [miner.worker, miner.#password]);
    if (result !== true) throw new Error(`authorize: ${JSON.stringify(error)}`);
    await miner.nextJob('the first job', 0);
    return miner;
  }

  async subscribe(sessionId?: string): Promise<void> {
    const params = sessionId === undefined ? [this.#agent] : [this.#agent, sessionId];
    const { result, error } = await this.request('mining.subscribe', params);
    if (!Array.isArray(result)) throw new Error(`subscribe: ${JSON.stringify(error)}`);
    this.extranonce1 = String(result[1]);
    this.extranonce2Size = Number(result[2]);
    const notify: unknown = Array.isArray(result[0])
      ? result[0].find((entry: unknown) => Array.isArray(entry) && entry[0] === 'mining.notify')
      : undefined;
    this.sessionId = Array.isArray(notify) ? String(notify[1]) : '';
  }

  /** Sends a raw line. */
  send(line: string): void {
    this.#socket.write(`${line}\n`);
  }

  request(method: string, params: readonly unknown[]): Promise<StratumReply> {
    const id = this.#nextId++;
    const reply = new Promise<StratumReply>((resolve) => {
      this.#pending.set(id, resolve);
    });
    this.send(JSON.stringify({ id, method, params }));
    return within(`the reply to ${method}`, reply);
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#message(JSON.parse(line));
  }

  #message(message: Record<string, unknown>): void {
    this.messages.push(message);
    const { method, params, id } = message;
    if (typeof method !== 'string') {
      const settle = this.#pending.get(Number(id));
      this.#pending.delete(Number(id));
      const { result, error } = message as { result: unknown; error: StratumReply['error'] };
      settle?.({ result, error });
    } else if (!Array.isArray(params)) return;
    else if (method === 'mining.set_difficulty') this.difficulty = Number(params[0]);
    else if (method === 'mining.set_extranonce') {
      this.extranonce1 = String(params[0]);
      this.extranonce2Size = Number(params[1]);
    } else if (method === 'mining.notify') this.#notify(params);
  }

  #notify(params: readonly unknown[]): void {
    const [id, previousHash, coinbase1, coinbase2, branch, version, bits, time, clean] = params;
    this.jobs.push({
      id: String(id),
      previousHash: String(previousHash),
      coinbase1: String(coinbase1),
      coinbase2: String(coinbase2),
      branch: Array.isArray(branch) ? branch.map(String) : [],
      version: String(version),
      bits: String(bits),
      time: String(time),
      clean: clean === true,
      difficulty: this.difficulty,
      extranonce1: this.extranonce1,
      extranonce2Size: this.extranonce2Size,
    });
  }

  get job(): MinerJob {
    const job = this.jobs.at(-1);
    if (job === undefined) throw new Error('no job yet');
    return job;
  }

  /** Waits for a job after the first `seen` ones that `matches`. */
  nextJob(what: string, seen: number, matches: (job: MinerJob) => boolean = () => true): Promise<MinerJob> {
    return waitFor(what, () => {
      if (this.closed) throw new Error('the pool closed the connection');
      return this.jobs.slice(seen).find(matches);
    });
  }

  /** Waits for a job that builds on the block with this display hash. */
  jobOn(hash: string): Promise<MinerJob> {
    const wire = Buffer.from(hash, 'hex').reverse().swap32().toString('hex');
    return this.nextJob(`a job on ${hash}`, 0, (job) => job.previousHash === wire);
  }

  /** Searches extranonce2 and nonce until the hash is what was asked for. */
  solve(job: MinerJob, options: SolveOptions): Solution {
    const extranonce2 = (++this.#extranonce2).toString(16).padStart(2 * job.extranonce2Size, '0');
    const { bits = 0, mask = 0 } = options.versionBits ?? {};
    const version = (Number.parseInt(job.version, 16) & ~mask) | (bits & mask);
    const time = u32Hex(Number.parseInt(job.time, 16) + (options.timeOffset ?? 0));
    const { header, coinbase } = assemble(job, { extranonce2, version: u32Hex(version), time });
    const block = networkTarget(job.bits);
    const share = targetOf(job.difficulty, this.algorithm);
    for (let nonce = 0; nonce < 2 ** 32; nonce++) {
      header.writeUInt32LE(nonce, 76);
      const pow =
        this.algorithm === 'scrypt' ? scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 }) : sha256d(header);
      const value = leHash(pow);
      const kind = value <= block ? 'block' : value <= share ? 'share' : 'miss';
      if (kind !== options.want) continue;
      const params = [this.worker, job.id, extranonce2, time, u32Hex(nonce)];
      if (options.versionBits !== undefined) params.push(u32Hex(bits & mask));
      return {
        params,
        hash: sha256d(header).reverse().toString('hex'),
        header: Buffer.from(header),
        coinbase,
        isBlock: kind === 'block',
      };
    }
    throw new Error('no nonce does it');
  }

  submit(solution: Solution): Promise<StratumReply> {
    return this.request('mining.submit', solution.params);
  }

  close(): void {
    this.#socket.destroy();
  }
}
