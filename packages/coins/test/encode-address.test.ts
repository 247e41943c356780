import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Coin, decodeAddress, encodeAddress, resolveCoin } from '../src/index.js';

const bitcoin = resolveCoin('bitcoin', 'main');
const litecoin = resolveCoin('litecoin', 'main');

describe('encodeAddress', () => {
  // BIP 173 and BIP 350 examples, and the address of the first block's reward.
  it.each([
    [bitcoin, '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'],
    [bitcoin, '3P14159f73E4gFr7JterCCQh9QjiTjiZrG'],
    [bitcoin, 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
    [bitcoin, 'bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3'],
    [bitcoin, 'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0'],
  ] satisfies [Coin, string][])('gives back what was decoded (%#)', (coin, address) => {
    expect(encodeAddress(coin, decodeAddress(coin, address).script)).toBe(address);
  });

  it.each([bitcoin, litecoin, resolveCoin('bitcoin', 'regtest'), resolveCoin('dogecoin', 'main')])(
    'is the inverse of decodeAddress for every kind of script (%#)',
    (coin) => {
      const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
      const script = fc.oneof(
        bytes(20).map((hash) => Uint8Array.of(0x76, 0xa9, 20, ...hash, 0x88, 0xac)),
        bytes(20).map((hash) => Uint8Array.of(0xa9, 20, ...hash, 0x87)),
        bytes(20).map((hash) => Uint8Array.of(0, 20, ...hash)),
        bytes(32).map((hash) => Uint8Array.of(0, 32, ...hash)),
        bytes(32).map((hash) => Uint8Array.of(0x51, 32, ...hash)),
        fc.uint8Array({ minLength: 2, maxLength: 40 }).map((body) => Uint8Array.of(0x60, body.length, ...body)),
      );
      fc.assert(
        fc.property(script, (wanted) => {
          const address = encodeAddress(coin, wanted);
          if (address === undefined) return coin.addresses.bech32 === undefined || !coin.addresses.taproot;
          return Buffer.from(decodeAddress(coin, address).script).equals(wanted);
        }),
      );
    },
  );

  it('knows none for data, bare keys and broken programs', () => {
    for (const hex of ['', '6a24aa21a9ed', '0014', '00', '0102', `0015${'00'.repeat(21)}`, `51${'00'.repeat(3)}`]) {
      expect(encodeAddress(bitcoin, Buffer.from(hex, 'hex')), hex).toBeUndefined();
    }
  });
});
