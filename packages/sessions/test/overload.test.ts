import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, resolveLimits } from '../src/index.js';
import { OverloadGate } from '../src/overload.js';
import { createHarness, settle } from './harness.js';

const enterMs = LIMITS.overloadDelayMs.default;
const leaveMs = LIMITS.overloadRecoverMs.default;

describe('load shedding', () => {
  it('begins above one bound and ends below the other, and does not flap between (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 2000, noNaN: true })), (samples) => {
        const gate = new OverloadGate(resolveLimits());
        let busy = false;
        for (const delayMs of samples) {
          const changed = gate.update(delayMs);
          if (delayMs > enterMs) expect(gate.busy).toBe(true);
          else if (delayMs < leaveMs) expect(gate.busy).toBe(false);
          else expect(gate.busy).toBe(busy);
          expect(changed).toBe(gate.busy !== busy);
          expect(gate.delayMs).toBe(delayMs);
          busy = gate.busy;
        }
      }),
    );
  });

  it('that would recover above the bound recovers at it', () => {
    const gate = new OverloadGate(resolveLimits({ overloadDelayMs: 100, overloadRecoverMs: 900 }));
    expect(gate.update(101)).toBe(true);
    expect(gate.update(99)).toBe(true);
    expect(gate.busy).toBe(false);
  });

  it('is of each server by itself, with limits, events and counters of its own', async () => {
    const states: string[] = [];
    const make = (name: string, overloadDelayMs: number) => {
      const harness = createHarness({
        limits: { overloadDelayMs },
        modules: { loopDelay: { sample: () => 300, close: () => {} } },
      });
      harness.events.on('busy', ({ busy, delayMs }) => states.push(`${name} ${busy} ${delayMs}`));
      return harness;
    };
    const strict = make('strict', 200);
    const patient = make('patient', 400);
    for (const harness of [strict, patient]) {
      // The first connection starts the sweeper.
      harness.connect();
      await harness.clock.advanceAsync(1000);
    }
    expect(states).toEqual(['strict true 300']);
    expect([strict.server.busy, patient.server.busy]).toEqual([true, false]);
    const peers = [strict.connect(), patient.connect()];
    await settle();
    expect(peers.map(({ closed }) => closed)).toEqual([true, false]);
    expect([strict.server.stats().refused, patient.server.stats().refused]).toEqual([{ overloaded: 1 }, {}]);
    await strict.close();
    await patient.close();
  });

  it('is off with an infinite bound', async () => {
    let asked = 0;
    const sample = () => {
      asked++;
      return 1e9;
    };
    const harness = createHarness({
      limits: { overloadDelayMs: Number.POSITIVE_INFINITY },
      modules: { loopDelay: { sample, close: () => {} } },
    });
    harness.connect();
    await harness.clock.advanceAsync(3000);
    expect(asked).toBeGreaterThan(0);
    expect(harness.server.busy).toBe(false);
    await harness.close();
  });
});
