import type { Command } from '../args.js';

/** A million hashes a second find a block of this difficulty in about ten seconds. */
const BLOCK_DIFFICULTY = '0.0025';

/** A chain, a pool with ledger and web page, and a miner in one process. */
export const demo: Command = {
  name: 'demo',
  summary: 'Run a regtest chain, a pool with its web page, and a CPU miner in one go, and watch blocks being found.',
  options: {
    port: { type: 'string', value: 'N', help: 'Stratum port on 127.0.0.1; 0 takes a free one.', default: '3333' },
    web: {
      type: 'string',
      value: 'N',
      help: 'Port of the web page on 127.0.0.1; 0 takes a free one.',
      default: '8080',
    },
    data: { type: 'string', value: 'DIR', help: 'Folder of the database, emptied first.', default: './data' },
    blocks: { type: 'string', value: 'N', help: 'Stop after so many blocks.' },
    threads: { type: 'string', value: 'N', help: 'Threads of the miner.', default: '1' },
    difficulty: { type: 'string', value: 'D', help: 'Difficulty of a block.', default: BLOCK_DIFFICULTY },
    verbose: { type: 'boolean', help: "Show the pool's log too." },
  },
  details: `
The chain lives in memory; shares, blocks, balances and payments are in DIR/pool.db. The pool pays by PPLNS from the wallet
of the demo's node. Any Stratum V1 miner can join in, with a bcrt1 address as its user name.`,
  // Loaded when it is run: a chain, a miner and a web server are much to load for whoever asks for the version.
  run: async (args) => (await import('../run-demo.js')).runDemo(args),
};
