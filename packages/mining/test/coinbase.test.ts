import { resolveCoin } from '@headframe/coins';
import { ByteReader } from '@headframe/primitives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assembleBlock,
  type BlockTemplate,
  buildCoinbase,
  type CoinbaseOptions,
  type CoinbaseOutput,
  coinbaseWithWitness,
  encodeBip34Height,
  parseTemplate,
} from '../src/index.js';
import { bytes, hex, loadVectors } from './oracle.js';

const base: BlockTemplate = parseTemplate(loadVectors('gbt/bcoin-gbt.json'), resolveCoin('bitcoin', 'regtest'));
const script = bytes(`0014${'77'.repeat(20)}`);
const tag = new TextEncoder().encode('/Headframe/');

const options = (changes: Partial<CoinbaseOptions> = {}): CoinbaseOptions => ({
  template: { ...base, coinbaseAux: new Uint8Array(0) },
  outputs: [{ script }],
  poolTag: tag,
  stamp: 0x01020304,
  extranonceLength: 12,
  ...changes,
});

/** Takes a coinbase apart, written from the transaction format alone. */
function readCoinbase(coinbase1: Uint8Array, extranonce: Uint8Array, coinbase2: Uint8Array) {
  const reader = new ByteReader(Uint8Array.from([...coinbase1, ...extranonce, ...coinbase2]));
  const version = reader.u32le();
  expect(reader.compactSize()).toBe(1);
  expect(hex(reader.copy(36))).toBe(`${'00'.repeat(32)}ffffffff`);
  const scriptSig = reader.copy(reader.compactSize());
  const sequence = reader.u32le();
  const outputs: CoinbaseOutput[] = [];
  for (let left = reader.compactSize(); left > 0; left--) {
    const amount = reader.u64le();
    outputs.push({ amount, script: reader.copy(reader.compactSize()) });
  }
  const lockTime = reader.u32le();
  return { version, scriptSig, sequence, outputs, lockTime, rest: reader.copy(reader.remaining) };
}

const extranonce = new Uint8Array(12).fill(0xee);

describe('buildCoinbase', () => {
  it('writes height, aux, extra, stamp, extranonce and tag in this order', () => {
    const template = { ...base, height: 840_000, coinbaseAux: bytes('aabb') };
    const built = buildCoinbase(options({ template, style: { extra: bytes('fabe6d6d') } }));
    const { scriptSig, version, sequence, lockTime, rest } = readCoinbase(built.coinbase1, extranonce, built.coinbase2);
    expect(hex(scriptSig)).toBe(`0340d10caabbfabe6d6d01020304${hex(extranonce)}${hex(tag)}`);
    expect(hex(built.coinbase1.subarray(built.stampOffset))).toBe('01020304');
    expect([version, sequence, lockTime, rest.length]).toEqual([2, 0xffffffff, 0, 0]);
  });

  it.each([0, 1, 2, 15, 16, 17, 127, 128, 255, 256])('height %i gives a scriptSig that nodes take', (height) => {
    const built = buildCoinbase(options({ template: { ...base, height, coinbaseAux: new Uint8Array(0) } }));
    const { scriptSig } = readCoinbase(built.coinbase1, extranonce, built.coinbase2);
    const push = encodeBip34Height(height);
    expect(hex(scriptSig.subarray(0, push.length))).toBe(hex(push));
    expect(scriptSig.length).toBeGreaterThanOrEqual(2);
    expect(scriptSig.length).toBeLessThanOrEqual(100);
  });

  it('puts the commitment last and leaves it out where there is none', () => {
    const built = buildCoinbase(options());
    expect(built.outputs.at(-1)).toEqual({ script: base.witnessCommitment, amount: 0n });
    expect(readCoinbase(built.coinbase1, extranonce, built.coinbase2).outputs).toEqual(built.outputs);
    const plain = buildCoinbase(options({ template: { ...base, witnessCommitment: undefined } }));
    expect(plain.outputs).toEqual([{ script, amount: base.coinbaseValue }]);
  });

  it('pays prescribed outputs out of the value', () => {
    const requiredOutputs = [
      { script: bytes('aa'), amount: 1000n },
      { script: bytes('bb'), amount: 2000n },
    ];
    const { outputs, reward } = buildCoinbase(options({ template: { ...base, requiredOutputs } }));
    expect(reward).toBe(base.coinbaseValue - 3000n);
    expect(outputs.slice(0, 3)).toEqual([{ script, amount: reward }, ...requiredOutputs]);
    const tooMuch = [{ script, amount: base.coinbaseValue + 1n }];
    expect(() => buildCoinbase(options({ template: { ...base, requiredOutputs: tooMuch } }))).toThrow(
      expect.objectContaining({ code: 'invalid_template' }),
    );
  });

  it('divides by parts, gives the rest to the first and loses nothing', () => {
    const template = { ...base, coinbaseValue: 1001n };
    const outputs = [{ script: bytes('aa'), parts: 97 }, { script: bytes('bb'), parts: 2 }, { script: bytes('cc') }];
    const amounts = (value: bigint) =>
      buildCoinbase(options({ template: { ...template, coinbaseValue: value }, outputs })).outputs.map((o) => [
        hex(o.script).slice(0, 2),
        o.amount,
      ]);
    expect(amounts(1001n).slice(0, 3)).toEqual([
      ['aa', 971n], // floor(970.97) = 970, and the unit left over
      ['bb', 20n],
      ['cc', 10n],
    ]);
    // Nothing for the small ones: left out. The first always stands.
    expect(amounts(10n).slice(0, 2)).toEqual([
      ['aa', 10n],
      ['6a', 0n],
    ]);
    expect(amounts(0n)[0]).toEqual(['aa', 0n]);
  });

  it('any division pays the whole reward', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 21_000_000n * 10n ** 8n }),
        fc.array(fc.integer({ min: 1, max: 2 ** 40 }), { minLength: 1, maxLength: 20 }),
        (coinbaseValue, parts) => {
          const outputs = parts.map((part, i) => ({ script: Uint8Array.of(i), parts: part }));
          const template = { ...base, coinbaseValue, witnessCommitment: undefined };
          const built = buildCoinbase(options({ template, outputs }));
          let sum = 0n;
          const total = parts.reduce((left, right) => left + BigInt(right), 0n);
          for (const {
            script: [index = 0],
            amount,
          } of built.outputs) {
            sum += amount;
            const fair = (coinbaseValue * BigInt(parts[index] ?? 0)) / total;
            const extra = amount - fair;
            expect(extra >= 0n && extra < BigInt(index === 0 ? parts.length : 1)).toBe(true);
          }
          expect(sum).toBe(coinbaseValue);
          expect(built.reward).toBe(coinbaseValue);
        },
      ),
    );
  });

  it.each([0, -1, 0.5, Number.NaN, 2 ** 53])('%s is no number of parts', (parts) => {
    expect(() => buildCoinbase(options({ outputs: [{ script, parts }] }))).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });

  it('needs an output', () => {
    expect(() => buildCoinbase(options({ outputs: [] }))).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });

  it('takes a scriptSig of 100 bytes and refuses 101, showing the sum', () => {
    const template = { ...base, height: 840_000, coinbaseAux: new Uint8Array(5) };
    const extra = new Uint8Array(44);
    const room = 100 - 4 - 5 - 44 - 4 - 12;
    const fits = buildCoinbase(options({ template, style: { extra }, poolTag: new Uint8Array(room) }));
    expect(readCoinbase(fits.coinbase1, extranonce, fits.coinbase2).scriptSig).toHaveLength(100);
    expect(() => buildCoinbase(options({ template, style: { extra }, poolTag: new Uint8Array(room + 1) }))).toThrow(
      expect.objectContaining({
        code: 'coinbase_too_large',
        message:
          'the coinbase scriptSig would have 101 bytes, 100 are allowed: height 4 + coinbaseaux 5 + extra 44 + stamp 4 + extranonce 12 + pool tag 32',
      }),
    );
  });

  it('bounds the whole coinbase', () => {
    const built = buildCoinbase(options());
    const size = built.coinbase1.length + 12 + built.coinbase2.length;
    buildCoinbase(options({ style: { maxBytes: size } }));
    expect(() => buildCoinbase(options({ style: { maxBytes: size - 1 } }))).toThrow(
      expect.objectContaining({ code: 'coinbase_too_large', message: expect.stringContaining(`${size} bytes`) }),
    );
    const many = Array.from({ length: 600 }, () => ({ script }));
    expect(() => buildCoinbase(options({ outputs: many }))).toThrow(
      expect.objectContaining({ code: 'coinbase_too_large' }),
    );
  });

  it('keeps the block within its weight', () => {
    const one = { data: bytes('ab'), txid: new Uint8Array(32), hash: new Uint8Array(32), fee: 0n, weight: 1000 };
    const template = { ...base, coinbaseAux: new Uint8Array(0), transactions: [one, one] };
    const built = buildCoinbase(options({ template }));
    const nonWitness = built.coinbase1.length + 12 + built.coinbase2.length;
    const witness = coinbaseWithWitness(new Uint8Array(nonWitness)).length - nonWitness;
    // BIP 141: three times the bytes without witness, once all bytes.
    const weight = 4 * (80 + 1 + nonWitness) + witness + 2000;
    buildCoinbase(options({ template: { ...template, weightLimit: weight } }));
    expect(() => buildCoinbase(options({ template: { ...template, weightLimit: weight - 1 } }))).toThrow(
      expect.objectContaining({ code: 'coinbase_too_large', message: expect.stringContaining(`weigh ${weight}`) }),
    );
    // A node that does not say what transactions weigh is trusted.
    const unknown = [one, { ...one, weight: undefined }];
    buildCoinbase(options({ template: { ...template, transactions: unknown, weightLimit: 1000 } }));
  });

  it('version, sequence and lock time are as asked; BIP 54 decides the last two', () => {
    const read = (style: NonNullable<CoinbaseOptions['style']>, height = 840_000) => {
      const built = buildCoinbase(options({ template: { ...base, height }, style }));
      const { version, sequence, lockTime } = readCoinbase(built.coinbase1, extranonce, built.coinbase2);
      return [version, sequence, lockTime];
    };
    expect(read({ version: 1, sequence: 7, lockTime: 8 })).toEqual([1, 7, 8]);
    expect(read({ bip54: true })).toEqual([2, 0xfffffffe, 839_999]);
    expect(read({ bip54: true }, 0)).toEqual([2, 0xfffffffe, 0]);
  });

  it('a DIP 4 payload changes the version and follows the lock time', () => {
    const built = buildCoinbase(options({ template: { ...base, coinbasePayload: bytes('020007') } }));
    const { version, rest } = readCoinbase(built.coinbase1, extranonce, built.coinbase2);
    expect(version).toBe(0x00050003);
    expect(hex(rest)).toBe('03020007');
  });
});

describe('assembleBlock', () => {
  const built = buildCoinbase(options());
  const coinbase = Uint8Array.from([...built.coinbase1, ...extranonce, ...built.coinbase2]);
  const header = new Uint8Array(80).fill(1);

  it('adds the witness only where there is a commitment', () => {
    const withWitness = hex(assembleBlock({ template: base, header, coinbase }));
    expect(withWitness).toBe(`${hex(header)}01${hex(coinbaseWithWitness(coinbase))}`);
    const plain = hex(assembleBlock({ template: { ...base, witnessCommitment: undefined }, header, coinbase }));
    expect(plain).toBe(`${hex(header)}01${hex(coinbase)}`);
  });

  it('writes counts above 252 in three bytes', () => {
    const one = { data: bytes('ab'), txid: new Uint8Array(32), hash: new Uint8Array(32), fee: 0n, weight: 4 };
    const template = { ...base, transactions: Array.from({ length: 253 }, () => one) };
    const block = hex(assembleBlock({ template, header, coinbase }));
    expect(block.slice(160, 166)).toBe('fdfe00');
    expect(block.endsWith('ab'.repeat(253))).toBe(true);
  });

  it('refuses what is no header or no transaction', () => {
    expect(() => assembleBlock({ template: base, header: new Uint8Array(81), coinbase })).toThrow(
      expect.objectContaining({ code: 'invalid_block' }),
    );
    expect(() => assembleBlock({ template: base, header, coinbase: new Uint8Array(9) })).toThrow(
      expect.objectContaining({ code: 'invalid_block' }),
    );
  });
});
