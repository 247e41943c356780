import type { BlockRecord, Ledger } from '@headframe/ledger';
import { PoolError } from '@headframe/primitives';
import type { Args, Command } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { difficultyText } from '../format.js';
import { amountJson, coinText } from '../money.js';
import { LEDGER_OPTIONS, withLedger } from '../open-ledger.js';
import { printJson, timeText } from '../output.js';
import { type Cell, type Colour, factsText, tableText } from '../table.js';

const MAX_LIMIT = 500;
const STATUS_COLOURS: Readonly<Record<BlockRecord['status'], Colour | undefined>> = {
  candidate: 'yellow',
  confirmed: undefined,
  matured: 'green',
  orphaned: 'red',
  rejected: 'red',
};

/** Blocks that were found. */
export const blocks: Command = {
  name: 'blocks',
  summary: 'Blocks that were found, or one of them.',
  positionals: { usage: '[HASH]', max: 1 },
  options: {
    ...LEDGER_OPTIONS,
    limit: { type: 'string', value: 'N', help: `So many blocks, up to ${MAX_LIMIT}.`, default: '20' },
    after: { type: 'string', value: 'CURSOR', help: 'Go on after a page: its `next`.' },
  },
  run: (args) => withLedger(args, (ledger) => runBlocks(args, ledger)),
};

async function runBlocks(args: Args, ledger: Ledger): Promise<number> {
  const [hash] = args.positionals;
  if (hash !== undefined) return oneBlock(args, ledger, hash.toLowerCase());
  const limit = args.number('limit', 1, MAX_LIMIT) ?? 20;
  const after = args.text('after');
  const [page, rounds] = await Promise.all([
    ledger.blocks(after === undefined ? { limit } : { limit, after }),
    ledger.rounds(MAX_LIMIT),
  ]);
  const efforts = new Map(rounds.map(({ blockHash, effort }) => [blockHash, effort]));
  if (args.flag('json')) {
    printJson({ items: page.items.map((block) => blockJson(block, efforts.get(block.hash))), next: page.next ?? null });
    return EXIT.ok;
  }
  if (page.items.length === 0) process.stdout.write('No block was found yet.\n');
  else
    process.stdout.write(
      tableText(
        COLUMNS,
        page.items.map((block) => row(block, efforts.get(block.hash))),
        process.stdout,
      ),
    );
  if (page.next !== undefined) process.stdout.write(`More: --after ${page.next}\n`);
  return EXIT.ok;
}

const COLUMNS = [
  { head: 'height', align: 'right' },
  { head: 'status' },
  { head: 'conf', align: 'right', rank: 2 },
  { head: 'reward', align: 'right' },
  { head: 'effort', align: 'right', rank: 3 },
  { head: 'found', rank: 1 },
  { head: 'account', least: 12 },
  { head: 'worker', least: 6, rank: 4 },
  { head: 'hash', least: 14, rank: 5 },
] as const;

function row(block: BlockRecord, effort: number | undefined): Cell[] {
  const colour = STATUS_COLOURS[block.status];
  return [
    String(block.height),
    colour === undefined ? block.status : { text: block.status, colour },
    String(block.confirmations),
    coinText(block.reward),
    effortText(effort),
    timeText(block.foundMs),
    block.account,
    block.worker,
    block.hash,
  ];
}

const effortText = (effort: number | undefined): string =>
  effort === undefined ? '-' : `${(effort * 100).toFixed(effort < 10 ? 1 : 0)} %`;

function blockJson(block: BlockRecord, effort: number | undefined): object {
  return {
    hash: block.hash,
    height: block.height,
    status: block.status,
    confirmations: block.confirmations,
    reward: amountJson(block.reward),
    account: block.account,
    worker: block.worker,
    networkDifficulty: block.networkDifficulty ?? null,
    effort: effort ?? null,
    nodes: block.nodes,
    foundMs: block.foundMs,
    updatedMs: block.saidMs,
  };
}

async function oneBlock(args: Args, ledger: Ledger, hash: string): Promise<number> {
  const block = await ledger.block(hash);
  if (block === undefined) throw new PoolError('not_found', `the ledger has no block ${hash}`);
  const round = await ledger.roundOf(hash);
  if (args.flag('json')) {
    printJson({
      ...blockJson(block, round?.effort),
      round:
        round === undefined
          ? null
          : {
              openedMs: round.openedMs,
              accepted: round.accepted,
              accounts: round.accounts.map(({ account, accepted }) => ({ account, accepted })),
            },
    });
    return EXIT.ok;
  }
  const { networkDifficulty } = block;
  process.stdout.write(
    factsText([
      ['hash', block.hash],
      ['height', String(block.height)],
      ['status', `${block.status}, ${block.confirmations} confirmations`],
      ['reward', coinText(block.reward)],
      ['found', `${timeText(block.foundMs)} UTC by ${block.worker} of ${block.account}`],
      ...(networkDifficulty === undefined ? [] : [['difficulty', difficultyText(networkDifficulty)] as const]),
      ...(round === undefined
        ? []
        : [
            [
              'round',
              `${round.accepted} shares of ${round.accounts.length} accounts, effort ${effortText(round.effort)}`,
            ] as const,
          ]),
      ...Object.entries(block.nodes).map(([name, said]) => [`node ${name}`, said] as const),
    ]),
  );
  return EXIT.ok;
}
