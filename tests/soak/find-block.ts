import { ScriptedMiner } from '../support/scripted-miner.js';
import { waitFor } from '../support/wait.js';
import type { MinerBook } from './share-load.js';
import type { Stage } from './stage.js';

export interface FoundBlock {
  /** Display hex. */
  readonly hash: string;
  /** What the pool answered to the share; it may come much later than the block is in the chain. */
  readonly reply: Promise<unknown>;
  /** The miner's one accepted share, should it be that. */
  readonly book: MinerBook;
}

/** A miner of this name finds a block now, and it is in the chain. */
export async function findBlock({ node, port }: Stage, worker: string): Promise<FoundBlock> {
  const miner = await ScriptedMiner.start({ port, worker });
  const { hash, params } = miner.solve(miner.job, { want: 'block' });
  const reply = miner.request('mining.submit', params).then(({ result }) => {
    miner.close();
    return result;
  });
  await waitFor('the block in the chain', () => node.getBlock(hash) !== undefined);
  const achieved = ((0xffff * 2 ** 208) / Number(BigInt(`0x${hash}`))).toPrecision(10);
  const nothing = { unanswered: [], rejected: {}, faults: { right: 0, wrong: 0 } };
  return { hash, reply, book: { worker, accepted: [achieved], blocks: [hash], ...nothing } };
}
