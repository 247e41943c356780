import { z } from 'zod';

const seconds = z.number().positive();
const text = z.string().min(1);

const definition = z
  .strictObject({
    name: text.describe('Of the kind, e.g. `peercoind`.'),
    binary: text.describe('Program: a name in PATH, or a path.'),
    networks: z
      .record(
        z.string(),
        z.strictObject({
          flags: z.array(text),
          folder: z.string(),
          rpcPort: z.int().min(1).max(65535),
          p2pPort: z.int().min(1).max(65535),
        }),
      )
      .describe(
        'By name: `flags` that choose the network, its `folder` in the data directory, `rpcPort` and `p2pPort`.',
      ),
    args: z.array(text).optional().describe('Arguments it always gets; default those of Bitcoin Core.'),
    p2pArg: text.optional().describe('Argument that sets the port for other nodes.'),
    rpcOpenArgs: z.array(text).optional().describe('Arguments that open RPC beyond this machine.'),
    cookieFile: text.optional().describe('Where it puts its cookie; default `{networkDir}/.cookie`.'),
    configFile: z
      .strictObject({
        arg: text.describe('Argument that names the file, with `{configFile}`.'),
        lines: z.array(text).describe('What is in it, with `{user}` and `{password}`.'),
      })
      .optional()
      .describe('How it is told user and password.'),
    notify: z
      .strictObject({
        block: text.optional().describe('Of a new tip.'),
        wallet: text.optional().describe('Of a transaction of its wallet.'),
        alert: text.optional().describe('Of a warning.'),
      })
      .optional()
      .describe('Arguments for the notifications it knows, with `{command}`.'),
    readyMethod: text.optional().describe('Call that any started node answers; default `getblockcount`.'),
    stopMethod: text.optional().describe('Call that ends it; default `stop`.'),
  })
  .optional()
  .describe('A kind of node without a preset, [as data](../guides/supervise-a-node.md#other-nodes).');

/** A node that the pool starts itself. */
export const supervise = z
  .strictObject({
    preset: z
      .enum(['bitcoind', 'litecoind', 'dogecoind', 'namecoind'])
      .optional()
      .describe('Kind of node; default that of the coin.'),
    definition,
    binary: text.optional().describe('Program, in place of the usual name in PATH.'),
    dataDir: text.describe('Folder of the chain; made when it is missing.'),
    args: z.array(text).default([]).describe('More arguments. Secrets, and what the pool sets itself, are refused.'),
    env: z.record(z.string(), z.string()).default({}).describe('More environment variables.'),
    p2pPort: z.int().min(1).max(65535).optional().describe("Port for other nodes; default the node's own."),
    startTimeout: seconds.default(120).describe('Seconds for a started node to answer; warming up does not count.'),
    stopTimeout: seconds.default(120).describe('Seconds for the node to write its state, before it is made to end.'),
    restart: z
      .strictObject({
        minDelay: z.number().min(0).default(1).describe('Seconds before the first restart; doubles with each.'),
        maxDelay: z.number().min(0).default(60).describe('Longest pause, seconds.'),
        stableAfter: z.number().min(0).default(600).describe('Seconds of work after which pauses are short again.'),
        max: z.int().min(0).default(10).describe('Restarts in `window`; then the pool gives it up.'),
        window: seconds.default(3600).describe('Seconds.'),
      })
      .refine(({ minDelay, maxDelay }) => minDelay <= maxDelay, { path: ['maxDelay'], message: 'is below minDelay' })
      .prefault({})
      .describe('When it is started again.'),
    notify: z
      .array(z.enum(['block', 'wallet', 'alert']))
      .default(['block', 'alert'])
      .describe('What the node reports to the pool through `control.socket`, or `control.port` with a token.'),
  })
  .refine((value) => value.preset === undefined || value.definition === undefined, {
    path: ['definition'],
    message: 'and preset exclude each other',
  })
  .optional()
  .describe('Have the pool start and stop this node; [guide](../guides/supervise-a-node.md).');
