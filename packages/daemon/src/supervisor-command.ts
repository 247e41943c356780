import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { PoolError } from '@headframe/primitives';
import type { RpcCredentials } from './rpc-auth.js';
import {
  type FullDaemonDefinition,
  fillIn,
  findDefinition,
  findNetwork,
  type NotifyType,
} from './supervisor-definition.js';
import { NOTIFY_TOKEN_VARIABLE, type SupervisorNotifyOptions, type SupervisorOptions } from './supervisor-options.js';

/** Everything needed to run a node: nothing is looked up later. */
export interface SupervisedCommand {
  readonly name: string;
  readonly definition: FullDaemonDefinition;
  readonly network: string;
  readonly binary: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly dataDir: string;
  /** To write, readable by its owner alone, before the node is started. */
  readonly configFile: { readonly path: string; readonly text: string } | undefined;
  readonly rpc: RpcCredentials & { readonly url: string };
  /** Where RPC is reached. */
  readonly rpcHost: string;
  readonly rpcPort: number;
  /** Never to be logged. */
  readonly secrets: readonly string[];
}

/** Arguments of Core-like nodes that belong to the supervisor, and where the same is said. */
const OWN_ARGUMENTS: Readonly<Record<string, string>> = {
  daemon: 'a supervised node stays in the foreground',
  daemonwait: 'a supervised node stays in the foreground',
  datadir: 'use dataDir',
  conf: 'use args and authentication',
  rpcport: 'use rpc.port',
  rpcbind: 'use rpc.host and rpc.allow',
  rpcallowip: 'use rpc.allow',
  rpccookiefile: 'the definition says where the cookie is',
  server: 'it is always set',
  printtoconsole: 'it is always set',
  regtest: 'use network',
  testnet: 'use network',
  testnet4: 'use network',
  signet: 'use network',
  chain: 'use network',
};

const SECRET_ARGUMENT = /pass(word|wd|phrase)?($|=)|secret|token|api-?key/i;

/** Works out how to run a node. @throws PoolError `invalid_argument` naming what is wrong */
export function supervisedCommand(
  options: SupervisorOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): SupervisedCommand {
  const definition = findDefinition(options.daemon);
  const network = findNetwork(definition, options.network);
  if (options.dataDir === '') throw new PoolError('invalid_argument', 'dataDir is empty');
  const dataDir = resolve(options.dataDir);
  const { rpc = {}, authentication = { kind: 'cookie' }, notify } = options;
  const rpcPort = checkPort('rpc.port', rpc.port ?? network.rpcPort);
  const rpcHost = rpc.host ?? '127.0.0.1';
  const values: Record<string, string> = {
    dataDir,
    networkDir: join(dataDir, network.folder),
    rpcHost,
    rpcPort: String(rpcPort),
    p2pPort: String(options.p2pPort ?? network.p2pPort),
  };
  const fill = (text: string, more: Readonly<Record<string, string>> = {}): string =>
    fillIn(text, { ...values, ...more });

  const args = [...definition.args.map((arg) => fill(arg)), ...network.flags];
  if (options.p2pPort !== undefined) {
    checkPort('p2pPort', options.p2pPort);
    args.push(fill(definition.p2pArg));
  }
  args.push(...openArguments(definition, rpcHost, rpc.allow ?? [], fill));

  const secrets: string[] = [];
  let configFile: SupervisedCommand['configFile'];
  let credentials: RpcCredentials = {};
  if (authentication.kind === 'cookie') credentials = { cookieFile: fill(definition.cookieFile) };
  else if (authentication.kind === 'password') {
    const { user, password } = checkCredentials(authentication);
    credentials = { user, password };
    secrets.push(password);
    const path = join(dataDir, 'headframe-node.conf');
    configFile = {
      path,
      text: definition.configFile.lines.map((line) => `${fill(line, { user, password })}\n`).join(''),
    };
    args.push(fill(definition.configFile.arg, { configFile: path }));
  }
  const name = options.name ?? definition.name;
  if (notify !== undefined) args.push(...notifyArguments(definition, notify, name));
  if (notify?.token !== undefined) secrets.push(notify.token);
  for (const arg of options.args ?? []) args.push(checkArgument(arg, notify));

  const callHost = rpcHost === '0.0.0.0' ? '127.0.0.1' : rpcHost === '::' ? '::1' : rpcHost;
  return {
    name,
    definition,
    network: options.network,
    binary: options.binary ?? definition.binary,
    args,
    env: nodeEnvironment(environment, options),
    dataDir,
    configFile,
    rpc: { url: `http://${isIP(callHost) === 6 ? `[${callHost}]` : callHost}:${rpcPort}`, ...credentials },
    rpcHost: callHost,
    rpcPort,
    secrets,
  };
}

function openArguments(
  definition: FullDaemonDefinition,
  host: string,
  allow: readonly string[],
  fill: (text: string, more?: Readonly<Record<string, string>>) => string,
): string[] {
  if (isIP(host) === 0) throw new PoolError('invalid_argument', `rpc.host must be an IP address (found "${host}")`);
  const isLoopback = host === '127.0.0.1' || host === '::1';
  if (allow.length === 0) {
    // Without an allowed subnet a node listens on loopback by itself.
    if (isLoopback) return [];
    throw new PoolError('invalid_argument', `rpc.host ${host} needs rpc.allow: the subnets that may call`);
  }
  for (const subnet of allow) {
    if (!/^[0-9a-fA-F.:]+(\/[0-9.]+)?$/.test(subnet)) {
      throw new PoolError('invalid_argument', `rpc.allow: "${subnet}" is no subnet`);
    }
  }
  return definition.rpcOpenArgs.flatMap((arg) =>
    arg.includes('{subnet}') ? ['127.0.0.1', ...allow].map((subnet) => fill(arg, { subnet })) : [fill(arg)],
  );
}

function notifyArguments(definition: FullDaemonDefinition, notify: SupervisorNotifyOptions, source: string): string[] {
  const words = notify.command ?? ['headframe', 'notify'];
  if (words.length === 0) throw new PoolError('invalid_argument', 'notify.command is empty');
  const { socket, host, port, tokenFile } = notify;
  const target: string[] = [];
  if (socket !== undefined) target.push('--socket', resolve(socket));
  if (host !== undefined) target.push('--host', host);
  if (port !== undefined) target.push('--port', String(checkPort('notify.port', port)));
  if (tokenFile !== undefined) target.push('--token-file', resolve(tokenFile));
  return (notify.types ?? ['block', 'alert']).map((type: NotifyType) => {
    const arg = definition.notify[type];
    if (arg === undefined) throw new PoolError('invalid_argument', `${definition.name} has no notification "${type}"`);
    const quoted = [...words, '--type', type, '--source', source, ...target].map(quote);
    // The node itself puts the text of an alert into quotes; hashes need none.
    return fillIn(arg, { command: [...quoted, '--data', '%s'].join(' ') });
  });
}

/** A word for the shell that the node runs its commands in. */
function quote(word: string): string {
  if (/[%\0\r\n]/.test(word)) {
    throw new PoolError(
      'invalid_argument',
      `notify: a word may not hold % or line ends (found ${JSON.stringify(word)})`,
    );
  }
  return /^[A-Za-z0-9_@+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function checkArgument(arg: string, notify: SupervisorNotifyOptions | undefined): string {
  if (arg === '' || arg.includes('\0'))
    throw new PoolError('invalid_argument', 'args: an argument is empty or has a NUL');
  const name = /^--?(?:no)?([^=]+)/.exec(arg)?.[1] ?? '';
  const own = Object.hasOwn(OWN_ARGUMENTS, name) ? OWN_ARGUMENTS[name] : undefined;
  if (own !== undefined) throw new PoolError('invalid_argument', `args: -${name} is the supervisor's: ${own}`);
  if (SECRET_ARGUMENT.test(arg.split('=')[0] ?? '')) {
    throw new PoolError('invalid_argument', `args: -${name} would show a secret to every user of this machine`);
  }
  if (notify !== undefined && /^(block|wallet|alert)notify$/.test(name)) {
    const isSet = (notify.types ?? ['block', 'alert']).some((type) => name === `${type}notify`);
    if (isSet) throw new PoolError('invalid_argument', `args: -${name} is set by notify`);
  }
  return arg;
}

function checkCredentials({ user, password }: { readonly user: string; readonly password: string }): {
  readonly user: string;
  readonly password: string;
} {
  // A configuration file ends a value at a line end or #, and drops spaces around it.
  for (const [name, value] of [
    ['user', user],
    ['password', password],
  ] as const) {
    if (!/^[\x21\x22\x24-\x7e]+$/.test(value)) {
      throw new PoolError('invalid_argument', `authentication.${name} must be printable ASCII without spaces and #`);
    }
  }
  if (user.includes(':')) throw new PoolError('invalid_argument', 'authentication.user must not hold a colon');
  return { user, password };
}

function checkPort(name: string, port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new PoolError('invalid_argument', `${name} must be a port from 1 to 65535 (found ${port})`);
}

function nodeEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  { env, notify }: SupervisorOptions,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !name.startsWith('HEADFRAME_')) result[name] = value;
  }
  Object.assign(result, env);
  if (notify?.token !== undefined) result[NOTIFY_TOKEN_VARIABLE] = notify.token;
  return result;
}
