import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlockCandidate, type BlockOutcome, createDirectBus, type FoundBlock } from '@headframe/mining';
import { FakeClock, RecordingLogger } from '@headframe/primitives/testing';
import {
  type BlockJournal,
  type BlockSubmitter,
  type BlockSubmitterOptions,
  createBlockSubmitter,
  createNodePool,
  type NodePool,
  openBlockJournal,
} from '../src/index.js';
import { FakeNode } from './fake-node.js';

/** A fake node with a chain of made-up hashes. submitblock takes `hash` from the hex: the block is its own hash. */
export class FakeChainNode extends FakeNode {
  /** Display hex by height. */
  chain: string[] = ['genesis'];

  constructor() {
    super();
    this.on('getblockcount', () => ({ result: this.chain.length - 1 }));
    this.on('getbestblockhash', () => ({ result: this.chain.at(-1) }));
    this.on('getblockchaininfo', () => ({ result: { chain: 'regtest', blocks: this.chain.length - 1 } }));
    this.on('getblockhash', ([height]) => {
      const hash = this.chain[Number(height)];
      return hash === undefined ? { error: { code: -8, message: 'Block height out of range' } } : { result: hash };
    });
    this.on('submitblock', () => ({ result: null }));
  }

  /** Puts blocks with these names on top. */
  extend(...names: string[]): this {
    this.chain.push(...names);
    return this;
  }

  /** Adds `count` blocks nobody cares about. */
  bury(count: number): this {
    for (let i = 0; i < count; i++) this.chain.push(`filler ${this.chain.length}`);
    return this;
  }

  /** From `height` on the chain is another one. */
  reorganise(height: number, ...names: string[]): this {
    this.chain = [...this.chain.slice(0, height), ...names];
    return this;
  }
}

/** Runs the event loop until the condition holds; fails after five seconds of real time. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Hash of {@link SubmitBench.found}, on the fake chains. */
export const OUR_HASH = 'our block';

/** Fake nodes and block submitters around them, all closed at the end. */
export class SubmitBench {
  readonly folder: string;
  readonly clock = new FakeClock();
  readonly log = new RecordingLogger();
  /** What the bus was told. */
  outcomes: BlockOutcome[] = [];
  /** Run at the end, the last one first. */
  readonly cleanups: (() => unknown)[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.cleanups.push(() => rm(folder, { recursive: true }));
  }

  static async open(): Promise<SubmitBench> {
    return new SubmitBench(await mkdtemp(join(tmpdir(), 'headframe-submit-')));
  }

  async close(): Promise<void> {
    for (const cleanup of this.cleanups.reverse()) await cleanup();
  }

  async chainNode(height = 10): Promise<FakeChainNode> {
    const node = new FakeChainNode();
    for (let i = 1; i <= height; i++) node.extend(`block ${i}`);
    await node.listen();
    this.cleanups.push(() => node.kill());
    return node;
  }

  nodePool(...nodes: FakeChainNode[]): NodePool {
    const { clock, log } = this;
    const daemons = nodes.map((node, index) => ({ name: `n${index}`, url: node.url }));
    const pool = createNodePool({ daemons, coin: { network: 'regtest', gbtRules: [] } }, { clock, log });
    this.cleanups.push(() => pool.close());
    return pool;
  }

  submitter(pool: NodePool, options: Partial<BlockSubmitterOptions> = {}): BlockSubmitter {
    const { clock, log } = this;
    const bus = createDirectBus();
    bus.subscribe('block', (outcome) => this.outcomes.push(outcome));
    const made = createBlockSubmitter(
      { nodes: pool.nodes, coin: { coinbaseMaturity: 100 }, bus, ...options },
      { clock, log },
    );
    this.cleanups.push(() => made.close(0));
    return made;
  }

  found(hash = OUR_HASH, height = 11): FoundBlock {
    const candidate: BlockCandidate = {
      hash: new Uint8Array(32).fill(1),
      header: new Uint8Array(80).fill(2),
      coinbase: new Uint8Array(100).fill(3),
      baseJobId: 77,
      height,
      previousHash: new Uint8Array(32),
      account: 'account',
      worker: 'rig',
      address: 'bcrt1q',
      difficulty: 1,
      achieved: 5,
      timeMs: this.clock.now(),
      reward: 5_000_000_000n,
    };
    return { hash, height, hex: 'ab'.repeat(200), workId: undefined, candidate };
  }

  statuses(): BlockOutcome['status'][] {
    return this.outcomes.map(({ status }) => status);
  }

  openJournal(): Promise<BlockJournal> {
    return openBlockJournal({ path: join(this.folder, 'blocks.jsonl') }, { log: this.log });
  }
}
