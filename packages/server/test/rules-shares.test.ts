// The rules of the twenty that a V1 server must not get wrong, one test or more each: those about jobs, difficulties and
// shares. The numbers are those of the project's notes on Stratum V1.
import { createHash } from 'node:crypto';
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { difficultyOf, EASY_NBITS, headerOf, makeJob, sha256d } from './fixtures.js';
import { CONFIGURE, type Harness, type HarnessOptions, harness, TEST_DIFFICULTY } from './harness.js';

let h: Harness;
afterEach(() => h.close());

async function begin(setup: HarnessOptions<{ readonly id: string }> = {}): Promise<Harness> {
  h = await harness({ job: makeJob({ id: 1, clean: true }), ...setup });
  return h;
}

describe('rule 8: extranonce2 has 4 to 8 bytes', () => {
  it('8 by default, 4 to 8 by listener, nothing else', async () => {
    await begin();
    const miner = h.connect();
    await miner.subscribe();
    expect(miner.extranonce2Size).toBe(8);
    expect(miner.extranonce1).toHaveLength(8);
    for (const extranonce2Size of [3, 9, 0, 4.5]) {
      await expect(harness({ options: { listeners: [{ port: 0, extranonce2Size }] } })).rejects.toThrow(
        /listeners\[0\].extranonce2Size: must be 4 to 8/,
      );
    }
    const small = await harness({
      job: makeJob({ id: 1, lengths: [8, 12] }),
      options: { listeners: [{ port: 0, extranonce2Size: 4 }] },
    });
    const other = small.connect();
    await other.start();
    expect(other.extranonce2Size).toBe(4);
    expect((await other.submit(other.mine())).result).toBe(true);
    await small.close();
  });
});

describe('rules 9, 10, 17: what notify says is what is hashed', () => {
  it('previous hash by swapped words, integers as integers, coinbase without witness', async () => {
    const job = makeJob({ id: 0x1234abcd, clean: true, nbits: EASY_NBITS, branch: 3 });
    await begin({ job });
    const miner = h.connect();
    await miner.start();
    const [id, previous, coinbase1, , branch, version, nbits, ntime] = miner.job.params as string[];
    expect(id).toBe('1234abcd');
    const words = Buffer.from(previous ?? '', 'hex');
    expect(Buffer.from(words).swap32()).toEqual(Buffer.from(job.previousHash));
    expect(coinbase1?.slice(100, 108)).toBe('1234abcd');
    expect(branch).toHaveLength(3);
    expect([version, nbits, ntime]).toEqual(['20000000', '207fffff', job.ntime.toString(16).padStart(8, '0')]);
    const work = miner.mine({ difficulty: miner.difficulty });
    const header = headerOf(miner.job, work);
    expect((await miner.submit(work)).result).toBe(true);
    const accepted = h.core.accepted()[0];
    expect(accepted?.achieved).toBeCloseTo(difficultyOf(header), 12);
    const candidate = h.core.candidates.find(({ header: found }) => Buffer.from(found).equals(header));
    if (difficultyOf(header) >= job.networkDifficulty) {
      expect(Buffer.from(candidate?.hash ?? [])).toEqual(sha256d(header));
      const merkle = createHash('sha256').update(
        createHash('sha256')
          .update(candidate?.coinbase ?? '')
          .digest(),
      );
      expect(merkle.digest()).toHaveLength(32);
    }
  });
});

describe('rule 11: extranonce2 is an opaque string of exact length', () => {
  it('refuses any other length with code 20 and takes every value of the right one', async () => {
    await begin();
    const miner = h.connect();
    await miner.start();
    const work = miner.mine();
    for (const extranonce2 of ['00', work.extranonce2.slice(2), `${work.extranonce2}00`, '']) {
      const answer = await miner.submit({ ...work, extranonce2 });
      expect(answer.error).toMatchObject([20, expect.stringMatching(/[Ee]xtranonce2/), null]);
    }
    for (const extranonce2 of ['ffffffffffffffff', '00000000000000ff', 'ff00000000000000']) {
      let nonce = 0;
      let share = { ...work, extranonce2, nonce: '00000000' };
      while (difficultyOf(headerOf(miner.job, share)) < TEST_DIFFICULTY) {
        share = { ...share, nonce: (++nonce).toString(16).padStart(8, '0') };
      }
      expect((await miner.submit(share)).result).toBe(true);
    }
  });
});

describe('rule 12: a difficulty counts from the next notify, and per job', () => {
  it('old jobs keep theirs for verdict and credit', async () => {
    await begin({ options: { difficulty: { start: 1e-8, min: 1e-8, max: 1 } } });
    const miner = h.connect();
    await miner.start();
    const old = miner.job;
    await miner.call('mining.suggest_difficulty', [1e-7]);
    await settle();
    expect(miner.difficulty).toBe(1e-7);
    expect(miner.job.id).not.toBe(old.id);
    expect(miner.job.clean).toBe(false);
    const easy = miner.mine({ job: old, below: 1e-7 });
    expect(easy).toBeDefined();
    let weak = miner.mine({ job: old });
    while (difficultyOf(headerOf(old, weak)) >= 1e-7) weak = miner.mine({ job: old });
    expect((await miner.submit(weak, old)).result).toBe(true);
    let low = miner.mine({ difficulty: 1e-8 });
    while (difficultyOf(headerOf(miner.job, low)) >= 1e-7) low = miner.mine({ difficulty: 1e-8 });
    expect((await miner.submit(low)).error).toEqual([23, 'Low difficulty share', null]);
    expect((await miner.submit(miner.mine())).result).toBe(true);
    expect(h.core.accepted().map((share) => share.difficulty)).toEqual([1e-8, 1e-7]);
  });

  it('set_difficulty and notify come in one write', async () => {
    await begin({ options: { difficulty: { start: 1e-8, min: 1e-8, max: 1 } } });
    const miner = h.connect();
    await miner.start();
    await miner.call('mining.suggest_difficulty', [1e-7]);
    await settle();
    for (const write of miner.writes.filter((text) => text.includes('set_difficulty'))) {
      expect(write).toContain('mining.notify');
    }
  });
});

describe('rule 14: is it a block? comes first', () => {
  it('a share that is refused for any reason was sent to the core before', async () => {
    await begin({ job: makeJob({ id: 1, clean: true, nbits: EASY_NBITS }) });
    const miner = h.connect();
    await miner.start();
    const work = miner.mine({ difficulty: 1e-9 });
    const answer = await miner.submit(work, miner.job, 'nobody');
    expect(answer.error).toEqual([24, 'Unauthorized worker', null]);
    expect(h.core.candidates).toHaveLength(1);
  });
});

describe('rule 15: version bits', () => {
  it('the advertised version has the mask cleared; bits are merged, bits outside are refused', async () => {
    await begin({ job: makeJob({ id: 1, clean: true, version: 0x3fffe004 }) });
    const miner = h.connect();
    const answer = await miner.call('mining.configure', [['version-rolling'], { 'version-rolling.mask': '00ffe000' }]);
    expect(answer.result).toEqual({ 'version-rolling': true, 'version-rolling.mask': '00ffe000' });
    await miner.start();
    expect(miner.job.params[5]).toBe('20000004');
    const inside = miner.mine({ bits: 0x00a2c000 & 0x00ffe000 });
    expect((await miner.call('mining.submit', [...miner.params(inside), '00a2c000'])).result).toBe(true);
    const outside = miner.mine({ bits: 0x10000000 });
    const refused = await miner.call('mining.submit', [...miner.params(outside), '10000000']);
    expect(refused.error).toEqual([20, 'Version bits outside the mask', null]);
  });

  it('without negotiation only 00000000 or the version of the job', async () => {
    await begin();
    const miner = h.connect();
    await miner.start();
    expect((await miner.call('mining.submit', [...miner.params(miner.mine()), '00000000'])).result).toBe(true);
    expect((await miner.call('mining.submit', [...miner.params(miner.mine()), '20000000'])).result).toBe(true);
    const rolled = miner.mine({ bits: 0x00002000 });
    expect((await miner.call('mining.submit', [...miner.params(rolled), '00002000'])).error).toEqual([
      20,
      'Version bits outside the mask',
      null,
    ]);
  });

  it('a block with bits that were not negotiated still goes out, with the header the miner hashed', async () => {
    await begin({ job: makeJob({ id: 1, clean: true, nbits: EASY_NBITS }) });
    const miner = h.connect();
    await miner.start();
    const rolled = miner.mine({ bits: 0x00002000, difficulty: 1e-9 });
    const answer = await miner.call('mining.submit', [...miner.params(rolled), '00002000']);
    expect(answer.error).toMatchObject([20, expect.any(String), null]);
    expect(h.core.candidates.map(({ header }) => Buffer.from(header))).toEqual([headerOf(miner.job, rolled)]);
  });

  it('after set_version_mask older jobs keep the old mask', async () => {
    await begin();
    const miner = h.connect();
    await miner.call('mining.configure', CONFIGURE);
    await miner.start();
    const old = miner.job;
    for (const session of h.server.sessions) expect(h.server.setVersionMask(session, 0x0000e000)).toBe(true);
    await settle();
    expect(miner.mask).toBe(0x0000e000);
    expect(miner.lines.slice(-2).map((line) => line.method)).toEqual(['mining.set_version_mask', 'mining.notify']);
    const before = miner.mine({ job: old, bits: 0x10000000 });
    expect((await miner.call('mining.submit', [...miner.params(before, old), '10000000'])).result).toBe(true);
    const after = miner.mine({ bits: 0x10000000 });
    expect((await miner.call('mining.submit', [...miner.params(after), '10000000'])).error).not.toBeNull();
  });
});

describe('rule 16: the same header twice is a duplicate, however it is written', () => {
  it('capitals, missing zeros, version bits 00000000, generic JSON', async () => {
    await begin();
    const miner = h.connect();
    await miner.start();
    let work = miner.mine();
    while (!/[a-f]/.test(work.nonce)) work = miner.mine();
    expect((await miner.submit(work)).result).toBe(true);
    const [worker, jobId, extranonce2, ntime, nonce] = miner.params(work) as string[];
    const short = (text: string | undefined) => (text ?? '').replace(/^0+(?=.)/, '');
    for (const params of [
      [worker, jobId, extranonce2, ntime, nonce],
      [worker, jobId?.toUpperCase(), extranonce2?.toUpperCase(), ntime?.toUpperCase(), nonce?.toUpperCase()],
      [worker, short(jobId), extranonce2, short(ntime), short(nonce)],
      [worker, jobId, extranonce2, ntime, nonce, '00000000'],
      [worker, jobId, extranonce2, ntime, nonce, '20000000'],
      [worker, jobId, extranonce2, ntime, nonce, null],
    ]) {
      expect((await miner.call('mining.submit', params)).error, JSON.stringify(params)).toEqual([
        22,
        'Duplicate share',
        null,
      ]);
    }
    const escaped = JSON.stringify({ id: 500, method: 'mining.submit', params: miner.params(work) });
    miner.send(escaped.replace('alice', '\\u0061lice'));
    expect((await miner.answer(500)).error).toEqual([22, 'Duplicate share', null]);
    expect(h.core.accepted()).toHaveLength(1);
  });

  it('another nonce, time, extranonce2, version or job is another share', async () => {
    await begin();
    const miner = h.connect();
    await miner.call('mining.configure', CONFIGURE);
    await miner.start();
    const first = miner.job;
    for (const bits of [0, 0x2000, 0x4000]) {
      const work = miner.mine({ bits });
      const params = [...miner.params(work), bits.toString(16).padStart(8, '0')];
      expect((await miner.call('mining.submit', params)).result).toBe(true);
    }
    h.core.publish(makeJob({ id: 2 }));
    await settle();
    expect(miner.job.id).not.toBe(first.id);
    expect((await miner.submit(miner.mine())).result).toBe(true);
    expect(h.core.accepted()).toHaveLength(4);
  });
});

describe('rule 18: the coinbase room', () => {
  it('extranonce1 and extranonce2 together fill exactly the gap of the job', async () => {
    await begin();
    const miner = h.connect();
    await miner.start();
    expect(miner.extranonce1.length / 2 + miner.extranonce2Size).toBe(12);
  });
});

describe('rule 19: job ids are unique for the life of a connection', () => {
  it('8 hex digits, never repeated, whatever happens', async () => {
    await begin({ options: { difficulty: { start: 1e-8, min: 1e-8, max: 1 } } });
    const miner = h.connect();
    await miner.start();
    for (let i = 2; i < 20; i++) {
      h.core.publish(makeJob({ id: i, tip: i >> 2, clean: i % 4 === 0 }));
      if (i % 3 === 0) await miner.call('mining.suggest_difficulty', [1e-8 * i]);
      await h.clock.advanceAsync(20_000, 5000);
    }
    const sessionId = miner.sessionId;
    miner.connection.end();
    await settle();
    const again = h.connect();
    await again.start(sessionId);
    const ids = [...miner.jobs, ...again.jobs].map((job) => job.id);
    expect(ids.length).toBeGreaterThan(20);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}$/);
  });
});
