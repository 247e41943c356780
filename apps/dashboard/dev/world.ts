import type { AccountInfo, AccountItem, Amount, BlockItem, MinerItem, PaymentItem, WorkerItem } from '@headframe/http';
import { SeededRandom } from './random.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const NETWORK_DIFFICULTY = 126_271_255_279_306;
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const AGENTS = ['bitaxe/BM1370/v2.9.0', 'cgminer/4.12.1', 'bosminer-plus/25.3', 'NerdQAxe/v1.0.32', 'whatsminer/1.4'];
const RIGS = ['garage-1', 'garage-2', 'bitaxe', 'cellar', 'attic', 'rack-07', 'solar', 'office'];

/** Base units as the API writes money. */
export function amountOf(units: number | bigint): Amount {
  const value = BigInt(units);
  const size = value < 0n ? -value : value;
  const part = (size % 100_000_000n).toString().padStart(8, '0').replace(/0+$/, '');
  const text = `${value < 0n ? '-' : ''}${size / 100_000_000n}${part === '' ? '' : `.${part}`}`;
  return { units: value.toString(), coins: text };
}

/** A made-up pool with a past, the same at each start but for the time. */
export interface World {
  readonly startMs: number;
  readonly networkDifficulty: number;
  readonly accounts: readonly AccountItem[];
  readonly blocks: BlockItem[];
  readonly payments: readonly PaymentItem[];
  readonly miners: readonly MinerItem[];
  workersOf(account: string): readonly WorkerItem[];
  accountInfo(account: string): Omit<AccountInfo, 'workers' | 'workerCount'> | undefined;
  /** Hashes per second at a time, of all of `part` (0 to 1) of the pool. */
  hashrateAt(ms: number, part: number): number;
}

const BASE_HASHRATE = 1.42e15;

function tally(random: SeededRandom, accepted: number): AccountItem['shares'] {
  return {
    accepted,
    stale: Math.round(accepted * random.between(0.001, 0.006)),
    duplicate: Math.round(accepted * random.between(0, 0.0003)),
    low: Math.round(accepted * random.between(0, 0.0008)),
    invalid: Math.round(accepted * random.between(0, 0.0002)),
    work: accepted * random.integer(8_000, 90_000),
    best: random.between(1e9, 4e11),
  };
}

function ratesOf(random: SeededRandom, mean: number): AccountItem['hashrate'] {
  return {
    tenMinutes: mean * random.between(0.85, 1.15),
    hour: mean * random.between(0.95, 1.05),
    day: mean * random.between(0.98, 1.02),
  };
}

function link(kind: string, text: string): string {
  return `https://explorer.example/${kind}/${text}`;
}

/** @param nowMs the moment the world is looked at, unix milliseconds */
export function createWorld(nowMs: number): World {
  const random = new SeededRandom(20_090_103);
  const names = Array.from({ length: 17 }, () => `bc1q${random.text(38, BECH32)}`);
  const parts = names.map((_, index) => 0.34 * 0.68 ** index);
  const accounts = names.map((account, index): AccountItem => {
    const mean = BASE_HASHRATE * (parts[index] ?? 0);
    return {
      account,
      firstMs: nowMs - random.integer(20, 200) * DAY,
      lastMs: nowMs - random.integer(1_000, 40_000),
      hashrate: ratesOf(random, mean),
      shares: tally(random, random.integer(20_000, 900_000)),
    };
  });
  const workers = new Map(
    names.map((account, index) => [account, workersFor(random, account, nowMs, BASE_HASHRATE * (parts[index] ?? 0))]),
  );
  const miners = names.flatMap((account, index) =>
    minersFor(random, account, workers.get(account) ?? [], nowMs, index),
  );
  const blocks = blocksFor(random, names, nowMs);
  const payments = paymentsFor(random, nowMs);

  return {
    startMs: nowMs - 3 * DAY - 4 * HOUR,
    networkDifficulty: NETWORK_DIFFICULTY,
    accounts,
    blocks,
    payments,
    miners,
    workersOf: (account) => workers.get(account) ?? [],
    hashrateAt: (ms, part) => {
      const wave = 1 + 0.07 * Math.sin((ms / DAY) * 2 * Math.PI) + 0.03 * Math.sin((ms / HOUR) * 1.7);
      const noise = new SeededRandom(Math.floor(ms / MINUTE)).between(0.93, 1.07);
      return BASE_HASHRATE * part * wave * noise;
    },
    accountInfo: (account) => {
      const item = accounts.find((known) => known.account === account);
      if (item === undefined) return undefined;
      return {
        ...item,
        address: account,
        connections: workers.get(account)?.filter(({ state }) => state !== 'offline').length ?? 0,
        balance: {
          immature: amountOf(48_213_377n),
          available: amountOf(1_204_551n),
          reserved: amountOf(25_000_000n),
          paid: amountOf(1_381_940_126n),
        },
        minimumPayout: amountOf(1_000_000n),
        donationPercent: 0.5,
        link: link('address', account),
      };
    },
  };
}

function workersFor(random: SeededRandom, account: string, nowMs: number, mean: number): readonly WorkerItem[] {
  const count = random.integer(2, RIGS.length);
  return RIGS.slice(0, count).map((rig, index): WorkerItem => {
    const state = index === 3 ? 'offline' : index === 5 ? 'idle' : 'active';
    const isOn = state === 'active';
    return {
      worker: `${account}.${rig}`,
      state,
      connections: state === 'offline' ? 0 : 1,
      firstMs: nowMs - random.integer(10, 100) * DAY,
      lastMs: nowMs - (isOn ? random.integer(500, 20_000) : random.integer(1, 30) * HOUR),
      hashrate: isOn ? ratesOf(random, mean / count) : { tenMinutes: 0, hour: 0, day: (mean / count) * 0.4 },
      shares: tally(random, random.integer(4_000, 80_000)),
    };
  });
}

function minersFor(
  random: SeededRandom,
  account: string,
  workers: readonly WorkerItem[],
  nowMs: number,
  index: number,
): readonly MinerItem[] {
  return workers
    .filter(({ connections }) => connections > 0)
    .map(
      (worker, position): MinerItem => ({
        session: index * 20 + position + 1,
        account,
        worker: worker.worker,
        workers: 1,
        difficulty: 2 ** random.integer(9, 17),
        hashrate: worker.hashrate.tenMinutes,
        agent: AGENTS[random.integer(0, AGENTS.length - 1)] ?? null,
        protocol: 'v1',
        tls: position % 3 === 1,
        connectedMs: nowMs - random.integer(1, 70) * HOUR,
        lastShareMs: worker.lastMs,
        accepted: random.integer(100, 20_000),
        rejected: random.integer(0, 60),
      }),
    );
}

function blocksFor(random: SeededRandom, names: readonly string[], nowMs: number): BlockItem[] {
  let height = 951_337;
  let foundMs = nowMs - 3 * HOUR - 14 * MINUTE;
  return Array.from({ length: 63 }, (_, index): BlockItem => {
    const hash = `0000000000000000000${random.hex(23).slice(0, 45)}`;
    const confirmations = 951_357 - height;
    const status = index === 4 ? 'orphaned' : confirmations >= 100 ? 'matured' : 'confirmed';
    const account = names[random.integer(0, 9)] ?? '';
    const block: BlockItem = {
      hash,
      height,
      status,
      account,
      worker: `${account}.${RIGS[random.integer(0, 3)] ?? 'rig'}`,
      reward: amountOf(312_500_000 + random.integer(1_000_000, 14_000_000)),
      confirmations: status === 'orphaned' ? 0 : confirmations,
      networkDifficulty: NETWORK_DIFFICULTY,
      effort: status === 'orphaned' ? null : -Math.log(1 - random.next()),
      foundMs,
      link: link('block', hash),
    };
    height -= random.integer(20, 160);
    foundMs -= random.integer(3, 26) * HOUR;
    return block;
  });
}

function paymentsFor(random: SeededRandom, nowMs: number): readonly PaymentItem[] {
  return Array.from({ length: 41 }, (_, index): PaymentItem => {
    const status = index === 0 ? 'sent' : index === 7 ? 'failed' : 'confirmed';
    const txid = random.hex(32);
    const createdMs = nowMs - 40 * MINUTE - index * 6 * HOUR;
    return {
      id: `4e1d${String(index).padStart(4, '0')}-7c2a-4b1e-9d3f-${random.hex(6)}`,
      status,
      txid,
      link: link('tx', txid),
      confirmations: status === 'sent' ? 2 : status === 'failed' ? 0 : 6 + index * 36,
      createdMs,
      updatedMs: createdMs + 12 * MINUTE,
      outputs: random.integer(4, 17),
      total: amountOf(random.integer(40_000_000, 900_000_000)),
      fee: amountOf(random.integer(900, 9_000)),
    };
  });
}
