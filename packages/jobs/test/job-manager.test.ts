import { createDirectBus } from '@headframe/mining';
import { bytesToHex, toDisplayHex } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { describe, expect, test } from 'vitest';
import { createJobManager, payoutOutputs } from '../src/index.js';
import { ADDRESS, at, blockHash, coin, harness, ManualSource, solve, template } from './harness.js';

describe('jobs', () => {
  test('start resolves with the first job, which is clean', async () => {
    const { source, jobs, started, manager } = harness();
    source.give(template(434));
    await started;
    expect(jobs.length).toBe(1);
    expect(at(jobs, 0)).toMatchObject({ height: 434, clean: true });
    expect(manager.current).toBe(jobs[0]);
  });

  test('clean only on a new previous block', () => {
    const { source, jobs, clock } = harness();
    source.give(template(434));
    clock.advance(30_000);
    source.give(template(435));
    clock.advance(30_000);
    expect(jobs.map(({ height, clean }) => [height, clean])).toEqual([
      [434, true],
      [434, false],
      [435, true],
      [435, false],
    ]);
  });

  test('a new block is published in the tick in which its template arrives', () => {
    const { source, jobs } = harness();
    source.give(template(434));
    source.give(template(435));
    expect(jobs.length).toBe(2);
  });

  test('a competing block of the same height is a new block', () => {
    const { source, jobs } = harness();
    source.give(template(434));
    source.give(template(434, {}, blockHash('sibling')));
    expect(jobs.map(({ clean }) => clean)).toEqual([true, true]);
    expect(toDisplayHex(at(jobs, 1).previousHash)).toBe(blockHash('sibling'));
  });

  test('ids follow the clock, increase, and stay above those of the process before', () => {
    const first = harness();
    first.source.give(template(434));
    const start = Math.floor((first.clock.now() / 1000) * 16) % 2 ** 31;
    for (let height = 435; height < 440; height++) {
      first.source.give(template(height));
      first.clock.advance(1000);
    }
    const ids = first.jobs.map(({ id }) => id);
    expect(ids).toEqual([0, 1, 16, 32, 48, 64].map((step) => start + step));
    const second = harness();
    second.clock.advance(6000);
    second.source.give(template(434));
    expect(at(second.jobs, 0).id).toBeGreaterThan(Math.max(...ids));
    expect(at(second.jobs, 0).id).toBeLessThan(2 ** 31);
  });

  test('no two jobs share coinbase bytes: each has its own stamp', () => {
    const { source, jobs, clock } = harness();
    source.give(template(434));
    for (let i = 0; i < 20; i++) clock.advance(30_000);
    const prefixes = jobs.map(({ variants }) => bytesToHex(variants[0]?.coinbase1 ?? new Uint8Array(0)));
    expect(new Set(prefixes).size).toBe(21);
  });
});

describe('the same tip', () => {
  test('other transactions alone wait for the keep-alive', () => {
    const { source, jobs, clock } = harness();
    source.give(template(434));
    clock.advance(10_000);
    source.give(template(434, { transactions: [], currentTime: 1_800_000_000 }));
    expect(jobs.length).toBe(1);
    clock.advance(19_999);
    expect(jobs.length).toBe(1);
    clock.advance(1);
    expect(jobs.length).toBe(2);
    // From the newest template, with the time that has passed since.
    expect(at(jobs, 1)).toMatchObject({ clean: false, ntime: 1_800_000_020 });
    expect(at(jobs, 1).merkleBranch.length).toBe(0);
  });

  test('a template that is worth clearly more goes out at once, but not too often', () => {
    const { source, jobs, clock } = harness();
    const { coinbaseValue } = template(434);
    source.give(template(434));
    source.give(template(434, { coinbaseValue: (coinbaseValue * 102n) / 100n }));
    expect(jobs.length).toBe(1);
    clock.advance(5000);
    source.give(template(434, { coinbaseValue: (coinbaseValue * 1005n) / 1000n }));
    expect(jobs.length).toBe(1);
    source.give(template(434, { coinbaseValue: (coinbaseValue * 102n) / 100n }));
    expect(jobs.length).toBe(2);
    source.give(template(434, { coinbaseValue }));
    expect(jobs.length).toBe(2);
  });

  test.each([
    ['difficulty by time', { nbits: 0x207ffffe }],
    ['version', { version: 0x30000000 }],
    ['prescribed outputs', { requiredOutputs: [{ script: Uint8Array.of(0x51), amount: 7n }] }],
    ['lowest time', { minTime: template(434).minTime + 1 }],
  ])('what would make a block invalid goes out at once: %s', (_name, change) => {
    const { source, jobs } = harness();
    source.give(template(434));
    source.give(template(434, change));
    expect(jobs.map(({ clean }) => clean)).toEqual([true, false]);
  });

  test('while the node is away miners get work every 30 s, with a later time', () => {
    const { source, jobs, clock } = harness();
    source.give(template(434));
    clock.advance(90_000);
    expect(jobs.length).toBe(4);
    expect(jobs.map(({ ntime }) => ntime - at(jobs, 0).ntime)).toEqual([0, 30, 60, 90]);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(4);
  });
});

describe('guards', () => {
  test('a late template of a lower height right after a block change is ignored; later it is a reorganisation', () => {
    const { source, jobs, clock, manager } = harness();
    source.give(template(434));
    source.give(template(435));
    source.give(template(434));
    expect(jobs.map(({ height }) => height)).toEqual([434, 435]);
    expect(manager.stats.outdated).toBe(1);
    clock.advance(10_000);
    source.give(template(434));
    expect(jobs.map(({ height }) => height)).toEqual([434, 435, 434]);
    expect(at(jobs, 2).clean).toBe(true);
  });

  test('a template whose coinbase is too large is refused with the reason, and miners keep their job', async () => {
    const { source, jobs, clock, manager, log, started } = harness();
    const refusals: string[] = [];
    manager.on('refused', ({ error }) => refusals.push(error.message));
    source.give(template(434));
    await started;
    const large = { coinbaseAux: new Uint8Array(80) };
    source.give(template(435, large));
    expect(jobs.length).toBe(1);
    expect(manager.current?.height).toBe(434);
    expect(manager.refused).toMatchObject({ height: 435, error: { code: 'coinbase_too_large' } });
    expect(refusals[0]).toContain('coinbaseaux 80');
    // Refreshes of the same template do not fill the log, and do not put off the keep-alive.
    for (let i = 0; i < 8; i++) {
      clock.advance(15_000);
      source.give(template(435, large));
    }
    expect(log.messages('error').length).toBe(1);
    expect(jobs.length).toBe(5);
    expect(jobs.every(({ height }) => height === 434)).toBe(true);
    source.give(template(435));
    expect(at(jobs, -1)).toMatchObject({ height: 435, clean: true });
    expect(manager.refused).toBeUndefined();
  });

  test('a refused template of the same tip: the keep-alive falls back on what worked', () => {
    const { source, jobs, clock } = harness();
    source.give(template(434));
    source.give(template(434, { nbits: 0x207ffffe, coinbaseAux: new Uint8Array(80) }));
    clock.advance(60_000);
    expect(jobs.length).toBe(3);
    expect(jobs.every(({ nbits }) => nbits === at(jobs, 0).nbits)).toBe(true);
  });

  test('refused at the very first: start resolves, there is no job, and the next template works', async () => {
    const { source, jobs, started, manager } = harness({ coinbase: { maxBytes: 100 } });
    source.give(template(434));
    await started;
    expect(jobs).toEqual([]);
    expect(manager.current).toBeUndefined();
    expect(manager.refused?.error.code).toBe('coinbase_too_large');
    expect(manager.proposal()).toBeUndefined();
  });

  test('no variants is an error at once', () => {
    expect(() =>
      createJobManager(
        { coin, variants: [] },
        { bus: createDirectBus(), templates: new ManualSource(), sink: { submit: () => {}, keep: () => {} } },
      ),
    ).toThrow('variant');
  });
});

describe('outputs and variants', () => {
  test('several outputs share the reward by parts; the first gets what is left over', () => {
    const outputs = payoutOutputs(coin, [
      { address: ADDRESS, parts: 98 },
      { address: ADDRESS, parts: 2 },
    ]);
    const { source, jobs } = harness({ variants: [{ extranonceLength: 12, outputs }] });
    source.give(template(434));
    const { reward, variants } = at(jobs, 0);
    const hex = bytesToHex(variants[0]?.coinbase2 ?? new Uint8Array(0));
    const le = (amount: bigint) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(amount);
      return bytes.toString('hex');
    };
    const second = (reward * 2n) / 100n;
    expect(hex).toContain(`${le(reward - second)}160014`);
    expect(hex).toContain(`${le(second)}160014`);
  });

  test('payees that cannot be', () => {
    expect(() => payoutOutputs(coin, [])).toThrow('at least one');
    expect(() => payoutOutputs(coin, [{ address: ADDRESS, parts: 0.5 }])).toThrow('positive integer');
    expect(() => payoutOutputs(coin, [{ address: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' }])).toThrow();
  });

  test('every variant is in the job', () => {
    const outputs = payoutOutputs(coin, [{ address: ADDRESS }]);
    const { source, jobs } = harness({
      variants: [
        { extranonceLength: 12, outputs },
        { extranonceLength: 20, outputs },
      ],
    });
    source.give(template(434));
    expect(at(jobs, 0).variants.map(({ key }) => key)).toEqual(['12/main', '20/main']);
  });
});

describe('life', () => {
  test('close ends everything, twice if need be', async () => {
    const { manager, source, bus, clock, jobs, started, submitted } = harness();
    source.give(template(434));
    await started;
    manager.refresh();
    expect(source.refreshes).toBe(1);
    const candidate = solve(at(jobs, 0));
    await manager.close();
    await manager.close();
    expect(source.closed).toBe(true);
    source.give(template(435));
    bus.publish('candidate', candidate);
    clock.advance(60_000);
    await settle();
    expect(jobs.length).toBe(1);
    expect(submitted).toEqual([]);
    expect(clock.pending).toBe(0);
    await expect(bus.call('join', { edge: 'a' })).rejects.toMatchObject({ code: 'not_supported' });
  });

  test('an aborted start settles', async () => {
    const abort = new AbortController();
    const { manager } = harness();
    await manager.close();
    const other = createJobManager(
      { coin, variants: [{ extranonceLength: 12, outputs: payoutOutputs(coin, [{ address: ADDRESS }]) }] },
      { bus: createDirectBus(), templates: new ManualSource(), sink: { submit: () => {}, keep: () => {} } },
    );
    const started = other.start(abort.signal);
    abort.abort();
    await started;
    await other.close();
  });
});
