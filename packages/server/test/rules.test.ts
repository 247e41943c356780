// One test, or more, for each of the twenty rules that a V1 server must not get wrong. The numbers are those of the
// project's notes on Stratum V1.
import { createHash } from 'node:crypto';
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { difficultyOf, EASY_NBITS, headerOf, makeJob, sha256d } from './fixtures.js';
import { type Harness, type HarnessOptions, harness, TEST_DIFFICULTY } from './harness.js';

let h: Harness;
afterEach(() => h.close());

async function begin(setup: HarnessOptions<{ readonly id: string }> = {}): Promise<Harness> {
  h = await harness({ job: makeJob({ id: 1, clean: true }), ...setup });
  return h;
}

const CONFIGURE = [['version-rolling'], { 'version-rolling.mask': 'ffffffff' }];

describe('rule 1: one JSON value per line', () => {
  it('every byte written belongs to a compact ASCII line with one newline', async () => {
    await begin();
    const miner = h.connect();
    await miner.call('mining.configure', CONFIGURE);
    await miner.start();
    await miner.submit(miner.mine());
    miner.send('nonsense', { id: 99, method: 'no.such', params: ['\u00e9'] });
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true }));
    await settle();
    const text = miner.writes.join('');
    expect(text.endsWith('\n')).toBe(true);
    expect(text).toMatch(/^[\x20-\x7e\n]+$/);
    for (const line of text.slice(0, -1).split('\n')) {
      expect(line.startsWith('{') && line.endsWith('}'), line).toBe(true);
      expect(JSON.parse(line)).toBeTypeOf('object');
    }
  });
});

describe('rule 2: the id comes back with its JSON type and value', () => {
  it.each([[1], [0], [-5], [3642], ['3642'], ['auth'], ['txlist1'], [1.5], [2 ** 53]])('%j', async (id) => {
    await begin();
    const miner = h.connect();
    await miner.start();
    for (const [method, params, result] of [
      ['mining.ping', [], 'pong'],
      ['mining.submit', miner.params(miner.mine()), true],
      ['no.such', [], null],
    ]) {
      miner.lines.length = 0;
      expect(await miner.call(String(method), params, id)).toMatchObject({ id, result });
      expect(miner.raw.at(-1)).toContain(`{"id":${JSON.stringify(id)},`);
    }
  });
});

describe('rule 3: id, result and error in every answer', () => {
  it('for success and failure alike', async () => {
    await begin();
    const miner = h.connect();
    await miner.call('mining.configure', CONFIGURE);
    await miner.start();
    await miner.submit(miner.mine());
    await miner.call('mining.submit', []);
    await miner.call('no.such', []);
    await miner.call('mining.authorize', []);
    await miner.call('mining.get_transactions', ['ffffffff']);
    const answers = miner.lines.filter((line) => line.method === undefined);
    expect(answers).toHaveLength(8);
    for (const answer of answers) {
      expect(Object.keys(answer)).toEqual(['id', 'result', 'error']);
      expect(answer.error === null || answer.result === null).toBe(true);
      if (answer.error !== null) expect(answer.error).toEqual([expect.any(Number), expect.any(String), null]);
    }
  });
});

describe('rule 4: no answer to a message without id', () => {
  it('the first line a bfgminer reads is the reply to its subscribe', async () => {
    await begin();
    const miner = h.connect();
    miner.send(
      { id: null, method: 'mining.suggest_target', params: ['00000000ffff'.padEnd(64, '0')] },
      { id: null, method: 'mining.capabilities', params: [{ notify: [] }] },
      { method: 'mining.suggest_difficulty', params: [5] },
      { id: null, method: 'no.such', params: [] },
      { id: null, method: 'mining.submit', params: ['a', '1', '00', '0', '0'] },
      { id: 1, method: 'mining.subscribe', params: [] },
    );
    await miner.answer(1);
    expect(miner.lines).toHaveLength(1);
    expect(miner.lines[0]?.id).toBe(1);
  });

  it('a share without id counts all the same', async () => {
    await begin();
    const miner = h.connect();
    await miner.start();
    const before = miner.lines.length;
    miner.send({ id: null, method: 'mining.submit', params: miner.params(miner.mine()) });
    await settle();
    expect(h.core.accepted()).toHaveLength(1);
    expect(miner.lines).toHaveLength(before);
  });
});

describe('rule 5: the reply to subscribe is the first line', () => {
  it('also when plugins talk to the session at once', async () => {
    await begin();
    h.server.on('connected', ({ session }) => {
      session.notify('client.show_message', ['welcome']);
      session.notify('vendor.hello', [1]);
      session.request('client.get_version', []).catch(() => {});
    });
    const miner = h.connect();
    await settle();
    await miner.call('mining.configure', CONFIGURE);
    h.server.notifyAll('client.show_message', ['hello all']);
    h.core.publish(makeJob({ id: 2, tip: 2, clean: true }));
    await settle();
    expect(miner.lines).toHaveLength(1);
    const subscribed = await miner.subscribe();
    expect(miner.lines[1]).toBe(subscribed);
    await miner.authorize();
    await settle();
    expect(miner.lines.map((line) => line.method ?? 'answer')).toEqual([
      'answer',
      'answer',
      'client.show_message',
      'client.get_version',
      'client.show_message',
      'answer',
      'mining.set_difficulty',
      'mining.notify',
      'vendor.hello',
    ]);
  });
});

describe('rule 6: the reply to configure is the next line', () => {
  it('before subscribe', async () => {
    await begin();
    const miner = h.connect();
    const answer = await miner.call('mining.configure', CONFIGURE);
    expect(miner.lines[0]).toBe(answer);
    expect(answer.result).toEqual({ 'version-rolling': true, 'version-rolling.mask': '1fffe000' });
  });

  it('with a minimum difficulty in a running session, the change comes behind it', async () => {
    await begin({ options: { difficulty: { start: 1e-8, min: 1e-8 } } });
    const miner = h.connect();
    await miner.start();
    const before = miner.lines.length;
    await miner.call('mining.configure', [['minimum-difficulty'], { 'minimum-difficulty.value': 2 }]);
    await settle();
    expect(miner.lines.slice(before).map((line) => line.method ?? line.result)).toEqual([
      { 'minimum-difficulty': true },
      'mining.set_difficulty',
      'mining.notify',
    ]);
  });
});

describe('rule 7: nothing strange between authorize and its reply', () => {
  it('while the handler waits, only what every miner knows', async () => {
    let answer: (account: { id: string }) => void = () => {};
    await begin({ options: { authorize: () => new Promise((resolve) => (answer = resolve)) } });
    const miner = h.connect();
    await miner.call('mining.configure', CONFIGURE);
    await miner.subscribe();
    await miner.call('mining.extranonce.subscribe', []);
    const before = miner.lines.length;
    miner.send({ id: 50, method: 'mining.authorize', params: ['bob', 'x'] });
    await settle();
    h.server.notifyAll('vendor.news', [1]);
    h.server.notifyAll('mining.set_goal', ['coin', {}]);
    for (const session of h.server.sessions) {
      h.server.setVersionMask(session, 0x1f000000);
      h.server.renewExtranonce(session);
    }
    h.core.publish(makeJob({ id: 3, tip: 3, clean: true }));
    await settle();
    expect(miner.lines.slice(before)).toEqual([]);
    answer({ id: 'bob' });
    await miner.answer(50);
    await settle();
    const after = miner.lines.slice(before);
    expect(after[0]).toMatchObject({ id: 50, result: true });
    expect(after.map((line) => line.method).slice(1)).toEqual([
      'mining.set_difficulty',
      'mining.notify',
      'vendor.news',
      'mining.set_goal',
    ]);
  });
});

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

describe('rule 13: no long silence', () => {
  it('a channel that heard nothing for 55 s gets work, under a new id and not clean', async () => {
    await begin();
    const miner = h.connect();
    await miner.start();
    const first = miner.job.id;
    await h.clock.advanceAsync(62_000, 1000);
    expect(miner.jobs).toHaveLength(2);
    expect(miner.job.id).not.toBe(first);
    expect(miner.job.clean).toBe(false);
    expect((await miner.submit(miner.mine())).result).toBe(true);
  });

  it('without any job there is still a sign of life, and the pair comes with the first job', async () => {
    h = await harness();
    const miner = h.connect();
    await miner.start();
    expect(miner.lines).toHaveLength(2);
    await h.clock.advanceAsync(62_000, 1000);
    expect(miner.received('mining.set_difficulty')).toHaveLength(1);
    h.core.publish(makeJob({ id: 5, clean: true }));
    await settle();
    expect(miner.lines.slice(-2).map((line) => line.method)).toEqual(['mining.set_difficulty', 'mining.notify']);
    expect((await miner.submit(miner.mine())).result).toBe(true);
  });

  it('or a ping, when configured; a pong as a request of its own is swallowed', async () => {
    await begin({ options: { keepAlive: { afterMs: 20_000, with: 'ping' } } });
    const miner = h.connect();
    await miner.start();
    await h.clock.advanceAsync(26_000, 1000);
    const [ping] = miner.received('mining.ping');
    expect(ping?.id).toEqual(expect.any(Number));
    const before = miner.lines.length;
    miner.send({ id: ping?.id, method: 'pong', params: [] });
    await settle();
    expect(miner.lines).toHaveLength(before);
    expect(miner.jobs).toHaveLength(1);
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

describe('rule 20: tolerance', () => {
  it('CRLF, blank lines, whitespace, any order of keys, missing params', async () => {
    await begin();
    const miner = h.connect();
    miner.connection.write('\r\n\n   \n');
    miner.connection.write('  { "params" : [ ] , "method":"mining.subscribe","id":1 }  \r\n');
    const subscribed = await miner.answer(1);
    expect(subscribed.error).toBeNull();
    miner.takeSubscription(subscribed.result);
    miner.send('{"params":["alice.rig1","x"],"id":2,"method":"mining.authorize"}\r');
    expect((await miner.answer(2)).result).toBe(true);
    await settle();
    const [worker, job, extranonce2, ntime, nonce] = miner.params(miner.mine());
    miner.send(
      `{"params": ["${worker}","${job}","${extranonce2}","${ntime}","${nonce}"], "id": 3, "method": "mining.submit"}\r`,
    );
    expect((await miner.answer(3)).result).toBe(true);
    miner.send('{"id":4,"method":"mining.extranonce.subscribe"}');
    expect((await miner.answer(4)).result).toBe(true);
    miner.send('{"id":5,"method":"mining.subscribe","params":null}');
    expect((await miner.answer(5)).result).toEqual(subscribed.result);
  });

  it('unpadded and upper-case hex; a 0x prefix is refused by name', async () => {
    await begin();
    const miner = h.connect();
    await miner.start();
    const work = miner.mine();
    const [worker, job, extranonce2, ntime] = miner.params(work) as string[];
    const prefixed = await miner.call('mining.submit', [worker, job, extranonce2, ntime, `0x${work.nonce.slice(2)}`]);
    expect(prefixed.error).toMatchObject([20, expect.stringContaining('0x'), null]);
    const short = Number.parseInt(work.nonce, 16).toString(16);
    expect((await miner.call('mining.submit', [worker, job, extranonce2, ntime?.toUpperCase(), short])).result).toBe(
      true,
    );
  });

  it('an unknown method is an error, and the connection lives on', async () => {
    await begin();
    const miner = h.connect();
    await miner.start();
    for (let i = 0; i < 5; i++) {
      expect((await miner.call(`mining.unknown_${i}`, [])).error).toEqual([20, 'Unknown method', null]);
    }
    expect((await miner.submit(miner.mine())).result).toBe(true);
  });
});
