import { type Luck, type RoundRecord, type SubjectSummary, workToNumber } from '@headframe/ledger';
import type { Clock } from '@headframe/primitives';
import { creditsAccounts, ledgerOf } from '../context.js';
import type { HttpOptions } from '../options.js';
import { type Recent, recent, within } from '../recent.js';
import type { BlockItem } from '../schemas/blocks.js';
import type { CoinInfo, NodesInfo, PoolInfo, StorageJson } from '../schemas/pool.js';
import { amountOf, COIN_DECIMALS, unitsOfCoins } from '../units.js';
import type { PoolView } from '../view.js';
import type { BlockReader } from './blocks.js';
import { publicNodes } from './nodes.js';
import { hashratesOf, NO_HASHRATE, NO_SHARES, tallyOf } from './tally.js';

const STATISTICS_TTL_MS = 2_500;
const LUCK_TTL_MS = 60_000;
const LUCK_BLOCKS = 100;
const ACTIVE_MS = 600_000;
/** The pool's page does not wait longer for a storage in trouble: it shows what was read last. */
const PATIENCE_MS = 1_000;
/** Hashes that a share of difficulty 1 takes on average where the coin's factor is 1. */
const HASHES_PER_DIFFICULTY = 2 ** 32;

/** What the storage says of the pool. */
interface Statistics {
  readonly summary: SubjectSummary | undefined;
  readonly active: { readonly accounts: number; readonly workers: number };
  readonly round: RoundRecord;
  readonly luck: Luck;
  readonly lastBlock: BlockItem | null;
}

/** Reads the pool at a glance. Answers from memory when the storage does not. */
export class PoolReader {
  readonly #view: PoolView;
  readonly #options: HttpOptions;
  readonly #clock: Clock;
  readonly #statistics: Recent<Statistics>;
  readonly #luck: Recent<Luck>;
  readonly startedMs: number;

  constructor(view: PoolView, options: HttpOptions, parts: { readonly clock: Clock; readonly blocks: BlockReader }) {
    const { clock, blocks } = parts;
    this.#view = view;
    this.#options = options;
    this.#clock = clock;
    this.startedMs = clock.now();
    this.#luck = recent(clock, LUCK_TTL_MS, () => ledgerOf(view).luck(LUCK_BLOCKS));
    this.#statistics = recent(clock, STATISTICS_TTL_MS, async () => {
      const ledger = ledgerOf(view);
      const [summary, active, round, luck, lastBlock] = await Promise.all([
        ledger.summary(),
        ledger.active(clock.now() - ACTIVE_MS),
        ledger.currentRound(view.status().job?.networkDifficulty),
        this.#luck.get(),
        blocks.latest(),
      ]);
      return { summary, active, round, luck, lastBlock };
    });
  }

  /** A block was found or changed. */
  blockChanged(): void {
    this.#luck.expire();
    this.#statistics.expire();
  }

  get storage(): StorageJson {
    const { kind, isOk, failure } = this.#view.storage;
    if (!isOk) return { state: 'failing', reason: failure ?? 'failed' };
    if (kind !== 'ledger') return { state: 'off', reason: 'no database is configured (storage.url)' };
    return { state: 'ok', reason: null };
  }

  async info(): Promise<PoolInfo> {
    const view = this.#view;
    if (view.ledger !== undefined) await within(this.#clock, PATIENCE_MS, this.#statistics.get());
    const statistics = this.#statistics.latest;
    return { ...this.#fromMemory(), ...statisticsPart(statistics?.value, statistics?.atMs) };
  }

  #fromMemory(): Omit<PoolInfo, keyof ReturnType<typeof statisticsPart>> {
    const { coin, config, isPaused } = this.#view;
    const { payout } = config;
    const { job, node, server, sessions } = this.#view.status();
    const rejected = Object.values(server.shares.rejected).reduce((sum, count) => sum + count, 0);
    const nodes = publicNodes(node, config.daemons);
    return {
      name: this.#options.name ?? 'Headframe',
      coin: coin.name,
      symbol: coin.symbol,
      network: coin.network,
      algorithm: coin.algorithm,
      scheme: payout.scheme,
      payments: payout.payments !== undefined,
      feePercent: feePercent(payout.fees),
      minimumPayout:
        creditsAccounts(this.#view) && payout.payments !== undefined
          ? amountOf(unitsOfCoins(payout.payments.minimum))
          : null,
      isPaused,
      startedMs: this.startedMs,
      timeMs: this.#clock.now(),
      sessions,
      workers: server.workers,
      sharesSinceStart: { accepted: server.shares.accepted, rejected, work: server.shares.work },
      chain: {
        height: job?.height ?? null,
        difficulty: job?.networkDifficulty ?? null,
        hashrate:
          job === undefined
            ? null
            : (job.networkDifficulty * hashesPerDifficulty(coin.difficultyFactor)) / coin.blockSpacingSeconds,
      },
      storage: this.storage,
      node: { ready: nodes.ready, reason: nodes.reason },
    };
  }

  nodes(): NodesInfo {
    return publicNodes(this.#view.status().node, this.#view.config.daemons);
  }

  coin(): CoinInfo {
    const { coin } = this.#view;
    return {
      name: coin.name,
      symbol: coin.symbol,
      network: coin.network,
      algorithm: coin.algorithm,
      decimals: COIN_DECIMALS,
      difficultyFactor: coin.difficultyFactor,
      hashesPerDifficulty: hashesPerDifficulty(coin.difficultyFactor),
      blockSpacingSeconds: coin.blockSpacingSeconds,
      coinbaseMaturity: coin.coinbaseMaturity,
      versionMask: (coin.versionMask >>> 0).toString(16).padStart(8, '0'),
      bech32Prefix: coin.addresses.bech32 ?? null,
    };
  }
}

/** Hashes that a share of difficulty 1 takes on average. */
export function hashesPerDifficulty(factor: number): number {
  return HASHES_PER_DIFFICULTY / factor;
}

/** Percentages have at most four decimals: their sum is exact in parts per million. */
function feePercent(fees: readonly { readonly percent: number }[]): number {
  return fees.reduce((sum, { percent }) => sum + Math.round(percent * 10_000), 0) / 10_000;
}

function statisticsPart(
  found: Statistics | undefined,
  atMs: number | undefined,
): Pick<PoolInfo, 'statisticsMs' | 'hashrate' | 'active' | 'shares' | 'round' | 'luck' | 'lastBlock'> {
  if (found === undefined) {
    return {
      statisticsMs: null,
      hashrate: null,
      active: null,
      shares: null,
      round: null,
      luck: null,
      lastBlock: null,
    };
  }
  const { summary, active, round, luck, lastBlock } = found;
  return {
    statisticsMs: atMs ?? null,
    hashrate: summary === undefined ? NO_HASHRATE : hashratesOf(summary.hashrate),
    active: { accounts: active.accounts, workers: active.workers },
    shares: summary === undefined ? NO_SHARES : tallyOf(summary.total),
    round: {
      openedMs: round.openedMs,
      accepted: round.accepted,
      work: workToNumber(round.work),
      effort: round.effort ?? null,
    },
    luck: { blocks: luck.blocks, luck: luck.luck ?? null },
    lastBlock,
  };
}
