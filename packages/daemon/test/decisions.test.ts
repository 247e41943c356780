import { PoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BlockSighting, blockFate } from '../src/block-fate.js';
import { checkProposal } from '../src/index.js';
import { readSubmitError, readSubmitResult } from '../src/submit-result.js';
import { judgeTemplate } from '../src/template-gate.js';

describe('what submitblock answers', () => {
  test.each([
    [null, 'has-block', 'accepted'],
    [undefined, 'has-block', 'accepted'],
    ['', 'has-block', 'accepted'],
    ['duplicate', 'has-block', 'duplicate'],
    ['rejected: duplicate', 'has-block', 'duplicate'],
    ['inconclusive', 'has-block', 'inconclusive'],
    ['duplicate-inconclusive', 'has-block', 'duplicate-inconclusive'],
    ['duplicate-invalid', 'rejected', 'duplicate-invalid'],
    ['high-hash', 'rejected', 'high-hash'],
    ['rejected: bad-txnmrklroot', 'rejected', 'bad-txnmrklroot'],
    ['rejected', 'rejected', 'rejected'],
    ['rejected: ', 'rejected', 'rejected'],
    ['prev-blk-not-found', 'retry', 'prev-blk-not-found'],
  ])('%j is %s', (result, kind, text) => {
    expect(readSubmitResult(result)).toEqual({ kind, text });
  });

  test.each([
    [new PoolError('rpc_timeout', 'x'), 'retry', 'error: rpc_timeout'],
    [new PoolError('rpc_http', 'x'), 'retry', 'error: rpc_http'],
    [new PoolError('rpc_error', 'x', { details: { code: -28, rpcMessage: 'Loading' } }), 'retry', 'error: rpc_error'],
    [
      new PoolError('rpc_error', 'x', { details: { code: -22, rpcMessage: 'Block decode failed' } }),
      'rejected',
      'error -22: Block decode failed',
    ],
    [new Error('unexpected'), 'retry', 'error: unexpected'],
  ])('%s', (error, kind, text) => {
    expect(readSubmitError(error)).toEqual({ kind, text });
  });
});

describe('the fate of a block', () => {
  const base = { height: 100, refusedByAll: false, wasConfirmed: false, maturity: 100, orphanDepth: 6 };
  const fate = (...sightings: BlockSighting[]) => blockFate({ ...base, sightings });
  const inChain = (tipHeight: number) => ({ inChain: true, tipHeight });
  const absent = (tipHeight: number) => ({ inChain: false, tipHeight });

  test('table', () => {
    expect(fate()).toEqual({ kind: 'open' });
    expect(fate(inChain(100))).toEqual({ kind: 'confirmed', confirmations: 1 });
    expect(fate(absent(250), inChain(101))).toEqual({ kind: 'confirmed', confirmations: 2 });
    expect(fate(inChain(199))).toEqual({ kind: 'matured', confirmations: 100 });
    expect(fate(absent(105))).toEqual({ kind: 'open' });
    expect(fate(absent(106))).toEqual({ kind: 'orphaned', final: false });
    expect(fate(absent(106), absent(105))).toEqual({ kind: 'open' });
    expect(fate(absent(200))).toEqual({ kind: 'orphaned', final: true });
    expect(blockFate({ ...base, sightings: [absent(99)], refusedByAll: true })).toEqual({ kind: 'rejected' });
    expect(blockFate({ ...base, sightings: [], refusedByAll: true })).toEqual({ kind: 'open' });
    expect(blockFate({ ...base, sightings: [absent(99)], refusedByAll: true, wasConfirmed: true }).kind).toBe('open');
  });

  test('never confirmed or matured unless some active chain has it', () => {
    const sighting = fc.record({ inChain: fc.boolean(), tipHeight: fc.integer({ min: 0, max: 400 }) });
    fc.assert(
      fc.property(
        fc.array(sighting, { maxLength: 4 }),
        fc.boolean(),
        fc.boolean(),
        (seen, refusedByAll, wasConfirmed) => {
          // A node that has the block has at least its height.
          const sightings = seen.map((each) => (each.inChain ? { ...each, tipHeight: each.tipHeight + 100 } : each));
          const { kind } = blockFate({ ...base, sightings, refusedByAll, wasConfirmed });
          const somewhere = sightings.some((each) => each.inChain);
          expect(kind === 'confirmed' || kind === 'matured').toBe(somewhere);
        },
      ),
    );
  });
});

describe('the template gate', () => {
  const current = { height: 101, previousHash: 'a' };
  const base = {
    current,
    isSource: false,
    isPreferred: false,
    heldByOther: true,
    lowerForMs: 0,
    regressionMs: 10_000,
  };

  test.each([
    ['first', { current: undefined, offered: current }, 'new-block'],
    ['same tip, preferred', { offered: current, isPreferred: true }, 'refresh'],
    ['same tip, another node', { offered: current }, 'ignore'],
    ['higher', { offered: { height: 102, previousHash: 'b' } }, 'new-block'],
    ['sibling from elsewhere', { offered: { height: 101, previousHash: 'b' } }, 'ignore'],
    ['sibling from the source', { offered: { height: 101, previousHash: 'b' }, isSource: true }, 'new-block'],
    ['sibling, tip held by nobody', { offered: { height: 101, previousHash: 'b' }, heldByOther: false }, 'new-block'],
    ['lower', { offered: { height: 100, previousHash: 'b' }, isSource: true }, 'regression'],
    [
      'lower for long',
      { offered: { height: 100, previousHash: 'b' }, isSource: true, lowerForMs: 10_000 },
      'new-block',
    ],
    ['lower for long, tip held', { offered: { height: 100, previousHash: 'b' }, lowerForMs: 60_000 }, 'regression'],
  ])('%s: %o', (_name, input, verdict) => {
    expect(judgeTemplate({ ...base, ...input })).toBe(verdict);
  });
});

describe('proposal', () => {
  const ask = (answer: () => Promise<unknown>) =>
    checkProposal({ call: answer }, { rules: ['segwit'], blockHex: '00' });

  test('sends the block with mode and rules', async () => {
    const calls: unknown[] = [];
    const node = {
      call: (method: string, params: readonly unknown[] = []) => {
        calls.push([method, params]);
        return Promise.resolve(null);
      },
    };
    expect(await checkProposal(node, { rules: ['mweb', 'segwit'], blockHex: 'abcd' })).toEqual({ kind: 'accepted' });
    expect(calls).toEqual([
      [
        'getblocktemplate',
        [
          {
            capabilities: ['coinbasevalue', 'longpoll', 'workid', 'proposal'],
            rules: ['mweb', 'segwit'],
            mode: 'proposal',
            data: 'abcd',
          },
        ],
      ],
    ]);
  });

  test('verdicts', async () => {
    expect(await ask(async () => 'bad-cb-amount')).toEqual({ kind: 'rejected', reason: 'bad-cb-amount' });
    expect(await ask(async () => 'rejected: bad-cb-height')).toEqual({ kind: 'rejected', reason: 'bad-cb-height' });
    expect(await ask(async () => 'inconclusive-not-best-prevblk')).toEqual({ kind: 'stale' });
    expect(await ask(async () => ({ version: 1 }))).toMatchObject({ kind: 'unavailable' });
    const failing = (code: number) => () =>
      Promise.reject(new PoolError('rpc_error', `failed (${code})`, { details: { code } }));
    expect(await ask(failing(-22))).toMatchObject({ kind: 'rejected' });
    expect(await ask(failing(-8))).toMatchObject({ kind: 'unavailable' });
    expect(await ask(() => Promise.reject(new PoolError('rpc_timeout', 'x')))).toMatchObject({ kind: 'unavailable' });
  });
});
