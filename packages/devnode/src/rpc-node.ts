import { decodeAddress } from '@headframe/coins';
import { hexToBytes, isPoolError } from '@headframe/primitives';
import { parseBlock } from './block.js';
import type { Chain } from './chain.js';
import { DEV_NODE_LIMITS } from './limits.js';
import type { LongPolls } from './long-poll.js';
import type { Mempool } from './mempool.js';
import { decoded, hexParam, integerParam, isRecord, RPC_ERROR, RpcFault, type RpcMethod, stringParam } from './rpc.js';
import { knownEntry } from './rpc-chain.js';
import { difficultyOfBits } from './target.js';
import { blockTemplate } from './template.js';

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

/** RPC methods about the node. */
export function nodeMethods(node: NodeContext): Readonly<Record<string, RpcMethod>> {
  const { chain } = node;
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
  };
}
