import { decodeAddress, resolveCoin } from '@headframe/coins';
import type {
  AccountBalance,
  AccountSettings,
  BlockRecord,
  PaymentRecord,
  SeriesPoint,
  ShareTally,
  StatementLine,
  SubjectSummary,
} from '@headframe/ledger';
import { WORK_UNITS } from '@headframe/ledger';
import {
  type BlockTemplate,
  buildJob,
  canonicalDifficulty,
  type JobRecord,
  networkTargetBytes,
} from '@headframe/mining';
import type { Payouts } from '@headframe/payouts';
import { parseConfig } from '@headframe/pool';
import { type Logger, PoolError, silentLogger, TypedEmitter } from '@headframe/primitives';
import { FakeClock } from '@headframe/primitives/testing';
import { BanList, type Session } from '@headframe/sessions';
import type { ChannelView, CountersView, LedgerView, PoolView, PoolViewEvents, WorkerView } from '../src/index.js';

export const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
export const START_MS = 1_700_000_000_000;
const NBITS = 0x207fffff;

export const coin = resolveCoin('bitcoin', 'regtest');

export const tally = (accepted: number): ShareTally => ({
  accepted,
  stale: 1,
  duplicate: 2,
  low: 3,
  invalid: 4,
  work: BigInt(accepted) * WORK_UNITS,
  best: 17.5,
});

export const summaryOf = (account?: string, worker?: string): SubjectSummary => ({
  account,
  worker,
  firstMs: START_MS - 1000,
  lastMs: START_MS - 500,
  total: tally(10),
  hashrate: { tenMinutes: 1.5, hour: 2.5, day: 3.5 },
});

export function blockRecord(height: number): BlockRecord {
  return {
    hash: height.toString(16).padStart(64, '0'),
    height,
    status: 'confirmed',
    account: ADDRESS,
    worker: `${ADDRESS}.rig`,
    reward: 5_000_000_000n,
    confirmations: 3,
    nodes: { 'secret.example:8332': 'ok' },
    networkDifficulty: 1,
    foundMs: START_MS,
    saidMs: START_MS,
  };
}

export function paymentRecord(id: string, status: PaymentRecord['status'] = 'sent'): PaymentRecord {
  return {
    id,
    status,
    parts: [
      { account: ADDRESS, address: ADDRESS, amount: 3n },
      { account: 'other', address: ADDRESS, amount: 4n },
    ],
    total: 7n,
    txid: 'ab'.repeat(32),
    transaction: '00',
    fee: 2n,
    confirmations: 1,
    reason: undefined,
    createdMs: START_MS,
    updatedMs: START_MS,
  };
}

/** A page of a list, with the position as cursor. */
function pageOf<Item>(items: readonly Item[], request: { limit?: number; after?: string } = {}) {
  const { limit = 100, after } = request;
  if (after !== undefined && !/^\d{1,9}$/.test(after))
    throw new PoolError('invalid_argument', 'no cursor of this list');
  const from = Number(after ?? 0);
  const next = from + limit < items.length ? String(from + limit) : undefined;
  return { items: items.slice(from, from + limit), next };
}

export function makeJob(id: number, clean = true): JobRecord {
  const networkTarget = networkTargetBytes(NBITS);
  if (networkTarget === undefined) throw new Error('no target');
  const template: BlockTemplate = {
    height: 101,
    previousHash: new Uint8Array(32).fill(7),
    version: 0x20000000,
    nbits: NBITS,
    networkTarget,
    currentTime: START_MS / 1000,
    minTime: START_MS / 1000 - 600,
    coinbaseValue: 5_000_000_000n,
    transactions: [
      {
        data: new Uint8Array(10),
        txid: new Uint8Array(32).fill(1),
        hash: new Uint8Array(32).fill(1),
        fee: 1n,
        weight: 4,
      },
    ],
    coinbaseAux: new Uint8Array(0),
    witnessCommitment: Buffer.from(`6a24aa21a9ed${'11'.repeat(32)}`, 'hex'),
    requiredOutputs: [],
    coinbasePayload: undefined,
    mweb: undefined,
    longPollId: undefined,
    workId: undefined,
    rules: [],
  };
  return buildJob(template, {
    id,
    coin,
    variants: [{ extranonceLength: 12, outputs: [{ script: decodeAddress(coin, ADDRESS).script }] }],
    poolTag: Buffer.from('/test/'),
    nowMs: START_MS,
    clean,
  });
}

export class FakeSession implements Session {
  readonly id: number;
  readonly remoteAddress = '203.0.113.9';
  readonly remotePort = 4567;
  readonly secure = false;
  readonly listener = { index: 0, host: '127.0.0.1', port: 3333, tls: false };
  readonly protocol = 'stratum-v1';
  readonly connectedAtMs = START_MS;
  readonly state = {};
  readonly log = silentLogger;
  closed = false;
  agent: string | undefined = 'cgminer/4.12';
  idleTimeoutMs = 600_000;
  difficulty = 1;
  workers: WorkerView[] = [];
  readonly sent: [string, readonly unknown[]][] = [];

  constructor(id: number) {
    this.id = id;
    this.workers = [{ name: `${ADDRESS}.rig${id}`, key: ADDRESS }];
  }
  notify(method: string, params: readonly unknown[]): void {
    this.sent.push([method, params]);
  }
  send(): void {}
  request(): Promise<unknown> {
    return Promise.reject(new PoolError('connection_closed', 'fake'));
  }
  close(): void {
    this.closed = true;
  }
  destroy(): void {
    this.closed = true;
  }
}

/** A pool that answers from arrays. Change its fields, then ask the API. */
export class FakePool implements PoolView {
  readonly coin = coin;
  readonly clock = new FakeClock(START_MS);
  readonly events = new TypedEmitter<PoolViewEvents>((error) => {
    throw error;
  });
  config: PoolView['config'];
  log: Logger = silentLogger;
  addresses = [{ host: '0.0.0.0', port: 13_333 }];
  sessions: FakeSession[] = [1, 2, 3].map((id) => new FakeSession(id));
  readonly bans = new BanList({}, this.clock);
  storage: PoolView['storage'] = { kind: 'ledger', isOk: true, reason: undefined, failure: undefined };
  isPaused = false;
  job: JobRecord | undefined = makeJob(1);
  nodeReady = true;
  refreshed = 0;
  /** Thrown by every call of the ledger. */
  ledgerFails: Error | undefined = undefined;
  ledgerCalls = 0;
  blocks: BlockRecord[] = Array.from({ length: 7 }, (_, i) => blockRecord(100 - i));
  payments: PaymentRecord[] = Array.from({ length: 5 }, (_, i) => paymentRecord(`p${i}`));
  statement: StatementLine[] = Array.from({ length: 5 }, (_, i) => ({
    timeMs: START_MS,
    key: `block:${i}`,
    kind: 'reward',
    state: 'final',
    amount: -BigInt(i),
  }));
  workers: string[] = ['a', 'b', 'c', 'd', 'e'].map((name) => `${ADDRESS}.${name}`);
  settings: AccountSettings = {
    account: ADDRESS,
    address: ADDRESS,
    minimumPayout: undefined,
    donationPpm: 12_500,
    isHeld: false,
  };
  balance: AccountBalance = { account: ADDRESS, immature: 1n, available: -2n, reserved: 3n, paid: 400_000_000n };
  shares: CountersView['shares'] = {
    accepted: 5,
    work: 5,
    rejected: { stale: 2, 'low-difficulty': 3 },
  };
  payouts: Payouts | undefined = undefined;
  ledger: LedgerView | undefined = this.#makeLedger();

  constructor(config: Record<string, unknown> = {}) {
    this.config = parseConfig({
      coin: 'bitcoin',
      network: 'regtest',
      daemons: [{ url: 'http://10.1.2.3:18443', user: 'u', password: 'hunter2' }],
      payout: { scheme: 'pplns', address: ADDRESS, fees: [{ address: ADDRESS, percent: 1.5 }], payments: {} },
      listeners: [{ port: 3333 }],
      ...config,
    });
  }

  #makeLedger(): LedgerView {
    const ask = async <Value>(read: () => Value): Promise<Value> => {
      this.ledgerCalls++;
      if (this.ledgerFails !== undefined) throw this.ledgerFails;
      return read();
    };
    const known = (account: string | undefined) => account === undefined || account === ADDRESS;
    const point = (startMs: number): SeriesPoint => ({ ...tally(3), startMs, hashrate: 12.5 });
    const round = { openedMs: START_MS, closedMs: undefined, accepted: 3, work: 3n * WORK_UNITS, effort: 0.5 };
    return {
      blocks: (page) => ask(() => pageOf(this.blocks, page)),
      block: (hash) => ask(() => this.blocks.find((block) => block.hash === hash)),
      summary: (subject) =>
        ask(() => (known(subject?.account) ? summaryOf(subject?.account, subject?.worker) : undefined)),
      account: (account, page) =>
        ask(() =>
          known(account)
            ? {
                ...summaryOf(account),
                workers: {
                  ...pageOf(this.workers, page),
                  items: pageOf(this.workers, page).items.map((worker) => summaryOf(account, worker)),
                },
                workerCount: this.workers.length,
              }
            : undefined,
        ),
      topAccounts: (limit) => ask(() => [summaryOf(ADDRESS)].slice(0, limit)),
      active: () => ask(() => ({ accounts: 1, workers: 2 })),
      series: ({ fromMs }) => ask(() => [point(fromMs), point(fromMs + 60_000)]),
      currentRound: () => ask(() => ({ ...round, blockHash: undefined })),
      rounds: () => ask(() => this.blocks.map(({ hash }) => ({ ...round, blockHash: hash }))),
      luck: () => ask(() => ({ blocks: 7, luck: 1.25 })),
      roundOf: (hash) =>
        ask(() => ({
          ...round,
          blockHash: hash,
          accounts: [{ account: ADDRESS, accepted: 3, work: 3n * WORK_UNITS }],
        })),
      accounting: {
        settings: (account) => ask(() => ({ ...this.settings, account })),
        changeSettings: (account, change) =>
          ask(() => {
            const { address = this.settings.address, minimumPayout = this.settings.minimumPayout } = change;
            this.settings = {
              account,
              address: address ?? undefined,
              minimumPayout: minimumPayout ?? undefined,
              donationPpm: change.donationPpm ?? this.settings.donationPpm,
              isHeld: change.isHeld ?? this.settings.isHeld,
            };
            return this.settings;
          }),
        booking: (key) =>
          ask(() => ({
            key,
            state: 'immature' as const,
            timeMs: START_MS,
            stateMs: START_MS,
            totals: { reward: 100n, fee: 2n },
            entries: [],
          })),
        balance: () => ask(() => this.balance),
        statement: (_account, page) => ask(() => pageOf(this.statement, page)),
        payment: (id) => ask(() => this.payments.find((payment) => payment.id === id)),
        payments: (filter, page) =>
          ask(() =>
            pageOf(
              this.payments.filter(
                ({ status, parts }) =>
                  (filter?.statuses?.includes(status) ?? true) &&
                  (filter?.account === undefined || parts.some(({ account }) => account === filter.account)),
              ),
              page,
            ),
          ),
      },
    };
  }

  readonly server: PoolView['server'] = {
    channelOf: (session) => {
      const found = this.sessions.find(({ id }) => id === session.id);
      if (found === undefined) throw new PoolError('invalid_argument', 'not a session of this server');
      const channel: ChannelView = {
        difficulty: canonicalDifficulty(found.difficulty, 1),
        workers: {
          size: found.workers.length,
          first: found.workers[0],
          [Symbol.iterator]: () => found.workers.values(),
        },
      };
      return channel;
    },
    kick: (session) => session.close('kicked'),
    setDifficulty: (session, difficulty) => {
      const found = this.sessions.find(({ id }) => id === session.id);
      if (found !== undefined) found.difficulty = Math.min(difficulty, 1000);
      return canonicalDifficulty(Math.min(difficulty, 1000), 1);
    },
    reconnect: (session, target) => session.notify('client.reconnect', target === undefined ? [] : [target.host]),
    notifyAll: (method, params) => {
      for (const session of this.sessions) session.notify(method, params);
      return this.sessions.length;
    },
  };

  status(): ReturnType<PoolView['status']> {
    const detail = this.nodeReady ? 'ready' : 'connect ECONNREFUSED 10.1.2.3:18443';
    return {
      node: {
        ready: this.nodeReady,
        reason: this.nodeReady ? undefined : `10.1.2.3:18443: ${detail}`,
        nodes: [{ name: '10.1.2.3:18443', up: this.nodeReady, detail }],
      },
      job: this.job,
      sessions: this.sessions.length,
      server: { workers: this.sessions.length, shares: this.shares },
    };
  }

  on<Name extends keyof PoolViewEvents>(event: Name, listener: (payload: PoolViewEvents[Name]) => void): () => void {
    return this.events.on(event, listener);
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  refreshTemplate(): void {
    this.refreshed++;
  }
  transactionCount(): number {
    return 1;
  }
}
