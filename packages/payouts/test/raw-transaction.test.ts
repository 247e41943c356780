import { isPoolError } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coinsOf, unitsOf } from '../src/wallets/json.js';
import { checkSigned, isSamePayment, parseRawTransaction } from '../src/wallets/raw-transaction.js';

// BIP 143's example of a native P2WPKH spend: one legacy and one witness input; its id is the double hash without the witness.
const SIGNED =
  '01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000';
const TXID = 'e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609';

const script = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const OUTPUTS = [
  { address: 'one', script: script('76a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac'), amount: 112_340_000n },
  { address: 'two', script: script('76a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac'), amount: 223_450_000n },
];

describe('parseRawTransaction', () => {
  it('reads inputs, outputs and the txid', () => {
    const parsed = parseRawTransaction(SIGNED);
    expect(parsed.inputs).toEqual([
      { txid: '9f96ade4b41d5433f4eda31e1738ec2b36f6e7d1420d94a6af99801a88f7f7ff', index: 0 },
      { txid: '8ac60eb9575db5b2d987e29f301b5b819ea83a5c6579d282d189cc04b8e151ef', index: 1 },
    ]);
    expect(parsed.outputs).toEqual(OUTPUTS.map(({ script: of, amount }) => ({ script: of, amount })));
    expect(parsed.txid).toBe(TXID);
  });

  it('refuses what is none, with one error', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: SIGNED.length - 1 }), fc.constantFrom('', 'zz'), (end, tail) => {
        let error: unknown;
        try {
          parseRawTransaction(SIGNED.slice(0, end) + tail);
        } catch (caught) {
          error = caught;
        }
        expect(isPoolError(error, 'invalid_data')).toBe(true);
      }),
    );
    expect(() => parseRawTransaction(`${SIGNED}00`)).toThrow('1 bytes after');
    // Litecoin's flag for an extension block part.
    expect(() => parseRawTransaction(SIGNED.replace('010000000001', '010000000009'))).toThrow(/flags 9/);
  });
});

describe('checkSigned', () => {
  const [first, second] = OUTPUTS as [(typeof OUTPUTS)[0], (typeof OUTPUTS)[0]];

  it('lets pass what was asked for, with change or without', () => {
    expect(checkSigned(SIGNED, OUTPUTS).txid).toBe(TXID);
    expect(checkSigned(SIGNED, [first]).txid).toBe(TXID);
  });

  it('refuses other amounts, other scripts, and more than one output more', () => {
    expect(() => checkSigned(SIGNED, [{ ...first, amount: 112_340_001n }])).toThrow('does not pay 112340001 to one');
    expect(() => checkSigned(SIGNED, [{ ...first, script: second.script }])).toThrow('does not pay');
    expect(() => checkSigned(SIGNED, [first, first])).toThrow('does not pay');
    expect(() => checkSigned(SIGNED, [])).toThrow('2 outputs beside');
  });

  it('knows a transaction whose signatures were changed', () => {
    const own = parseRawTransaction(SIGNED);
    expect(isSamePayment(own, { ...own, txid: 'ff'.repeat(32) })).toBe(true);
    expect(isSamePayment(own, { ...own, outputs: own.outputs.slice(1) })).toBe(false);
    expect(isSamePayment(own, { ...own, inputs: own.inputs.slice(1) })).toBe(false);
  });
});

it('amounts survive the way to a node and back', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n }), (amount) => {
      expect(unitsOf(JSON.parse(coinsOf(amount)))).toBe(amount);
    }),
  );
});
