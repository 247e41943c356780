import {
  type BlockCandidate,
  type Bus,
  createDirectBus,
  type JobRecord,
  type ShareBatch,
  type ShareRecord,
} from '@headframe/mining';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { createMemoryPair, type MemoryConnection } from '@headframe/transport/testing';
import {
  createServer,
  type DefaultAccount,
  type MiningServer,
  type MiningServerModules,
  type MiningServerOptions,
} from '../src/index.js';
import { headerOf, type MinerJob, meets, type Work } from './fixtures.js';

export type Message = Record<string, unknown> & { id?: unknown; method?: string; result?: unknown; error?: unknown };

/** A miner on a memory connection, who knows what the wire told it and nothing else. */
export class Miner {
  readonly connection: MemoryConnection;
  /** Every line received. */
  readonly lines: Message[] = [];
  /** Raw lines, newline cut off. */
  readonly raw: string[] = [];
  /** Chunks as they were written by the server. */
  readonly writes: string[] = [];
  readonly jobs: MinerJob[] = [];
  difficulty = 0;
  extranonce1 = '';
  extranonce2Size = 0;
  sessionId = '';
  mask = 0;
  closed = false;
  worker = 'alice.rig1';
  #text = '';
  #nextId = 10;
  #extranonce2 = 0;

  constructor(connection: MemoryConnection) {
    this.connection = connection;
    connection.start({
      data: (chunk) => this.#data(Buffer.from(chunk).toString('latin1')),
      drain: () => {},
      closed: () => {
        this.closed = true;
      },
    });
  }

  send(...messages: (object | string)[]): void {
    this.connection.write(
      messages.map((message) => `${typeof message === 'string' ? message : JSON.stringify(message)}\n`).join(''),
    );
  }

  /** Sends and returns the answer. */
  async call(method: string, params: unknown, id: unknown = this.#nextId++): Promise<Message> {
    this.send({ id, method, params });
    return this.answer(id);
  }

  /** The answer to a request. */
  async answer(id: unknown): Promise<Message> {
    for (let i = 0; i < 20; i++) {
      const found = this.lines.find((line) => line.method === undefined && line.id === id);
      if (found) return found;
      await settle();
    }
    throw new Error(`no answer to ${JSON.stringify(id)}; got ${this.raw.join(' ') || 'nothing'}`);
  }

  async subscribe(sessionId?: string): Promise<Message> {
    const answer = await this.call('mining.subscribe', sessionId === undefined ? ['test/1'] : ['test/1', sessionId]);
    this.takeSubscription(answer.result);
    return answer;
  }

  takeSubscription(result: unknown): void {
    const [subscriptions, extranonce1, size] = result as [[string, string][], string, number];
    this.sessionId = subscriptions[0]?.[1] ?? '';
    this.extranonce1 = extranonce1;
    this.extranonce2Size = size;
  }

  async authorize(worker = this.worker, password = 'x'): Promise<Message> {
    return this.call('mining.authorize', [worker, password]);
  }

  /** Subscribe, authorize, first work. */
  async start(sessionId?: string): Promise<this> {
    await this.subscribe(sessionId);
    await this.authorize();
    await settle();
    return this;
  }

  get job(): MinerJob {
    const job = this.jobs.at(-1);
    if (!job) throw new Error('no job was received');
    return job;
  }

  received(method: string): Message[] {
    return this.lines.filter((line) => line.method === method);
  }

  /** Finds work of a job that meets `difficulty` (default: the job's), or does not. */
  mine(
    options: {
      readonly job?: MinerJob;
      readonly difficulty?: number;
      readonly below?: number;
      readonly bits?: number;
      readonly ntime?: string;
    } = {},
  ): Work {
    const job = options.job ?? this.job;
    const { bits = 0 } = options;
    const version = (Number.parseInt(String(job.params[5]), 16) | bits) >>> 0;
    const ntime = options.ntime ?? String(job.params[7]);
    const extranonce2 = (this.#extranonce2++).toString(16).padStart(2 * this.extranonce2Size, '0');
    for (let nonce = 0; nonce < 2_000_000; nonce++) {
      const work = { extranonce2, ntime, nonce: nonce.toString(16).padStart(8, '0'), version };
      const header = headerOf(job, work);
      if (options.below !== undefined) {
        if (!meets(header, options.below)) return work;
      } else if (meets(header, options.difficulty ?? job.difficulty)) return work;
    }
    throw new Error('no share found');
  }

  /** Goes on counting extranonce2 where another miner stopped. */
  skipTo(other: Miner): void {
    this.#extranonce2 = other.#extranonce2;
  }

  params(work: Work, job: MinerJob = this.job, worker = this.worker): unknown[] {
    return [worker, job.id, work.extranonce2, work.ntime, work.nonce];
  }

  /** Hands in work and returns the answer. */
  submit(work: Work, job: MinerJob = this.job, worker = this.worker): Promise<Message> {
    return this.call('mining.submit', this.params(work, job, worker));
  }

  #data(text: string): void {
    this.writes.push(text);
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

  #notice({ method, params }: Message): void {
    if (!Array.isArray(params)) return;
    if (method === 'mining.set_difficulty') this.difficulty = Number(params[0]);
    else if (method === 'mining.set_extranonce') {
      this.extranonce1 = String(params[0]);
      this.extranonce2Size = Number(params[1]);
    } else if (method === 'mining.set_version_mask') this.mask = Number.parseInt(String(params[0]), 16);
    else if (method === 'mining.notify') {
      this.jobs.push({
        id: String(params[0]),
        params,
        clean: params[8] === true,
        difficulty: this.difficulty,
        extranonce1: this.extranonce1,
      });
    }
  }
}

/** A core behind the bus: takes shares, candidates; gives jobs. */
export interface TestCore {
  readonly batches: ShareBatch[];
  readonly candidates: BlockCandidate[];
  /** Every record that was committed. */
  shares(): ShareRecord[];
  accepted(): ShareRecord[];
  publish(job: JobRecord): void;
  /** Replaces what `commit` does. */
  onCommit: (batch: ShareBatch) => Promise<null> | null;
}

export interface Harness<Account = DefaultAccount> {
  readonly clock: FakeClock;
  readonly bus: Bus;
  readonly core: TestCore;
  readonly server: MiningServer<Account>;
  connect(address?: string): Miner;
  close(): Promise<void>;
}

export interface HarnessOptions<Account> {
  readonly options?: MiningServerOptions<Account>;
  readonly modules?: MiningServerModules<Account>;
  /** Job that the core has when the edge joins. */
  readonly job?: JobRecord;
  readonly bus?: Bus;
}

/** Difficulty that one hash in about 43 meets. */
export const TEST_DIFFICULTY = 1e-8;

/** Params of `mining.configure` that ask for every version bit. */
export const CONFIGURE = [['version-rolling'], { 'version-rolling.mask': 'ffffffff' }];

/** A server with a core on a direct bus, a fake clock and miners on memory connections. */
export async function harness<Account = DefaultAccount>(
  setup: HarnessOptions<Account> = {},
): Promise<Harness<Account>> {
  const clock = new FakeClock(1_700_000_000_000);
  const bus = setup.bus ?? createDirectBus();
  const batches: ShareBatch[] = [];
  const candidates: BlockCandidate[] = [];
  let current: JobRecord | null = setup.job ?? null;
  const core: TestCore = {
    batches,
    candidates,
    shares: () => batches.flatMap((batch) => batch.shares),
    accepted: () => core.shares().filter((share) => share.result === 'accepted'),
    publish: (job) => {
      current = job;
      bus.publish('job', job);
    },
    onCommit: () => null,
  };
  bus.answer('join', () => ({ instance: 7, job: current }));
  const seen = new Set<string>();
  bus.answer('commit', async (batch) => {
    await core.onCommit(batch);
    const key = `${batch.epoch}/${batch.sequence}`;
    if (!seen.has(key)) batches.push(batch);
    seen.add(key);
    return null;
  });
  bus.subscribe('candidate', (candidate) => {
    candidates.push(candidate);
  });
  const options = {
    difficulty: TEST_DIFFICULTY,
    refreshSpreadMs: 0,
    ...setup.options,
    limits: {
      overloadDelayMs: Number.POSITIVE_INFINITY,
      // The clock stands still: nothing would make a commit's turn come.
      commitsPerSecond: Number.POSITIVE_INFINITY,
      ...setup.options?.limits,
    },
  } as MiningServerOptions<Account> & { authorize: NonNullable<MiningServerOptions<Account>['authorize']> };
  const server = createServer<Account>(options, { clock, bus, ...setup.modules });
  await server.join();
  return {
    clock,
    bus,
    core,
    server,
    connect(address = '10.0.0.1') {
      const { client, server: end } = createMemoryPair({ clock, clientAddress: address });
      server.attach(end, { index: 0 });
      return new Miner(client);
    },
    async close() {
      server.destroy();
      await settle();
    },
  };
}
