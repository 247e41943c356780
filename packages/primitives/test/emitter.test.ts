import { TypedEmitter } from '@headframe/primitives';
import { settle } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';

interface Events {
  share: { readonly worker: string };
  closed: undefined;
}

describe('TypedEmitter', () => {
  it('calls listeners in order until they are removed', () => {
    const emitter = new TypedEmitter<Events>();
    const heard: string[] = [];
    const off = emitter.on('share', ({ worker }) => heard.push(`a ${worker}`));
    const second = ({ worker }: Events['share']): void => {
      heard.push(`b ${worker}`);
    };
    emitter.on('share', second);
    emitter.once('share', ({ worker }) => heard.push(`c ${worker}`));
    emitter.safeEmit('share', { worker: '1' });
    off();
    emitter.safeEmit('share', { worker: '2' });
    emitter.off('share', second);
    emitter.safeEmit('share', { worker: '3' });
    expect(heard).toEqual(['a 1', 'b 1', 'c 1', 'b 2']);
    expect(emitter.listenerCount('share')).toBe(0);
  });

  it('once can be taken back', () => {
    const emitter = new TypedEmitter<Events>();
    const unwanted = (): void => expect.unreachable();
    emitter.once('closed', unwanted)();
    emitter.once('closed', unwanted);
    emitter.off('closed', unwanted);
    expect(emitter.listenerCount('closed')).toBe(0);
    emitter.safeEmit('closed', undefined);
    emitter.on('closed', () => expect.unreachable());
    emitter.removeAllListeners();
    emitter.safeEmit('closed', undefined);
  });

  it('a listener that throws or rejects is reported and hurts no other', async () => {
    const reported: string[] = [];
    const emitter = new TypedEmitter<Events>((error, event) => reported.push(`${event}: ${String(error)}`));
    let heard = 0;
    emitter.on('share', () => {
      throw new Error('threw');
    });
    emitter.on('share', async () => {
      throw new Error('rejected');
    });
    // biome-ignore lint/suspicious/noThenProperty: a promise of another library
    emitter.on('share', () => ({ then: (_: unknown, fail: (error: Error) => void) => fail(new Error('foreign')) }));
    emitter.on('share', () => heard++);
    emitter.safeEmit('share', { worker: '1' });
    await settle();
    expect(heard).toBe(1);
    expect(reported.sort()).toEqual(['share: Error: foreign', 'share: Error: rejected', 'share: Error: threw']);
  });

  it('never throws, even when the report does', () => {
    const emitter = new TypedEmitter<Events>(() => {
      throw new Error('report threw');
    });
    let heard = 0;
    emitter.on('closed', () => {
      throw new Error('threw');
    });
    emitter.on('closed', () => heard++);
    emitter.safeEmit('closed', undefined);
    expect(heard).toBe(1);
  });

  it('a listener removed while emitting is still called this time, one added is not', () => {
    const emitter = new TypedEmitter<Events>();
    const heard: string[] = [];
    let off: () => void = () => {};
    emitter.on('closed', () => {
      off();
      emitter.on('closed', () => heard.push('late'));
      heard.push('first');
    });
    off = emitter.on('closed', () => heard.push('second'));
    emitter.safeEmit('closed', undefined);
    expect(heard).toEqual(['first', 'second']);
  });
});
