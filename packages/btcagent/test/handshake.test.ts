import { isReject, reject } from '@headframe/primitives';
import type { NotifyFields } from '@headframe/stratum-v1';
import { describe, expect, it } from 'vitest';
import {
  type AgentAnswer,
  type AgentHandshake,
  AgentJobs,
  answerAuthorize,
  answerCapabilities,
  answerConfigure,
  answerSubscribe,
  encodeAgentNotify,
  encodeAgentRefusal,
  isAgent,
  keepAliveDelayMs,
  NEW_HANDSHAKE,
  parseCapabilities,
  sendsResponses,
} from '../src/index.js';
import { hex } from './vectors.js';

const POLICY = { versionMask: 0x1fffe000 };
const EXTRANONCE1 = hex('01000001');
const CAPS = [['verrol', 'subres']];
const CONFIGURE = [['version-rolling'], { 'version-rolling.mask': 'ffffffff', 'version-rolling.min-bit-count': 0 }];
const JOB: Omit<NotifyFields, 'jobId'> = {
  previousHash: new Uint8Array(32),
  coinbase1: hex('0102'),
  coinbase2: hex('03'),
  merkleBranch: new Uint8Array(64),
  version: 0x20000000,
  nbits: 0x1d00ffff,
  ntime: 0x504e86b9,
  clean: true,
};

function text(lines: readonly Uint8Array[]): string[] {
  return lines.map((line) => Buffer.from(line).toString('latin1'));
}

/** Plays requests in turn and collects what is written. */
function play(...requests: readonly ((state: AgentHandshake) => AgentAnswer | ReturnType<typeof reject>)[]) {
  let state = NEW_HANDSHAKE;
  const written: string[] = [];
  for (const request of requests) {
    const answer = request(state);
    if (isReject(answer)) throw new Error(`refused: ${answer.code}`);
    state = answer.state;
    written.push(...text(answer.lines));
  }
  return { state, written };
}

const caps = (id: string | number) => (state: AgentHandshake) => answerCapabilities(state, id, CAPS, POLICY);
const configure = (id: string | number) => (state: AgentHandshake) => answerConfigure(state, id, CONFIGURE, POLICY);
const subscribe = (id: string | number, agent: string) => (state: AgentHandshake) =>
  answerSubscribe(state, id, [agent], POLICY, EXTRANONCE1);
const authorize = (id: string | number) => (state: AgentHandshake) =>
  answerAuthorize(state, id, { exponent: 13, notify: encodeAgentNotify(0, JOB) });

const SUBSCRIBED =
  '"result":[[["mining.set_difficulty","01000001"],["mining.notify","01000001"]],"01000001",8],"error":null}\n';
const CONFIGURED = '"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}\n';
const MASK = '{"id":null,"method":"mining.set_version_mask","params":["1fffe000"]}\n';
const DIFFICULTY = '{"id":null,"method":"mining.set_difficulty","params":[8192]}\n';
const CAPABLE = '"result":{"capabilities":["verrol","subres"]}}\n';

describe('the handshake of both agents', () => {
  it('C++: the subscribe result first, the mask before the authorization, difficulty and job after it', () => {
    const agent = 'btccom-agent/1.0.0-su';
    const { state, written } = play(
      subscribe(1, agent),
      configure(1),
      caps('agent.caps'),
      authorize(1),
      caps('agent.caps'),
    );
    expect(written).toEqual([
      `{"id":1,${SUBSCRIBED}`,
      `{"id":1,${CONFIGURED}`,
      MASK,
      `{"id":"agent.caps",${CAPABLE}`,
      '{"id":1,"result":true,"error":null}\n',
      DIFFICULTY,
      written[6],
      `{"id":"agent.caps",${CAPABLE}`,
    ]);
    expect(written[6]).toMatch(/^\{"id":null,"method":"mining.notify","params":\["0",/);
    expect(state).toMatchObject({ phase: 'authorized', userAgent: agent, versionMask: 0x1fffe000 });
    expect(sendsResponses(state)).toBe(true);
  });

  it('Go: capabilities and configuration before the subscription; the mask waits', () => {
    const { state, written } = play(
      caps('conn_test'),
      caps('caps'),
      configure('conf'),
      subscribe('sub', 'btccom-agent/2.0.0-mu'),
      authorize('auth'),
      caps('caps_again'),
    );
    expect(written.slice(0, 7)).toEqual([
      `{"id":"conn_test",${CAPABLE}`,
      `{"id":"caps",${CAPABLE}`,
      `{"id":"conf",${CONFIGURED}`,
      `{"id":"sub",${SUBSCRIBED}`,
      MASK,
      '{"id":"auth","result":true,"error":null}\n',
      DIFFICULTY,
    ]);
    expect(written).toHaveLength(9);
    expect(sendsResponses(state)).toBe(true);
  });

  it('the 14th quote of a notify ends coinbase 1, and job ids are decimal', () => {
    const [line = ''] = text([encodeAgentNotify(255, JOB)]);
    const upTo = line.split('"').slice(0, 14).join('"');
    expect(upTo.endsWith('"0102')).toBe(true);
    expect(JSON.parse(line).params[0]).toBe('255');
    expect(() => encodeAgentNotify(256, JOB)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('what may differ', () => {
  it('no bits to roll: no verrol, no mask', () => {
    const policy = { versionMask: 0 };
    const subscribed = answerSubscribe(NEW_HANDSHAKE, 1, ['btccom-agent/1'], policy, EXTRANONCE1);
    if (isReject(subscribed)) throw new Error('refused');
    const configured = answerConfigure(subscribed.state, 1, CONFIGURE, policy);
    if (isReject(configured)) throw new Error('refused');
    expect(text(configured.lines)).toEqual(['{"id":1,"result":{"version-rolling":false},"error":null}\n']);
    expect(text(answerCapabilities(configured.state, 2, CAPS, policy).lines)[0]).toContain('["subres"]');
    const authorized = answerAuthorize(configured.state, 3, { exponent: 63 });
    if (isReject(authorized)) throw new Error('refused');
    expect(text(authorized.lines)).toEqual([
      '{"id":3,"result":true,"error":null}\n',
      '{"id":null,"method":"mining.set_difficulty","params":[9223372036854775808]}\n',
    ]);
    expect(sendsResponses(authorized.state)).toBe(false);
  });

  it('a configuration after authorization tells a mask only when it is another one', () => {
    const { state } = play(subscribe(1, 'btccom-agent/1'), configure(1), authorize(1));
    const same = answerConfigure(state, 2, CONFIGURE, POLICY);
    expect(isReject(same) || same.lines.length).toBe(1);
    const none = answerConfigure(state, 2, CONFIGURE, { versionMask: 0 });
    if (isReject(none)) throw new Error('refused');
    expect(text(none.lines)[1]).toContain('"00000000"');
    const other = answerConfigure(state, 2, [['info'], {}], POLICY);
    expect(isReject(other) || other.state.versionMask).toBe(0x1fffe000);
  });

  it('a wish for responses is remembered from before the authorization, and not taken back', () => {
    const { state } = play(
      subscribe(1, 'btccom-agent/1'),
      caps(2),
      (now) => answerCapabilities(now, 3, [['verrol']], POLICY),
      (now) => {
        expect([now.wantsResponses, sendsResponses(now)]).toEqual([true, false]);
        return authorize(4)(now);
      },
    );
    expect(sendsResponses(state)).toBe(true);
  });

  it('a second authorization gives no second difficulty', () => {
    const { state } = play(subscribe(1, 'btccom-agent/1'), authorize(1));
    const again = answerAuthorize(state, 2, { exponent: 20 });
    expect(isReject(again) || text(again.lines)).toEqual(['{"id":2,"result":true,"error":null}\n']);
  });

  it('refusals', () => {
    expect(answerSubscribe(NEW_HANDSHAKE, 1, ['cgminer/4'], POLICY, EXTRANONCE1)).toMatchObject({
      code: 'not-supported',
    });
    expect(answerSubscribe(NEW_HANDSHAKE, 1, null, POLICY, EXTRANONCE1)).toMatchObject({ code: 'not-supported' });
    expect(answerAuthorize(NEW_HANDSHAKE, 1, { exponent: 1 })).toMatchObject({ code: 'not-subscribed' });
    expect(answerConfigure(NEW_HANDSHAKE, 1, 5, POLICY)).toMatchObject({ code: 'invalid-params' });
    const { state } = play(subscribe(1, 'btccom-agent/1'));
    expect(answerSubscribe(state, 1, ['btccom-agent/1'], POLICY, EXTRANONCE1)).toMatchObject({ code: 'other' });
    expect(() => answerSubscribe(NEW_HANDSHAKE, 1, ['btccom-agent/1'], POLICY, hex('0102'))).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
    const [line = ''] = text([encodeAgentRefusal('\u00e9"', reject('unauthorized', 'n\u00f6'))]);
    expect(line).toBe('{"id":"\\u00e9\\"","result":null,"error":[24,"n?",null]}\n');
  });

  it('other agents by their beginning', () => {
    expect([isAgent('btccom-agent/0.1-su'), isAgent('x btccom-agent/'), isAgent('okta/1', ['okta/'])]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it.each([[null], [[]], [['subres']], [[{ 0: 'subres' }]], [[Array(40).fill('x').concat('subres')]]])(
    'capabilities %j are none',
    (params) => {
      expect(parseCapabilities(params)).toEqual([]);
    },
  );
});

describe('keep-alive', () => {
  it('the job again after 30 silent seconds, once authorized', () => {
    const { state } = play(subscribe(1, 'btccom-agent/1'), authorize(1));
    expect(keepAliveDelayMs(NEW_HANDSHAKE, 0, 100_000)).toBeUndefined();
    expect([1000, 21_000, 31_000, 99_000, 500].map((now) => keepAliveDelayMs(state, 1000, now))).toEqual([
      30_000, 10_000, 0, 0, 30_000,
    ]);
  });
});

describe('job numbers', () => {
  it('count up, wrap, and forget', () => {
    const jobs = new AgentJobs<number>();
    for (let job = 0; job < 300; job++) expect(jobs.add(job)).toBe(job % 256);
    expect([jobs.size, jobs.get(0), jobs.get(43), jobs.get(44), jobs.get(255)]).toEqual([256, 256, 299, 44, 255]);
    jobs.keepNewest(4);
    expect([jobs.size, jobs.get(39), jobs.get(40), jobs.get(43), jobs.get(44)]).toEqual([
      4,
      undefined,
      296,
      299,
      undefined,
    ]);
    jobs.add(300);
    expect([jobs.size, jobs.get(44)]).toEqual([5, 300]);
    jobs.keepNewest(0);
    expect([jobs.size, jobs.get(44), new AgentJobs().get(0)]).toEqual([0, undefined, undefined]);
  });
});
