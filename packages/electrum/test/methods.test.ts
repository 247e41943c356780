import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  compareVersions,
  type ElectrumForms,
  type ElectrumMethods,
  METHODS,
  methodForm,
  methodForms,
  methodNames,
  type OldElectrumMethods,
  PROTOCOL_VERSIONS,
} from '../src/index.js';

const HASH = 'a6c9c361bd0bc536d6a22648efbf8f9b200e425ef6c3a7a9669dc444c532a347';

describe('types of the table', () => {
  it('knows parameters, results and notifications', () => {
    expectTypeOf<ElectrumMethods['blockchain.block.header']['input']>().toEqualTypeOf<
      [value: number, value?: number | undefined]
    >();
    expectTypeOf<ElectrumMethods['blockchain.block.header']['params']>().toEqualTypeOf<[number, number]>();
    expectTypeOf<ElectrumMethods['blockchain.scripthash.subscribe']['notification']>().toEqualTypeOf<
      [string, string | null]
    >();
    expectTypeOf<ElectrumMethods['server.ping']['notification']>().toEqualTypeOf<never>();
    expectTypeOf<ElectrumMethods['server.version']['result']>().toEqualTypeOf<[string, string]>();
    expectTypeOf<OldElectrumMethods['server.version']['result']>().toEqualTypeOf<string>();
    expectTypeOf<OldElectrumMethods['blockchain.block.get_header']['result']['block_height']>().toEqualTypeOf<number>();
    expectTypeOf<ElectrumForms['blockchain.block.headers']['1.6']['result']['headers']>().toEqualTypeOf<string[]>();
    expectTypeOf<ElectrumForms['blockchain.block.headers']['1.4']['result']['hex']>().toEqualTypeOf<string>();
    // @ts-expect-error a method that does not exist
    expectTypeOf<ElectrumMethods['blockchain.nonsense']>().toBeAny();
  });
});

describe('forms and versions', () => {
  it.each([
    ['server.ping', '1.1', false],
    ['server.ping', '1.2', true],
    ['blockchain.numblocks.subscribe', '1.0', true],
    ['blockchain.numblocks.subscribe', '1.1', false],
    ['blockchain.address.get_history', '1.2', true],
    ['blockchain.address.get_history', '1.3', false],
    ['blockchain.block.get_header', '1.3', true],
    ['blockchain.block.get_header', '1.4', false],
    ['blockchain.scripthash.unsubscribe', '1.4', false],
    ['blockchain.scripthash.unsubscribe', '1.4.2', true],
    ['blockchain.relayfee', '1.4.2', true],
    ['blockchain.relayfee', '1.6', false],
    ['mempool.get_info', '1.4.2', false],
    ['mempool.get_info', '1.6', true],
    ['mining.subscribe', '1.4', false],
    ['constructor', '1.4', false],
  ])('%s in %s: %s', (name, version, there) => {
    expect(methodForm(name, version) !== undefined).toBe(there);
    expect((methodNames(version) as readonly string[]).includes(name)).toBe(there);
  });

  it('every form begins with a listed version, before the method goes away', () => {
    for (const name of methodNames('1.4').concat(methodNames('1.0'), methodNames('1.6'))) {
      for (const { since } of methodForms(name)) {
        expect(PROTOCOL_VERSIONS).toContain(since);
        const { removedIn } = METHODS[name];
        if (removedIn !== undefined) expect(compareVersions(since, removedIn)).toBeLessThan(0);
      }
    }
  });

  it('refuses what is no version', () => {
    expect(() => methodForm('server.ping', 'new')).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('params', () => {
  const parse = (name: string, version: string, raw: unknown) => methodForm(name, version)?.params.safeParse(raw);

  it('takes them by position and by name, puts defaults in, and takes none as an empty list', () => {
    expect(parse('blockchain.block.header', '1.4', [5])?.data).toEqual([5, 0]);
    expect(parse('blockchain.block.header', '1.4', { height: 5, cp_height: 8 })?.data).toEqual([5, 8]);
    expect(parse('server.ping', '1.4', undefined)?.data).toEqual([]);
    expect(parse('server.ping', '1.4', null)?.data).toEqual([]);
    expect(parse('blockchain.estimatefee', '1.0', [])?.data).toEqual([2]);
    expect(parse('blockchain.transaction.get', '1.0', [HASH, 17])?.success).toBe(true);
  });

  it.each([
    ['too many', [5, 0, 1]],
    ['missing', []],
    ['a name that is none', { height: 5, cp: 8 }],
    ['a fraction', [5.5]],
    ['below zero', [-1]],
    ['a text', ['5']],
    ['no list', 'x'],
    ['a prototype name', JSON.parse('{"height":5,"__proto__":1}')],
  ])('refuses %s', (_what, raw) => {
    const result = parse('blockchain.block.header', '1.4', raw);
    expect(result?.success).toBe(false);
  });

  it('names the argument that is wrong', () => {
    const issues = parse('blockchain.block.header', '1.4', [1, 'x'])?.error?.issues;
    expect(issues?.[0]?.path).toEqual(['cp_height']);
  });

  it('ignores further arguments of server.version only', () => {
    expect(parse('server.version', '1.4', ['a', '1.4', 'x', 1])?.data).toEqual(['a', '1.4']);
    expect(parse('server.banner', '1.4', [1])?.success).toBe(false);
  });

  it('makes hashes small and refuses what is none', () => {
    expect(parse('blockchain.scripthash.subscribe', '1.4', [HASH.toUpperCase()])?.data).toEqual([HASH]);
    expect(parse('blockchain.scripthash.subscribe', '1.4', [HASH.slice(1)])?.success).toBe(false);
  });
});
