import { FakeClock, settle } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import { PROBE_CHECKS, type ProbeOptions, type ProbeReport, type ProbeStatus, probePool } from '../src/index.js';
import { FakePool, NOTIFY, type PoolMethod, type PoolSession } from './fake-pool.js';

const NTIME = (1_700_000_000).toString(16);
const SESSION = 'ab'.repeat(16);

/** Params of a job; by default a good one. */
function job(change: Record<number, unknown> = {}): unknown[] {
  const params: unknown[] = [...NOTIFY];
  params[7] = NTIME;
  for (const [at, value] of Object.entries(change)) params[Number(at)] = value;
  return params;
}

interface Broken {
  readonly pool: FakePool;
  readonly clock: FakeClock;
}

function pushJob(session: PoolSession, params: unknown[] = job(), difficulty: unknown = 1e-6): void {
  session.push('mining.set_difficulty', [difficulty]);
  session.push('mining.notify', params);
}

/** An extranonce1 of its own for each connection, and the first one's for who knows the session. */
const subscribe =
  ({ sessions }: FakePool): PoolMethod =>
  (params) => [[['mining.notify', SESSION]], params[1] === SESSION ? '0c7ab001' : `0c7ab00${sessions.length}`, 4];

/** A pool that does everything right. */
function goodPool(): Broken {
  const clock = new FakeClock();
  const pool = new FakePool({ clock });
  const { methods } = pool;
  const authorized = new Set<PoolSession>();
  const seen = new Set<string>();
  methods.set('mining.configure', () => ({
    'version-rolling': true,
    'version-rolling.mask': '1fffe000',
    'minimum-difficulty': true,
  }));
  methods.set('mining.subscribe', subscribe(pool));
  methods.set('mining.authorize', (_params, session) => {
    authorized.add(session);
    queueMicrotask(() => pushJob(session));
    return true;
  });
  methods.set('mining.ping', () => 'pong');
  methods.set('mining.get_transactions', () => ['00ff', '']);
  methods.set('mining.suggest_difficulty', (_params, session) => {
    queueMicrotask(() => pushJob(session, job({ 0: '2', 8: false }), 2e-6));
    return true;
  });
  methods.set('mining.submit', (params, session) => {
    if (!authorized.has(session)) throw [24, 'Unauthorized worker', null];
    if (params[4] === 'nonsense!') throw [20, 'Wrong params', null];
    if (params[1] === 'fffffff0') throw [21, 'Job not found', null];
    // The probe puts 1 into the extranonce2 of the share that is none, and 2 into that of the good one.
    if (String(params[2]).startsWith('01')) throw [23, 'Low difficulty share', null];
    if (seen.has(String(params))) throw [22, 'Duplicate share', null];
    seen.add(String(params));
    return true;
  });
  return { pool, clock };
}

async function run({ pool, clock }: Broken, options: Partial<ProbeOptions> = {}): Promise<ProbeReport> {
  let isDone = false;
  const probing = probePool({
    connect: pool.connect,
    clock,
    worker: { username: 'alice.rig' },
    timeoutMs: 5000,
    watchMs: 1000,
    ...options,
  }).finally(() => {
    isDone = true;
  });
  probing.catch(() => {});
  for (let turn = 0; turn < 5000 && !isDone; turn++) {
    await settle();
    clock.advance(20);
  }
  expect(isDone).toBe(true);
  return probing;
}

/** Answers the request that is being answered, byte for byte as given. */
const raw =
  (answer: (id: unknown) => object): PoolMethod =>
  (_params, session) => {
    session.send(answer(session.received.at(-1)?.id));
    return undefined;
  };
const silent: PoolMethod = () => undefined;
const hangUp: PoolMethod = (_params, session) => {
  session.connection.destroy();
  return undefined;
};
const refuse =
  (...error: unknown[]): PoolMethod =>
  () => {
    throw error;
  };
const firstJob =
  (params: unknown[], difficulty: unknown = 1e-6): PoolMethod =>
  (_params, session) => {
    queueMicrotask(() => pushJob(session, params, difficulty));
    return true;
  };
/** Breaks `mining.submit` where `matches`, and leaves the rest. */
const submitting =
  (matches: (params: readonly unknown[]) => boolean, answer: PoolMethod) =>
  ({ pool }: Broken): void => {
    const good = pool.methods.get('mining.submit') ?? silent;
    pool.methods.set('mining.submit', (params, session) =>
      matches(params) ? answer(params, session) : good(params, session),
    );
  };
const method =
  (name: string, answer: PoolMethod) =>
  ({ pool }: Broken): void =>
    void pool.methods.set(name, answer);
const without =
  (name: string) =>
  ({ pool }: Broken): void =>
    void pool.methods.delete(name);

/** One job of a difficulty and no other. */
const onlyJob =
  (difficulty: number) =>
  ({ pool }: Broken): void => {
    pool.methods.set('mining.authorize', firstJob(job(), difficulty));
    pool.methods.set('mining.suggest_difficulty', () => true);
  };

/** Extranonces of these sizes, another one for each connection. */
const sizes =
  (extranonce1: number, extranonce2: number) =>
  ({ pool }: Broken): void => {
    const next = (): string => pool.sessions.length.toString(16).padStart(2 * extranonce1, '0');
    pool.methods.set('mining.subscribe', () => [[], next(), extranonce2]);
  };

type Case = readonly [check: string, status: ProbeStatus, text: RegExp, change: (broken: Broken) => void];

const CASES: readonly Case[] = [
  ['configure', 'not supported', /refused with 20/, without('mining.configure')],
  ['configure', 'warning', /no answer/, method('mining.configure', silent)],
  ['version rolling', 'not supported', /Needs/, without('mining.configure')],
  ['version rolling', 'not supported', /says false/, method('mining.configure', () => ({ 'version-rolling': false }))],
  [
    'version rolling',
    'wrong',
    /not 8 hex digits/,
    method('mining.configure', () => ({ 'version-rolling': true, 'version-rolling.mask': 7 })),
  ],
  [
    'version rolling',
    'wrong',
    /empty mask/,
    method('mining.configure', () => ({ 'version-rolling': true, 'version-rolling.mask': '00000000' })),
  ],
  ['minimum difficulty', 'not supported', /says/, method('mining.configure', () => ({}))],
  [
    'configure',
    'wrong',
    /Another line came before/,
    method('mining.configure', (_params, session) => {
      session.push('mining.set_difficulty', [1]);
      return { 'version-rolling': true, 'version-rolling.mask': '1fffe000' };
    }),
  ],
  ['subscribe', 'wrong', /no answer/, method('mining.subscribe', silent)],
  ['subscribe', 'wrong', /refused with 20/, without('mining.subscribe')],
  ['subscribe', 'wrong', /not \[subscriptions/, method('mining.subscribe', () => true)],
  ['subscribe', 'wrong', /closed/, method('mining.subscribe', hangUp)],
  [
    'subscribe',
    'warning',
    /A line came before/,
    method('mining.subscribe', (_params, session) => {
      session.push('mining.set_difficulty', [1]);
      return [[], '00', 4];
    }),
  ],
  ['extranonce', 'wrong', /nothing to vary/, method('mining.subscribe', () => [[], '0c7ab001', 0])],
  ['extranonce', 'warning', /4 to 8/, sizes(4, 12)],
  ['extranonce', 'warning', /8 bytes of extranonce1/, sizes(9, 4)],
  ['resume', 'not supported', /no session id/, method('mining.subscribe', () => [[], '0c7ab001', 4])],
  [
    'resume',
    'not supported',
    /another extranonce1/,
    ({ pool }) =>
      void pool.methods.set('mining.subscribe', () => [
        [['mining.notify', SESSION]],
        `0c7ab00${pool.sessions.length}`,
        8,
      ]),
  ],
  [
    'resume',
    'wrong',
    /not answered well/,
    method('mining.subscribe', (params) => {
      if (params.length > 1) throw [20, 'who?', null];
      return [[['mining.notify', SESSION]], '0c7ab001', 4];
    }),
  ],
  [
    'answers',
    'warning',
    /"error"/,
    method(
      'mining.subscribe',
      raw((id) => ({ id, result: [[], '0c7ab001', 4] })),
    ),
  ],
  [
    'id types',
    'wrong',
    /came back as/,
    method(
      'mining.subscribe',
      raw((id) => ({ id: String(id), result: [[], '0c7ab001', 4], error: null })),
    ),
  ],
  [
    'extranonce',
    'wrong',
    /miners do the same work/,
    method('mining.subscribe', () => [[['mining.notify', SESSION]], '0c7ab001', 4]),
  ],
  ['resume', 'not checked', /same/, method('mining.subscribe', () => [[['mining.notify', SESSION]], '0c7ab001', 4])],
  [
    'split lines',
    'wrong',
    /three pieces/,
    ({ pool }) =>
      void pool.methods.set('mining.subscribe', (_params, session) =>
        pool.sessions.indexOf(session) === 1 ? undefined : [[['mining.notify', SESSION]], '0c7ab001', 4],
      ),
  ],
  ['several messages', 'wrong', /0 were answered/, method('mining.extranonce.subscribe', silent)],
  [
    'several messages',
    'warning',
    /out of order/,
    method('mining.extranonce.subscribe', (_params, session) => {
      const message = session.received.at(-1);
      if (message?.id === 1001) queueMicrotask(() => session.send({ id: 1001, result: true, error: null }));
      else return true;
      return undefined;
    }),
  ],
  [
    'null id',
    'warning',
    /was answered/,
    ({ pool, clock }) =>
      void pool.methods.set('mining.extranonce.subscribe', (_params, session) => {
        const answer = (): void => session.send({ id: null, result: true, error: null });
        if (session.received.at(-1)?.id === 1003) clock.setTimeout(answer, 100);
        return true;
      }),
  ],
  ['submit before authorize', 'wrong', /anybody may submit/, method('mining.submit', () => true)],
  ['submit before authorize', 'warning', /24 is usual/, method('mining.submit', refuse(20, 'no', null))],
  ['submit before authorize', 'warning', /no reason/, method('mining.submit', () => false)],
  ['submit before authorize', 'warning', /no answer/, method('mining.submit', silent)],
  ['authorize', 'wrong', /refused with 24/, method('mining.authorize', refuse(24, 'Who are you?', null))],
  ['authorize', 'wrong', /answered false/, method('mining.authorize', () => false)],
  ['authorize', 'wrong', /no answer/, method('mining.authorize', silent)],
  [
    'authorize',
    'wrong',
    /mining.set_extranonce came before/,
    method('mining.authorize', (_params, session) => {
      session.push('mining.set_extranonce', ['00', 4]);
      queueMicrotask(() => pushJob(session));
      return true;
    }),
  ],
  ['first job', 'wrong', /No job came/, method('mining.authorize', () => true)],
  ['first job', 'wrong', /cannot be read/, method('mining.authorize', firstJob([1, 2]))],
  [
    'first job',
    'warning',
    /4,096/,
    method('mining.authorize', firstJob(job({ 3: `${NOTIFY[3]}${'00'.repeat(2500)}` }))),
  ],
  [
    'difficulty',
    'warning',
    /without a difficulty/,
    method('mining.authorize', (_params, session) => {
      queueMicrotask(() => session.push('mining.notify', job()));
      return true;
    }),
  ],
  ['difficulty', 'wrong', /no positive number/, method('mining.authorize', firstJob(job(), -1))],
  ['job id', 'warning', /Not 1 to 8/, method('mining.authorize', firstJob(job({ 0: 'job-number-one' })))],
  ['coinbase', 'wrong', /ends too early/, method('mining.authorize', firstJob(job({ 3: '00' })))],
  [
    'coinbase',
    'wrong',
    /with witness/,
    method('mining.authorize', firstJob(job({ 2: `${NOTIFY[2].slice(0, 8)}0001${NOTIFY[2].slice(8)}` }))),
  ],
  [
    'coinbase',
    'wrong',
    /spends something/,
    method('mining.authorize', firstJob(job({ 2: NOTIFY[2].replace('0100000001', '0100000001ff') }))),
  ],
  [
    'coinbase',
    'warning',
    /pays nothing/,
    method('mining.authorize', firstJob(job({ 3: NOTIFY[3].replace('00f2052a01000000', '0000000000000000') }))),
  ],
  [
    'height',
    'warning',
    /BIP 34/,
    method('mining.authorize', firstJob(job({ 2: NOTIFY[2].replace('ffffffff2002', 'ffffffff2020') }))),
  ],
  [
    'merkle branch',
    'wrong',
    /17 steps/,
    method('mining.authorize', firstJob(job({ 4: new Array(17).fill('00'.repeat(32)) }))),
  ],
  ['version', 'warning', /of the mask/, method('mining.authorize', firstJob(job({ 5: '20002000' })))],
  ['version', 'wrong', /Version 0/, method('mining.authorize', firstJob(job({ 5: '00000000' })))],
  ['nbits', 'wrong', /no target/, method('mining.authorize', firstJob(job({ 6: 'ff7fffff' })))],
  [
    'ntime',
    'wrong',
    /refuse such blocks/,
    method('mining.authorize', firstJob(job({ 7: (1_700_010_000).toString(16) }))),
  ],
  ['ntime', 'warning', /behind/, method('mining.authorize', firstJob(job({ 7: (1_699_990_000).toString(16) })))],
  ['clean flag', 'warning', /first job/, method('mining.authorize', firstJob(job({ 8: false })))],
  [
    'clean flag',
    'wrong',
    /go on with old work/,
    method('mining.suggest_difficulty', (_params, session) => {
      session.push('mining.notify', job({ 0: '3', 1: '11'.repeat(32), 8: false }));
      return true;
    }),
  ],
  [
    'clean flag',
    'warning',
    /throw good work away/,
    method('mining.suggest_difficulty', (_params, session) => {
      session.push('mining.notify', job({ 0: '3' }));
      return true;
    }),
  ],
  [
    'job sequence',
    'wrong',
    /came twice/,
    method('mining.suggest_difficulty', (_params, session) => {
      session.push('mining.notify', job({ 8: false }));
      return true;
    }),
  ],
  ['extranonce subscription', 'not supported', /refused/, without('mining.extranonce.subscribe')],
  ['extranonce subscription', 'not supported', /answered false/, method('mining.extranonce.subscribe', () => false)],
  ['extranonce subscription', 'warning', /wait for one/, method('mining.extranonce.subscribe', silent)],
  ['ping', 'not supported', /refused/, without('mining.ping')],
  ['transactions', 'not supported', /refused/, without('mining.get_transactions')],
  ['transactions', 'wrong', /no list/, method('mining.get_transactions', () => [1])],
  ['suggested difficulty', 'not supported', /refused/, without('mining.suggest_difficulty')],
  ['suggested difficulty', 'ok', /not given at once/, method('mining.suggest_difficulty', () => true)],
  ['unknown method', 'warning', /no answer/, method('mining.headframe_probe', silent)],
  ['unknown method', 'warning', /answered true/, method('mining.headframe_probe', () => true)],
  ['unknown method', 'wrong', /closed/, method('mining.headframe_probe', hangUp)],
  [
    'bad params',
    'wrong',
    /accepted/,
    submitting(
      (params) => params[4] === 'nonsense!',
      () => true,
    ),
  ],
  ['bad params', 'wrong', /no answer/, submitting((params) => params[4] === 'nonsense!', silent)],
  ['bad params', 'wrong', /closed/, submitting((params) => params[4] === 'nonsense!', hangUp)],
  ['unknown job', 'warning', /21 is usual/, submitting((params) => params[1] === 'fffffff0', refuse(-1, 'what', null))],
  [
    'unknown job',
    'wrong',
    /accepted/,
    submitting(
      (params) => params[1] === 'fffffff0',
      () => true,
    ),
  ],
  [
    'low difficulty',
    'wrong',
    /accepted/,
    submitting(
      (params) => String(params[2]).startsWith('01'),
      () => true,
    ),
  ],
  [
    'low difficulty',
    'warning',
    /no reason/,
    submitting(
      (params) => String(params[2]).startsWith('01'),
      () => false,
    ),
  ],
  ['low difficulty', 'not checked', /every hash/, onlyJob(1e-13)],
  [
    'duplicate',
    'wrong',
    /accepted: accepted|accepted/,
    submitting(
      (params) => String(params[2]).startsWith('02'),
      () => true,
    ),
  ],
  [
    'duplicate',
    'warning',
    /another algorithm/,
    submitting((params) => String(params[2]).startsWith('02'), refuse(23, 'low', null)),
  ],
  ['duplicate', 'not checked', /too high/, onlyJob(1000)],
  ['notify interval', 'warning', /closed the connection/, submitting((params) => params[4] === 'nonsense!', hangUp)],
];

describe('probePool', () => {
  it('finds nothing wrong with a pool that does everything right', async () => {
    const report = await run(goodPool());
    expect(report.findings.filter(({ status }) => status !== 'ok').map(({ check }) => check)).toEqual(['tls', 'http']);
    expect(report.verdict).toBe('ok');
    expect(report.findings.map(({ check }) => check)).toEqual(PROBE_CHECKS);
    expect(report.facts).toMatchObject({
      extranonce1Bytes: 4,
      extranonce2Bytes: 4,
      versionMask: '1fffe000',
      difficulty: 1e-6,
      height: 25096,
      merkleSteps: 0,
      jobs: 2,
    });
  });

  it.each(CASES)('%s: %s: %s', async (check, status, text, change) => {
    const broken = goodPool();
    change(broken);
    const report = await run(broken);
    const found = report.findings.find((finding) => finding.check === check);
    expect(`${found?.status}: ${found?.text}`).toMatch(new RegExp(`^${status}: .*${text.source}`));
    expect(report.verdict).toBe(report.findings.some((finding) => finding.status === 'wrong') ? 'wrong' : 'ok');
  });

  it('tells of silence between jobs', async () => {
    const report = await run(goodPool(), { watchMs: 95_000 });
    expect(report.findings.find(({ check }) => check === 'notify interval')).toMatchObject({ status: 'wrong' });
  });

  it('submits nothing without a worker that was let in', async () => {
    const broken = goodPool();
    broken.pool.methods.set('mining.authorize', refuse(24, 'Who are you?', null));
    const report = await probeWithoutUser(broken);
    const statusOf = (name: string): string | undefined => report.findings.find(({ check }) => check === name)?.status;
    expect(['authorize', 'first job', 'bad params', 'duplicate', 'transactions'].map(statusOf)).toEqual(
      new Array(5).fill('not checked'),
    );
    expect(report.verdict).toBe('ok');
    expect(broken.pool.sessions[0]?.calls('mining.submit')).toEqual([]);
  });

  it('rejects when nobody is there, and when aborted', async () => {
    const nobody = goodPool();
    nobody.pool.refuse = true;
    await expect(run(nobody)).rejects.toThrow('refused');
    const abort = new AbortController();
    const slow = goodPool();
    slow.pool.methods.set('mining.subscribe', () => {
      abort.abort();
      return undefined;
    });
    await expect(run(slow, { signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' });
  });

  it('reports as far as it came when further connections are refused', async () => {
    const broken = goodPool();
    broken.pool.methods.set('mining.ping', () => {
      broken.pool.refuse = true;
      return 'pong';
    });
    const report = await run(broken);
    expect(report.findings.filter(({ text }) => /not accepted/.test(text)).map(({ check }) => check)).toEqual([
      'http',
      'split lines',
      'resume',
    ]);
  });

  it('survives a flood', async () => {
    const broken = goodPool();
    broken.pool.methods.set('mining.ping', (_params, session) => {
      for (let i = 0; i < 6000; i++) session.push('mining.set_difficulty', [1]);
      return undefined;
    });
    const report = await run(broken);
    expect(report.findings.find(({ check }) => check === 'ping')?.status).toBe('not supported');
  });
});

function probeWithoutUser({ pool, clock }: Broken): Promise<ProbeReport> {
  const { worker: _, ...options } = { worker: undefined, connect: pool.connect, clock, timeoutMs: 1000, watchMs: 0 };
  const probing = probePool(options);
  let isDone = false;
  void probing.finally(() => {
    isDone = true;
  });
  return (async () => {
    for (let turn = 0; turn < 5000 && !isDone; turn++) {
      await settle();
      clock.advance(20);
    }
    return probing;
  })();
}
