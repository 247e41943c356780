import type {
  AccountInfo,
  AccountPaymentPage,
  BlockDetailsJson,
  CoinInfo,
  ConnectInfo,
  JobEvent,
  NodesInfo,
  PoolInfo,
  RejectsInfo,
  SeriesJson,
  StatementPage,
  TemplateInfo,
  WorkerInfo,
} from '@headframe/http';
import { SeededRandom } from './random.js';
import { amountOf, type World } from './world.js';

/** `empty`: a pool that nobody has ever mined at. `bare`: one without storage and payments. */
export type Scene = 'busy' | 'empty' | 'bare';

/** A page of a list; `after` is the index to begin at. */
export function pageOf<Item>(
  items: readonly Item[],
  limit: number,
  after: string | null,
): { items: Item[]; next: string | null } {
  const from = Number(after ?? 0);
  const to = from + limit;
  return { items: items.slice(from, to), next: to < items.length ? String(to) : null };
}

export function poolInfo(world: World, scene: Scene, nowMs: number): PoolInfo {
  const isBare = scene === 'bare';
  const isEmpty = scene === 'empty' || isBare;
  const mean = world.hashrateAt(nowMs, 1);
  return {
    name: 'Headframe',
    coin: 'Bitcoin',
    symbol: 'BTC',
    network: 'mainnet',
    algorithm: 'sha256d',
    scheme: isBare ? 'solo' : 'pplns',
    payments: !isBare,
    feePercent: 1,
    minimumPayout: isBare ? null : amountOf(1_000_000n),
    isPaused: false,
    startedMs: world.startMs,
    timeMs: nowMs,
    statisticsMs: nowMs - 2_000,
    hashrate: isEmpty ? null : { tenMinutes: mean, hour: mean * 0.984, day: mean * 1.021 },
    sessions: isEmpty ? 0 : world.miners.length,
    workers: isEmpty ? 0 : world.miners.length,
    active: isBare
      ? null
      : isEmpty
        ? { accounts: 0, workers: 0 }
        : { accounts: world.accounts.length, workers: world.miners.length - 4 },
    sharesSinceStart: isEmpty
      ? { accepted: 0, rejected: 0, work: 0 }
      : { accepted: 1_846_203, rejected: 7_411, work: 9.1e13 },
    shares: isEmpty
      ? null
      : {
          accepted: 48_120_377,
          stale: 161_022,
          duplicate: 3_120,
          low: 9_230,
          invalid: 811,
          work: 2.1e16,
          best: 3.6e14,
        },
    round: isEmpty
      ? null
      : {
          openedMs: world.blocks[0]?.foundMs ?? nowMs,
          accepted: 322_804,
          work: world.networkDifficulty * 0.62,
          effort: 0.62,
        },
    luck: isBare ? null : isEmpty ? { blocks: 0, luck: null } : { blocks: 50, luck: 1.083 },
    lastBlock: isEmpty ? null : (world.blocks[0] ?? null),
    chain: { height: 951_357, difficulty: world.networkDifficulty, hashrate: 9.04e20 },
    storage: isBare ? { state: 'off', reason: null } : { state: 'ok', reason: null },
    node: { ready: true, reason: null },
  };
}

export const COIN: CoinInfo = {
  name: 'Bitcoin',
  symbol: 'BTC',
  network: 'mainnet',
  algorithm: 'sha256d',
  decimals: 8,
  difficultyFactor: 1,
  hashesPerDifficulty: 2 ** 32,
  blockSpacingSeconds: 600,
  coinbaseMaturity: 100,
  versionMask: '1fffe000',
  bech32Prefix: 'bc',
};

export const NODES: NodesInfo = {
  ready: true,
  reason: null,
  nodes: [
    { name: 'node-a', up: true, detail: 'in use' },
    { name: 'node-b', up: true, detail: 'spare' },
    { name: 'node-c', up: false, detail: 'connection refused' },
  ],
};

export function connectInfo(): ConnectInfo {
  const username = 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig1';
  const vardiff = { kind: 'vardiff', start: 1024, min: 0.001, max: null, targetSeconds: 15 } as const;
  const listener = (url: string, port: number, tls: boolean): ConnectInfo['listeners'][number] => ({
    url,
    host: 'pool.example.com',
    port,
    tls,
    difficulty: tls ? { kind: 'fixed', start: 65_536, min: null, max: null, targetSeconds: null } : vardiff,
    commands: [
      { program: 'cgminer', text: `cgminer -o ${url} -u ${username} -p x` },
      {
        program: 'Bitaxe, NerdMiner',
        text: `Host: pool.example.com\nPort: ${port}\nUser: ${username}\nPassword: x`,
      },
    ],
  });
  return {
    username,
    usernameHint: 'Your own bitcoin address, a dot, and a name for the worker. You are paid at this address.',
    password: 'x',
    passwordHint: 'Anything. `d=4096` in it asks for that difficulty to begin with.',
    listeners: [
      listener('stratum+tcp://pool.example.com:3333', 3333, false),
      listener('stratum+ssl://pool.example.com:3443', 3443, true),
    ],
  };
}

export function rejectsInfo(world: World, scene: Scene): RejectsInfo {
  if (scene !== 'busy') return { sinceMs: world.startMs, accepted: 0, rejected: 0, reasons: [] };
  return {
    sinceMs: world.startMs,
    accepted: 1_846_203,
    rejected: 7_411,
    reasons: [
      { code: 'stale', count: 5_902, meaning: 'The share came after a new block. A slow network or a slow firmware.' },
      {
        code: 'low-difficulty',
        count: 1_102,
        meaning: 'Below the difficulty of its job. A wrong difficulty in the miner.',
      },
      { code: 'duplicate', count: 389, meaning: 'Sent twice. A firmware that repeats its work.' },
      { code: 'unauthorized', count: 18, meaning: 'The worker was not authorized on this connection.' },
    ],
  };
}

export function seriesOf(world: World, part: number, query: URLSearchParams, nowMs: number): SeriesJson {
  const resolution = query.get('resolution') === 'hour' ? 'hour' : 'minute';
  const step = resolution === 'hour' ? 3_600_000 : 60_000;
  const toMs = nowMs;
  const fromMs = Number(query.get('from') ?? toMs - 86_400_000);
  const points: SeriesJson['points'] = [];
  for (let startMs = fromMs - (fromMs % step); startMs < toMs && points.length < 1_500; startMs += step) {
    const random = new SeededRandom(startMs / 60_000);
    const hashrate = world.hashrateAt(startMs, part);
    const accepted = Math.max(1, Math.round(random.between(380, 450) * part * (step / 60_000)));
    points.push({
      startMs,
      hashrate,
      accepted,
      stale: Math.round(accepted * random.between(0, 0.008)),
      duplicate: random.integer(0, 40) === 0 ? 1 : 0,
      low: Math.round(accepted * random.between(0, 0.001)),
      invalid: 0,
      work: (hashrate * step) / 1000 / 2 ** 32,
      best: random.between(1e7, 1e11),
    });
  }
  return { resolution, fromMs, toMs, points };
}

export function templateInfo(world: World, nowMs: number): TemplateInfo {
  const random = new SeededRandom(7);
  const pool = `bc1q${random.text(38, 'qpzry9x8gf2tvdw0s3jn54khce6mua7l')}`;
  return {
    jobId: '0000a51c',
    height: 951_357,
    previousHash: `0000000000000000000${random.hex(23).slice(0, 45)}`,
    version: '20000000',
    nbits: '170218c2',
    networkTarget: `00000000000000000${random.hex(24).slice(0, 47)}`,
    networkDifficulty: world.networkDifficulty,
    timeMs: nowMs - 9_000,
    createdMs: nowMs - 9_000,
    reward: amountOf(317_204_118n),
    transactions: 3_412,
    merkleBranch: Array.from({ length: 12 }, () => random.hex(32)),
    variants: [
      {
        key: '12/main',
        extranonceLength: 12,
        coinbase1: `01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff3503${random.hex(24)}`,
        coinbase2: `ffffffff03${random.hex(70)}00000000`,
        outputs: [
          { amount: amountOf(314_032_077n), script: `0014${random.hex(20)}`, address: pool, kind: 'payment' },
          {
            amount: amountOf(3_172_041n),
            script: `0014${random.hex(20)}`,
            address: `bc1q${random.text(38, 'qpzry9x8gf2tvdw0s3jn54khce6mua7l')}`,
            kind: 'payment',
          },
          { amount: amountOf(0n), script: `6a24aa21a9ed${random.hex(32)}`, address: null, kind: 'witness-commitment' },
        ],
      },
    ],
  };
}

export function jobEvent(world: World, nowMs: number): JobEvent {
  const template = templateInfo(world, nowMs);
  return {
    jobId: template.jobId,
    height: template.height,
    previousHash: template.previousHash,
    isNewBlock: false,
    networkDifficulty: template.networkDifficulty,
    reward: template.reward,
    createdMs: nowMs,
  };
}

export function blockDetails(world: World, hash: string): BlockDetailsJson | undefined {
  const block = world.blocks.find((known) => known.hash === hash);
  if (block === undefined) return undefined;
  const isDead = block.status === 'orphaned' || block.status === 'rejected';
  const reward = BigInt(block.reward.units);
  const fee = reward / 100n;
  return {
    block,
    round: isDead
      ? null
      : {
          openedMs: block.foundMs - 9 * 3_600_000,
          closedMs: block.foundMs,
          accepted: 412_008,
          work: world.networkDifficulty * (block.effort ?? 1),
          effort: block.effort,
          accounts: world.accounts.length,
        },
    credits: {
      state: isDead ? 'reversed' : block.status === 'matured' ? 'final' : 'immature',
      total: block.reward,
      kinds: [
        { kind: 'reward', total: amountOf(reward - fee) },
        { kind: 'fee', total: amountOf(fee) },
      ],
    },
  };
}

export function accountInfo(world: World, account: string, after: string | null): AccountInfo | undefined {
  const info = world.accountInfo(account);
  if (info === undefined) return undefined;
  const workers = world.workersOf(account);
  return { ...info, workerCount: workers.length, workers: pageOf(workers, 50, after) };
}

export function workerInfo(world: World, account: string, name: string): WorkerInfo | undefined {
  const worker = world.workersOf(account).find((known) => known.worker === name);
  if (worker === undefined) return undefined;
  return { account, worker, miners: world.miners.filter((miner) => miner.worker === name) };
}

export function accountPayments(
  world: World,
  account: string,
  limit: number,
  after: string | null,
): AccountPaymentPage {
  const items = world.payments.map((payment) => {
    const { id, status, txid, link, confirmations, createdMs, updatedMs } = payment;
    const amount = amountOf(BigInt(payment.total.units) / 7n);
    return { id, status, txid, link, confirmations, createdMs, updatedMs, address: account, amount };
  });
  return pageOf(items, limit, after);
}

export function statementOf(world: World, limit: number, after: string | null): StatementPage {
  const credits = world.blocks.slice(0, 40).map((block): StatementPage['items'][number] => ({
    timeMs: block.foundMs + 20_000,
    key: `block:${block.hash}`,
    kind: 'reward',
    state: block.status === 'orphaned' ? 'reversed' : block.status === 'matured' ? 'final' : 'immature',
    amount: amountOf(BigInt(block.reward.units) / 9n),
  }));
  const payments = world.payments.slice(0, 20).map((payment): StatementPage['items'][number] => ({
    timeMs: payment.createdMs,
    key: `payment:${payment.id}`,
    kind: 'payment',
    state: payment.status === 'sent' ? 'open' : 'final',
    amount: amountOf(-(BigInt(payment.total.units) / 7n)),
  }));
  return pageOf(
    [...credits, ...payments].toSorted((left, right) => right.timeMs - left.timeMs),
    limit,
    after,
  );
}
