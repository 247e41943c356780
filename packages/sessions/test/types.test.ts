import { reject, silentLogger, TypedEmitter } from '@headframe/primitives';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  CallContext,
  createSessionHooks,
  MethodRegistry,
  type Session,
  type SessionEventSink,
  type SessionEvents,
} from '../src/index.js';

class MiningContext<Params = unknown> extends CallContext<Params> {
  readonly difficulty: number = 1;
}

describe('types', () => {
  it('params come from the schema, the rest of the context from the layer above', () => {
    const methods = new MethodRegistry<MiningContext>();
    const schema: StandardSchemaV1<unknown, [string, number]> = {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ value: ['a', 1] }) },
    };
    methods.register('typed', {
      params: schema,
      handler: ({ params: [name, size], difficulty, session, signal }) => {
        expectTypeOf(name).toEqualTypeOf<string>();
        expectTypeOf(size).toEqualTypeOf<number>();
        expectTypeOf(difficulty).toEqualTypeOf<number>();
        expectTypeOf(session).toExtend<Session>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return reject('stale');
      },
    });
    methods.register('untyped', {
      handler: ({ params }) => {
        expectTypeOf(params).toEqualTypeOf<unknown>();
        // @ts-expect-error: unchecked params cannot be taken apart
        return params.length;
      },
    });
    // @ts-expect-error: there is no such phase
    methods.register('phase', { phase: 'later', handler: () => true });
  });

  it('hooks may return nothing, a rejection, or a promise of either, and nothing else', () => {
    const events = new TypedEmitter<SessionEvents>();
    const hooks = createSessionHooks<MiningContext>(silentLogger, events);
    hooks.add('onRequest', ({ difficulty }) => {
      expectTypeOf(difficulty).toEqualTypeOf<number>();
    });
    hooks.add('onRequest', async () => {});
    hooks.add('onRequest', async () => reject('banned'));
    hooks.add('onClose', ({ reason }) => (reason === 'banned' ? reject('banned') : undefined));
    // @ts-expect-error: true decides nothing
    hooks.add('onRequest', () => true);
    // @ts-expect-error: events are no hooks
    expect(() => hooks.add('connected', () => {})).toThrow();
  });

  it('an emitter of more events serves as the sink of these', () => {
    interface MoreEvents extends SessionEvents {
      share: { readonly difficulty: number };
    }
    const sink: SessionEventSink = new TypedEmitter<MoreEvents>();
    expectTypeOf(sink).toExtend<SessionEventSink>();
  });
});
