import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, MAX_IDS_PER_FRAME, WorkerTable } from '../src/index.js';

/** Difficulties told by frames, by session id, and the order they came in. */
function told(frames: readonly Uint8Array[]): { readonly byId: Map<number, number>; readonly exponents: number[] } {
  const byId = new Map<number, number>();
  const exponents: number[] = [];
  for (const bytes of frames) {
    const frame = decodeFrame(bytes);
    if (frame.kind !== 'set-difficulty') throw new Error(`a ${frame.kind} frame`);
    exponents.push(frame.exponent);
    for (const id of frame.sessionIds) byId.set(id, frame.exponent);
  }
  return { byId, exponents };
}

describe('registration', () => {
  it('knows names, agents and difficulties by session id', () => {
    const table = new WorkerTable({ startExponent: 13 });
    expect(table.register(7, 'rig7', 'cgminer/4.11')).toBe('added');
    expect(table.register(0, 'rig0')).toBe('added');
    expect([table.size, table.has(7), table.has(8), table.has(70_000), table.has(-1), table.has(0.5)]).toEqual([
      2,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect([table.workerName(7), table.clientAgent(7), table.exponent(7)]).toEqual(['rig7', 'cgminer/4.11', 13]);
    expect([table.workerName(0), table.clientAgent(0)]).toEqual(['rig0', '']);
    expect([table.workerName(8), table.clientAgent(8), table.exponent(8)]).toEqual([undefined, undefined, undefined]);
    expect([...table.sessionIds()]).toEqual([0, 7]);
  });

  it('a second registration of an id is another miner, at the start difficulty', () => {
    const table = new WorkerTable({ startExponent: 4 });
    table.register(1, 'old', 'a');
    table.setExponent(1, 9);
    expect(table.register(1, 'new', 'b')).toBe('replaced');
    expect([table.size, table.workerName(1), table.clientAgent(1), table.exponent(1)]).toEqual([1, 'new', 'b', 4]);
    expect(table.takeDifficultyFrames()).toEqual([]);
  });

  it('an id is free after its miner left', () => {
    const table = new WorkerTable({ startExponent: 4, maxWorkers: 1 });
    table.register(1, 'a');
    expect(table.register(2, 'b')).toBe('full');
    expect([table.unregister(1), table.unregister(1), table.unregister(2), table.unregister(0xffff)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([table.register(2, 'b'), table.size, table.workerName(1)]).toEqual(['added', 1, undefined]);
  });

  it('65,536 registrations: all ids that there are, and the last is refused', () => {
    const table = new WorkerTable({ startExponent: 10 });
    const results = new Map<string, number>();
    for (let id = 0; id <= 0xffff; id++) {
      const result = table.register(id, `w${id}`, `agent${id % 1000}`);
      results.set(result, (results.get(result) ?? 0) + 1);
    }
    expect([...results]).toEqual([
      ['added', 65_535],
      ['bad-session-id', 1],
    ]);
    expect([table.size, table.workerName(0xfffe), table.clientAgent(999)]).toEqual([65_535, 'w65534', 'agent999']);
    expect(table.takeDifficultyFrames()).toEqual([]);
    table.clear();
    expect([table.size, table.has(5), table.register(5, 'x')]).toEqual([0, false, 'added']);
  });

  it.each([-1, 0xffff, 1.5, Number.NaN, 2 ** 32])('session id %s is refused', (id) => {
    const table = new WorkerTable({ startExponent: 0 });
    expect([table.register(id, 'w'), table.size]).toEqual(['bad-session-id', 0]);
    expect(() => table.setExponent(id, 1)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  it.each([{ startExponent: 64 }, { startExponent: -1 }, { startExponent: 0, maxWorkers: 65_536 }])(
    'options %o are refused',
    (options) => {
      expect(() => new WorkerTable(options)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    },
  );
});

describe('difficulty', () => {
  it('all changes in as few frames as there are difficulties, ascending', () => {
    const table = new WorkerTable({ startExponent: 10 });
    for (let id = 0; id < 100; id++) table.register(id, 'w');
    for (let id = 99; id >= 0; id--) table.setExponent(id, 10 + (id % 3));
    const { byId, exponents } = told(table.takeDifficultyFrames());
    expect(exponents).toEqual([11, 12]);
    expect(byId.size).toBe(66);
    expect([byId.get(1), byId.get(2), byId.get(3)]).toEqual([11, 12, undefined]);
    expect(table.takeDifficultyFrames()).toEqual([]);
  });

  it('a frame more only when one is full', () => {
    const table = new WorkerTable({ startExponent: 0 });
    for (let id = 0; id <= MAX_IDS_PER_FRAME; id++) table.register(id, 'w');
    for (let id = 0; id < MAX_IDS_PER_FRAME; id++) table.setExponent(id, 5);
    expect(table.takeDifficultyFrames().map((frame) => frame.length)).toEqual([65_535]);
    for (let id = 0; id <= MAX_IDS_PER_FRAME; id++) table.setExponent(id, 6);
    expect(table.takeDifficultyFrames().map((frame) => frame.length)).toEqual([65_535, 9]);
  });

  it('changed back, or of a miner that left, costs nothing; nobody has no difficulty', () => {
    const table = new WorkerTable({ startExponent: 3 });
    for (const id of [1, 2, 3]) table.register(id, 'w');
    table.setExponent(1, 5);
    table.setExponent(1, 3);
    table.setExponent(2, 5);
    table.unregister(2);
    expect(table.setExponent(4, 5)).toBe(false);
    expect(table.takeDifficultyFrames()).toEqual([]);
    expect(() => table.setExponent(1, 64)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  it('is told once, and again when it is changed back later', () => {
    const table = new WorkerTable({ startExponent: 3 });
    for (const id of [1, 2, 3]) table.register(id, 'w');
    table.setExponent(2, 5);
    expect([...told(table.takeDifficultyFrames()).byId]).toEqual([[2, 5]]);
    table.setExponent(1, 5);
    table.setExponent(3, 5);
    expect([...told(table.takeDifficultyFrames()).byId.keys()]).toEqual([1, 3]);
    table.setExponent(2, 3);
    expect([...told(table.takeDifficultyFrames()).byId]).toEqual([[2, 3]]);
  });

  it('after any history the agent knows what the table has', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('register' as const), id: fc.nat(12) }),
      fc.record({ do: fc.constant('unregister' as const), id: fc.nat(12) }),
      fc.record({ do: fc.constant('set' as const), id: fc.nat(12), exponent: fc.integer({ min: 6, max: 10 }) }),
      fc.record({ do: fc.constant('take' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const table = new WorkerTable({ startExponent: 8, maxWorkers: 10 });
        const agent = new Map<number, number>();
        for (const action of [...steps, { do: 'take' as const }]) {
          if (action.do === 'register') {
            if (table.register(action.id, 'w') !== 'full') agent.set(action.id, 8);
          } else if (action.do === 'unregister') expect(table.unregister(action.id)).toBe(agent.delete(action.id));
          else if (action.do === 'set') table.setExponent(action.id, action.exponent);
          else {
            const { byId, exponents } = told(table.takeDifficultyFrames());
            expect(exponents).toEqual([...new Set(exponents)].sort((a, b) => a - b));
            for (const [id, exponent] of byId) {
              expect(agent.get(id), 'only live ids, only changes').not.toBe(exponent);
              expect(agent.has(id)).toBe(true);
              agent.set(id, exponent);
            }
          }
        }
        expect(table.size).toBe(agent.size);
        expect([...table.sessionIds()].map((id) => [id, table.exponent(id)])).toEqual(
          [...agent].sort(([a], [b]) => a - b),
        );
      }),
      { numRuns: 300 },
    );
  });
});
