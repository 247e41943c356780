import { z } from 'zod';
import { features, feeRate, hash, peer, text } from './fields.js';
import { arg, form, method } from './method-types.js';

const clientName = arg('client_name', z.string().max(1000).nullish());
/** Not checked here: `negotiateVersion` answers a bad one properly. */
const wantedVersion = arg('protocol_version', z.unknown());

/** `server.*` and `mempool.*`. */
export const SERVER_METHODS = {
  'server.version': method(
    'Names the client and settles the protocol version. Must be the first request from 1.6 on.',
    {
      modern: {
        '1.1': form([clientName, wantedVersion], z.tuple([z.string().max(1000), z.string().max(20)]), {
          ignoreExtra: true,
        }),
      },
      old: { '0.8': form([clientName, wantedVersion], z.string().max(1000), { ignoreExtra: true }) },
    },
  ),
  'server.features': method('What the server is and which versions it speaks.', {
    modern: { '1.1': form([], features) },
  }),
  'server.ping': method('Keeps the connection alive.', { modern: { '1.2': form([], z.null()) } }),
  'server.banner': method('A text to show to the user.', { modern: { '0.8': form([], text) } }),
  'server.donation_address': method('Where to send thanks; may be empty.', {
    modern: { '0.8': form([], text) },
  }),
  'server.peers.subscribe': method('Other servers that this one knows. In spite of its name it never notifies.', {
    modern: { '0.8': form([], z.array(peer).max(10_000)) },
  }),
  'server.add_peer': method('Tells the server about another one.', {
    modern: { '1.1': form([arg('features', z.record(z.string().max(255), z.unknown()))], z.boolean()) },
  }),
  'mempool.get_fee_histogram': method('Fee rates of the mempool: `[satoshi per vbyte, vbytes]`, falling.', {
    modern: { '1.2': form([], z.array(z.tuple([z.number(), z.number()])).max(10_000)) },
  }),
  'mempool.get_info': method('Fee rates below which transactions are not taken or not passed on.', {
    modern: {
      '1.6': form([], z.looseObject({ mempoolminfee: feeRate, minrelaytxfee: feeRate, incrementalrelayfee: feeRate })),
    },
  }),
  'blockchain.relayfee': method('Lowest fee rate that the node passes on.', {
    modern: { '0.8': form([], feeRate) },
    removedIn: '1.6',
  }),
  'blockchain.estimatefee': method('Fee rate to be in a block within so many blocks.', {
    modern: {
      '1.1': form([arg('number', blocks())], feeRate),
      '1.6': form([arg('number', blocks()), arg('mode', z.string().max(32).nullish())], feeRate),
    },
    // Clients of that time call it without argument.
    old: { '0.8': form([arg('number', blocks().default(2))], feeRate) },
  }),
} as const;

function blocks(): z.ZodInt {
  return z.int().min(1).max(100_000);
}

/** Result of `blockchain.transaction.broadcast_package`. */
export const packageResult = z.looseObject({
  success: z.boolean(),
  errors: z
    .array(z.looseObject({ txid: hash, error: text }))
    .max(1000)
    .optional(),
});
