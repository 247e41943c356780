import { bytesToHex, hexToBytes } from '@headframe/primitives';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import type { Coin } from '../src/coins.js';
import { hash160 } from '../src/hashes.js';
import { deriveKey, signInput } from '../src/keys.js';
import { publicKeyHashScript, witnessSighash } from '../src/sighash.js';
import { SignatureChecks } from '../src/signatures.js';
import { buildTransaction, parseTransaction, spentKey, type Transaction } from '../src/transaction.js';

// The examples of BIP 143.
const NATIVE =
  '01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb' +
  '62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed' +
  '01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9' +
  '148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac00' +
  '0247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f5' +
  '1928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000';
const NESTED =
  '0100000001db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a54770100000000feffffff02b8b4eb0b000000001976a9' +
  '14a457b684d7f0d539a46a45bbc043f35b59d0d96388ac0008af2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac92' +
  '040000';
const SIX =
  '010000000136641869ca081e70f394c6948e8af409e18b619df2ed74aa106c1ca29787b96e0100000000ffffffff0200e9a435000000001976a9' +
  '14389ffce9cd9ae88dcc0631e88a821ffdbe9bfe2688acc0832f05000000001976a9147480a33f950689af511e6e84c138dbbd3c3ee41588ac00' +
  '000000';
const SIX_SCRIPT =
  '56210307b8ae49ac90a048e9b53357a2354b3334e9c8bee813ecb98e99a7e07e8c3ba32103b28f0c28bfab54554ae8c658ac5c3e0ce6e79ad336' +
  '331f78c428dd43eea8449b21034b8113d703413d57761b8b9781957b8c0ac1dfe69f492580ca4195f50376ba4a21033400f6afecb833092a9a21' +
  'cfdf1ed1376e58c5d1f47de74683123987e967a8f42103a6d48b1131e94ba04d9737d61acdaa1322008af9602b3b14862c07a1789aac162102d8' +
  'b661b0b3302ee2f162b09e07a55ad5dfbe673a9f01d9f0c19617681024306b56ae';
const TWO =
  '0100000002fe3dc9208094f3ffd12645477b3dc56f60ec4fa8e6f5d67c565d1c6b9216b36e0000000000ffffffff0815cf020f013ed6cf91d29f' +
  '4202e8a58726b1ac6c79da47c23d1bee0a6925f80000000000ffffffff0100f2052a010000001976a914a30741f8145e5acadf23f751864167f3' +
  '2e0963f788ac00000000';
const TWO_SCRIPT =
  '21026dccc749adc2a9d0d89497ac511f760f45c47dc5ed9cf352a58ac706453880aeadab210255a9626aebf5e29c0e6538428ba0d1dcf6ca98ff' +
  'df086aa8ced5e0d0215ea465ac';

describe('the digest of BIP 143', () => {
  it('is that of its examples of P2WPKH', () => {
    const native = witnessSighash(parseTransaction(hexToBytes(NATIVE)), {
      index: 1,
      scriptCode: publicKeyHashScript(hexToBytes('1d0f172a0ecb48aee1be1f2687d2963ae33f71a1')),
      value: 600_000_000n,
      hashType: 1,
    });
    expect(bytesToHex(native)).toBe('c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670');
    const nested = witnessSighash(parseTransaction(hexToBytes(NESTED)), {
      index: 0,
      scriptCode: publicKeyHashScript(hexToBytes('79091972186c449eb1ded22b78e40d009bdf0089')),
      value: 1_000_000_000n,
      hashType: 1,
    });
    expect(bytesToHex(nested)).toBe('64f3b0f4dd2bb3aa1ce8566d220cc74dda9df97d8490cc81d89d735c92e59fb6');
  });

  it.each([
    [0x01, '185c0be5263dce5b4bb50a047973c1b6272bfbd0103a89444597dc40b248ee7c'],
    [0x02, 'e9733bc60ea13c95c6527066bb975a2ff29a925e80aa14c213f686cbae5d2f36'],
    [0x03, '1e1f1c303dc025bd664acb72e583e933fae4cff9148bf78c157d1e8f78530aea'],
    [0x81, '2a67f03e63a6a422125878b40b82da593be8d4efaafe88ee528af6e5a9955c6e'],
    [0x82, '781ba15f3779d5542ce8ecb5c18716733a5ee42a6f51488ec96154934e2c890a'],
  ])('is that of its example for hash type %i', (hashType, digest) => {
    const input = { index: 0, scriptCode: hexToBytes(SIX_SCRIPT), value: 987_654_321n, hashType };
    expect(bytesToHex(witnessSighash(parseTransaction(hexToBytes(SIX)), input))).toBe(digest);
  });

  it('covers no output where SINGLE has none', () => {
    const input = { index: 1, scriptCode: hexToBytes(TWO_SCRIPT), value: 4_900_000_000n, hashType: 3 };
    const digest = witnessSighash(parseTransaction(hexToBytes(TWO)), input);
    expect(bytesToHex(digest)).toBe('82dde6e4f1e94d02c2b7ad03d2115d691f48d064e9d52f58194a6637e4194391');
  });
});

const key = deriveKey(Uint8Array.of(7), 0, false);
const other = deriveKey(Uint8Array.of(7), 1, false);
const coin: Coin = { value: 5_000n, script: key.script, height: 1, coinbase: false };

function spend(witness: readonly Uint8Array[], change: { scriptSig?: Uint8Array; value?: bigint } = {}): Transaction {
  const input = {
    previousTxid: new Uint8Array(32).fill(9),
    previousIndex: 0,
    scriptSig: change.scriptSig ?? new Uint8Array(),
    sequence: 0xffffffff,
    witness,
  };
  return buildTransaction({ inputs: [input], outputs: [{ value: change.value ?? 4_000n, script: other.script }] });
}

const signed = signInput(spend([]), 0, key, coin.value);
const [signature = new Uint8Array()] = signed;

function verdict(transaction: Transaction, of: Coin = coin): string | undefined {
  return new SignatureChecks().check(transaction, () => of);
}

/** The mirror image of a signature, which is as right for ECDSA. */
function highS(der: Uint8Array): Uint8Array {
  const { r, s } = secp256k1.Signature.fromBytes(der.subarray(0, -1), 'der');
  const { n } = secp256k1.Point.CURVE();
  return Uint8Array.of(...new secp256k1.Signature(r, n - s).toBytes('der'), 1);
}

describe('signature checks', () => {
  it('accept the example of BIP 143 and what the wallet signs', () => {
    const native = parseTransaction(hexToBytes(NATIVE));
    const [first, second] = native.inputs.map(spentKey);
    const coins = new Map<string | undefined, Coin>([
      [
        first,
        { ...coin, script: hexToBytes('2103c9f4836b9a4f77fc0d81f7bcb01b7f1b35916864b9476c241ce9fc198bd25432ac') },
      ],
      [second, { ...coin, value: 600_000_000n, script: hexToBytes('00141d0f172a0ecb48aee1be1f2687d2963ae33f71a1') }],
    ]);
    const checks = new SignatureChecks();
    expect(checks.check(native, (outpoint) => coins.get(outpoint))).toBeUndefined();
    expect(verdict(spend(signed))).toBeUndefined();
    expect(key.hash).toEqual(hash160(key.publicKey));
  });

  it('agree with the wallet for many values', () => {
    for (let i = 0; i < 200; i++) {
      const value = BigInt(i + 1);
      const transaction = spend([], { value });
      const witness = signInput(transaction, 0, key, value + 7n);
      expect(verdict(spend(witness, { value }), { ...coin, value: value + 7n }), String(i)).toBeUndefined();
    }
  });

  it.each<[string, Transaction]>([
    ['OP_EQUALVERIFY', spend([signature, other.publicKey])],
    [
      'failed CHECK',
      spend(signInput(spend([]), 0, { ...other, publicKey: key.publicKey, hash: key.hash }, coin.value)),
    ],
    ['failed CHECK', spend(signed, { value: 3_999n })],
    ['failed CHECK', spend(signInput(spend([]), 0, key, coin.value + 1n))],
    ['empty witness', spend([])],
    ['hash mismatch', spend([signature])],
    ['hash mismatch', spend([...signed, Uint8Array.of(1)])],
    ['empty scriptSig', spend(signed, { scriptSig: Uint8Array.of(0) })],
    ['unnecessarily high', spend([highS(signature), key.publicKey])],
    ['Non-canonical DER', spend([Uint8Array.of(...signature.subarray(0, -1), 0, 1), key.publicKey])],
    ['Non-canonical DER', spend([new Uint8Array(), key.publicKey])],
    ['Non-canonical DER', spend([new Uint8Array(71).fill(0x30), key.publicKey])],
    ['Non-canonical DER', spend([Uint8Array.of(0x30, 6, 2, 1, 0x80, 2, 1, 1, 1), key.publicKey])],
    ['Non-canonical DER', spend([Uint8Array.of(0x30, 7, 2, 2, 0, 1, 2, 1, 1, 1), key.publicKey])],
  ])('refuse with "%s"', (reason, transaction) => {
    expect(verdict(transaction)).toContain(reason);
  });

  it('refuse a key that is no point of the curve', () => {
    const bad = new Uint8Array(33).fill(0xff);
    const script = Uint8Array.of(0, 20, ...hash160(bad));
    expect(verdict(spend([signature, bad]), { ...coin, script })).toContain('neither compressed');
  });
});
