import { type Coin, resolveCoin } from '@headframe/coins';
import { PoolError } from '@headframe/primitives';

/** What a node can run a program for: a new tip, a transaction of its wallet, a warning. */
export type NotifyType = 'block' | 'wallet' | 'alert';

/** How a node is told to work on one network, and what it uses there. */
export interface DaemonNetwork {
  /** Arguments that choose it, e.g. `['-regtest']`. */
  readonly flags: readonly string[];
  /** Folder inside the data directory, e.g. `regtest`; empty for the data directory itself. */
  readonly folder: string;
  readonly rpcPort: number;
  readonly p2pPort: number;
}

/**
 * A kind of coin node as plain data. Texts may hold `{dataDir}`, `{networkDir}`, `{rpcHost}`, `{rpcPort}`, `{p2pPort}` and
 * what is named at a field. Everything that is not given is as with Bitcoin Core, from which most nodes descend.
 */
export interface DaemonDefinition {
  /** Of the kind, e.g. `litecoind`. */
  readonly name: string;
  /** Program: a name that is looked for in PATH, or a path. */
  readonly binary: string;
  readonly networks: Readonly<Record<string, DaemonNetwork>>;
  /** Arguments that it always gets. It must stay in the foreground. */
  readonly args?: readonly string[];
  /** Argument that sets the port for other nodes; used when such a port is asked for. */
  readonly p2pArg?: string;
  /** Arguments that open RPC beyond this machine; `{subnet}` is in one that is repeated for each of `rpc.allow`. */
  readonly rpcOpenArgs?: readonly string[];
  /** Where the node puts its cookie. */
  readonly cookieFile?: string;
  /** How it is told a user and password: `{configFile}`, `{user}`, `{password}`. */
  readonly configFile?: { readonly arg: string; readonly lines: readonly string[] };
  /** Arguments for the notifications it knows: `{command}`. The node replaces `%s` in the command itself. */
  readonly notify?: Readonly<Partial<Record<NotifyType, string>>>;
  /** Call that any started node answers. Default `getblockcount`. */
  readonly readyMethod?: string;
  /** Call that ends the node. Default `stop`. */
  readonly stopMethod?: string;
}

/** A definition with the defaults filled in. */
export type FullDaemonDefinition = Required<DaemonDefinition>;

const CORE_LIKE: Omit<FullDaemonDefinition, 'name' | 'binary' | 'networks'> = {
  // -daemon=0 beats a `daemon=1` in the user's own file: a node that detaches itself cannot be looked after.
  args: ['-datadir={dataDir}', '-server=1', '-daemon=0', '-printtoconsole=1', '-rpcport={rpcPort}'],
  p2pArg: '-port={p2pPort}',
  rpcOpenArgs: ['-rpcbind={rpcHost}', '-rpcallowip={subnet}'],
  cookieFile: '{networkDir}/.cookie',
  configFile: { arg: '-conf={configFile}', lines: ['rpcuser={user}', 'rpcpassword={password}'] },
  notify: {
    block: '-blocknotify={command}',
    wallet: '-walletnotify={command}',
    alert: '-alertnotify={command}',
  },
  readyMethod: 'getblockcount',
  stopMethod: 'stop',
};

type NetworkPlace = Pick<DaemonNetwork, 'flags' | 'folder'>;

const TESTNET3: NetworkPlace = { flags: ['-testnet'], folder: 'testnet3' };

function preset(binary: string, coin: string, places: Readonly<Record<string, NetworkPlace>>): DaemonDefinition {
  const networks = Object.entries({
    main: { flags: [], folder: '' },
    regtest: { flags: ['-regtest'], folder: 'regtest' },
    ...places,
  }).map(([network, place]): [string, DaemonNetwork] => {
    const { rpcPort, p2pPort } = resolveCoin(coin, network);
    return [network, { ...place, rpcPort, p2pPort }];
  });
  return { name: binary, binary, networks: Object.fromEntries(networks) };
}

/** Nodes that Headframe knows. */
export type DaemonPresetName = 'bitcoind' | 'litecoind' | 'dogecoind' | 'namecoind';

/** Definitions of well-known nodes; the ports are those of the coin definitions. */
export const DAEMON_PRESETS: Readonly<Record<DaemonPresetName, DaemonDefinition>> = {
  bitcoind: preset('bitcoind', 'bitcoin', {
    test: TESTNET3,
    testnet4: { flags: ['-testnet4'], folder: 'testnet4' },
    signet: { flags: ['-signet'], folder: 'signet' },
  }),
  // Litecoin's fourth test network is the only one its nodes know.
  litecoind: preset('litecoind', 'litecoin', { test: { flags: ['-testnet'], folder: 'testnet4' } }),
  dogecoind: preset('dogecoind', 'dogecoin', { test: TESTNET3 }),
  namecoind: preset('namecoind', 'namecoin', { test: TESTNET3 }),
};

const PRESET_OF_COIN: Readonly<Record<string, DaemonPresetName>> = {
  bitcoin: 'bitcoind',
  litecoin: 'litecoind',
  dogecoin: 'dogecoind',
  namecoin: 'namecoind',
};

/** The name of the preset for a coin, or undefined when there is none. */
export function presetOfCoin(coin: Pick<Coin, 'name'>): DaemonPresetName | undefined {
  return Object.hasOwn(PRESET_OF_COIN, coin.name) ? PRESET_OF_COIN[coin.name] : undefined;
}

/** @throws PoolError `invalid_argument` when there is no preset of that name */
export function findDefinition(nameOrDefinition: string | DaemonDefinition): FullDaemonDefinition {
  if (typeof nameOrDefinition !== 'string') return { ...CORE_LIKE, ...nameOrDefinition };
  const entry = Object.entries(DAEMON_PRESETS).find(([name]) => name === nameOrDefinition);
  if (entry !== undefined) return { ...CORE_LIKE, ...entry[1] };
  const names = Object.keys(DAEMON_PRESETS).join(', ');
  throw new PoolError('invalid_argument', `no preset "${nameOrDefinition}" (there are ${names}); give a definition`);
}

const NETWORK_ALIASES: Readonly<Record<string, string>> = { mainnet: 'main', testnet: 'test', testnet3: 'test' };

/** @throws PoolError `invalid_argument` when the definition does not have that network */
export function findNetwork(definition: DaemonDefinition, network: string): DaemonNetwork {
  const names = Object.keys(definition.networks);
  const alias = Object.hasOwn(NETWORK_ALIASES, network) ? NETWORK_ALIASES[network] : undefined;
  const name = names.includes(network) ? network : (alias ?? network);
  const found = names.includes(name) ? definition.networks[name] : undefined;
  if (found !== undefined) return found;
  throw new PoolError(
    'invalid_argument',
    `${definition.name} has no network "${network}" (it has ${names.join(', ')})`,
  );
}

/** Replaces `{name}` by its value. @throws PoolError `invalid_argument` for a name without one */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{([A-Za-z0-9]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new PoolError('invalid_argument', `nothing is known for {${name}} in "${text}"`);
    return value;
  });
}
