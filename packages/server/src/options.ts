import type { Bus } from '@headframe/mining';
import type { Clock, Logger, MaybePromise, Reject } from '@headframe/primitives';
import type {
  AdmitHandler,
  BanOptions,
  Limits,
  ListenerOptions,
  LoopDelayMonitor,
  ProtocolDefinition,
  Session,
} from '@headframe/sessions';
import type { PasswordOptions, WorkerName } from '@headframe/stratum-v1';
import type { ShareValidator, ValidatorListener } from '@headframe/validator';
import type { Channel } from './channel.js';
import type { DifficultyOption } from './difficulty-policy.js';
import type { MiningLimits } from './limits.js';
import type { Share } from './share.js';

/** What an `authorize` handler is asked. */
export interface AuthorizeRequest {
  /** As the miner wrote it, whitespace around it removed. */
  readonly username: string;
  /** Null when there was none. Never log it. */
  readonly password: string | null;
  /** The username split at the first dot. */
  readonly name: WorkerName;
  /** Options found in the password. */
  readonly options: PasswordOptions;
  readonly session: Session;
  /** Aborted when the answer comes too late. */
  readonly signal: AbortSignal;
}

/**
 * Decides who a username is. What it returns is the account, and its type is the account type of the server; a
 * {@link Reject} refuses. A throw is logged and refuses too.
 */
export type AuthorizeHandler<Account> = (request: AuthorizeRequest) => MaybePromise<Account | Reject>;

/** Account of a server without an `authorize` handler: every username is taken. */
export interface DefaultAccount {
  /** The username up to the first dot. */
  readonly id: string;
}

/** One port miners connect to. */
export interface MiningListenerOptions extends ListenerOptions {
  /** Default: that of the server. */
  readonly difficulty?: DifficultyOption;
  /** Bytes of extranonce2, 4 to 8; jobs must have a variant for 4 more. Default 8. */
  readonly extranonce2Size?: number;
}

/** What a mining server does. */
export interface MiningServerOptions<Account> {
  readonly listeners?: readonly MiningListenerOptions[];
  /** For listeners that name none, and for attached connections. Default: vardiff from 1024. */
  readonly difficulty?: DifficultyOption;
  /** F in diff1 = (0xffff << 208) * F: 1 for SHA-256d, 65536 for scrypt. Default 1. */
  readonly difficultyFactor?: number;
  /**
   * Names of the output sets that a miner may get, best first, by its user agent (empty when it told none), for jobs with
   * several: firmware takes coinbases only up to a size. Give miners of one kind the same list object. A job that has
   * none of them gives its `main` set, else the one with the smallest coinbase. Default: `main` for everybody.
   */
  readonly outputSets?: (userAgent: string) => readonly string[];
  /** Version bits that miners may roll; a job may allow fewer. Default 1fffe000 (BIP 320); 0: none. */
  readonly versionMask?: number;
  /** Also send `mining.set_version_mask` with the first job, for firmware that ignores the answer to configure. */
  readonly announceVersionMask?: boolean;
  /** First byte of every extranonce1, when no core says which (it does in the answer to `join`). Default 0. */
  readonly instance?: number;
  /** Name of this edge towards the core. Default `edge`. */
  readonly edge?: string;
  /** Overrides of limits: those of `LIMITS` (sessions) and of `MINING_LIMITS`. */
  readonly limits?: Partial<Limits & MiningLimits>;
  readonly bans?: BanOptions;
  /** Time over which a job on the same block is spread. Default 2,000. */
  readonly refreshSpreadMs?: number;
  /** What a miner that heard nothing for a while is sent: fresh work, or `mining.ping`. Default 55,000 ms and work. */
  readonly keepAlive?: { readonly afterMs?: number; readonly with?: 'work' | 'ping' };
  /** Number of the error codes: 20 to 25, or the negative table of older servers. Default `standard`. */
  readonly errorCodes?: 'standard' | 'legacy';
  /** Default: every username is an account of its own. */
  readonly authorize?: AuthorizeHandler<Account>;
  /** May this socket talk at all. Default: yes. */
  readonly admit?: AdmitHandler;
  /** Key that shares are credited and accounts are banned under. Default: the account itself, or its `id`. */
  readonly accountKey?: (account: Account) => string;
  /** Where the account is paid. Default: its `address`, else empty. */
  readonly accountAddress?: (account: Account) => string;
}

/** Makes the validator a server judges shares with. */
export type ValidatorFactory<Account> = (listener: ValidatorListener<Share<Account>>) => ShareValidator<Share<Account>>;

/** What a mining server works with. */
export interface MiningServerModules<Account> {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** The core. Without one, jobs come by `publishJob`, accepted shares are answered at once, and blocks are events. */
  readonly bus?: Bus;
  /** Default: inline. */
  readonly validator?: ValidatorFactory<Account>;
  /** Protocols beside Stratum V1, tried first when a connection is recognised. */
  readonly protocols?: readonly ProtocolDefinition[];
  readonly loopDelay?: LoopDelayMonitor;
}

/** A function that sets something up on a server. */
export type Plugin<Server, Options> = (server: Server, options: Options) => void;

/** A session, or the channel it has. */
export type Target<Account> = Session | Channel<Account>;
