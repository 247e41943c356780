import type { DaemonDefinition, DaemonPresetName, NotifyType } from './supervisor-definition.js';

/** How the node lets us in. Neither puts a secret on the command line, where every user of the machine can read it. */
export type SupervisorAuthentication =
  /** The cookie file that the node writes at every start. */
  | { readonly kind: 'cookie' }
  /** A file of the data directory that only its owner can read. The node's own configuration file is not read then. */
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  /** None, for nodes that know none. */
  | { readonly kind: 'none' };

/** Where the node listens for RPC. */
export interface SupervisorRpcOptions {
  /** Default `127.0.0.1`. Another address needs `allow`. */
  readonly host?: string;
  /** Default: that of the network. */
  readonly port?: number;
  /** Subnets that may call, e.g. `['10.0.0.0/24']`; this machine always may. */
  readonly allow?: readonly string[];
  /** Milliseconds for a call. Default 15,000. */
  readonly timeoutMs?: number;
}

/** A program that the node runs on news. */
export interface SupervisorNotifyOptions {
  /** Words of the command, each quoted as a whole. Default `['headframe', 'notify']`. */
  readonly command?: readonly string[];
  /** Socket that the command reports to, as `--socket`. */
  readonly socket?: string;
  /** Where it reports to without a socket, as `--host` and `--port`. */
  readonly host?: string;
  readonly port?: number;
  /** Default `['block', 'alert']`; `wallet` is for nodes that hold the pool's wallet. */
  readonly types?: readonly NotifyType[];
  /** Given to the node, and so to the command, in its environment as HEADFRAME_CONTROL_TOKEN. */
  readonly token?: string;
  /** File with the token, as `--token-file`. */
  readonly tokenFile?: string;
}

/** When a node that ended by itself is started again. */
export interface RestartOptions {
  /** Milliseconds before the first restart; doubles with each. Default 1,000. */
  readonly minDelayMs?: number;
  /** Longest pause, milliseconds. Default 60,000. */
  readonly maxDelayMs?: number;
  /** A node that was ready for this long starts again with the shortest pause. Default 600,000. */
  readonly stableAfterMs?: number;
  /** Restarts within `windowMs`; one more is not made. 0 never restarts. Default 10. */
  readonly maxRestarts?: number;
  /** Milliseconds. Default 3,600,000. */
  readonly windowMs?: number;
}

/** A node to start and look after. */
export interface SupervisorOptions {
  /** Shown in logs, unique in a registry. Default: that of the definition. */
  readonly name?: string;
  /** Name of a preset, or a definition. */
  readonly daemon: DaemonPresetName | (string & {}) | DaemonDefinition;
  /** As in coin definitions: `main`, `test`, `regtest` ... */
  readonly network: string;
  /** Folder of the chain; made when it is missing, readable by the owner alone. */
  readonly dataDir: string;
  /** Program in place of the definition's: a name in PATH or a path. */
  readonly binary?: string;
  /** More arguments. Those that the supervisor sets itself, and secrets, are refused. */
  readonly args?: readonly string[];
  /** Variables added to the environment; the parent's own are passed on, except HEADFRAME_ ones, which hold secrets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly rpc?: SupervisorRpcOptions;
  /** Port for other nodes. Default: the node's own. */
  readonly p2pPort?: number;
  /** Default: cookie. */
  readonly authentication?: SupervisorAuthentication;
  readonly notify?: SupervisorNotifyOptions;
  /** Milliseconds in which a started node must answer; one that says it is warming up has all the time. Default 120,000. */
  readonly startTimeoutMs?: number;
  /** Milliseconds between the call `stop` (or SIGTERM, when it cannot be called) and the next means. Default 120,000. */
  readonly stopTimeoutMs?: number;
  /** Milliseconds between a SIGTERM after `stopTimeoutMs` and SIGKILL. Default 10,000. */
  readonly killTimeoutMs?: number;
  readonly restart?: RestartOptions;
}

/** Name of the variable that holds the token of notifications. */
export const NOTIFY_TOKEN_VARIABLE = 'HEADFRAME_CONTROL_TOKEN';
