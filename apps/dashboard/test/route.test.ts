import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hrefOf, parseRoute, type Route } from '../src/route.js';

describe('routes', () => {
  it.each<[string, Route]>([
    ['', { page: 'overview' }],
    ['#/', { page: 'overview' }],
    ['#/blocks', { page: 'blocks' }],
    ['#/blocks/', { page: 'blocks' }],
    ['#/blocks/00ff', { page: 'block', hash: '00ff' }],
    ['#/accounts/bc1q', { page: 'account', account: 'bc1q' }],
    ['#/accounts/a%2Fb', { page: 'account', account: 'a/b' }],
    ['#/accounts/a/workers/a.rig', { page: 'worker', account: 'a', worker: 'a.rig' }],
    ['#/accounts', { page: 'missing' }],
    ['#/accounts/%E0%A4%A', { page: 'missing' }],
    ['#/accounts/a/b', { page: 'missing' }],
    ['#/accounts/a/workers/', { page: 'missing' }],
    ['#/nowhere', { page: 'missing' }],
    ['#/miners/7', { page: 'missing' }],
    [`#/accounts/${'a'.repeat(257)}`, { page: 'missing' }],
  ])('%s', (hash, route) => expect(parseRoute(hash)).toEqual(route));

  const name = fc.string({ minLength: 1, maxLength: 100, unit: 'binary' });
  const routes: fc.Arbitrary<Route> = fc.oneof(
    fc.constantFrom<Route>({ page: 'overview' }, { page: 'miners' }, { page: 'connect' }),
    fc.record({ page: fc.constant('block' as const), hash: name }),
    fc.record({ page: fc.constant('account' as const), account: name }),
    fc.record({ page: fc.constant('worker' as const), account: name, worker: name }),
  );

  it('finds back what it wrote, whatever a name holds', () => {
    fc.assert(
      fc.property(routes, (route) => {
        expect(parseRoute(hrefOf(route))).toEqual(route);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (hash) => void parseRoute(hash)));
  });
});
