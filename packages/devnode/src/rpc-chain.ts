import { bytesToHex, toDisplayHex } from '@headframe/primitives';
import type { Block } from './block.js';
import type { BlockEntry, Chain } from './chain.js';
import { integerParam, RPC_ERROR, RpcFault, type RpcMethod, stringParam } from './rpc.js';
import { difficultyOfBits } from './target.js';
import { transactionJson } from './transaction-json.js';

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** The block with this hash. @throws RpcFault -5. */
export function knownEntry(chain: Chain, id: string): BlockEntry {
  const entry = chain.entry(id);
  if (entry === undefined) throw new RpcFault(RPC_ERROR.invalidAddressOrKey, 'Block not found');
  return entry;
}

/** -1 for a block that is not in the active chain. */
function confirmations(chain: Chain, entry: BlockEntry): number {
  return chain.isActive(entry) ? chain.height - entry.height + 1 : -1;
}

function headerJson(chain: Chain, entry: BlockEntry): Record<string, unknown> {
  const { header } = entry;
  const next = chain.isActive(entry) ? chain.at(entry.height + 1) : undefined;
  return {
    hash: entry.id,
    confirmations: confirmations(chain, entry),
    height: entry.height,
    version: header.version | 0,
    versionHex: hex32(header.version),
    merkleroot: toDisplayHex(header.merkleRoot),
    time: header.time,
    mediantime: chain.medianTimePast(entry),
    nonce: header.nonce,
    bits: hex32(header.bits),
    difficulty: difficultyOfBits(header.bits),
    chainwork: entry.work.toString(16).padStart(64, '0'),
    nTx: entry.transactionCount,
    ...(entry.parent === undefined ? {} : { previousblockhash: entry.parent.id }),
    ...(next === undefined ? {} : { nextblockhash: next.id }),
  };
}

function blockJson(chain: Chain, entry: BlockEntry, block: Block, withTransactions: boolean): Record<string, unknown> {
  return {
    ...headerJson(chain, entry),
    strippedsize: (entry.weight - entry.bytes) / 3,
    size: entry.bytes,
    weight: entry.weight,
    tx: block.transactions.map((transaction) =>
      withTransactions
        ? { ...transactionJson(chain.params.coin, transaction), hex: bytesToHex(transaction.bytes) }
        : transaction.id,
    ),
  };
}

/** RPC methods that read the chain. */
export function chainMethods(chain: Chain): Readonly<Record<string, RpcMethod>> {
  return {
    getblockcount: () => chain.height,
    getbestblockhash: () => chain.tip.id,
    getdifficulty: () => difficultyOfBits(chain.tip.header.bits),
    getblockhash: (params) => {
      const entry = chain.at(integerParam(params, 0, 'height'));
      if (entry === undefined) throw new RpcFault(RPC_ERROR.invalidParameter, 'Block height out of range');
      return entry.id;
    },
    getblockheader: (params) => {
      const entry = knownEntry(chain, stringParam(params, 0, 'blockhash'));
      return params[1] === false ? bytesToHex(entry.header.bytes) : headerJson(chain, entry);
    },
    getblock: (params) => {
      const entry = knownEntry(chain, stringParam(params, 0, 'blockhash'));
      const verbosity = typeof params[1] === 'boolean' ? Number(params[1]) : integerParam(params, 1, 'verbosity', 1);
      if (entry.block === undefined) throw new RpcFault(RPC_ERROR.misc, 'Block not available (pruned data)');
      return verbosity <= 0 ? bytesToHex(entry.block.bytes) : blockJson(chain, entry, entry.block, verbosity > 1);
    },
    getchaintips: () =>
      chain.tips().map((entry) => {
        let fork = entry;
        while (!chain.isActive(fork) && fork.parent !== undefined) fork = fork.parent;
        const status = chain.isActive(entry) ? 'active' : entry.invalid ? 'invalid' : 'valid-headers';
        return { height: entry.height, hash: entry.id, branchlen: entry.height - fork.height, status };
      }),
  };
}
