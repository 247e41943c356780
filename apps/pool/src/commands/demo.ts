import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CpuMiner, MiningClient } from '@headframe/client';
import { createDevNode, type DevNode } from '@headframe/devnode';
import { canonicalDifficulty, targetToNbits } from '@headframe/mining';
import { createPool } from '@headframe/pool';
import { uint256FromBytesLe } from '@headframe/primitives';
import type { Args, Command } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { difficultyText, durationText, hashrateText } from '../format.js';
import { createLogger } from '../logger.js';
import { StatusLine } from '../status-line.js';
import { stopSignal } from '../stop-signal.js';

/** Where the demo's rewards go: the P2WPKH example address of BIP 173, for regtest. Nobody can spend regtest coins. */
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
/** Blocks the chain begins with, so that coins are mature and templates hold transactions. */
const FIRST_BLOCKS = 101;
/** A million hashes a second find a block of this difficulty in about ten seconds. */
const BLOCK_DIFFICULTY = 0.0025;
const SHARE_DIFFICULTY = 0.0002;
const STATUS_MS = 500;
const PIPE_STATUS_MS = 10_000;
const COIN = 100_000_000n;

/** A chain, a pool and a miner in one process. */
export const demo: Command = {
  name: 'demo',
  summary: 'Run a regtest chain, a pool and a CPU miner in one go, and watch blocks being found.',
  options: {
    port: { type: 'string', value: 'N', help: 'Stratum port on 127.0.0.1; 0 takes a free one.', default: '3333' },
    blocks: { type: 'string', value: 'N', help: 'Stop after so many blocks.' },
    threads: { type: 'string', value: 'N', help: 'Threads of the miner.', default: '1' },
    difficulty: { type: 'string', value: 'D', help: 'Difficulty of a block.', default: String(BLOCK_DIFFICULTY) },
    verbose: { type: 'boolean', help: "Show the pool's log too." },
  },
  details: `
Everything happens in memory and in a temporary folder that is removed at the end. Any Stratum V1 miner can join in.`,
  run: (args) => runDemo(args),
};

async function runDemo(args: Args): Promise<number> {
  const wanted = args.number('blocks', 1, 1e9);
  const threads = args.number('threads', 1, 256) ?? 1;
  const port = args.number('port', 0, 65535) ?? 3333;
  const blockDifficulty = canonicalDifficulty(args.number('difficulty', 1e-9, 1e6) ?? BLOCK_DIFFICULTY, 1);
  const log = createLogger({ level: args.flag('verbose') ? 'info' : 'error', format: 'auto' });
  const line = new StatusLine();
  const stop = stopSignal();
  const folder = await mkdtemp(join(tmpdir(), 'headframe-demo-'));
  const node = createDevNode({
    user: 'demo',
    password: 'demo',
    bits: targetToNbits(uint256FromBytesLe(blockDifficulty.target)),
    bitsFromHeight: FIRST_BLOCKS + 1,
  });
  await node.start();
  node.mineBlocks(FIRST_BLOCKS);
  const pool = createPool(
    {
      coin: 'bitcoin',
      network: 'regtest',
      daemons: [{ url: node.url, user: node.user, password: node.password, name: 'devnode' }],
      payout: { scheme: 'solo', address: ADDRESS },
      listeners: [
        {
          host: '127.0.0.1',
          port,
          difficulty: { start: Math.min(SHARE_DIFFICULTY, blockDifficulty.value), target: 2 },
        },
      ],
      dataFolder: folder,
    },
    { log },
  );
  let client: MiningClient | undefined;
  let miner: CpuMiner | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    await pool.listen();
    const url = `stratum+tcp://127.0.0.1:${pool.addresses[0]?.port ?? port}`;
    client = new MiningClient({ url, workers: [{ username: 'demo.cpu' }] });
    miner = new CpuMiner(client, { threads });
    const running = miner;
    const startedMs = Date.now();
    line.print(`Pool on ${url} (any user name). Ctrl-C stops.`);
    line.print('    time  height  block                                                             reward  found by');
    let blocks = 0;
    const enough = new Promise<void>((resolve) => {
      pool.on('block', (block) => {
        blocks++;
        const time = durationText(Date.now() - startedMs).padStart(8);
        line.print(
          `${time}  ${String(block.height).padStart(6)}  ${block.hash}  ${coins(block.reward)}  ${block.worker}`,
        );
        sendTransactions(node);
        if (wanted !== undefined && blocks >= wanted) resolve();
      });
    });
    const status = (): string => {
      const { hashesPerSecond, accepted, rejected } = running.stats;
      const difficulty = client?.job === undefined ? '-' : difficultyText(client.job.difficulty);
      return `${hashrateText(hashesPerSecond)}  difficulty ${difficulty}  shares ${accepted}  rejected ${rejected}  blocks ${blocks}  ${durationText(Date.now() - startedMs)}`;
    };
    timer = process.stdout.isTTY
      ? setInterval(() => line.update(status()), STATUS_MS)
      : setInterval(() => line.print(status()), PIPE_STATUS_MS);
    await client.start();
    miner.start();
    await Promise.race([enough, stop.first]);
    stop.onSecond(() => process.exit(EXIT.failure));
    clearInterval(timer);
    line.end(status());
    return EXIT.ok;
  } finally {
    clearInterval(timer);
    await miner?.stop();
    await client?.close();
    await pool.close();
    await node.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Fills the next block, so that the demo's templates have merkle branches. */
function sendTransactions(node: DevNode): void {
  try {
    node.addMempoolTransaction({ count: 3 });
  } catch {
    // No mature coin just now: the next block is empty.
  }
}

function coins(baseUnits: bigint): string {
  return `${baseUnits / COIN}.${String(baseUnits % COIN)
    .padStart(8, '0')
    .slice(0, 2)}`.padStart(6);
}
