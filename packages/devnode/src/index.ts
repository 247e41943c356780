export { type Block, type BlockHeader, type MerkleResult, merkleRoot, parseBlock, parseHeader } from './block.js';
export {
  checkBlock,
  checkMerkleRoot,
  checkProofOfWork,
  checkWitnessCommitment,
  heightPush,
  type ProofOfWork,
  witnessCommitmentHash,
} from './checks.js';
export {
  createDevNode,
  type DevNode,
  type DevNodeBlock,
  type DevNodeEvents,
  type DevNodeOptions,
  type MineBlocksOptions,
  type RpcOverride,
} from './dev-node.js';
export { DEV_NODE_LIMITS } from './limits.js';
export type { MakeTransactionOptions } from './make-transaction.js';
export type { DevNodeCoin } from './params.js';
export { RpcFault } from './rpc.js';
export { parseTransaction, type Transaction, type TransactionInput, type TransactionOutput } from './transaction.js';
export type { DevWalletOptions } from './wallet.js';
