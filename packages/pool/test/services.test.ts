import { isPoolError, silentLogger } from '@headframe/primitives';
import { FakeClock } from '@headframe/primitives/testing';
import { describe, expect, it } from 'vitest';
import { type PoolService, Services } from '../src/services.js';

function service(name: string, calls: string[], more: Partial<PoolService> = {}): PoolService {
  return {
    name,
    start: async () => void calls.push(`start ${name}`),
    close: async () => void calls.push(`close ${name}`),
    ...more,
  };
}

describe('services', () => {
  it('start in order and close in reverse, also one whose start failed', async () => {
    const calls: string[] = [];
    const services = new Services(silentLogger);
    services.add(service('a', calls));
    services.add(service('b', calls, { start: () => Promise.reject(new Error('no port')) }));
    services.add(service('c', calls));
    await expect(services.start()).rejects.toThrow('no port');
    await services.close(100, new FakeClock());
    expect(calls).toEqual(['start a', 'close c', 'close b', 'close a']);
    expect(services.has('b')).toBe(true);
  });

  it('do not keep a pool from closing', async () => {
    const calls: string[] = [];
    const clock = new FakeClock();
    const services = new Services(silentLogger);
    services.add(service('fine', calls));
    services.add(service('hangs', calls, { close: () => new Promise(() => {}) }));
    services.add(service('fails', calls, { close: () => Promise.reject(new Error('broken')) }));
    const closed = services.close(100, clock);
    await clock.advanceAsync(100, 10);
    await closed;
    expect(calls).toEqual(['close fine']);
  });

  it('cannot be added once the pool listens', async () => {
    const services = new Services(silentLogger);
    await services.start();
    try {
      services.add(service('late', []));
      expect.unreachable();
    } catch (error) {
      expect(isPoolError(error, 'closed')).toBe(true);
    }
  });
});
