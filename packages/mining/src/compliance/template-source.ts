import { describe, expect, it } from 'vitest';
import type { TemplateSource } from '../ports.js';
import type { BlockTemplate } from '../types.js';

/** A template source over a chain that the test can move. */
export interface TemplateSourceHarness {
  readonly source: TemplateSource;
  /** Puts a new block on the chain that the source watches. */
  newBlock(): void | Promise<void>;
  /** Lets time pass (a fake clock) or waits until what was asked for can have arrived. */
  settle(): Promise<void>;
  dispose?(): void | Promise<void>;
}

/**
 * What every {@link TemplateSource} must do.
 * @param make gives a source that was not started
 */
export function describeTemplateSource(
  name: string,
  make: () => TemplateSourceHarness | Promise<TemplateSourceHarness>,
): void {
  describe(`${name} is a TemplateSource`, () => {
    const run = async (test: (harness: TemplateSourceHarness) => Promise<void>): Promise<void> => {
      const harness = await make();
      try {
        await test(harness);
      } finally {
        await harness.source.close();
        await harness.dispose?.();
      }
    };

    it('has delivered a template when start resolves', () =>
      run(async ({ source }) => {
        const seen: BlockTemplate[] = [];
        await source.start((template) => seen.push(template), new AbortController().signal);
        expect(seen.length).toBeGreaterThanOrEqual(1);
      }));

    it('delivers a template of the next height after a new block', () =>
      run(async ({ source, newBlock, settle }) => {
        const seen: BlockTemplate[] = [];
        await source.start((template) => seen.push(template), new AbortController().signal);
        const height = seen.at(-1)?.height ?? 0;
        await newBlock();
        await settle();
        expect(seen.at(-1)?.height).toBe(height + 1);
      }));

    it('delivers another template after refresh', () =>
      run(async ({ source, settle }) => {
        let count = 0;
        await source.start(() => {
          count++;
        }, new AbortController().signal);
        const before = count;
        source.refresh();
        await settle();
        expect(count).toBeGreaterThan(before);
      }));

    it('an aborted start settles', () =>
      run(async ({ source }) => {
        const controller = new AbortController();
        controller.abort();
        await source.start(() => {}, controller.signal);
      }));

    it('delivers nothing after close, which may be repeated', () =>
      run(async ({ source, newBlock, settle }) => {
        let count = 0;
        await source.start(() => {
          count++;
        }, new AbortController().signal);
        await source.close();
        await source.close();
        const before = count;
        await newBlock();
        source.refresh();
        await settle();
        expect(count).toBe(before);
      }));
  });
}
