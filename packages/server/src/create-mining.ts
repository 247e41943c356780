import { defaultAccountAddress, defaultAccountKey } from './accounts.js';
import { Mining, type MiningParts } from './mining.js';
import type { MiningServerOptions } from './options.js';
import { resolveTerms } from './terms.js';

const DEFAULT_SPREAD_MS = 2_000;
/** Miners call a pool dead after 90 s of silence, some after 60. */
const DEFAULT_KEEP_ALIVE_MS = 55_000;

/** The channels of a server, as its options want them. @throws PoolError `invalid_config` */
export function createMining<Account>(
  options: MiningServerOptions<Account>,
  parts: Pick<MiningParts<Account>, 'clock' | 'events' | 'isBanned' | 'limits' | 'log'>,
): Mining<Account> {
  const { keepAlive = {} } = options;
  return new Mining<Account>({
    ...parts,
    accounts: {
      key: options.accountKey ?? defaultAccountKey,
      address: options.accountAddress ?? defaultAccountAddress,
    },
    broadcast: {
      refreshSpreadMs: options.refreshSpreadMs ?? DEFAULT_SPREAD_MS,
      keepAliveMs: keepAlive.afterMs ?? DEFAULT_KEEP_ALIVE_MS,
    },
    keepAliveWith: keepAlive.with ?? 'work',
    announceVersionMask: options.announceVersionMask ?? false,
    terms: resolveTerms(options, parts.limits),
    outputSets: options.outputSets,
  });
}
