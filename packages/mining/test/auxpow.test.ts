import { powAlgorithm } from '@headframe/hashing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AuxPow,
  auxSlot,
  buildAuxTag,
  buildHeader,
  foldIndexedBranch,
  networkTargetBytes,
  parseAuxPow,
  parseHeader,
  serializeAuxPow,
  sha256d,
  verifyAuxPow,
} from '../src/index.js';
import { bytes, display, hex, internal, loadVectors, scryptPow, sha256dPow } from './oracle.js';

const vectors = loadVectors('stratum-v1.json').auxpow;
const u32 = (text: string): number => Number.parseInt(text, 16);

describe.each(vectors as { name: string }[])('$name', (entry) => {
  // biome-ignore lint/suspicious/noExplicitAny: test data with many shapes
  const vector = entry as any;
  const proof = parseAuxPow(bytes(vector.auxpowHex));
  const childTarget = networkTargetBytes(u32(vector.bits)) ?? new Uint8Array(32);
  const check = { proof, childHash: internal(vector.childHash), chainId: vector.chainId, childTarget, pow: scryptPow };
  const verify = (changed: Partial<AuxPow>, rest: Partial<typeof check> = {}) =>
    verifyAuxPow({ ...check, ...rest, proof: { ...proof, ...changed } });

  it('parses into its parts and serialises back', () => {
    const { auxpow } = vector;
    expect(hex(proof.parentCoinbase)).toBe(auxpow.parentCoinbase);
    expect(hex(proof.parentHash)).toBe(auxpow.hashBlockField);
    expect(proof.coinbaseBranch.map(hex)).toEqual(auxpow.coinbaseBranch);
    expect(proof.coinbaseIndex).toBe(auxpow.coinbaseIndex);
    expect(proof.chainBranch.map(hex)).toEqual(auxpow.chainBranch);
    expect(proof.chainIndex).toBe(auxpow.chainIndex);
    expect(hex(proof.parentHeader)).toBe(auxpow.parentHeader);
    expect(hex(serializeAuxPow(proof))).toBe(vector.auxpowHex);
  });

  it('its hashes', () => {
    expect(display(sha256d(bytes(vector.childHeader)))).toBe(vector.childHash);
    const version = parseHeader(bytes(vector.childHeader)).version;
    expect(version).toBe(vector.childVersion);
    expect((version & 0x100) !== 0).toBe(vector.auxpowBit);
    expect(version >>> 16).toBe(vector.chainId);
    expect(display(sha256d(proof.parentHeader))).toBe(vector.parentSha256dHash);
    expect(display(scryptPow.hash(proof.parentHeader))).toBe(vector.parentScryptHash);
    expect(display(childTarget)).toBe(vector.target);
  });

  it('its tag and slot', () => {
    const { tag } = vector;
    const root = foldIndexedBranch(internal(vector.childHash), proof.chainBranch, proof.chainIndex);
    expect(display(root)).toBe(tag.rootDisplay);
    const written = hex(buildAuxTag({ root, size: tag.merkleSize, nonce: tag.merkleNonce }));
    expect(written).toHaveLength(88);
    expect(vector.auxpow.parentCoinbaseScriptSig.slice(2 * tag.magicOffset)).toMatch(new RegExp(`^${written}`));
    expect(2 ** proof.chainBranch.length).toBe(tag.merkleSize);
    expect(auxSlot(tag.merkleNonce, vector.chainId, proof.chainBranch.length)).toBe(proof.chainIndex);
  });

  it('holds', () => {
    expect(verifyAuxPow(check)).toEqual({ ok: true });
    expect(verifyAuxPow({ ...check, pow: powAlgorithm('scrypt') })).toEqual({ ok: true });
  });

  it.each<[string, Partial<AuxPow>, Partial<typeof check>, string]>([
    ['another child', {}, { childHash: new Uint8Array(32) }, 'does not commit'],
    ['another chain', {}, { chainId: 3 }, 'wrong slot'],
    ['another slot', { chainIndex: proof.chainIndex ^ 1 }, {}, 'does not commit'],
    ['a transaction that is not the coinbase', { coinbaseIndex: 1 }, {}, 'not the coinbase'],
    ['a coinbase of another block', { coinbaseBranch: proof.coinbaseBranch.slice(1) }, {}, 'not in the parent block'],
    ['too little work', {}, { pow: sha256dPow }, 'work does not meet'],
    ['a harder child', {}, { childTarget: new Uint8Array(32) }, 'work does not meet'],
    ['the chain id of the parent', {}, { chainId: parseHeader(proof.parentHeader).version >>> 16 }, 'chain id'],
  ])('does not hold with %s', (_name, changed, rest, reason) => {
    const result = verify(changed, rest);
    expect(result).toMatchObject({ ok: false });
    expect(result.ok ? '' : result.reason).toContain(reason);
  });

  it('never throws anything but a PoolError on damaged bytes', () => {
    const original = bytes(vector.auxpowHex);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: original.length }),
        fc.array(fc.tuple(fc.nat(original.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        (length, changes) => {
          const damaged = original.slice(0, length);
          for (const [at, value] of changes) if (at < length) damaged[at] = value;
          try {
            parseAuxPow(damaged);
          } catch (error) {
            expect(error).toMatchObject({ name: 'PoolError' });
          }
        },
      ),
    );
    expect(() => parseAuxPow(Uint8Array.from([...original, 0]))).toThrow(
      expect.objectContaining({ code: 'invalid_data' }),
    );
  });
});

describe('a proof of our own', () => {
  const childHash = new Uint8Array(32).fill(9);
  const chainId = 98;
  const easy = new Uint8Array(32).fill(255);

  function makeProof(script: Uint8Array, height = 0, chainIndex = 0): AuxPow {
    const coinbase = Uint8Array.from([
      ...[1, 0, 0, 0, 1],
      ...new Uint8Array(32),
      ...[255, 255, 255, 255],
      script.length,
      ...script,
      ...[255, 255, 255, 255, 0, 0, 0, 0, 0],
    ]);
    const parentHeader = buildHeader({
      version: 4,
      previousHash: new Uint8Array(32),
      merkleRoot: sha256d(coinbase),
      ntime: 0,
      nbits: 0,
      nonce: 0,
    });
    return {
      parentCoinbase: coinbase,
      parentHash: new Uint8Array(32),
      coinbaseBranch: [],
      coinbaseIndex: 0,
      chainBranch: Array.from({ length: height }, () => new Uint8Array(32)),
      chainIndex,
      parentHeader,
    };
  }
  const verify = (proof: AuxPow) => verifyAuxPow({ proof, childHash, chainId, childTarget: easy, pow: sha256dPow });
  const tag = buildAuxTag({ root: childHash, size: 1, nonce: 0 });

  it('holds for one child in a tree of one', () => {
    expect(verify(makeProof(tag))).toEqual({ ok: true });
    expect(verify(makeProof(Uint8Array.from([1, 2, 3, ...tag, 4, 5])))).toEqual({ ok: true });
  });
  it('holds without the magic when the root begins early', () => {
    expect(verify(makeProof(tag.slice(4)))).toEqual({ ok: true });
    expect(verify(makeProof(Uint8Array.from([...new Uint8Array(20), ...tag.slice(4)])))).toEqual({ ok: true });
    expect(verify(makeProof(Uint8Array.from([...new Uint8Array(21), ...tag.slice(4)])))).toMatchObject({ ok: false });
  });
  it('does not hold with two tags, a gap behind the magic, a cut tag or a wrong size', () => {
    expect(verify(makeProof(Uint8Array.from([...tag, ...tag])))).toMatchObject({
      reason: expect.stringContaining('two'),
    });
    expect(verify(makeProof(Uint8Array.from([...tag.slice(0, 4), 0, ...tag.slice(4)])))).toMatchObject({
      reason: expect.stringContaining('follow'),
    });
    expect(verify(makeProof(tag.slice(0, 40)))).toMatchObject({ reason: expect.stringContaining('cut off') });
    expect(verify(makeProof(buildAuxTag({ root: childHash, size: 2, nonce: 0 })))).toMatchObject({
      reason: expect.stringContaining('size'),
    });
  });
});
