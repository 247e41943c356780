import { describe, expect, it } from 'vitest';
import { parseConfig } from '../src/config/problems.js';
import type { PoolConfigInput } from '../src/config/schema.js';
import { applyChanges, changedPaths } from '../src/reload.js';

const base = (more: Partial<PoolConfigInput> = {}) =>
  parseConfig({
    daemons: [{ url: 'http://127.0.0.1:1' }],
    payout: { address: 'a', fees: [{ address: 'b', percent: 1 }] },
    listeners: [
      { port: 1, difficulty: 1 },
      { port: 2, difficulty: { start: 4, min: 1, max: 9 } },
    ],
    ...more,
  });

describe('a new configuration', () => {
  it('is taken apart where a part can change live, and nowhere else', () => {
    const after = base({
      payout: { address: 'c', fees: [] },
      listeners: [
        { port: 7, difficulty: 1 },
        { port: 2, difficulty: { start: 5, min: 1, max: 9 } },
      ],
      log: { level: 'debug' },
      bans: { enabled: false },
      limits: { lineBytes: 1 },
    });
    expect(changedPaths(base(), after).sort()).toEqual([
      'bans',
      'limits',
      'listeners[0].port',
      'listeners[1].difficulty',
      'log.level',
      'payout.address',
      'payout.fees',
    ]);
    expect(changedPaths(base(), base())).toEqual([]);
    expect(changedPaths(base(), base({ listeners: [{ port: 1, difficulty: 1 }] }))).toEqual(['listeners']);
  });

  it('is in force where it could be applied, and compared with that the next time', () => {
    const after = base({
      payout: { address: 'c', fees: [] },
      listeners: [
        { port: 7, difficulty: 2 },
        { port: 2, difficulty: { start: 4, min: 1, max: 9 } },
      ],
    });
    const calls: string[] = [];
    const live = new Map(
      ['payout.fees', 'listeners[0].difficulty'].map((path) => [path, () => void calls.push(path)] as const),
    );
    const result = applyChanges(base(), after, live);
    expect(calls.sort()).toEqual(['listeners[0].difficulty', 'payout.fees']);
    expect([...result.needsRestart].sort()).toEqual(['listeners[0].port', 'payout.address']);
    expect(result.config.payout).toMatchObject({ address: 'a', fees: [] });
    expect(result.config.listeners[0]).toMatchObject({ port: 1, difficulty: 2 });
    // The same file again: what needs a restart still does, the rest is as it should be.
    expect(applyChanges(result.config, after, live).applied).toEqual([]);
    expect([...applyChanges(result.config, base(), live).applied].sort()).toEqual([
      'listeners[0].difficulty',
      'payout.fees',
    ]);
  });
});
