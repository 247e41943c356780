import { BoundedMap, isPoolError } from '@headframe/primitives';
import { type BackendParts, guarded } from './parts.js';

/** Fee answers of a node are kept so long: wallets ask for four of them each minute. */
const FEE_CACHE_MS = 10_000;
const MAX_CACHED = 256;
/** What nodes pass on unless they say otherwise, coins per kB. */
const USUAL_RELAY_FEE = 0.00001;

/** Registers `server.*`, `mempool.*`, and the fee methods. */
export function registerServerMethods(parts: BackendParts): void {
  const { framework, index, node, texts } = parts;
  const cached = cache();

  framework.electrumMethod('server.banner', () => texts.banner);
  framework.electrumMethod('server.donation_address', () => texts.donationAddress);
  framework.electrumMethod('server.peers.subscribe', () => []);
  // Servers do not tell each other about this one.
  framework.electrumMethod('server.add_peer', () => false);
  framework.electrumMethod('server.features', () => ({
    genesis_hash: parts.genesisHash(),
    hosts: texts.hosts,
    protocol_min: framework.versions.min,
    protocol_max: framework.versions.max,
    server_version: framework.software,
    hash_function: 'sha256',
    pruning: null,
  }));
  framework.electrumMethod('mempool.get_fee_histogram', () =>
    guarded(() => cached('histogram', () => index.call('feeHistogram'))),
  );
  framework.electrumMethod('blockchain.estimatefee', ([blocks, mode]) =>
    guarded(() =>
      cached(`estimate ${blocks} ${mode ?? ''}`, async () => {
        const params = typeof mode === 'string' ? [blocks, mode] : [blocks];
        const answer = await node.call('estimatesmartfee', params).catch(noSuchMethod);
        return rateOf(answer, 'feerate') ?? rateOf(answer, 'fee') ?? -1;
      }),
    ),
  );
  const relayFee = async (): Promise<number> => {
    const info = await node.call('getnetworkinfo').catch(noSuchMethod);
    return rateOf(info, 'relayfee') ?? USUAL_RELAY_FEE;
  };
  framework.electrumMethod('blockchain.relayfee', () => guarded(() => cached('relay fee', relayFee)));
  framework.electrumMethod('mempool.get_info', () =>
    guarded(() =>
      cached('mempool info', async () => {
        const info = await node.call('getmempoolinfo').catch(noSuchMethod);
        const relay = rateOf(info, 'minrelaytxfee') ?? (await relayFee());
        return {
          mempoolminfee: rateOf(info, 'mempoolminfee') ?? relay,
          minrelaytxfee: relay,
          incrementalrelayfee: rateOf(info, 'incrementalrelayfee') ?? relay,
        };
      }),
    ),
  );
}

/** Nodes without the method answer an error; that is no news for a wallet. */
function noSuchMethod(error: unknown): undefined {
  if (!isPoolError(error, 'rpc_error')) throw error;
  return undefined;
}

/** A rate of a node's answer, coins per kB; undefined when it has none. */
function rateOf(answer: unknown, name: string): number | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const value = new Map<string, unknown>(Object.entries(answer)).get(name);
  return typeof value === 'number' && value > 0 ? value : undefined;
}

type Cached = <T>(key: string, ask: () => Promise<T>) => Promise<T>;

/** Answers by key, for a short time; those under way are shared. A failure is not kept. */
function cache(): Cached {
  const kept = new BoundedMap<string, { readonly untilMs: number; readonly answer: Promise<unknown> }>(MAX_CACHED);
  return <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const found = kept.get(key);
    // One key always holds answers of one type.
    if (found !== undefined && performance.now() < found.untilMs) return found.answer as Promise<T>;
    const answer = ask();
    kept.set(key, { untilMs: performance.now() + FEE_CACHE_MS, answer });
    answer.catch(() => kept.delete(key));
    return answer;
  };
}
