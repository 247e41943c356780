/** Bounds of the development chain. It lives in memory and is reachable on loopback, so each one caps memory. */
export const DEV_NODE_LIMITS = {
  /** Largest HTTP body. A 4 MB block is 8 MB of hex; twice that leaves room for a batch around it. */
  maxBodyBytes: 16 * 1024 * 1024,
  /** Calls in one batch array. */
  maxBatch: 1_000,
  /** Sockets at once. */
  maxConnections: 256,
  /** getblocktemplate calls that may wait at once; Core has 16 RPC threads, so more waiters would starve it too. */
  maxLongPolls: 64,
  /** Entries of the block index, side branches included. At one block a second that is more than two days. */
  maxBlocks: 200_000,
  /** Depth below the tip from which block bodies and undo data are forgotten: the deepest reorganisation possible. */
  keepBodies: 2_016,
  /** Transactions that wait for a block. */
  maxMempool: 10_000,
  /** Blocks of one generate call. */
  maxGenerate: 10_000,
  /** Weight of one transaction that the mempool takes (Core's standardness bound). */
  maxTransactionWeight: 400_000,
  /** Transactions whose signatures are remembered as checked; the oldest is checked again when it comes back. */
  maxCheckedSignatures: 50_000,
  /** Keys of the wallet, one per getnewaddress and change output. */
  maxWalletKeys: 100_000,
  /** Transactions that the wallet remembers beside the chain; the oldest deep one makes room. */
  maxWalletTransactions: 50_000,
  /** Outputs that lockunspent and lockUnspents keep aside. */
  maxLockedOutputs: 10_000,
} as const;
