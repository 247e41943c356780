import fc from 'fast-check';
import type { Credit, FeePolicy, WorkEntry } from '../../src/index.js';

/** Few names, so that accounts meet: miners that are fee recipients and receivers of donations at once. */
export const account = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'B', 'aa', 'pool', 'charity');

/** Work units up to far above 2^53, and tiny ones that divide badly. */
export const work = fc.oneof(fc.bigInt({ min: 0n, max: 20n }), fc.bigInt({ min: 0n, max: 10n ** 40n }));

export const entries: fc.Arbitrary<WorkEntry[]> = fc.array(fc.record({ account, work }), { maxLength: 30 });

/** Base units: dust, a block, more than any coin pays. */
export const reward = fc.oneof(
  fc.bigInt({ min: 0n, max: 100n }),
  fc.constant(312_500_000n),
  fc.bigInt({ min: 0n, max: 10n ** 22n }),
);

/** Policies that take no more than the whole: four parts of at most a quarter. */
export const fees: fc.Arbitrary<FeePolicy> = fc.record({
  recipients: fc.array(fc.record({ account, ppm: fc.integer({ min: 0, max: 250_000 }) }), { maxLength: 4 }),
  donations: fc.array(fc.record({ from: account, to: account, ppm: fc.integer({ min: 0, max: 250_000 }) }), {
    maxLength: 4,
  }),
});

/** Credits as text: vectors stay readable, and a failure prints. */
export function lines(credits: readonly Credit[]): string[] {
  return credits.map(({ account: name, kind, amount }) => `${kind} ${name} ${amount}`);
}

/** The credits of one kind. */
export function only(credits: readonly Credit[], kind: Credit['kind']): Credit[] {
  return credits.filter((credit) => credit.kind === kind);
}
