import { type BlockRecord, type RoundRecord, workToNumber } from '@headframe/ledger';
import type { Clock } from '@headframe/primitives';
import { ledgerOf } from '../context.js';
import { notFound } from '../problem.js';
import { type Recent, recent } from '../recent.js';
import type { BlockDetailsJson, BlockItem, BlockPage } from '../schemas/blocks.js';
import { amountOf } from '../units.js';
import type { PoolView } from '../view.js';
import type { Links } from './links.js';

/** Rounds whose effort is shown in lists. */
const ROUNDS = 100;
/** Rounds end with blocks, and each is a query: read seldom, and when a block comes. */
const ROUNDS_TTL_MS = 60_000;

/** Reads blocks for answers. */
export class BlockReader {
  readonly #view: PoolView;
  readonly #links: Links;
  readonly #efforts: Recent<ReadonlyMap<string, number>>;

  constructor(view: PoolView, links: Links, clock: Clock) {
    this.#view = view;
    this.#links = links;
    this.#efforts = recent(clock, ROUNDS_TTL_MS, async () => effortsOf(await ledgerOf(view).rounds(ROUNDS)));
  }

  /** A block changed: efforts may be others now. */
  changed(): void {
    this.#efforts.expire();
  }

  async page(limit: number, after: string | undefined): Promise<BlockPage> {
    const page = await ledgerOf(this.#view).blocks({ limit, ...(after === undefined ? {} : { after }) });
    const efforts = await this.#efforts.get();
    return {
      items: page.items.map((record) => this.item(record, efforts.get(record.hash))),
      next: page.next ?? null,
    };
  }

  item(record: BlockRecord, effort: number | undefined): BlockItem {
    const { hash, height, status, account, worker, confirmations, foundMs } = record;
    return {
      hash,
      height,
      status,
      account,
      worker,
      reward: amountOf(record.reward),
      confirmations,
      networkDifficulty: record.networkDifficulty ?? null,
      effort: effort ?? null,
      foundMs,
      link: this.#links.block(hash),
    };
  }

  /** The latest block; null before the first. */
  async latest(): Promise<BlockItem | null> {
    const { items } = await this.page(1, undefined);
    return items[0] ?? null;
  }

  async details(hash: string): Promise<BlockDetailsJson> {
    const ledger = ledgerOf(this.#view);
    const record = await ledger.block(hash);
    if (record === undefined) throw notFound('this pool found no such block');
    const [round, booking] = await Promise.all([ledger.roundOf(hash), ledger.accounting.booking(`block:${hash}`)]);
    return {
      block: this.item(record, round?.effort),
      round:
        round === undefined
          ? null
          : {
              openedMs: round.openedMs,
              closedMs: round.closedMs ?? null,
              accepted: round.accepted,
              work: workToNumber(round.work),
              effort: round.effort ?? null,
              accounts: round.accounts.length,
            },
      credits: booking === undefined ? null : creditsOf(booking.state, booking.totals),
    };
  }
}

function effortsOf(rounds: readonly RoundRecord[]): ReadonlyMap<string, number> {
  const efforts = new Map<string, number>();
  for (const { blockHash, effort } of rounds) {
    if (blockHash !== undefined && effort !== undefined) efforts.set(blockHash, effort);
  }
  return efforts;
}

function creditsOf(
  state: 'immature' | 'final' | 'reversed',
  totals: Readonly<Partial<Record<string, bigint>>>,
): BlockDetailsJson['credits'] {
  let total = 0n;
  const kinds: { kind: string; total: ReturnType<typeof amountOf> }[] = [];
  for (const [kind, units = 0n] of Object.entries(totals)) {
    total += units;
    kinds.push({ kind, total: amountOf(units) });
  }
  return { state, total: amountOf(total), kinds };
}
