import { resolveCoin } from '@headframe/coins';
import { PoolError } from '@headframe/primitives';
import { describeShareSink, describeTemplateSource } from '../src/compliance.js';
import { type BlockTemplate, parseTemplate, type ShareBatch, type ShareRecord, type ShareSink } from '../src/index.js';
import { loadVectors } from './oracle.js';

/** The least that can pass: an array that outlives the sink. */
function memorySink(stored: Map<string, readonly ShareRecord[]>): ShareSink {
  let closed = false;
  return {
    async commit({ epoch, sequence, shares }: ShareBatch) {
      if (closed) throw new PoolError('closed', 'the sink is closed');
      const key = `${epoch}/${sequence}`;
      if (!stored.has(key)) stored.set(key, [...shares]);
    },
    async close() {
      closed = true;
    },
  };
}

describeShareSink('a map', () => {
  const stored = new Map<string, readonly ShareRecord[]>();
  return { open: () => memorySink(stored), read: () => [...stored.values()].flat() };
});

describeTemplateSource('a chain of numbers', () => {
  const base = parseTemplate(loadVectors('gbt/bcoin-gbt.json'), resolveCoin('bitcoin', 'regtest'));
  let height = base.height;
  let deliver: ((template: BlockTemplate) => void) | undefined;
  const push = () => deliver?.({ ...base, height });
  return {
    source: {
      async start(listener, signal) {
        if (signal.aborted) return;
        deliver = listener;
        push();
      },
      refresh: push,
      async close() {
        deliver = undefined;
      },
    },
    newBlock: () => {
      height++;
      push();
    },
    settle: async () => {},
  };
});
