import { decodeAddress } from '@headframe/coins';
import { bytesToHex, errorMessage, hexToBytes, isPoolError, toDisplayHex } from '@headframe/primitives';
import { parseBlock } from './block.js';
import type { Chain } from './chain.js';
import { DEV_NODE_LIMITS } from './limits.js';
import type { LongPolls } from './long-poll.js';
import type { Mempool } from './mempool.js';
import { decoded, hexParam, integerParam, isRecord, RPC_ERROR, RpcFault, type RpcMethod, stringParam } from './rpc.js';
import { knownEntry } from './rpc-chain.js';
import { difficultyOfBits } from './target.js';
import { blockTemplate } from './template.js';
import { parseTransaction } from './transaction.js';

/** What the RPC methods need of the node around the chain. */
export interface NodeContext {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly longPolls: LongPolls;
  /** Connected peers, as far as callers can tell. */
  peers(): number;
  initialDownload(): boolean;
  /** Mines `count` blocks to `script`; display hashes. */
  generate(count: number, script: Uint8Array | undefined): string[];
  /** Takes a block in; BIP 22 result. */
  submit(bytes: Uint8Array): string | undefined;
}

/** RPC methods for miners and pools. */
export function miningMethods(node: NodeContext): Readonly<Record<string, RpcMethod>> {
  const { chain, mempool } = node;
  const generate = (params: readonly unknown[], script: Uint8Array | undefined): string[] => {
    const count = integerParam(params, 0, 'nblocks');
    if (count < 0 || count > DEV_NODE_LIMITS.maxGenerate) {
      throw new RpcFault(RPC_ERROR.invalidParameter, `nblocks must be 0 to ${DEV_NODE_LIMITS.maxGenerate}`);
    }
    return node.generate(count, script);
  };
  return {
    getblocktemplate: (params, signal) => {
      const request = isRecord(params[0]) ? params[0] : {};
      const mode = request.mode ?? 'template';
      if (mode === 'proposal') return proposal(chain, request);
      if (mode !== 'template') throw new RpcFault(RPC_ERROR.invalidParameter, 'Invalid mode');
      if (node.peers() === 0) throw new RpcFault(RPC_ERROR.notConnected, 'The node is not connected!');
      if (node.initialDownload()) {
        throw new RpcFault(RPC_ERROR.initialDownload, 'The node is in initial sync and waiting for blocks...');
      }
      const rules = Array.isArray(request.rules) ? request.rules : [];
      const missing = chain.params.requiredRules.filter((rule) => !rules.includes(rule));
      if (missing.length > 0) {
        const needed = `getblocktemplate must be called with the ${missing.join(' & ')} rule set`;
        throw new RpcFault(RPC_ERROR.invalidParameter, `${needed} (call with {"rules": [...]})`);
      }
      if (typeof request.longpollid !== 'string') return blockTemplate(chain, mempool);
      return node.longPolls.wait(request.longpollid, signal).then(() => blockTemplate(chain, mempool));
    },
    submitblock: (params) => node.submit(hexParam(params, 0, 'hexdata', 'Block decode failed')) ?? null,
    generate: (params) => generate(params, undefined),
    generatetoaddress: (params) => {
      const address = stringParam(params, 1, 'address');
      try {
        return generate(params, decodeAddress(chain.params.coin, address).script);
      } catch (error) {
        if (isPoolError(error)) throw new RpcFault(RPC_ERROR.invalidAddressOrKey, 'Error: Invalid address');
        throw error;
      }
    },
    generatetodescriptor: (params) => {
      // The one form that needs no keys: raw(<script hex>), with or without a checksum.
      const match = /^raw\(([0-9a-fA-F]*)\)(#[a-z0-9]{8})?$/.exec(stringParam(params, 1, 'descriptor'));
      const script = match?.[1] ?? '';
      if (match === null || script.length % 2 !== 0) {
        throw new RpcFault(RPC_ERROR.invalidAddressOrKey, 'only raw(<hex>) descriptors are known');
      }
      return generate(params, hexToBytes(script));
    },
    getmininginfo: () => ({
      blocks: chain.height,
      difficulty: difficultyOfBits(chain.params.bitsAt(chain.height + 1)),
      networkhashps: 0,
      pooledtx: mempool.size,
      chain: 'regtest',
      warnings: '',
    }),
    preciousblock: (params) => {
      chain.prefer(knownEntry(chain, stringParam(params, 0, 'blockhash')).id);
    },
    invalidateblock: (params) => {
      if (!chain.invalidate(knownEntry(chain, stringParam(params, 0, 'blockhash')).id)) {
        throw new RpcFault(RPC_ERROR.misc, 'the block is genesis or too deep');
      }
    },
    reconsiderblock: (params) => {
      chain.reconsider(knownEntry(chain, stringParam(params, 0, 'blockhash')).id);
    },
  };
}

function proposal(chain: Chain, request: Readonly<Record<string, unknown>>): string | null {
  if (typeof request.data !== 'string') {
    throw new RpcFault(RPC_ERROR.type, 'Missing data String key for proposal');
  }
  const bytes = hexParam([request.data], 0, 'data', 'Block decode failed');
  const block = decoded(() => parseBlock(bytes), 'Block decode failed');
  return chain.propose(block) ?? null;
}

/** RPC methods about the node, its mempool and addresses. */
export function nodeMethods(node: NodeContext): Readonly<Record<string, RpcMethod>> {
  const { chain, mempool } = node;
  return {
    getblockchaininfo: () => ({
      chain: 'regtest',
      blocks: chain.height,
      headers: chain.height,
      bestblockhash: chain.tip.id,
      difficulty: difficultyOfBits(chain.tip.header.bits),
      time: chain.tip.header.time,
      mediantime: chain.medianTimePast(chain.tip),
      verificationprogress: 1,
      initialblockdownload: node.initialDownload(),
      chainwork: chain.tip.work.toString(16).padStart(64, '0'),
      pruned: false,
      warnings: '',
    }),
    getnetworkinfo: () => ({
      version: 270_000,
      subversion: '/headframe-devnode/',
      protocolversion: 70_016,
      networkactive: true,
      connections: node.peers(),
      warnings: '',
    }),
    getconnectioncount: () => node.peers(),
    getrawmempool: (params) => {
      const entries = [...mempool.entries()];
      if (params[0] !== true) return entries.map(({ transaction }) => transaction.id);
      return Object.fromEntries(
        entries.map(({ transaction, fee }) => [
          transaction.id,
          {
            vsize: Math.ceil(transaction.weight / 4),
            weight: transaction.weight,
            fees: { base: Number(fee) / 1e8 },
            wtxid: toDisplayHex(transaction.wtxid),
          },
        ]),
      );
    },
    sendrawtransaction: (params) => {
      const bytes = hexParam(params, 0, 'hexstring', 'TX decode failed');
      const transaction = decoded(() => parseTransaction(bytes), 'TX decode failed');
      const reason = mempool.add(transaction);
      if (reason === undefined || reason === 'txn-already-in-mempool') return transaction.id;
      if (reason === 'txn-already-known') {
        throw new RpcFault(RPC_ERROR.alreadyInChain, 'Transaction already in block chain');
      }
      throw new RpcFault(reason.includes('missingorspent') ? RPC_ERROR.verify : RPC_ERROR.verifyRejected, reason);
    },
    validateaddress: (params) => {
      const address = stringParam(params, 0, 'address');
      try {
        const { script } = decodeAddress(chain.params.coin, address);
        return { isvalid: true, address, scriptPubKey: bytesToHex(script) };
      } catch (error) {
        if (isPoolError(error)) return { isvalid: false, error: errorMessage(error) };
        throw error;
      }
    },
  };
}
