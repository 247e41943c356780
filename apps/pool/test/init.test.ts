import { builtinCoins, coinNames, encodeAddress, p2pkhScript, resolveCoin } from '@headframe/coins';
import { PAYOUT_SCHEMES, parseConfig, setUp } from '@headframe/pool';
import fc from 'fast-check';
import { parse as parseJsonc } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { configText, hasSecret } from '../src/init/config-text.js';
import { type Asker, interview } from '../src/init/interview.js';
import { answerProblem, QUESTIONS } from '../src/init/questions.js';

/** Every built-in coin on each of its networks, with an address there. */
const PLACES = coinNames().flatMap((name) =>
  Object.keys(builtinCoins[name]?.networks ?? {}).map((network) => {
    const coin = resolveCoin(name, network);
    return { coin: name, network, address: encodeAddress(coin, p2pkhScript(new Uint8Array(20))) ?? '' };
  }),
);

const FILE = '/tmp/pool.jsonc';
const configOf = (text: string) => parseConfig(parseJsonc(text));

async function answersOf(given: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, string>> {
  const answers = await interview({ given: new Map(Object.entries(given)), file: FILE, asker: undefined });
  expect(answers).toBeDefined();
  return answers ?? new Map();
}

/** The least that must be given. */
const LEAST = {
  network: 'regtest',
  login: 'none',
  address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
};

describe('the questions', () => {
  it('have names that are options', () => {
    for (const { name } of QUESTIONS) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(new Set(QUESTIONS.map(({ name }) => name)).size).toBe(QUESTIONS.length);
  });

  it('take presets that are right themselves', () => {
    for (const coin of coinNames()) {
      const context = {
        answers: new Map([
          ['coin', coin],
          ['network', 'main'],
          ['data-folder', '/d'],
        ]),
        file: FILE,
      };
      for (const question of QUESTIONS) {
        const preset = question.preset?.(context);
        if (preset !== undefined)
          expect([question.name, answerProblem(question, preset, context)]).toEqual([question.name, undefined]);
      }
    }
  });
});

describe('init', () => {
  it('writes a configuration that is accepted, for every coin, network and scheme', async () => {
    const answer = fc.record({
      place: fc.constantFrom(...PLACES),
      scheme: fc.constantFrom(...PAYOUT_SCHEMES),
      payments: fc.constantFrom('yes', 'no', undefined),
      approval: fc.constantFrom('automatic', 'manual'),
      wallet: fc.string({ maxLength: 20 }),
      minimum: fc.constantFrom('0.001', '1', '0.00000001', '21000000'),
      fee: fc.integer({ min: 0, max: 1_000_000 }).map((ppm) => String(ppm / 10_000)),
      login: fc.constantFrom('cookie', 'password', 'none'),
      password: fc.string({ maxLength: 30 }),
      port: fc.integer({ min: 0, max: 65_535 }).map(String),
      difficulty: fc.constantFrom('1', '1024', '0.5', '500000'),
      storage: fc.constantFrom(undefined, 'sqlite:/var/lib/headframe/pool.db', 'postgres://u:p@db/pool'),
      api: fc.constantFrom('yes', 'no'),
      name: fc.string({ minLength: 1, maxLength: 64 }),
      token: fc.constantFrom(undefined, '', '/etc/headframe/admin.token'),
    });
    await fc.assert(
      fc.asyncProperty(answer, async (a) => {
        const isPaid = a.scheme !== 'coinbase-split' && (a.payments ?? (a.scheme === 'solo' ? 'no' : 'yes')) === 'yes';
        const given: Record<string, string> = {
          ...a.place,
          scheme: a.scheme,
          fee: a.fee,
          login: a.login,
          port: a.port,
          difficulty: a.difficulty,
          api: a.api,
          ...(a.scheme !== 'coinbase-split' && a.payments !== undefined && { payments: a.payments }),
          ...(isPaid && { approval: a.approval, wallet: a.wallet, minimum: a.minimum }),
          ...(Number(a.fee) > 0 && { 'fee-address': a.place.address }),
          ...(a.login === 'cookie' && { 'cookie-file': '/var/lib/node/.cookie' }),
          ...(a.login === 'password' && { 'node-user': 'pool', 'node-password': a.password }),
          ...(a.storage !== undefined && { storage: a.storage }),
          ...(a.api === 'yes' && {
            'pool-name': a.name,
            ...(a.token !== undefined && { 'admin-token-file': a.token }),
          }),
        };
        const config = configOf(configText(await answersOf(given)));
        const { coin } = setUp(config);
        expect([coin.name, coin.network]).toEqual([a.place.coin, a.place.network]);
        expect(config.payout.scheme).toBe(a.scheme);
        expect(config.payout.payments?.approval).toBe(isPaid ? a.approval : undefined);
        expect(config.payout.fees.map(({ percent }) => percent)).toEqual(Number(a.fee) > 0 ? [Number(a.fee)] : []);
        expect(config.listeners[0]?.port).toBe(Number(a.port));
        expect(config.daemons[0]?.password).toBe(a.login === 'password' && a.password !== '' ? a.password : undefined);
        expect(config.api?.name).toBe(a.api === 'yes' ? a.name : undefined);
      }),
      { numRuns: 300 },
    );
  });

  it('names the option of what is missing', async () => {
    const without = (name: string) => Object.fromEntries(Object.entries(LEAST).filter(([key]) => key !== name));
    await expect(answersOf(without('address'))).rejects.toThrow('--address ADDRESS is needed');
    await expect(answersOf({ ...LEAST, fee: '1' })).rejects.toThrow('--fee-address ADDRESS is needed');
    await expect(answersOf({ ...LEAST, login: 'password' })).rejects.toThrow('--node-user NAME is needed');
  });

  it.each([
    ['coin', 'bitcoln', 'must be one of bitcoin, litecoin'],
    ['network', 'mainet', 'must be one of main, test'],
    ['node', '127.0.0.1:8332', 'must be http://host:port'],
    ['node', 'http://u:p@127.0.0.1:8332', 'without login'],
    ['address', '1111111111111111111114oLvT2', 'bitcoin regtest'],
    ['address', 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081', '--address'],
    ['scheme', 'ppls', 'must be one of solo'],
    ['fee', '101', 'percentage'],
    ['fee', '0.12345', 'four decimals'],
    ['port', '70000', 'must be a port'],
    ['difficulty', '0', 'above 0'],
    ['storage', 'mysql://x', 'sqlite:FILE or postgres'],
    ['api', 'true', 'must be one of yes, no'],
    ['minimum', '1', 'no place'],
    ['wallet', 'main', 'no place'],
  ])('refuses --%s %s', async (name, text, words) => {
    const promise = answersOf({ ...LEAST, [name]: text });
    await expect(promise).rejects.toThrow(`--${name}`);
    await expect(promise).rejects.toThrow(words);
  });

  it('does not repeat a password in a message', async () => {
    const given = { ...LEAST, 'node-password': 'secret-word' };
    await expect(answersOf(given)).rejects.not.toThrow('secret-word');
  });

  it('asks what was not given, in order, and goes back where the node refused', async () => {
    const asked: string[] = [];
    let tries = 0;
    const asker: Asker = {
      ask: async ({ name }, _context, preset) => {
        asked.push(name);
        if (name === 'login') return 'password';
        if (name === 'node-user') return 'pool';
        if (name === 'node-password') return tries++ === 0 ? 'wrong' : 'right';
        return name === 'address' ? LEAST.address : (preset ?? '');
      },
      answered: async ({ name }, { answers }) =>
        name === 'node-password' && answers.get(name) === 'wrong' ? 'login' : undefined,
    };
    const answers = await interview({
      given: new Map([
        ['coin', 'bitcoin'],
        ['network', 'regtest'],
        ['api', 'no'],
      ]),
      file: FILE,
      asker,
    });
    expect(asked).toEqual([
      ...['node', 'login', 'node-user', 'node-password'],
      ...['login', 'node-user', 'node-password'],
      ...['scheme', 'payments', 'address', 'fee', 'port', 'host', 'difficulty', 'data-folder', 'storage'],
    ]);
    expect(answers?.get('node-password')).toBe('right');
    expect(hasSecret(answers ?? new Map())).toBe(true);
  });

  it('writes nothing when the person gives up', async () => {
    const asker: Asker = { ask: async () => undefined };
    expect(await interview({ given: new Map(), file: FILE, asker })).toBeUndefined();
  });

  it('keeps the comments out of the values', async () => {
    const text = configText(await answersOf({ ...LEAST, 'pool-name': '// "not" a comment' }));
    expect(configOf(text).api?.name).toBe('// "not" a comment');
    expect(text).toContain('// Nodes, the preferred one first.');
    expect(resolveCoin('bitcoin', configOf(text).network).network).toBe('regtest');
  });
});
