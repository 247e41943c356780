import { decodeAddress } from '@headframe/coins';
import { sha256d } from '@headframe/mining';
import { bytesToHex, concatBytes, PoolError, toDisplayHex } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import { blockReader, coinbaseOutputs } from '../src/index.js';
import { coin, POOL } from './accountant-world.js';

const POOL_SCRIPT = decodeAddress(coin, POOL).script;

describe('coinbases from the chain', () => {
  const outputs = [
    { script: POOL_SCRIPT, amount: 4_999_999_999n },
    { script: Uint8Array.of(0x6a), amount: 0n },
  ];
  function block(witness: boolean): Uint8Array {
    const le = (value: bigint): Uint8Array => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(value);
      return bytes;
    };
    return concatBytes(
      new Uint8Array(80).fill(7),
      Uint8Array.of(2, 1, 0, 0, 0),
      witness ? Uint8Array.of(0, 1) : new Uint8Array(0),
      Uint8Array.of(1),
      new Uint8Array(36).fill(255),
      Uint8Array.of(3, 1, 2, 3, 255, 255, 255, 255, outputs.length),
      ...outputs.map(({ script, amount }) => concatBytes(le(amount), Uint8Array.of(script.length), script)),
      new Uint8Array(50),
    );
  }
  const hash = toDisplayHex(sha256d(new Uint8Array(80).fill(7)));

  it.each([true, false])('are read, with witness: %s', (witness) => {
    expect(coinbaseOutputs(block(witness), hash)).toEqual(outputs);
  });

  it('must be whole, and of the block asked for', () => {
    const whole = block(true);
    for (const length of [0, 79, 80, 81, 90, 130, 150, 170]) {
      expect(() => coinbaseOutputs(whole.subarray(0, length), hash)).toThrow(PoolError);
    }
    expect(() => coinbaseOutputs(whole, hash.replace(/^./, '0'))).toThrow(/is not/);
  });

  it('come from the first node that knows the block', async () => {
    const asked: unknown[] = [];
    const node = (answer: unknown) => ({
      call: async (method: string, params: readonly unknown[] = []) => {
        asked.push([method, ...params]);
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    const away = node(new PoolError('rpc_unavailable', 'away'));
    const behind = node(new PoolError('rpc_error', 'Block not found'));
    const reader = (...nodes: ReturnType<typeof node>[]) => blockReader({ candidates: () => nodes }).coinbaseOf(hash);
    expect(await reader(away, behind, node(bytesToHex(block(true))))).toEqual(outputs);
    expect(asked).toEqual(Array.from({ length: 3 }, () => ['getblock', hash, false]));
    await expect(reader(away, behind)).rejects.toMatchObject({ code: 'rpc_error' });
    await expect(reader(behind, away)).rejects.toMatchObject({ code: 'rpc_error' });
    await expect(reader(node({}))).rejects.toMatchObject({ code: 'invalid_block' });
    await expect(reader()).rejects.toMatchObject({ code: 'no_node' });
  });
});
