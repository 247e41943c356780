import { bytesToHex, toDisplayHex } from '@headframe/primitives';
import type { Chain } from './chain.js';
import { commitmentScript } from './checks.js';
import type { Mempool } from './mempool.js';
import { BLOCK_VERSION, selectTransactions } from './miner.js';
import { targetHex, targetOfBits } from './target.js';

/** Changes whenever a new template would differ in more than its time. */
export function longPollId(chain: Chain, mempool: Mempool): string {
  return `${chain.tip.id}${mempool.updates}`;
}

/** The answer to getblocktemplate (BIP 22, 23, 9, 145). */
export function blockTemplate(chain: Chain, mempool: Mempool): Readonly<Record<string, unknown>> {
  const { tip, params } = chain;
  const height = tip.height + 1;
  const bits = params.bitsAt(height);
  const { entries, fees } = selectTransactions(mempool.entries());
  const positions = new Map(entries.map(({ transaction }, i) => [transaction.id, i + 1]));
  return {
    capabilities: ['proposal'],
    version: BLOCK_VERSION,
    rules: ['csv', '!segwit', 'taproot'],
    vbavailable: {},
    vbrequired: 0,
    previousblockhash: tip.id,
    transactions: entries.map(({ transaction, fee, sigops }) => ({
      data: bytesToHex(transaction.bytes),
      txid: transaction.id,
      hash: toDisplayHex(transaction.wtxid),
      depends: dependsOn(transaction.inputs, positions),
      fee: Number(fee),
      sigops,
      weight: transaction.weight,
    })),
    coinbaseaux: {},
    coinbasevalue: Number(params.subsidyAt(height) + fees),
    longpollid: longPollId(chain, mempool),
    target: targetHex(targetOfBits(bits) ?? 0n),
    mintime: chain.medianTimePast(tip) + 1,
    mutable: ['time', 'transactions', 'prevblock'],
    noncerange: '00000000ffffffff',
    sigoplimit: 80_000,
    sizelimit: 4_000_000,
    weightlimit: 4_000_000,
    curtime: chain.nextTime(tip),
    bits: bits.toString(16).padStart(8, '0'),
    height,
    default_witness_commitment: bytesToHex(commitmentScript(entries.map(({ transaction }) => transaction))),
  };
}

function dependsOn(
  inputs: readonly { readonly previousTxid: Uint8Array }[],
  positions: ReadonlyMap<string, number>,
): number[] {
  const found = new Set<number>();
  for (const { previousTxid } of inputs) {
    const position = positions.get(toDisplayHex(previousTxid));
    if (position !== undefined) found.add(position);
  }
  return [...found].sort((a, b) => a - b);
}
