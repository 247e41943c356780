// The rules of the twenty that a V1 server must not get wrong, one test or more each: those about lines, answers and
// their order. The numbers are those of the project's notes on Stratum V1.
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { makeJob } from './fixtures.js';
import { CONFIGURE, type Harness, type HarnessOptions, harness } from './harness.js';

let h: Harness;
afterEach(() => h.close());

async function begin(setup: HarnessOptions<{ readonly id: string }> = {}): Promise<Harness> {
  h = await harness({ job: makeJob({ id: 1, clean: true }), ...setup });
  return h;
}

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
