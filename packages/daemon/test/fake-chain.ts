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
