import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { anyoneAddress, segwitAddress, sha256d } from '../script.js';
import { assemble, targetOf } from '../scripted-miner.js';

// The tool that judges is judged first, by shares and blocks of others.

interface Vector {
  readonly name: string;
  readonly subscribe: { readonly extranonce1: string };
  readonly notifyParams: readonly [string, string, string, string, string[], string, string, string, boolean];
  readonly submitParams: readonly string[];
  readonly versionMask?: string;
  readonly expect: { readonly header: string; readonly hash: string };
}

const file = new URL('../../../packages/mining/test/vectors/stratum-v1.json', import.meta.url);
const vectors: {
  readonly blocks: readonly { readonly name: string; readonly stratum: Omit<Vector, 'name'> }[];
  readonly shares: readonly Vector[];
} = JSON.parse(readFileSync(file, 'utf8'));
const all: Vector[] = [...vectors.blocks.map(({ name, stratum }) => ({ ...stratum, name })), ...vectors.shares];

describe('the scripted miner', () => {
  it.each(all.filter(({ submitParams }) => submitParams !== undefined))('builds the header of $name', (vector) => {
    const [, previousHash, coinbase1, coinbase2, branch, version, bits, time] = vector.notifyParams;
    const [, , extranonce2 = '', ntime = '', nonce = '', versionBits = '0'] = vector.submitParams;
    const mask = Number.parseInt(vector.versionMask ?? '0', 16);
    const rolled = (Number.parseInt(version, 16) & ~mask) | (Number.parseInt(versionBits, 16) & mask);
    const { header } = assemble(
      { previousHash, coinbase1, coinbase2, branch, version, bits, time, extranonce1: vector.subscribe.extranonce1 },
      { extranonce2, version: (rolled >>> 0).toString(16).padStart(8, '0'), time: ntime, nonce },
    );
    expect(header.toString('hex')).toBe(vector.expect.header);
    expect(sha256d(header).reverse().toString('hex')).toBe(vector.expect.hash);
  });

  it('computes targets from the decimals of difficulties', () => {
    const diff1 = 0xffffn << 208n;
    expect(targetOf(1, 'sha256d')).toBe(diff1);
    expect(targetOf(1, 'scrypt')).toBe(diff1 * 65536n);
    expect(targetOf(1024.5, 'sha256d')).toBe((diff1 * 10n) / 10245n);
    expect(targetOf(2.5e-10, 'sha256d')).toBe((diff1 * 10n ** 11n) / 25n);
    expect(targetOf(1e21, 'sha256d')).toBe(diff1 / 10n ** 21n);
  });

  it('encodes segwit addresses (the example of BIP 173)', () => {
    const program = Buffer.from('751e76e8199196d454941c45d1b3a323f1433bd6', 'hex');
    expect(segwitAddress('bc', program)).toBe('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4');
    expect(anyoneAddress('bcrt')).toBe('bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85');
  });
});
