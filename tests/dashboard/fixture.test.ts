import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { jobEvent } from '../../apps/dashboard/dev/answers.js';
import { FixtureApi } from '../../apps/dashboard/dev/fixture-api.js';
import { accountInfo, statementPage, topAccounts } from '../../packages/http/src/schemas/accounts.js';
import { blockDetails, blockPage } from '../../packages/http/src/schemas/blocks.js';
import { connectInfo } from '../../packages/http/src/schemas/connect.js';
import { liveEvents } from '../../packages/http/src/schemas/events.js';
import { minerPage, workerInfo } from '../../packages/http/src/schemas/miners.js';
import { accountPaymentPage, paymentPage } from '../../packages/http/src/schemas/payments.js';
import { coinInfo, nodesInfo, poolInfo, rejectsInfo } from '../../packages/http/src/schemas/pool.js';
import { series } from '../../packages/http/src/schemas/series.js';
import { templateInfo } from '../../packages/http/src/schemas/template.js';

// What the page is tested with must be what the API says: the made-up answers are held against the API's schemas.
const NOW = Date.UTC(2026, 10, 20, 14, 3, 5);

describe('made-up answers', () => {
  const api = new FixtureApi(() => NOW);
  const account = api.world.accounts[0]?.account ?? '';
  const cases: readonly (readonly [path: string, schema: z.ZodType])[] = [
    ['pool', poolInfo],
    ['coin', coinInfo],
    ['nodes', nodesInfo],
    ['connect', connectInfo],
    ['rejects', rejectsInfo],
    ['template', templateInfo],
    ['accounts/top', topAccounts],
    ['blocks', blockPage],
    [`blocks/${api.world.blocks[4]?.hash}`, blockDetails],
    ['payments', paymentPage],
    ['miners', minerPage],
    ['series', series],
    [`accounts/${account}`, accountInfo],
    [`accounts/${account}/series`, series],
    [`accounts/${account}/payments`, accountPaymentPage],
    [`accounts/${account}/statement`, statementPage],
    [`accounts/${account}/workers/${account}.garage-1`, workerInfo],
    [`accounts/${account}/workers/${account}.garage-1/series`, series],
  ];

  for (const scene of ['busy', 'empty', 'bare'] as const) {
    it.each(cases)(`%s is an answer of the API: ${scene}`, (path, schema) => {
      api.scene = scene;
      const answer = api.answer(path, new URLSearchParams());
      if (scene !== 'busy' && answer === undefined) return;
      expect(schema.safeParse(answer).error).toBeUndefined();
    });
  }

  it('events are events of the API', () => {
    expect(liveEvents.job.safeParse(jobEvent(api.world, NOW)).error).toBeUndefined();
    expect(liveEvents.block.safeParse(api.findBlock()).error).toBeUndefined();
    expect(liveEvents.pool.safeParse(api.answer('pool', new URLSearchParams())).error).toBeUndefined();
    expect(liveEvents.node.safeParse(api.answer('nodes', new URLSearchParams())).error).toBeUndefined();
  });
});
