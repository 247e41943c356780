import type { BlockTemplate, CoinbaseOptions } from '@headframe/mining';

/** A block of 312,500,000 base units with one transaction of 1,000 weight units and room for 3,000,000 more. */
export const template: BlockTemplate = {
  height: 840_000,
  previousHash: new Uint8Array(32).fill(1),
  version: 0x20000000,
  nbits: 0x17034219,
  networkTarget: new Uint8Array(32).fill(2),
  currentTime: 1_713_571_767,
  minTime: 1_713_570_000,
  coinbaseValue: 312_500_000n,
  transactions: [
    { data: new Uint8Array(250), txid: new Uint8Array(32), hash: new Uint8Array(32), fee: 0n, weight: 1000 },
  ],
  coinbaseAux: new Uint8Array(0),
  witnessCommitment: Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed, ...new Uint8Array(32)),
  requiredOutputs: [],
  coinbasePayload: undefined,
  mweb: undefined,
  weightLimit: 4_000_000,
  longPollId: undefined,
  workId: undefined,
  rules: [],
};

/** What the job builder says besides the outputs. */
export const coinbase = (changes: Partial<CoinbaseOptions> = {}): Omit<CoinbaseOptions, 'outputs'> => ({
  template,
  poolTag: new TextEncoder().encode('/Headframe/'),
  stamp: 0x01020304,
  extranonceLength: 12,
  ...changes,
});

/** A pay-to-witness script of its own for each seed; 22 bytes (key hash) or 34 (taproot). */
export function payTo(seed: number, length: 22 | 34 = 22): Uint8Array {
  const script = new Uint8Array(length).fill(seed & 0xff, 2);
  script.set([length === 22 ? 0x00 : 0x51, length - 2, seed & 0xff, (seed >> 8) & 0xff]);
  return script;
}
