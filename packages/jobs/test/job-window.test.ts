import { readFileSync } from 'node:fs';
import { resolveCoin } from '@headframe/coins';
import { buildJob, createDirectBus, type JobRecord, parseTemplate } from '@headframe/mining';
import { bytesToHex } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createJobManager } from '../src/index.js';
import { JobIds } from '../src/job-ids.js';
import { JobWindow } from '../src/job-window.js';
import { blockHash, coin, ManualSource, template } from './harness.js';

const limits = { liveJobs: 2, jobsPerTip: 4, staleTips: 3, staleMs: 1000 };
let nextId = 1;

function job(height: number, tip?: string): { record: JobRecord; template: ReturnType<typeof template> } {
  const made = template(height, {}, tip);
  const record = buildJob(made, {
    id: nextId++,
    coin,
    variants: [{ extranonceLength: 12, outputs: [{ script: Uint8Array.of(0x51) }] }],
    poolTag: new Uint8Array(0),
    nowMs: 0,
    clean: false,
  });
  return { record, template: made };
}

describe('JobWindow', () => {
  test('live, past, forgotten; stale after a new tip', () => {
    const window = new JobWindow(limits);
    const jobs = Array.from({ length: 6 }, () => job(10));
    for (const each of jobs) window.add(each.record, each.template, 0);
    const states = () => jobs.map(({ record }) => window.find(record.id)?.state);
    expect(states()).toEqual([undefined, undefined, 'past', 'past', 'live', 'live']);
    const next = job(11);
    window.add(next.record, next.template, 0);
    expect(states()).toEqual([undefined, undefined, 'stale', 'stale', 'stale', 'stale']);
    expect(window.newest?.record).toBe(next.record);
  });

  test('former tips are kept by number and by time', () => {
    const window = new JobWindow(limits);
    const jobs = [10, 11, 12, 13, 14].map((height) => job(height));
    for (const each of jobs) window.add(each.record, each.template, 0);
    expect(jobs.map(({ record }) => window.find(record.id)?.state)).toEqual([
      undefined,
      'stale',
      'stale',
      'stale',
      'live',
    ]);
    window.prune(1000);
    expect(window.size).toBe(4);
    window.prune(1001);
    expect(window.size).toBe(1);
  });

  test('a tip that comes back has its jobs back', () => {
    const window = new JobWindow(limits);
    const [a, b, again] = [job(10, blockHash('a')), job(10, blockHash('b')), job(10, blockHash('a'))];
    for (const each of [a, b, again]) window.add(each.record, each.template, 0);
    expect([a, b, again].map(({ record }) => window.find(record.id)?.state)).toEqual(['live', 'stale', 'live']);
  });

  test('transactions that templates share are held once', () => {
    const window = new JobWindow(limits);
    const [a, b] = [job(10), job(10)];
    expect(a.template.transactions[0]).not.toBe(b.template.transactions[0]);
    window.add(a.record, a.template, 0);
    window.add(b.record, b.template, 0);
    expect(window.find(b.record.id)?.template.transactions[0]).toBe(a.template.transactions[0]);
  });

  test('its size stays bounded whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 800 })), { maxLength: 60 }),
        (steps) => {
          const window = new JobWindow(limits);
          let nowMs = 0;
          for (const [height, passed] of steps) {
            nowMs += passed;
            const each = job(height);
            window.add(each.record, each.template, nowMs);
            expect(window.find(each.record.id)?.state).toBe('live');
            expect(window.size).toBeLessThanOrEqual(limits.jobsPerTip * (1 + limits.staleTips));
            expect([...window.newestFirst()].length).toBe(window.size);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('JobIds', () => {
  test('never repeats and never goes back, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5000, max: 5000 }), { maxLength: 100 }), (steps) => {
        const ids = new JobIds();
        let nowMs = 1_700_000_000_000;
        let last = 0;
        for (const step of steps) {
          nowMs += step;
          const id = ids.next(nowMs);
          expect(id).toBeGreaterThan(last);
          last = id;
        }
      }),
    );
  });

  test('wraps below 2^31, leaving out 0', () => {
    const ids = new JobIds();
    const ms = (ticks: number) => (ticks / 16) * 1000;
    expect(ids.next(ms(2 ** 31 - 1))).toBe(2 ** 31 - 1);
    expect(ids.next(ms(2 ** 31 - 1))).toBe(1);
    expect(ids.next(ms(2 ** 31 + 60))).toBe(60);
  });

  test('ten jobs a second do not run ahead of the clock, so that a restart does not repeat an id', () => {
    const before = new JobIds();
    let last = 0;
    for (let i = 0; i < 1000; i++) last = before.next(1_700_000_000_000 + i * 100);
    expect(new JobIds().next(1_700_000_000_000 + 100_000)).toBeGreaterThan(last);
  });
});

test('a Litecoin template with an extension block: the proposal ends with it', async () => {
  const litecoin = resolveCoin('litecoin', 'regtest');
  const gbt: unknown = JSON.parse(readFileSync(new URL('vectors/litecoin-gbt-mweb.json', import.meta.url), 'utf8'));
  const parsed = parseTemplate(gbt, litecoin);
  const source = new ManualSource();
  const manager = createJobManager(
    { coin: litecoin, variants: [{ extranonceLength: 12, outputs: [{ script: Uint8Array.of(0x51) }] }] },
    { bus: createDirectBus(), templates: source, sink: { submit: () => {}, keep: () => {} } },
  );
  const started = manager.start();
  source.give(parsed);
  await started;
  expect(manager.proposal()?.endsWith(`01${bytesToHex(parsed.mweb ?? new Uint8Array(0))}`)).toBe(true);
  await manager.close();
});
