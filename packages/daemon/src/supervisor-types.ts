import type { PoolError } from '@headframe/primitives';
import type { DaemonOptions } from './node.js';
import type { RpcCallOptions } from './rpc-client.js';
import type { SupervisedCommand } from './supervisor-command.js';
import type { ProcessExit } from './supervisor-exit.js';
import type { OutputStream } from './supervisor-output.js';

/** What a supervised node is doing. */
export type SupervisorState =
  | { readonly kind: 'stopped' }
  /** Until the node answers; `pid` is undefined until there is a process. */
  | { readonly kind: 'starting'; readonly pid: number | undefined }
  /** The node answers. Whether it has peers and a chain is for the node pool to find out. */
  | { readonly kind: 'ready'; readonly pid: number }
  | { readonly kind: 'stopping'; readonly pid: number }
  /** It ended by itself; it is started again after `delayMs`. */
  | { readonly kind: 'waiting'; readonly delayMs: number; readonly error: PoolError }
  /** It could not be started, or ended too often. `start()` tries again. */
  | { readonly kind: 'gaveUp'; readonly error: PoolError };

/** How a node was ended: by the call `stop`, by SIGTERM, by SIGKILL; or there was none. */
export type StopOutcome = 'graceful' | 'terminated' | 'killed' | 'not-running';

/** The end of a process. */
export interface SupervisorExit extends ProcessExit {
  readonly pid: number;
  /** True when it was told to end. */
  readonly isExpected: boolean;
}

export interface SupervisorEvents {
  state: { readonly state: SupervisorState; readonly previous: SupervisorState };
  exit: SupervisorExit;
  /** A line that the node printed: bounded, without secrets, at most 100 in a second. */
  line: { readonly stream: OutputStream; readonly line: string };
}

/** Starts a coin node, looks after it, and ends it. A node that it did not start is never touched. */
export interface DaemonSupervisor {
  readonly name: string;
  readonly state: SupervisorState;
  /** How the node is run. Holds the credentials: not for logs. */
  readonly command: SupervisedCommand;
  /** For `createNodePool`. */
  readonly daemonOptions: DaemonOptions;
  /** Restarts inside the window of the restart policy. */
  readonly restarts: number;
  /** Adds a listener; returns the function that removes it. */
  on<Name extends keyof SupervisorEvents>(event: Name, listener: (payload: SupervisorEvents[Name]) => void): () => void;
  /**
   * Starts the node; resolves when its process was tried, which is long before it answers: see {@link ready}. A second
   * call while it runs returns the same promise.
   * @throws PoolError `not_found` no such program, `conflict` another supervisor holds the data directory or `stop()` is
   *   under way, `storage_failed` the data directory cannot be used, `aborted` by `stop()`, `closed` after `close()`
   */
  start(): Promise<void>;
  /**
   * Resolves when the node answers, at once if it does already.
   * @throws PoolError `closed` it is not started, or was stopped; `aborted` by the signal; the error of the last end when
   *   it was given up: `conflict` another node uses the data directory or the port, `storage_failed` the disk is full,
   *   `listen_failed`, `request_timeout` it never answered, `worker_failed`
   */
  ready(signal?: AbortSignal): Promise<void>;
  /**
   * Calls the node. Calls under way when the node is stopped fail with `closed`.
   * @throws PoolError as the RPC client does, e.g. `rpc_unavailable` while it is down
   */
  call(method: string, params?: readonly unknown[], options?: RpcCallOptions): Promise<unknown>;
  /**
   * Ends the node: the call `stop`, SIGTERM if that does not help, SIGKILL at last. Resolves when the process is gone.
   * Takes at most `stopTimeoutMs` + `killTimeoutMs` + 15 seconds.
   * @throws PoolError `request_timeout` when the process survives even SIGKILL
   */
  stop(): Promise<StopOutcome>;
  /** Stops the node for good and drops connections and listeners. Idempotent. */
  close(): Promise<void>;
}
