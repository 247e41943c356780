import type { JobVariantOptions } from '@headframe/mining';
import { bytesToHex, PoolError } from '@headframe/primitives';
import { describe, expect, test } from 'vitest';
import { createJobManager, type JobVariantsFunction, payoutOutputs } from '../src/index.js';
import { ADDRESS, at, coin, harness, solve, template } from './harness.js';

const [output] = payoutOutputs(coin, [{ address: ADDRESS }]);
if (output === undefined) throw new Error('no output');
const script = (byte: number): Uint8Array => Uint8Array.of(0x00, 0x14, ...new Uint8Array(20).fill(byte));
const set = (name: string, ...parts: number[]): JobVariantOptions => ({
  key: `12/${name}`,
  extranonceLength: 12,
  outputs: parts.map((part, i) => ({ script: script(i + 1), parts: part })),
});

/** Amounts of all outputs of a variant's coinbase, by script. */
function outputsOf(coinbase2: Uint8Array): bigint {
  // Tag, sequence, count, then outputs of amount, length, script.
  const bytes = Buffer.from(coinbase2);
  let position = '/headframe/'.length + 4;
  const count = bytes[position++] ?? 0;
  let sum = 0n;
  for (let i = 0; i < count; i++) {
    sum += bytes.readBigUInt64LE(position);
    position += 9 + (bytes[position + 8] ?? 0);
  }
  return sum;
}

describe('variants made for a template', () => {
  test('get the reward after prescribed outputs, and the template; all claim the same', () => {
    const asked: [bigint, number][] = [];
    const { source, jobs } = harness({
      variants: (reward, { height }) => {
        asked.push([reward, height]);
        return [set('tiny', 1), set('main', 2, 1), set('huge', 3, 3, 1)];
      },
    });
    const requiredOutputs = [{ script: script(9), amount: 1000n }];
    source.give(template(434, { coinbaseValue: 5_000_000_007n, requiredOutputs }));
    expect(asked).toEqual([[4_999_999_007n, 434]]);
    const job = at(jobs, 0);
    expect(job.reward).toBe(4_999_999_007n);
    expect(job.variants.map(({ key }) => key)).toEqual(['12/tiny', '12/main', '12/huge']);
    expect(job.variants.map(({ coinbase2 }) => outputsOf(coinbase2))).toEqual([
      5_000_000_007n,
      5_000_000_007n,
      5_000_000_007n,
    ]);
  });

  test('are asked for each job, and a block of each variant can be put together', () => {
    let round = 0;
    const { source, jobs, bus, clock, submitted } = harness({
      variants: () => [set('tiny', 1), set('main', 2, ++round)],
    });
    source.give(template(434));
    clock.advance(30_000);
    expect(round).toBe(2);
    for (const job of [...jobs]) {
      for (const variant of job.variants) bus.publish('candidate', solve({ ...job, variants: [variant] }));
    }
    expect(submitted).toHaveLength(4);
  });

  test('that fail give way to the last good ones, of another reward too', () => {
    let fail: 'throw' | 'none' | 'bad' | undefined;
    const variants: JobVariantsFunction = () => {
      if (fail === 'throw') throw new PoolError('invalid_argument', 'no plan');
      if (fail === 'none') return [];
      if (fail === 'bad') return [set('main', 0.5)];
      return [set('main', 3, 1)];
    };
    const { source, jobs, log } = harness({ variants });
    source.give(template(434, { coinbaseValue: 4000n }));
    for (const [i, kind] of (['throw', 'none', 'bad'] as const).entries()) {
      fail = kind;
      source.give(template(435 + i, { coinbaseValue: 8000n }));
    }
    expect(jobs.map(({ reward }) => reward)).toEqual([4000n, 8000n, 8000n, 8000n]);
    const ends = jobs.map(({ variants: [variant] }) => bytesToHex(variant?.coinbase2 ?? new Uint8Array(0)));
    expect(ends[1]).toContain('7017000000000000'); // 6000 of 8000
    expect(ends[3]).toBe(ends[1]);
    const errors = log.messages('error').filter((message) => message.startsWith('no outputs'));
    expect(errors).toHaveLength(3);
  });

  test('without any that worked the template is refused', async () => {
    const { source, manager, started } = harness({
      variants: () => {
        throw new PoolError('invalid_argument', 'no plan');
      },
    });
    source.give(template(434));
    await started;
    expect(manager.current).toBeUndefined();
    expect(manager.refused?.error.message).toBe('no plan');
  });

  test('an empty list is refused when the manager is made', () => {
    const make = (): unknown => createJobManager({ coin, variants: [] }, {} as Parameters<typeof createJobManager>[1]);
    expect(make).toThrow('at least one job variant');
  });
});
