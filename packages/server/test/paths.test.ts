import { settle } from '@headframe/primitives/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EASY_NBITS, makeJob } from './fixtures.js';
import { type Harness, harness, type Miner } from './harness.js';

/** What may be done to good params. */
type Change =
  | { readonly at: number; readonly to: unknown }
  | { readonly at: number; readonly upper: true }
  | { readonly at: number; readonly strip: true }
  | { readonly drop: number }
  | { readonly add: unknown };

const junk = fc.oneof(
  fc.constantFrom<unknown>('', '0', '00', 'zz', 'ffffffff', '123456789', '0x01', null, true, 0, -1, [], {}, ' '),
  fc.string({ maxLength: 12 }),
  fc.stringMatching(/^[0-9a-fA-F]{1,20}$/),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ at: fc.nat(5), to: junk }),
  fc.record({ at: fc.integer({ min: 1, max: 4 }), upper: fc.constant(true as const) }),
  fc.record({ at: fc.constantFrom(1, 3, 4), strip: fc.constant(true as const) }),
  fc.record({ drop: fc.nat(5) }),
  fc.record({ add: fc.oneof(junk, fc.constantFrom('00000000', '20000000', '00002000', '1fffe000', '20002000')) }),
);

function apply(params: readonly unknown[], changes: readonly Change[]): unknown[] {
  const out = [...params];
  for (const one of changes) {
    if ('drop' in one) out.splice(one.drop, 1);
    else if ('add' in one) out.push(one.add);
    else if ('to' in one) out[one.at] = one.to;
    else if (typeof out[one.at] === 'string') {
      const text = String(out[one.at]);
      out[one.at] = 'upper' in one ? text.toUpperCase() : text.replace(/^0+(?=.)/, '');
    }
  }
  return out;
}

/** Two servers that differ in one thing: whether anybody but the fast path has a say. */
async function pair(): Promise<readonly (readonly [Harness, Miner])[]> {
  const made: (readonly [Harness, Miner])[] = [];
  for (const isGeneric of [false, true]) {
    const h = await harness({
      job: makeJob({ id: 1, clean: true, nbits: EASY_NBITS }),
      options: { difficulty: 1e-9, bans: { enabled: false } },
    });
    if (isGeneric) h.server.hook('beforeReply', () => {});
    const miner = h.connect();
    await miner.call('mining.configure', [['version-rolling'], { 'version-rolling.mask': '0000e000' }]);
    await miner.start();
    made.push([h, miner]);
  }
  return made;
}

describe('a submit', () => {
  it('means the same whichever way it is read', async () => {
    const servers = await pair();
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 3 }), fc.boolean(), async (changes, isLow) => {
        const answers: unknown[] = [];
        for (const [h, miner] of servers) {
          const work = miner.mine(isLow ? { below: 1e-9 } : {});
          const params = apply(miner.params(work), changes);
          const before = h.core.candidates.length;
          const { result, error } = await miner.call('mining.submit', params);
          answers.push({ result, error, sent: h.core.candidates.length - before });
          miner.lines.length = 0;
        }
        const [fast, generic] = answers as { result: unknown; error: unknown; sent: number }[];
        // The two miners have other extranonces, so luck differs: whether a hash meets a target is compared no further.
        const luck = (answer: typeof fast) => answer?.result === true || (answer?.error as [number])?.[0] === 23;
        if (luck(fast) && luck(generic)) return;
        expect({ ...fast, sent: 0 }).toEqual({ ...generic, sent: 0 });
      }),
      { numRuns: 300 },
    );
    for (const [h] of servers) await h.close();
    await settle();
  });
});
