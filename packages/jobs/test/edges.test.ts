// What edges ask of the job manager over the bus, and the candidates they send.
import { createDirectBus, createSerialisingBus, deriveJob, type NodeStatus, sha256d } from '@headframe/mining';
import { bytesToHex, concatBytes, toDisplayHex } from '@headframe/primitives';
import { describe, expect, test } from 'vitest';
import { createJobManager, payoutOutputs } from '../src/index.js';
import { ADDRESS, at, coin, harness, ManualSource, solve, template } from './harness.js';

for (const [name, makeBus] of [
  ['direct', createDirectBus],
  ['serialising', createSerialisingBus],
] as const) {
  describe(`over the ${name} bus`, () => {
    test('an edge that joins gets its instance byte and the job of the moment', async () => {
      const { bus, source } = harness({}, makeBus());
      expect(await bus.call('join', { edge: 'a' })).toEqual({ instance: 0, job: null });
      source.give(template(434));
      const second = await bus.call('join', { edge: 'b' });
      expect(second.instance).toBe(1);
      expect(second.job?.height).toBe(434);
      expect((await bus.call('join', { edge: 'a' })).instance).toBe(0);
    });

    test('instance bytes are given as the option says', async () => {
      const { bus } = harness({ instanceOf: () => 200 }, makeBus());
      expect((await bus.call('join', { edge: 'a' })).instance).toBe(200);
    });

    test('transactions of a job, or null', async () => {
      const { bus, source, jobs } = harness({}, makeBus());
      source.give(template(434));
      const transactions = await bus.call('transactions', { jobId: at(jobs, 0).id });
      expect(transactions?.map((data) => bytesToHex(data))).toEqual(
        template(434).transactions.map(({ data }) => bytesToHex(data)),
      );
      expect(await bus.call('transactions', { jobId: 1 })).toBeNull();
    });

    test('a candidate becomes a block in the same tick', () => {
      const { bus, source, jobs, submitted } = harness({}, makeBus());
      source.give(template(434));
      const candidate = solve(at(jobs, 0));
      bus.publish('candidate', candidate);
      expect(submitted.length).toBe(1);
      const [block] = submitted;
      expect(block).toMatchObject({ hash: toDisplayHex(candidate.hash), height: 434, workId: undefined });
      expect(block?.candidate.worker).toBe('rig');
      const hex = block?.hex ?? '';
      expect(hex.startsWith(bytesToHex(candidate.header))).toBe(true);
      expect(hex.slice(160, 162)).toBe('02');
      // Version, then the marker and flag of a segwit coinbase.
      expect(hex.slice(162, 174)).toBe('020000000001');
      expect(hex.endsWith(bytesToHex(template(434).transactions[0]?.data ?? new Uint8Array(0)))).toBe(true);
    });

    test('the state of the nodes goes to the edges', async () => {
      const bus = makeBus();
      const seen: NodeStatus[] = [];
      bus.subscribe('node', (status) => seen.push(status));
      const status: NodeStatus = { ready: true, reason: undefined, nodes: [{ name: 'a', up: true, detail: 'ready' }] };
      const away: NodeStatus = { ready: false, reason: 'a: down', nodes: [{ name: 'a', up: false, detail: 'down' }] };
      const listeners: ((status: NodeStatus) => void)[] = [];
      const manager = createJobManager(
        { coin, variants: [{ extranonceLength: 12, outputs: payoutOutputs(coin, [{ address: ADDRESS }]) }] },
        {
          bus,
          templates: new ManualSource(),
          sink: { submit: () => {}, keep: () => {} },
          nodes: {
            status,
            on: (_event, listener) => {
              listeners.push(listener);
              return () => listeners.splice(0);
            },
          },
        },
      );
      void manager.start();
      listeners[0]?.(away);
      expect(seen).toEqual([status, away]);
      await manager.close();
      expect(listeners).toEqual([]);
    });
  });
}

describe('candidates', () => {
  test('on past and stale jobs, and on jobs a channel derived', () => {
    const { bus, source, jobs, submitted, clock, manager } = harness();
    source.give(template(434));
    for (let i = 0; i < 12; i++) clock.advance(30_000);
    expect(manager.find(at(jobs, 0).id)?.state).toBe('past');
    expect(manager.find(at(jobs, -8).id)?.state).toBe('live');
    bus.publish('candidate', solve(at(jobs, 0)));
    bus.publish('candidate', solve(deriveJob(at(jobs, 3), 0x80000005, 1)));
    source.give(template(435));
    expect(manager.find(at(jobs, 0).id)?.state).toBe('stale');
    bus.publish('candidate', solve(at(jobs, 1)));
    expect(submitted.map(({ height }) => height)).toEqual([434, 434, 434]);
  });

  test('an unknown job is loud, and the candidate is kept', () => {
    const { bus, source, jobs, submitted, kept, log } = harness();
    source.give(template(434));
    const foreign = harness();
    foreign.source.give(template(434, { transactions: [] }));
    bus.publish('candidate', solve(at(foreign.jobs, 0), { baseJobId: 77 }));
    expect(submitted).toEqual([]);
    expect(kept.map(({ reason }) => reason)).toEqual(['job 0000004d is not known']);
    expect(log.messages('error')).toEqual(['a block was found, but it cannot be assembled']);
    expect(jobs.length).toBe(1);
  });

  test('a wrong job id does not lose the block when some job fits', () => {
    const { bus, source, jobs, submitted, kept, log } = harness();
    source.give(template(434));
    source.give(template(435, { transactions: [] }));
    bus.publish('candidate', solve(at(jobs, 0), { baseJobId: at(jobs, 1).id }));
    bus.publish('candidate', solve(at(jobs, 0), { baseJobId: 77 }));
    expect(submitted.map(({ height }) => height)).toEqual([434, 434]);
    expect(kept).toEqual([]);
    expect(log.messages('error').length).toBe(2);
  });

  test('transactions that do not fit the header are never sent', () => {
    const { bus, source, jobs, submitted, kept } = harness();
    source.give(template(434));
    const candidate = solve(at(jobs, 0));
    bus.publish('candidate', { ...candidate, coinbase: concatBytes(candidate.coinbase, Uint8Array.of(1)) });
    bus.publish('candidate', { ...candidate, header: candidate.header.subarray(1) });
    expect(submitted).toEqual([]);
    expect(kept.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('do not fit the header'),
      'header has 79 bytes',
    ]);
  });

  test("the hash is the header's, whatever the candidate says", () => {
    const { bus, source, jobs, submitted, log } = harness();
    source.give(template(434));
    const candidate = solve(at(jobs, 0));
    bus.publish('candidate', { ...candidate, hash: new Uint8Array(32) });
    expect(submitted[0]?.hash).toBe(toDisplayHex(sha256d(candidate.header)));
    expect(log.messages('error').length).toBe(1);
  });

  test('the proposal is the current job with zeros for extranonce and nonce', () => {
    const { source, manager, jobs } = harness();
    source.give(template(434));
    const hex = manager.proposal() ?? '';
    const [variant] = at(jobs, 0).variants;
    expect(hex.slice(152, 162)).toBe('0000000002');
    expect(hex).toContain(`${'00'.repeat(12)}${bytesToHex(variant?.coinbase2.subarray(0, 40) ?? new Uint8Array(0))}`);
  });
});
