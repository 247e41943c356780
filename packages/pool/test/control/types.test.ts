import { reject } from '@headframe/primitives';
import { expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type ControlCall, ControlMethods } from '../../src/control/methods.js';
import type { Pool } from '../../src/index.js';

it('expose infers the params from the schema and takes any answer', () => {
  const methods = new ControlMethods(10);
  const off = methods.expose('a', z.tuple([z.string(), z.number().optional()]), (params, call) => {
    expectTypeOf(params).toEqualTypeOf<[string, (number | undefined)?]>();
    expectTypeOf(call).toEqualTypeOf<ControlCall>();
    expectTypeOf(call.signal).toEqualTypeOf<AbortSignal>();
    return params[0] === '' ? reject('other') : 1n.toString();
  });
  expectTypeOf(off).toEqualTypeOf<() => void>();
  methods.expose('b', z.object({ n: z.coerce.number() }), async ({ n }) => {
    expectTypeOf(n).toEqualTypeOf<number>();
  });
  methods.expose('c', undefined, (params) => {
    expectTypeOf(params).toEqualTypeOf<unknown>();
  });
  // @ts-expect-error the schema gives a number
  methods.expose('d', z.number(), (params: string) => params);
  // @ts-expect-error a schema, not an example
  methods.expose('e', { a: 1 }, () => 1);
  // @ts-expect-error there is no such option
  methods.expose('f', undefined, () => 1, { summery: 'x' });
  expect(methods.list().map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

it('events of a pool have the types of what they carry', () => {
  const listen = (pool: Pool) => {
    pool.on('notified', ({ type, data, source }) => {
      expectTypeOf(type).toEqualTypeOf<'block' | 'wallet' | 'alert'>();
      expectTypeOf(data + source).toEqualTypeOf<string>();
    });
    pool.on('readiness', ({ isReady }) => expectTypeOf(isReady).toEqualTypeOf<boolean>());
    pool.on('block', ({ height }) => expectTypeOf(height).toEqualTypeOf<number>());
    // @ts-expect-error there is no such event
    pool.on('notifed', () => {});
    // @ts-expect-error a scope that is none
    pool.bans.add('galaxy', 'x', { reason: 'x' });
    expectTypeOf(pool.task('x', async (signal) => signal.aborted)).toEqualTypeOf<() => Promise<void>>();
  };
  expect(listen).toBeTypeOf('function');
});
