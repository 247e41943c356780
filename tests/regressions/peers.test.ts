// Faults seen in running pools, each named after where it was seen. What a package's own suite proves is listed in
// docs/regressions.md instead.
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, type BenchOptions, bench, EASY_BITS, makeJob } from '../support/bench-server.js';
import { WireMiner } from '../support/wire-miner.js';

let b: Bench;
afterEach(() => b.close());

async function begin(setup: BenchOptions<{ readonly id: string }> = {}): Promise<Bench> {
  b = await bench(setup);
  return b;
}

describe('NOMP, foundation, cryptonote-nodejs-pool PR#141, btcpool PR#32: input that kills the process', () => {
  const METHODS = [
    'mining.subscribe',
    'mining.authorize',
    'mining.submit',
    'mining.configure',
    'mining.extranonce.subscribe',
    'mining.suggest_difficulty',
    'mining.suggest_target',
    'mining.get_transactions',
    'mining.get_txnhashes',
    'mining.multi_version',
    'mining.ping',
    'mining.capabilities',
    'mining.hashrate',
    'agent.get_capabilities',
    '__proto__',
    'constructor',
    'toString',
  ];
  const PARAMS: readonly unknown[] = [
    undefined,
    null,
    {},
    [],
    [null],
    [undefined],
    [{}],
    [[]],
    [[[[]]]],
    'text',
    7,
    true,
    [''],
    ['', ''],
    [{ __proto__: null }],
    [Number.MAX_SAFE_INTEGER, -1, 1e308],
    ['a'.repeat(5000)],
    ['alice.rig1', '00000001', '00000000', '00000000'],
    ['alice.rig1', null, null, null, null],
    ['alice.rig1', '00000001', '0000000000000000', '6553f100', '00000000', null, 1, 2, 3],
    [['version-rolling'], null],
    ['version-rolling', {}],
    [['version-rolling', 'minimum-difficulty', '__proto__', 7], { 'version-rolling.mask': {}, __proto__: 1 }],
  ];

  it.each(METHODS)('%s with any params, before and after the handshake', async (method) => {
    await begin({ options: { limits: { unknownMethods: 1000, malformedLines: 1000 }, bans: { enabled: false } } });
    const fresh = b.connect({ clientAddress: '10.0.0.8' });
    const working = await b.connect({ clientAddress: '10.0.0.9' }).start();
    for (const [i, params] of PARAMS.entries()) {
      for (const miner of [fresh, working]) {
        if (miner.closed) continue;
        const answer = await miner.call(method, params, `p${i}`);
        expect(Object.keys(answer).sort()).toEqual(['error', 'id', 'result']);
      }
    }
    expect((await working.mine()).result).toBe(true);
  });
});

describe('the same work twice', () => {
  it('NOMP#430, miningcore#710, blitzpool: is one share in whatever letters', async () => {
    await begin();
    const miner = await b.connect().start();
    // An extranonce2 and nonce with letters in them.
    let share = miner.search();
    while (!/[a-f]/.test(share.nonce)) share = miner.search();
    const [worker, job, extranonce2, ntime, nonce] = miner.params(share).map(String);
    const short = (text = ''): string => text.replace(/^0+(?=.)/, '');
    const forms = [
      [worker, job, extranonce2, ntime, nonce],
      [worker, job?.toUpperCase(), extranonce2?.toUpperCase(), ntime?.toUpperCase(), nonce?.toUpperCase()],
      [worker, short(job), extranonce2, ntime, short(nonce)],
      [worker, job, extranonce2, ntime, nonce, '00000000'],
      [worker, job, extranonce2, ntime, nonce, '0'],
      [` ${worker?.toUpperCase()} `, job, extranonce2, ntime, nonce],
    ];
    expect((await miner.call('mining.submit', forms[0])).result).toBe(true);
    for (const form of forms) {
      expect((await miner.call('mining.submit', form)).error, JSON.stringify(form)).toEqual([
        22,
        'Duplicate share',
        null,
      ]);
    }
    expect(b.accepted()).toHaveLength(1);
  });

  it('s-nomp PR#13: with a tail that is no hex, or a 0x in front, is no share at all', async () => {
    await begin();
    const miner = await b.connect().start();
    const [worker, job, extranonce2, ntime, nonce] = miner.params(miner.search()).map(String);
    for (const params of [
      [worker, job, extranonce2, ntime, `${nonce}zz`],
      [worker, job, extranonce2, ntime, `0x${nonce}`],
      [worker, job, `${extranonce2}00`, ntime, nonce],
      [worker, job, `${extranonce2?.slice(0, -1)} `, ntime, nonce],
      [worker, job, extranonce2, `${ntime}\u0000`, nonce],
      [worker, job, extranonce2, ntime, ` ${nonce}`],
    ]) {
      expect((await miner.call('mining.submit', params)).error, JSON.stringify(params)).toMatchObject([
        20,
        expect.any(String),
        null,
      ]);
    }
    expect(b.accepted()).toEqual([]);
  });

  it('node-stratum-pool: another roll of the version bits is other work, not a duplicate', async () => {
    await begin();
    const miner = b.connect();
    await miner.call('mining.configure', [['version-rolling'], { 'version-rolling.mask': 'ffffffff' }]);
    await miner.start();
    for (const bits of [0, 0x2000, 0x00a2c000, 0x1fffe000]) expect((await miner.mine({ bits })).result).toBe(true);
    expect(b.accepted()).toHaveLength(4);
  });
});

describe('version rolling', () => {
  it('c2pool#1392, digibyte#419, public-pool: bits that the template sets inside the mask are replaced, not mixed', async () => {
    await begin({ job: makeJob({ id: 1, version: 0x3fffe004 }) });
    const miner = b.connect();
    await miner.call('mining.configure', [['version-rolling'], { 'version-rolling.mask': '1fffe000' }]);
    await miner.start();
    expect(miner.job.params[5]).toBe('20000004');
    expect((await miner.mine({ bits: 0x00a2c000 })).result).toBe(true);
  });

  it('datum_gateway#215: bits that were not negotiated have a reason of their own', async () => {
    await begin();
    const miner = await b.connect().start();
    const { error } = await miner.mine({ bits: 0x00a2c000 });
    expect(error).toEqual([20, 'Version bits outside the mask', null]);
  });
});

describe('difficulty', () => {
  const vardiff = { start: 4e-9, min: 1e-9, max: 4e-8, target: 5 };

  it('foundation-v1 PR#41: one fast miner changes nothing for its neighbour on the port', async () => {
    await begin({ options: { difficulty: vardiff } });
    const fast = await b.connect().start();
    const slow = await b.connect().start();
    for (let i = 0; i < 60; i++) {
      await fast.mine();
      b.clock.advance(100);
    }
    await settle();
    expect(fast.job.difficulty).toBeGreaterThan(4e-9);
    expect(slow.jobs.map(({ difficulty }) => difficulty)).toEqual([4e-9]);
  });

  it('stratum-mining-litecoin#55, public-pool#114: old work is judged and paid by its own difficulty', async () => {
    await begin({ options: { difficulty: vardiff } });
    const miner = await b.connect().start();
    const old = miner.job;
    const [session] = b.server.sessions;
    if (session !== undefined) b.server.setDifficulty(session, 4e-8);
    await settle();
    expect(miner.job.difficulty).toBe(4e-8);
    expect((await miner.mine({ job: old, misses: 4e-8, meets: 4e-9 })).result).toBe(true);
    expect(b.accepted().map(({ difficulty }) => difficulty)).toEqual([4e-9]);
    expect((await miner.mine({ misses: 4e-8, meets: 4e-9 })).error).toMatchObject([23, expect.any(String), null]);
  });

  it('oliverw/miningcore#698: reconnecting does not escape the difficulty that was found', async () => {
    await begin({ options: { difficulty: vardiff } });
    const miner = await b.connect().start();
    for (let i = 0; i < 60; i++) {
      await miner.mine();
      b.clock.advance(100);
    }
    await settle();
    const { difficulty } = miner.job;
    expect(difficulty).toBeGreaterThan(4e-9);
    miner.connection.destroy();
    await settle();
    const again = await b.connect().start(miner.sessionId);
    expect(again.job.difficulty).toBeGreaterThanOrEqual(difficulty);
  });

  it('NerdMiner_v2#620, public-pool#152: fractions are suggested, written without an exponent, and honoured', async () => {
    await begin({ options: { difficulty: { start: 1, min: 1e-8, max: 10, target: 5 } } });
    const miner = b.connect();
    expect((await miner.call('mining.suggest_difficulty', [0.00015])).result).toBe(true);
    await miner.start();
    expect(miner.job.difficulty).toBe(0.00015);
    expect(miner.raw.find((line) => line.includes('"mining.set_difficulty","params"'))).toContain('"params":[0.00015]');
    // Firmware says so twice a minute.
    const before = miner.lines.length;
    await miner.call('mining.suggest_difficulty', [0.00015]);
    await settle();
    expect(miner.lines.length).toBe(before + 1);
  });

  it('Rust stratum-server: a miner that was given too much is lowered by time, without a share', async () => {
    await begin({ options: { difficulty: { start: 1, min: 1e-9, max: 10, target: 5 } } });
    const miner = await b.connect().start();
    await b.clock.advanceAsync(600_000, 5000);
    expect(miner.closed || miner.job.difficulty < 1).toBe(true);
    expect(miner.job.difficulty).toBeLessThan(0.01);
  });
});

describe('the order of messages', () => {
  it('p2poolv2#91: any order of the opening ends in work', async () => {
    const opening = [
      { id: 1, method: 'mining.configure', params: [['version-rolling'], {}] },
      { id: 2, method: 'mining.authorize', params: ['alice.rig1', 'x'] },
      { id: 3, method: 'mining.suggest_difficulty(512', params: [] },
      { id: 4, method: 'mining.extranonce.subscribe', params: [] },
      { id: 5, method: 'mining.subscribe', params: null },
    ];
    await begin();
    for (let turn = 0; turn < opening.length; turn++) {
      const miner = b.connect();
      miner.send(...opening.slice(turn), ...opening.slice(0, turn));
      await miner.until('work', () => miner.jobs.length > 0);
      const order = miner.lines.flatMap(({ id, method }) => (method === undefined ? [id] : []));
      expect(order).toEqual([...opening.slice(turn), ...opening.slice(0, turn)].map(({ id }) => id));
      expect((await miner.mine()).result).toBe(true);
    }
  });

  it('DATUM: subscribing twice gets the same answer twice', async () => {
    await begin();
    const miner = b.connect();
    const first = await miner.subscribe();
    const second = await miner.subscribe();
    expect(second.result).toEqual(first.result);
  });

  it('ckpool, p2poolv2: every request with an id is answered, and an unknown method closes nothing', async () => {
    await begin();
    const miner = await b.connect().start();
    for (const method of ['mining.get_hashrate', 'mining.update_block', 'client.get_version', 'eth_getWork', 'login']) {
      expect(await miner.call(method, ['secret', 'coin', 'hash']), method).toMatchObject({
        result: null,
        error: [20, expect.any(String), null],
      });
    }
    miner.send({ method: 'mining.unknown', params: [] }, { id: null, method: 'mining.ping' });
    await settle();
    expect((await miner.mine()).result).toBe(true);
  });
});

describe('jobs', () => {
  it('yiimp: clean is said on a new block and never else', async () => {
    await begin();
    const miner = await b.connect().start();
    b.publish(makeJob({ id: 2, clean: false }));
    b.publish(makeJob({ id: 3, clean: false }));
    await settle();
    b.publish(makeJob({ id: 4, tip: 2 }));
    await settle();
    await b.clock.advanceAsync(120_000, 5000);
    const seen = miner.jobs.map(({ clean, params }) => [clean, String(params[1]).slice(0, 4)]);
    for (const [i, [clean, previous]] of seen.entries()) expect(clean).toBe(i === 0 || previous !== seen[i - 1]?.[1]);
  });

  it('foundation-v1#11: a share of the last block is stale, and said to be', async () => {
    await begin();
    const miner = await b.connect().start();
    const share = miner.search();
    b.publish(makeJob({ id: 2, tip: 2 }));
    await settle();
    expect((await miner.submit(share)).error).toEqual([21, 'Stale share', null]);
    expect(b.shares()).toMatchObject([{ result: 'stale' }]);
  });

  it('ckpool rule 1: a solve of a stranger on a stale job, low in time, with foreign bits, still reaches the core', async () => {
    await begin({ job: makeJob({ id: 1, bits: EASY_BITS }) });
    const miner = await b.connect().start();
    const share = miner.search({ bits: 0x2000, ntime: '00000001', meets: 4.66e-10 });
    b.publish(makeJob({ id: 2, tip: 2, bits: EASY_BITS }));
    await settle();
    expect((await miner.submit(share, 'nobody')).result).toBeNull();
    expect(b.candidates.map(({ hash }) => Buffer.from(hash).reverse().toString('hex'))).toEqual([share.hash]);
  });
});

describe('sessions', () => {
  it('Rust stratum-server: a ban is on the address, whatever the port', async () => {
    await begin({ options: { bans: { minBad: 10, badRatio: 0.5 } } });
    const bad = await b.connect({ clientAddress: '10.3.3.3', clientPort: 1111 }).start();
    for (let i = 0; i < 20 && !bad.closed; i++) {
      bad.write(bad.submitLine(bad.search({ misses: bad.job.difficulty }), i));
      await settle();
    }
    await bad.until('the ban', () => bad.closed);
    const again = b.connect({ clientAddress: '10.3.3.3', clientPort: 2222 });
    await again.until('the door', () => again.closed);
    // Neighbours are not touched, and it ends.
    expect((await (await b.connect({ clientAddress: '10.3.3.4' }).start()).mine()).result).toBe(true);
    await b.clock.advanceAsync(700_000, 10_000);
    await b.connect({ clientAddress: '10.3.3.3', clientPort: 3333 }).start();
  });

  it('miningcore#1695: a duplicate closes nothing', async () => {
    await begin();
    const miner = await b.connect().start();
    const share = miner.search();
    for (let i = 0; i < 50; i++) await miner.submit(share);
    expect(miner.closed).toBe(false);
    expect((await miner.mine()).result).toBe(true);
  });

  it('NOMP forks, Miningcore: no two connections share an extranonce1', async () => {
    await begin({ options: { limits: { connectsPerSecondPerAddress: 1e6, unauthorizedPerAddress: 1e6 } } });
    const miners = await Promise.all(Array.from({ length: 500 }, () => b.connect().start()));
    expect(new Set(miners.map(({ extranonce1 }) => extranonce1)).size).toBe(500);
    expect(new Set(miners.map(({ sessionId }) => sessionId)).size).toBe(500);
  });

  it('TheBlueMatt/mining-proxy#7: what was found before the reconnect counts after it, in the same packet', async () => {
    await begin();
    const miner = await b.connect().start();
    const shares = Array.from({ length: 20 }, () => miner.search());
    miner.connection.destroy();
    await settle();
    const again = new WireMiner(b.pair().client);
    again.write(
      `${JSON.stringify({ id: 1, method: 'mining.subscribe', params: ['t', miner.sessionId] })}\n` +
        `${JSON.stringify({ id: 2, method: 'mining.authorize', params: ['alice.rig1'] })}\n` +
        shares.map((share, i) => miner.submitLine(share, 10 + i)).join(''),
    );
    await again.until('all answers', () => again.lines.filter(({ result }) => result === true).length === 21);
    expect(b.accepted()).toHaveLength(20);
  });

  it('a stranger with the session id of somebody who is there gets an extranonce of its own', async () => {
    await begin();
    const miner = await b.connect().start();
    const stranger = await b.connect({ clientAddress: '10.4.4.4' }).start(miner.sessionId);
    expect(stranger.extranonce1).not.toBe(miner.extranonce1);
    expect(stranger.sessionId).not.toBe(miner.sessionId);
    expect((await miner.mine()).result).toBe(true);
  });
});
