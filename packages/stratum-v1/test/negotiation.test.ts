import { bytesToHex, isReject, reject } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BIP320_VERSION_MASK,
  type ConfigureOutcome,
  negotiateConfigure,
  parseAuthorize,
  parsePassword,
  parseSessionId,
  parseSubscribe,
  parseSuggestDifficulty,
  parseSuggestTarget,
  splitMethodArgument,
  splitWorkerName,
} from '../src/index.js';

const POLICY = {
  versionMask: BIP320_VERSION_MASK,
  minimumDifficulty: (requested: number): boolean | string => (requested <= 4096 ? true : 'too high'),
  subscribeExtranonce: true,
};

function outcome(params: unknown, policy = POLICY): ConfigureOutcome {
  const answer = negotiateConfigure(params, policy);
  if (isReject(answer)) throw new Error(`refused: ${answer.reason}`);
  return answer;
}

describe('negotiateConfigure', () => {
  it('answers the Bitaxe request, and only what it asked', () => {
    const { result, granted } = outcome([['version-rolling'], { 'version-rolling.mask': 'ffffffff' }]);
    expect(JSON.stringify(result)).toBe('{"version-rolling":true,"version-rolling.mask":"1fffe000"}');
    expect(granted).toEqual({ versionMask: 0x1fffe000 });
  });
  it.each([
    ['1fffe000', '1fffe000'],
    ['0000e000', '0000e000'],
    ['e000', '0000e000'],
    ['FFFFFFFF', '1fffe000'],
    [undefined, '1fffe000'],
  ])('mask %s gives %s', (asked, expected) => {
    expect(outcome([['version-rolling'], { 'version-rolling.mask': asked }]).result['version-rolling.mask']).toBe(
      expected,
    );
  });
  it('still grants the mask when it has fewer bits than min-bit-count', () => {
    const { result } = outcome([
      ['version-rolling'],
      { 'version-rolling.mask': '00006000', 'version-rolling.min-bit-count': 16 },
    ]);
    expect({ ...result }).toEqual({ 'version-rolling': true, 'version-rolling.mask': '00006000' });
  });
  it('says false, without a mask, when nothing is left to roll', () => {
    expect({ ...outcome([['version-rolling'], { 'version-rolling.mask': '00000001' }]).result }).toEqual({
      'version-rolling': false,
    });
    expect(outcome([['version-rolling']], { ...POLICY, versionMask: 0 }).granted).toEqual({});
  });
  it.each([5, 'xyz', '123456789', '', [], '0x1fffe000'])('answers the mask %j with a text', (mask) => {
    const { result, granted } = outcome([['version-rolling'], { 'version-rolling.mask': mask }]);
    expect(typeof result['version-rolling']).toBe('string');
    expect(granted).toEqual({});
  });
  it('decides minimum-difficulty through the policy', () => {
    const ask = (value: unknown): ConfigureOutcome =>
      outcome([['minimum-difficulty'], { 'minimum-difficulty.value': value }]);
    expect(ask(2048)).toMatchObject({ result: { 'minimum-difficulty': true }, granted: { minimumDifficulty: 2048 } });
    expect(ask('2048')).toMatchObject({ granted: { minimumDifficulty: 2048 } });
    expect(ask(5000)).toMatchObject({ result: { 'minimum-difficulty': 'too high' }, granted: {} });
    for (const bad of [0, -1, null, 'x', undefined])
      expect(typeof ask(bad).result['minimum-difficulty']).toBe('string');
    const { minimumDifficulty: _, ...without } = POLICY;
    expect({
      ...outcome([['minimum-difficulty'], { 'minimum-difficulty.value': 1 }], without as typeof POLICY).result,
    }).toEqual({
      'minimum-difficulty': false,
    });
  });
  it('takes info and bounds it', () => {
    const { result, granted } = outcome([
      ['info', 'subscribe-extranonce', 'no-such-thing', '__proto__'],
      { 'info.hw-version': 'S19', 'info.sw-version': `b\u0007${'x'.repeat(500)}`, 'info.hw-id': 7 },
    ]);
    expect(Object.entries(result)).toEqual([
      ['info', true],
      ['subscribe-extranonce', true],
      ['no-such-thing', false],
      ['__proto__', false],
    ]);
    expect(granted.subscribeExtranonce).toBe(true);
    expect(granted.info?.hardwareVersion).toBe('S19');
    expect(granted.info?.softwareVersion).toBe(`b?${'x'.repeat(126)}`);
    expect(granted.info).not.toHaveProperty('hardwareId');
  });
  it.each([[null], [{}], [[]], [['version-rolling']], [[[7]]], [[new Array(33).fill('info')]], [[['x'.repeat(65)]]]])(
    'refuses %j',
    (params) => {
      const answer = negotiateConfigure(params, POLICY);
      expect(isReject(answer) && answer.code).toBe('invalid-params');
    },
  );
  it('never throws, and answers exactly the extensions asked for plus granted values', () => {
    const extension = fc.oneof(
      fc.constantFrom('version-rolling', 'minimum-difficulty', 'subscribe-extranonce', 'info'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(extension, { maxLength: 8 }), fc.anything(), (extensions, options) => {
        const answer = negotiateConfigure([extensions, options], POLICY);
        if (isReject(answer)) return;
        const keys = Object.keys(answer.result).filter((key) => key !== 'version-rolling.mask');
        for (const key of keys) expect(extensions).toContain(key);
        for (const name of extensions) expect(Object.hasOwn(answer.result, name)).toBe(true);
      }),
    );
    fc.assert(fc.property(fc.anything(), (params) => void negotiateConfigure(params, POLICY)));
  });
});

describe('parsePassword', () => {
  it.each<[unknown, object]>([
    ['x', {}],
    ['d=1024', { difficulty: 1024 }],
    ['x,diff=0.001;md=16', { difficulty: 0.001, minimumDifficulty: 16 }],
    ['FD=512', { fixedDifficulty: 512 }],
    ['d=abc,md=-4,fd=0', {}],
    ['d=1,d=2', { difficulty: 2 }],
    ['d=1e3', { difficulty: 1000 }],
    [null, {}],
    [5, {}],
    ['', {}],
  ])('%j', (password, expected) => {
    const { rest, ...numbers } = parsePassword(password);
    expect(numbers).toEqual({
      difficulty: undefined,
      minimumDifficulty: undefined,
      fixedDifficulty: undefined,
      ...expected,
    });
    expect(rest.size).toBe(0);
  });
  it('keeps the rest', () => {
    expect([...parsePassword('c=BTC, m=solo stats x').rest]).toEqual([
      ['c', 'BTC'],
      ['m', 'solo'],
      ['stats', ''],
    ]);
  });
  it('is bounded', () => {
    expect(parsePassword(Array.from({ length: 500 }, (_, i) => `k${i}=1`).join(',')).rest.size).toBeLessThanOrEqual(32);
    expect(parsePassword(`a=${'x'.repeat(10000)}`).rest.get('a')?.length).toBeLessThanOrEqual(512);
  });
});

describe('authorize', () => {
  it('splits names', () => {
    expect(splitWorkerName('addr.rig.2')).toEqual({ account: 'addr', worker: 'rig.2' });
    expect(splitWorkerName('addr')).toEqual({ account: 'addr', worker: '' });
    expect(splitWorkerName('addr_rig', '._')).toEqual({ account: 'addr', worker: 'rig' });
    expect(splitWorkerName('.x')).toEqual({ account: '', worker: 'x' });
  });
  it.each<[unknown, unknown]>([
    [['a', 'b'], { username: 'a', password: 'b' }],
    [[' a '], { username: 'a', password: null }],
    [['a', null], { username: 'a', password: null }],
    [['a', 5, 6], { username: 'a', password: null }],
    [['n'.repeat(127)], { username: 'n'.repeat(127), password: null }],
  ])('takes %j', (params, expected) => {
    expect(parseAuthorize(params)).toEqual(expected);
  });
  it.each<[unknown]>([
    [undefined],
    [null],
    [{}],
    [[]],
    [[5]],
    [[null]],
    [['']],
    [['  ']],
    [['a\nb']],
    [['n'.repeat(128)]],
  ])('refuses %j', (params) => {
    const answer = parseAuthorize(params);
    expect(isReject(answer) && answer.code).toBe('invalid-params');
  });
});

describe('suggestions and subscribe', () => {
  it.each<[unknown, string | undefined, number]>([
    [[512], undefined, 512],
    [[0.00015], undefined, 0.00015],
    [['512.000000'], undefined, 512],
    [[], '512', 512],
    [null, '64', 64],
  ])('difficulty %j %s', (params, argument, expected) => {
    expect(parseSuggestDifficulty(params, argument)).toBe(expected);
  });
  it.each<[unknown]>([[[]], [[0]], [[-5]], [['x']], [[null]], [null], [[{}]], [['Infinity']], [['1e999']]])(
    'refuses %j',
    (params) => {
      expect(isReject(parseSuggestDifficulty(params))).toBe(true);
    },
  );
  it('finds an argument in the method name', () => {
    expect(splitMethodArgument('mining.suggest_difficulty(512)')).toEqual({
      method: 'mining.suggest_difficulty',
      argument: '512',
    });
    expect(splitMethodArgument('mining.suggest_difficulty(512').argument).toBe('512');
    expect(splitMethodArgument('mining.submit')).toEqual({ method: 'mining.submit', argument: undefined });
    expect(splitMethodArgument('(x)').method).toBe('(x)');
  });
  it('reads targets as little-endian bytes', () => {
    const target = parseSuggestTarget([`00000000ffff${'0'.repeat(52)}`]);
    expect(isReject(target) ? '' : bytesToHex(target)).toBe(`${'0'.repeat(52)}ffff00000000`);
    for (const bad of [[], null, ['0'.repeat(64)], ['x'], ['1'.repeat(65)], [5]]) {
      expect(isReject(parseSuggestTarget(bad)), JSON.stringify(bad)).toBe(true);
    }
  });
  it('takes session ids of our form only', () => {
    const id = '0123456789abcdef0123456789ABCDEF';
    expect(parseSessionId(id)).toBe(id.toLowerCase());
    for (const bad of ['', null, 5, id.slice(1), `${id}0`, 'ae6812eb4cd7735a302a8a9dd95cf71f', 'z'.repeat(32)]) {
      expect(parseSessionId(bad), String(bad)).toBeUndefined();
    }
  });
  it.each<[unknown, object]>([
    [[], {}],
    [null, {}],
    [{}, {}],
    [['cgminer/4.11.1'], { agent: 'cgminer/4.11.1' }],
    [['Braiins OS', null, 'pool.example:3333', null], { agent: 'Braiins OS', host: 'pool.example:3333' }],
    [['ua', null, 'pool.example', '3333'], { agent: 'ua', host: 'pool.example', port: 3333 }],
    [['ua', 'EthereumStratum/1.0.0'], { agent: 'ua' }],
    [['ua\u0000\u001b[0m', 'ab'.repeat(16), 5, 99999], { agent: 'ua??[0m', sessionId: 'ab'.repeat(16) }],
  ])('subscribe %j', (params, expected) => {
    expect(parseSubscribe(params)).toEqual({
      agent: undefined,
      sessionId: undefined,
      host: undefined,
      port: undefined,
      ...expected,
    });
  });
  it('takes anything without throwing', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (params, text) => {
        parseSubscribe(params);
        parseAuthorize(params);
        parseSuggestDifficulty(params, text);
        parseSuggestTarget(params);
        parsePassword(params);
        parsePassword(text);
        splitMethodArgument(text);
      }),
    );
  });
  it('keeps rejections recognisable', () => {
    expect(isReject(reject('other'))).toBe(true);
  });
});
