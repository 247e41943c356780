import { type Coin, type CoinDefinition, resolveCoin } from '@headframe/coins';
import { isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTemplate, witnessCommitment, witnessCommitmentScript } from '../src/index.js';
import { display, hex, internal, loadVectors } from './oracle.js';

const bitcoin = resolveCoin('bitcoin', 'regtest');
const litecoin = resolveCoin('litecoin', 'regtest');

const FILES: readonly (readonly [string, Coin])[] = [
  ['bcoin-gbt.json', bitcoin],
  ['bcoin-gbt-mempool.json', bitcoin],
  ['litecoin-gbt.json', litecoin],
  ['litecoin-gbt-mempool.json', litecoin],
  ['litecoin-gbt-mweb-first.json', litecoin],
  ['litecoin-gbt-mweb-empty.json', litecoin],
  ['litecoin-gbt-mweb.json', litecoin],
];

describe.each(FILES)('%s', (name, coin) => {
  const gbt = loadVectors(`gbt/${name}`);
  const template = parseTemplate(gbt, coin);

  it('is read in full', () => {
    expect(template.height).toBe(gbt.height);
    expect(display(template.previousHash)).toBe(gbt.previousblockhash);
    expect(template.version).toBe(gbt.version >>> 0);
    expect(template.nbits).toBe(Number.parseInt(gbt.bits, 16));
    expect(display(template.networkTarget)).toBe(gbt.target);
    expect(template.currentTime).toBe(gbt.curtime);
    expect(template.minTime).toBe(gbt.mintime);
    expect(template.coinbaseValue).toBe(BigInt(gbt.coinbasevalue));
    expect(template.longPollId).toBe(gbt.longpollid);
    expect(template.weightLimit).toBe(gbt.weightlimit);
    expect(template.rules).toEqual(gbt.rules);
    expect(template.mweb === undefined ? undefined : hex(template.mweb)).toBe(gbt.mweb);
    expect(hex(template.coinbaseAux)).toBe(gbt.coinbaseaux.flags ?? '');
    expect(template.transactions).toHaveLength(gbt.transactions.length);
    template.transactions.forEach((transaction, i) => {
      const given = gbt.transactions[i];
      expect(hex(transaction.data)).toBe(given.data);
      expect(display(transaction.txid)).toBe(given.txid);
      expect(display(transaction.hash)).toBe(given.hash);
      expect(transaction.fee).toBe(BigInt(given.fee));
      expect(transaction.weight).toBe(given.weight);
    });
  });

  it("carries the commitment that its transactions have, which is the node's", () => {
    const own = witnessCommitmentScript(witnessCommitment(template.transactions.map(({ hash }) => hash)));
    expect(hex(own)).toBe(gbt.default_witness_commitment);
    expect(template.witnessCommitment).toEqual(own);
  });
});

const minimal = {
  version: 0x20000000,
  rules: ['csv', '!segwit', 'taproot'],
  previousblockhash: `00${'11'.repeat(31)}`,
  transactions: [] as unknown[],
  coinbaseaux: {},
  coinbasevalue: 5_000_000_000,
  target: `7fffff${'00'.repeat(29)}`,
  mintime: 1_700_000_000,
  curtime: 1_700_000_100,
  bits: '207fffff',
  height: 500,
  default_witness_commitment: `6a24aa21a9ed${'ab'.repeat(32)}`,
};

const refused = (changes: object, coin: Coin = bitcoin): string => {
  try {
    parseTemplate({ ...minimal, ...changes }, coin);
  } catch (error) {
    if (isPoolError(error, 'invalid_template')) return error.message;
    throw error;
  }
  throw new Error('the template was accepted');
};

describe('parseTemplate', () => {
  it('takes the commitment by the rules, not because it is there', () => {
    const commitment = minimal.default_witness_commitment;
    const of = (changes: object) => parseTemplate({ ...minimal, ...changes }, bitcoin).witnessCommitment;
    expect(hex(of({}) ?? new Uint8Array(0))).toBe(commitment);
    expect(hex(of({ rules: ['segwit'] }) ?? new Uint8Array(0))).toBe(commitment);
    // bcoin offers one before segwit is active.
    expect(of({ rules: [] })).toBeUndefined();
    expect(of({ rules: ['csv'] })).toBeUndefined();
    // Without any rules the field is all there is.
    expect(hex(of({ rules: undefined }) ?? new Uint8Array(0))).toBe(commitment);
    expect(of({ rules: undefined, default_witness_commitment: undefined })).toBeUndefined();
  });

  it('computes a missing commitment when a transaction has a witness', () => {
    const wtxid = '22'.repeat(32);
    const transaction = { data: '00', txid: '11'.repeat(32), hash: wtxid };
    const template = parseTemplate(
      { ...minimal, default_witness_commitment: undefined, transactions: [transaction] },
      bitcoin,
    );
    expect(template.witnessCommitment).toEqual(witnessCommitmentScript(witnessCommitment([internal(wtxid)])));
    const plain = { data: '00', txid: wtxid, hash: wtxid };
    expect(
      parseTemplate({ ...minimal, default_witness_commitment: undefined, transactions: [plain] }, bitcoin)
        .witnessCommitment,
    ).toBeUndefined();
  });

  it('turns signed versions into unsigned ones', () => {
    expect(parseTemplate({ ...minimal, version: -0x60000000 }, bitcoin).version).toBe(0xa0000000);
    expect(parseTemplate({ ...minimal, version: 0xffffffff }, bitcoin).version).toBe(0xffffffff);
  });

  it('appends the values of coinbaseaux in their order', () => {
    const { coinbaseAux } = parseTemplate(
      { ...minimal, coinbaseaux: { flags: '0102', more: '', last: 'ff' } },
      bitcoin,
    );
    expect(hex(coinbaseAux)).toBe('0102ff');
  });

  it('takes the hash for the txid where there is none', () => {
    const hash = '0f'.repeat(32);
    const [transaction] = parseTemplate({ ...minimal, transactions: [{ data: '00', hash }] }, bitcoin).transactions;
    expect(transaction?.txid).toEqual(internal(hash));
    expect(transaction?.hash).toEqual(internal(hash));
    expect(transaction?.fee).toBeUndefined();
    expect(transaction?.weight).toBeUndefined();
  });

  it('keeps amounts exact', () => {
    expect(parseTemplate({ ...minimal, coinbasevalue: '9007199254740993' }, bitcoin).coinbaseValue).toBe(
      9007199254740993n,
    );
    expect(parseTemplate({ ...minimal, coinbasevalue: 2n ** 60n }, bitcoin).coinbaseValue).toBe(2n ** 60n);
    expect(refused({ coinbasevalue: 2 ** 53 })).toContain('coinbasevalue');
  });

  it('does without what some nodes leave out', () => {
    const template = parseTemplate(
      { ...minimal, mintime: undefined, target: undefined, coinbaseaux: undefined, longpollid: undefined },
      bitcoin,
    );
    expect(template.minTime).toBe(template.currentTime);
    expect(template.longPollId).toBeUndefined();
    expect(template.coinbaseAux).toHaveLength(0);
  });

  it.each<[string, object]>([
    ['version', { version: '1' }],
    ['version', { version: 2 ** 32 }],
    ['rules', { rules: 'segwit' }],
    ['rules[1]', { rules: ['csv', 5] }],
    ['previousblockhash', { previousblockhash: undefined }],
    ['previousblockhash', { previousblockhash: '00' }],
    ['previousblockhash', { previousblockhash: 'zz'.repeat(32) }],
    ['transactions', { transactions: undefined }],
    ['transactions', { transactions: {} }],
    ['transactions[0]', { transactions: [null] }],
    ['transactions[0].data', { transactions: [{ txid: '11'.repeat(32) }] }],
    ['transactions[0].data', { transactions: [{ data: '', txid: '11'.repeat(32) }] }],
    ['transactions[0].data', { transactions: [{ data: '0', txid: '11'.repeat(32) }] }],
    ['transactions[0].txid', { transactions: [{ data: '00' }] }],
    ['transactions[0].hash', { transactions: [{ data: '00', txid: '11'.repeat(32), hash: '11' }] }],
    ['transactions[0].fee', { transactions: [{ data: '00', txid: '11'.repeat(32), fee: -1 }] }],
    ['transactions[0].weight', { transactions: [{ data: '00', txid: '11'.repeat(32), weight: 0.5 }] }],
    ['coinbaseaux', { coinbaseaux: [] }],
    ['coinbaseaux.flags', { coinbaseaux: { flags: 'x' } }],
    ['coinbasevalue', { coinbasevalue: undefined }],
    ['coinbasevalue', { coinbasevalue: -1 }],
    ['coinbasevalue', { coinbasevalue: 1.5 }],
    ['coinbasevalue', { coinbasevalue: '-5' }],
    ['target', { target: `7ffffe${'00'.repeat(29)}` }],
    ['target', { target: 'ff' }],
    ['mintime', { mintime: 'now' }],
    ['curtime', { curtime: 2 ** 32 }],
    ['bits', { bits: 0x207fffff }],
    ['bits', { bits: '1d00fff' }],
    ['bits', { bits: 'ff123456' }],
    ['bits', { bits: '04923456' }],
    ['bits', { bits: '00000000' }],
    ['weightlimit', { weightlimit: '4000000' }],
    ['transactions[0].data', { transactions: [{ data: `${'00'.repeat(200)}\u0130\u0130`, txid: '11'.repeat(32) }] }],
    ['transactions[0].data', { transactions: [{ data: '0'.repeat(401), txid: '11'.repeat(32) }] }],
    ['height', { height: -1 }],
    ['height', { height: 1e10 }],
    ['longpollid', { longpollid: 5 }],
    ['workid', { workid: {} }],
    ['default_witness_commitment', { default_witness_commitment: '6a24' }],
    ['default_witness_commitment', { default_witness_commitment: `6a24aa21a9ee${'ab'.repeat(32)}` }],
    ['mweb', { mweb: '0011' }],
    ['coinbase_payload', { coinbase_payload: '0011' }],
    ['signet_challenge', { signet_challenge: '512103ad5e' }],
  ])('names %s when it is wrong: %j', (path, changes) => {
    expect(refused(changes)).toContain(path);
  });

  it.each([null, undefined, 5, 'template', [], true])('%s is no template', (value) => {
    expect(() => parseTemplate(value, bitcoin)).toThrow(expect.objectContaining({ code: 'invalid_template' }));
  });

  it('a mandatory rule that nobody told us about is refused, a known one is not', () => {
    expect(refused({ rules: ['!segwit', '!quantum'] })).toContain('"quantum"');
    expect(refused({ rules: ['!signet'] })).toContain('signet');
    const signet = resolveCoin('bitcoin', 'signet');
    expect(parseTemplate({ ...minimal, rules: ['!segwit', '!signet'], signet_challenge: '51' }, signet).height).toBe(
      500,
    );
    expect(parseTemplate({ ...minimal, rules: ['!segwit', 'quantum'] }, bitcoin).height).toBe(500);
    expect(refused({ rules: ['!mweb', '!segwit'] })).toContain('mweb');
    expect(parseTemplate({ ...minimal, rules: ['!mweb', '!segwit'] }, litecoin).height).toBe(500);
  });

  it('an extension block without a transaction to hang on is refused', () => {
    expect(refused({ mweb: '00' }, litecoin)).toContain('mweb');
  });

  it('throws nothing but PoolErrors on damaged templates', () => {
    const original = loadVectors('gbt/litecoin-gbt-mweb-first.json');
    const junk = fc.oneof(fc.anything(), fc.constantFrom(null, '', '00', -1, 2 ** 53, Number.NaN, [], {}, [[]], [{}]));
    const keys = fc.constantFrom(...Object.keys(original), 'workid', 'coinbase_payload', 'masternode', 'payee');
    const dash = resolveCoin(dashLike, 'main');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(keys, junk), { maxLength: 3 }),
        fc.constantFrom(litecoin, dash),
        (changes, coin) => {
          const damaged = { ...original, ...Object.fromEntries(changes) };
          try {
            parseTemplate(damaged, coin);
          } catch (error) {
            expect(isPoolError(error, 'invalid_template'), String(error)).toBe(true);
          }
        },
      ),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.nat(1), fc.constantFrom('data', 'txid', 'hash', 'fee', 'weight'), junk, (index, key, value) => {
        const transactions = original.transactions.map((entry: object, i: number) =>
          i === index ? { ...entry, [key]: value } : entry,
        );
        try {
          parseTemplate({ ...original, transactions }, litecoin);
        } catch (error) {
          expect(isPoolError(error, 'invalid_template'), String(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('property names of the object prototype are no fields', () => {
    const odd: CoinDefinition = {
      ...dashLike,
      payees: [
        { kind: 'array-or-object', key: 'constructor' },
        { kind: 'flat', payeeKey: 'toString' },
      ],
    };
    expect(parseTemplate(minimal, resolveCoin(odd, 'main')).requiredOutputs).toEqual([]);
  });
});

const dashLike: CoinDefinition = {
  name: 'dashlike',
  symbol: 'DSH',
  algorithm: 'sha256d',
  gbtRules: ['segwit'],
  blockSpacingSeconds: 150,
  coinbasePayload: true,
  payees: [
    { kind: 'array-or-object', key: 'masternode' },
    { kind: 'array-or-object', key: 'superblock' },
    { kind: 'array-or-object', key: 'coinbasetxn.foundation', payeeKey: 'address', amountKey: 'value' },
    { kind: 'flat', unless: ['masternode'] },
  ],
  networks: { main: { p2pkh: [76], p2sh: [16], rpcPort: 9998, p2pPort: 9999 } },
};

describe('prescribed outputs', () => {
  const dash = resolveCoin(dashLike, 'main');
  // Dash address of the hash 04dfe99f6dda028e4e6a90595096e63787a4a01c, and its script.
  const script = '76a91404dfe99f6dda028e4e6a90595096e63787a4a01c88ac';
  const address = 'Xb8cmjtK67y9T2haqrcDicoAMByDesLcAe';
  const of = (changes: object) =>
    parseTemplate({ ...minimal, ...changes }, dash).requiredOutputs.map(({ script: bytes, amount }) => [
      hex(bytes),
      amount,
    ]);

  it('are read from lists, single objects and dotted paths, in the order of the rules', () => {
    expect(
      of({
        masternode: [{ payee: address, script, amount: 5 }],
        superblock: { payee: address, script: 'aa', amount: 6 },
        coinbasetxn: { foundation: { address, script: 'bb', value: 7 } },
      }),
    ).toEqual([
      [script, 5n],
      ['aa', 6n],
      ['bb', 7n],
    ]);
  });

  it('are absent, null, empty or zero where nobody is paid', () => {
    expect(of({})).toEqual([]);
    expect(of({ masternode: [], superblock: null })).toEqual([]);
    expect(of({ masternode: {}, superblock: [{}] })).toEqual([]);
    expect(of({ masternode: { script, amount: 0 } })).toEqual([]);
    expect(of({ coinbasetxn: {} })).toEqual([]);
  });

  it('the old pair of fields counts only without the new one', () => {
    expect(of({ payee: address, payee_amount: 9 })).toEqual([[script, 9n]]);
    expect(of({ masternode: { payee: address, amount: 9 } })).toEqual([[script, 9n]]);
    expect(of({ payee: address, payee_amount: 9, masternode: [] })).toEqual([]);
    expect(of({ payee: '', payee_amount: 0 })).toEqual([]);
  });

  it('say where they are wrong', () => {
    expect(
      refused(
        {
          masternode: [
            { script, amount: 1 },
            { script: 'x', amount: 1 },
          ],
        },
        dash,
      ),
    ).toContain('masternode[1].script');
    expect(refused({ masternode: { script } }, dash)).toContain('masternode.amount');
    expect(refused({ masternode: { amount: 1 } }, dash)).toContain('masternode.payee');
    expect(refused({ masternode: { amount: 1, payee: 'nobody' } }, dash)).toContain('masternode.payee');
    expect(refused({ payee: 'nobody', payee_amount: 1 }, dash)).toMatch(/^payee: /);
    expect(refused({ payee: address }, dash)).toMatch(/^payee_amount must/);
    expect(refused({ masternode: 'all' }, dash)).toContain('masternode');
    expect(refused({ coinbasetxn: 5 }, dash)).toContain('coinbasetxn');
  });

  it('may not exceed the value of the block', () => {
    expect(refused({ masternode: { script, amount: minimal.coinbasevalue + 1 } }, dash)).toContain('coinbasevalue');
    expect(of({ masternode: { script, amount: minimal.coinbasevalue } })).toHaveLength(1);
  });
});
