import { resolve } from 'node:path';
import { CpuMiner, MiningClient } from '@headframe/client';
import type { DevNode } from '@headframe/devnode';
import { canonicalDifficulty } from '@headframe/mining';
import { createPool } from '@headframe/pool';
import type { Args } from './args.js';
import { prepareDemoFolder } from './demo-folder.js';
import { createDemoNode, demoConfig, MINER_ADDRESS, mineFirstBlocks } from './demo-pool.js';
import { EXIT } from './exit-codes.js';
import { difficultyText, durationText, hashrateText } from './format.js';
import { createLogger } from './logger.js';
import { serveApi } from './serve-api.js';
import { StatusLine } from './status-line.js';
import { stopSignal } from './stop-signal.js';

const STATUS_MS = 500;
const PIPE_STATUS_MS = 10_000;
const COIN = 100_000_000n;

/** Runs the demo until it is stopped. @returns the exit code */
export async function runDemo(args: Args): Promise<number> {
  const wanted = args.number('blocks', 1, 1e9);
  const threads = args.number('threads', 1, 256) ?? 1;
  const port = args.number('port', 0, 65535) ?? 3333;
  const webPort = args.number('web', 0, 65535) ?? 8080;
  const folder = resolve(args.text('data') ?? './data');
  const blockDifficulty = canonicalDifficulty(args.number('difficulty', 1e-9, 1e6) ?? 0.0025, 1);
  const log = createLogger({ level: args.flag('verbose') ? 'info' : 'error', format: 'auto' });
  const line = new StatusLine();
  const stop = stopSignal();
  await prepareDemoFolder(folder);
  const node = createDemoNode(blockDifficulty);
  await node.start();
  mineFirstBlocks(node);
  const pool = createPool(demoConfig(node, { port, webPort, folder, blockDifficulty }), { log });
  const web = await serveApi(pool);
  let client: MiningClient | undefined;
  let miner: CpuMiner | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    await pool.listen();
    const url = `stratum+tcp://127.0.0.1:${pool.addresses[0]?.port ?? port}`;
    client = new MiningClient({ url, workers: [{ username: `${MINER_ADDRESS}.cpu` }] });
    miner = new CpuMiner(client, { threads });
    const running = miner;
    const startedMs = Date.now();
    line.print(`Pool on ${url}, user name: a bcrt1 address, dot, a worker name.`);
    line.print(`Web page on ${web?.url ?? ''}; database ${folder}/pool.db. Ctrl-C stops.`);
    line.print('    time  height  block                                                             reward  found by');
    let blocks = 0;
    const enough = new Promise<void>((resolve) => {
      pool.on('block', (block) => {
        blocks++;
        const time = durationText(Date.now() - startedMs).padStart(8);
        line.print(
          `${time}  ${String(block.height).padStart(6)}  ${block.hash}  ${coins(block.reward)}  ${worker(block.worker)}`,
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

/** The name after the address. */
function worker(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function coins(baseUnits: bigint): string {
  return `${baseUnits / COIN}.${String(baseUnits % COIN)
    .padStart(8, '0')
    .slice(0, 2)}`.padStart(6);
}
