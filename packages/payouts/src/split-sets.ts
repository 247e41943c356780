import { COINBASE_SIZE_CLASSES, type CoinbaseSizeClass, coinbaseSizeClass } from '@headframe/ledger';

const preferences = new WeakMap<readonly CoinbaseSizeClass[], Map<string, readonly string[]>>();

/**
 * Names of the output sets that a miner may get, best first: that of its firmware's class, then smaller ones from the
 * largest down, and larger ones last, as some work is better than none. Classes whose outputs came to the same share the
 * set named after the smallest of them, so the first name that a job has is the right one. The same list object for
 * all miners of a class.
 *
 * @param userAgent of `mining.subscribe`; empty when it told none
 */
export function outputSetsFor(
  userAgent: string,
  classes: readonly CoinbaseSizeClass[] = COINBASE_SIZE_CLASSES,
): readonly string[] {
  let lists = preferences.get(classes);
  if (lists === undefined) {
    const names = [...classes].sort((a, b) => a.maxBytes - b.maxBytes).map(({ name }) => name);
    lists = new Map(names.map((name, at) => [name, [...names.slice(0, at + 1).reverse(), ...names.slice(at + 1)]]));
    preferences.set(classes, lists);
  }
  return lists.get(coinbaseSizeClass(userAgent, classes).name) ?? [];
}
