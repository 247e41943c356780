// Faults that an audit of this project found, each with the test that showed it.
import { reject } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, type BenchOptions, bench, makeJob } from '../support/bench-server.js';

// biome-ignore lint/suspicious/noExplicitAny: the account type does not matter here
let b: Bench<any>;
afterEach(() => b.close());

async function begin<Account = { readonly id: string }>(setup: BenchOptions<Account> = {}): Promise<Bench<Account>> {
  const made = await bench<Account>(setup);
  b = made;
  return made;
}

describe('a hook that answers after its time', () => {
  it('is not followed by other hooks on whatever share came next', async () => {
    await begin();
    const seen: string[] = [];
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isFirst = true;
    b.server.hook('onRequest', ({ method }) => {
      if (method !== 'mining.submit' || !isFirst) return undefined;
      isFirst = false;
      return held.then(() => undefined);
    });
    b.server.hook('beforeShare', ({ worker }) => {
      seen.push(worker);
    });
    const alice = await b.connect().start();
    const bob = b.connect();
    bob.worker = 'bob';
    await bob.start();
    const late = alice.submit(alice.search());
    await b.clock.advanceAsync(11_000);
    expect((await late).error).not.toBeNull();
    expect((await bob.mine()).result).toBe(true);
    expect(seen).toEqual(['bob']);
    release();
    await settle();
    expect(seen).toEqual(['bob']);
  });
});

describe('a ledger that is down', () => {
  it('is not filled by submits that are refused at once', async () => {
    await begin({ options: { limits: { uncommittedShares: 50, requestBurst: 100_000 } } });
    const miner = await b.connect().start();
    b.beforeCommit = () => Promise.reject(new Error('the ledger is down'));
    for (let i = 0; i < 20; i++) {
      miner.send(
        ...Array.from({ length: 100 }, (_, n) => ({
          id: n,
          method: 'mining.submit',
          params: ['alice.rig1', 'ffffffff', '0000000000000000', '65545a00', '00000000'],
        })),
      );
      await settle();
    }
    expect(b.server.stats().shares.uncommitted).toBeLessThanOrEqual(200);
  });
});

describe('an authorize that answers after its time', () => {
  it('authorizes nobody: the miner was told that it failed', async () => {
    let answer: (account: { id: string }) => void = () => {};
    await begin({
      options: {
        authorize: () =>
          new Promise<{ id: string }>((resolve) => {
            answer = resolve;
          }),
      },
    });
    const miner = b.connect();
    await miner.subscribe();
    const refused = miner.authorize();
    await b.clock.advanceAsync(11_000);
    expect((await refused).error).not.toBeNull();
    answer({ id: 'alice' });
    await settle();
    expect(miner.jobs).toEqual([]);
    expect(b.server.stats().workers).toBe(0);
  });
});

describe('our clock', () => {
  it('three hours behind that of the node refuses no share for its time', async () => {
    await begin({ job: makeJob({ id: 1, ntime: 1_700_000_000 + 3 * 3600 }) });
    const miner = await b.connect().start();
    expect(await miner.mine()).toMatchObject({ result: true, error: null });
  });
});

describe('a job that comes twice', () => {
  it('is one job: miners get it once and their shares stay good', async () => {
    await begin();
    const jobs: number[] = [];
    b.server.on('job', ({ job }) => jobs.push(job.id));
    const miner = await b.connect().start();
    const early = miner.search();
    b.publish(makeJob({ id: 1 }));
    await settle();
    expect(jobs).toEqual([]);
    expect(miner.jobs).toHaveLength(1);
    expect((await miner.submit(early)).result).toBe(true);
  });
});

describe('an id in any script', () => {
  it.each(['\u00e9', '\u6f22\u5b57', '\u{1f600}', 'a"b', 'back\\slash', '\u2028'])('%j comes back', async (id) => {
    await begin();
    const miner = await b.connect().start();
    expect(await miner.call('mining.ping', [], id)).toMatchObject({ id, result: 'pong' });
    const share = miner.params(miner.search());
    expect(await miner.call('mining.submit', share, `${id}2`)).toMatchObject({ id: `${id}2`, result: true });
    expect(await miner.call('mining.submit', [], `${id}3`)).toMatchObject({ id: `${id}3`, result: null });
  });
});

describe('the word of the operator', () => {
  it('on the difficulty of one miner survives its reconnect, on a listener with fixed difficulty too', async () => {
    await begin();
    const miner = await b.connect().start();
    const [session] = b.server.sessions;
    if (session === undefined) throw new Error('no session');
    b.server.setDifficulty(session, 4e-8);
    await settle();
    expect(miner.job.difficulty).toBe(4e-8);
    miner.connection.destroy();
    await settle();
    const again = await b.connect().start(miner.sessionId);
    expect(again.extranonce1).toBe(miner.extranonce1);
    expect(again.job.difficulty).toBe(4e-8);
  });
});

describe('a suspended account', () => {
  it('is refused by the reason its hook gives', async () => {
    await begin();
    b.server.hook('beforeShare', () => reject('unauthorized', 'suspended'));
    const miner = await b.connect().start();
    expect((await miner.mine()).error).toEqual([24, 'suspended', null]);
  });
});
