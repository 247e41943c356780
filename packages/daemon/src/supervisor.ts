import {
  type Clock,
  errorMessage,
  isPoolError,
  type Logger,
  PoolError,
  silentLogger,
  systemClock,
  TypedEmitter,
} from '@headframe/primitives';
import { claimFolder, type FolderClaim } from './folder-claim.js';
import type { DaemonOptions } from './node.js';
import { pause } from './pause.js';
import { createRpcClient, type RpcCallOptions, type RpcClient, type RpcClientOptions } from './rpc-client.js';
import { type SupervisedCommand, supervisedCommand } from './supervisor-command.js';
import { isPortTaken, writePrivateFile } from './supervisor-files.js';
import type { SupervisorOptions } from './supervisor-options.js';
import { findBinary, type SpawnDaemon, spawnDaemon } from './supervisor-process.js';
import { RestartBudget } from './supervisor-restart.js';
import { runOnce } from './supervisor-run.js';
import type { DaemonSupervisor, StopOutcome, SupervisorEvents, SupervisorState } from './supervisor-types.js';

/** Parts that can be put in the place of the built-in ones. */
export interface SupervisorModules {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Starts processes. Default: real ones. */
  readonly spawn?: SpawnDaemon;
  /** Makes the RPC client. Default {@link createRpcClient}. */
  readonly createRpc?: (options: RpcClientOptions) => RpcClient;
  /** Environment that is passed on. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Makes the supervisor of a node. Nothing is started or opened yet.
 *
 * @throws PoolError `invalid_argument` naming the option that is wrong
 * @example
 * const node = createDaemonSupervisor({ daemon: 'litecoind', network: 'regtest', dataDir: './litecoin' });
 * await node.start();
 * await node.ready();
 * const nodes = createNodePool({ daemons: [node.daemonOptions], coin });
 */
export function createDaemonSupervisor(options: SupervisorOptions, modules: SupervisorModules = {}): DaemonSupervisor {
  return new NodeSupervisor(options, modules);
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: PoolError) => void;
}

class NodeSupervisor implements DaemonSupervisor {
  readonly name: string;
  readonly command: SupervisedCommand;
  readonly daemonOptions: DaemonOptions;
  readonly #options: SupervisorOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #spawn: SpawnDaemon;
  /** For the supervisor's own calls; keeps no connection. */
  readonly #rpc: RpcClient;
  readonly #makeRpc: () => RpcClient;
  /** For calls of others. */
  #calls: RpcClient;
  readonly #restarts: RestartBudget;
  readonly #events: TypedEmitter<SupervisorEvents>;
  readonly #waiters = new Set<Waiter>();
  #state: SupervisorState = { kind: 'stopped' };
  #started: Promise<void> | undefined;
  #ended: Promise<StopOutcome | PoolError> | undefined;
  #stopping = new AbortController();
  #isClosed = false;
  /** A process that does not end was left behind. */
  #isStuck = false;

  constructor(options: SupervisorOptions, modules: SupervisorModules) {
    this.#options = options;
    this.#clock = modules.clock ?? systemClock;
    this.#spawn = modules.spawn ?? spawnDaemon;
    this.command = supervisedCommand(options, modules.env);
    this.name = this.command.name;
    this.#log = (modules.log ?? silentLogger).child({ daemon: this.name });
    this.#restarts = new RestartBudget(options.restart);
    const { timeoutMs } = options.rpc ?? {};
    const rpc = { ...this.command.rpc, ...(timeoutMs !== undefined && { timeoutMs }) };
    this.daemonOptions = { name: this.name, ...rpc };
    this.#makeRpc = () => (modules.createRpc ?? createRpcClient)({ ...rpc, clock: this.#clock });
    this.#rpc = this.#makeRpc();
    this.#calls = this.#makeRpc();
    this.#events = new TypedEmitter((error, event) =>
      this.#log.error({ event, error: errorMessage(error) }, 'listener failed'),
    );
  }

  get state(): SupervisorState {
    return this.#state;
  }
  get restarts(): number {
    return this.#restarts.count;
  }

  on<Name extends keyof SupervisorEvents>(
    event: Name,
    listener: (payload: SupervisorEvents[Name]) => void,
  ): () => void {
    return this.#events.on(event, listener);
  }

  start(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new PoolError('closed', `the supervisor of ${this.name} is closed`));
    if (this.#stopping.signal.aborted && this.#ended !== undefined) {
      return Promise.reject(new PoolError('conflict', `${this.name} is being stopped`));
    }
    this.#started ??= this.#begin();
    return this.#started;
  }

  async #begin(): Promise<void> {
    const stopping = new AbortController();
    this.#stopping = stopping;
    this.#restarts.reset();
    this.#become({ kind: 'starting', pid: undefined });
    await new Promise<void>((resolve, reject) => {
      this.#ended = this.#run(stopping.signal, resolve).then((result) => {
        // Harmless when the start was reported already.
        if (isPoolError(result)) reject(result);
        else reject(new PoolError('aborted', `${this.name} was stopped before it was started`));
        return result;
      });
    });
  }

  /** From the first start to the last end. Never rejects: the outcome, or why it was given up. */
  async #run(stop: AbortSignal, onTried: () => void): Promise<StopOutcome | PoolError> {
    let claim: FolderClaim | undefined;
    let result: StopOutcome | PoolError;
    try {
      const { command } = this;
      const binary = await findBinary(command.binary, command.env.PATH);
      claim = await claimFolder(command.dataDir, {
        // Networks have folders of their own inside: two nodes may share a data directory.
        file: `headframe-${command.network}.lock`,
        holder: 'another supervisor',
        heldCode: 'conflict',
        mode: 0o700,
      });
      if (command.configFile !== undefined) await writePrivateFile(command.configFile.path, command.configFile.text);
      result = await this.#keepRunning(binary, stop, onTried);
    } catch (error) {
      result = isPoolError(error) ? error : new PoolError('worker_failed', errorMessage(error), { cause: error });
    }
    await claim?.release();
    this.#started = undefined;
    this.#ended = undefined;
    if (isPoolError(result)) {
      this.#log.error({ error: result.message, restarts: this.restarts }, 'GAVE UP THE NODE');
      this.#become({ kind: 'gaveUp', error: result });
    } else this.#become({ kind: 'stopped' });
    return result;
  }

  /** Runs the node again and again until it is to stop, or there is no use. */
  async #keepRunning(binary: string, stop: AbortSignal, onTried: () => void): Promise<StopOutcome | PoolError> {
    while (!stop.aborted) {
      this.#become({ kind: 'starting', pid: undefined });
      const run = await this.#runOnce(binary, stop, onTried);
      if (run.kind === 'stopped') return run.outcome;
      const { error } = run;
      onTried();
      this.#isStuck = run.isStuck;
      if (run.isStuck) return error;
      // A program that is missing now may be one that is being replaced.
      const delayMs = this.#restarts.next(this.#clock.monotonic(), run.readyForMs, error.code === 'storage_failed');
      if (delayMs === undefined) return error;
      this.#log.warn({ error: error.message, delayMs }, 'the node ended; it will be started again');
      this.#become({ kind: 'waiting', delayMs, error });
      await pause(this.#clock, delayMs, stop);
    }
    return 'not-running';
  }

  async #runOnce(binary: string, stop: AbortSignal, onTried: () => void): ReturnType<typeof runOnce> {
    const { rpcHost, rpcPort } = this.command;
    if (await isPortTaken(rpcHost, rpcPort, this.#clock)) {
      // It would answer in place of our node, and could be taken for it.
      const message = `cannot start ${this.name}: another program is listening on ${rpcHost}:${rpcPort}`;
      return { kind: 'failed', error: new PoolError('conflict', message), readyForMs: 0, isStuck: false };
    }
    return runOnce(
      { binary, command: this.command, options: this.#options, stop },
      {
        clock: this.#clock,
        log: this.#log,
        rpc: this.#rpc,
        spawn: this.#spawn,
        onState: (state) => {
          this.#become(state);
          if (state.kind === 'starting') onTried();
        },
        onLine: (stream, line) => this.#events.safeEmit('line', { stream, line }),
        onExit: (exit) => this.#events.safeEmit('exit', exit),
      },
    );
  }

  ready(signal?: AbortSignal): Promise<void> {
    const { kind } = this.#state;
    if (kind === 'ready') return Promise.resolve();
    if (kind === 'gaveUp') return Promise.reject(this.#state.error);
    if (kind === 'stopped' || kind === 'stopping') {
      return Promise.reject(new PoolError('closed', `${this.name} is ${kind === 'stopped' ? 'not started' : kind}`));
    }
    if (signal?.aborted === true) return Promise.reject(aborted(this.name));
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        resolve: () => {
          done();
          resolve();
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.reject(aborted(this.name));
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort);
    });
  }

  call(method: string, params: readonly unknown[] = [], options: RpcCallOptions = {}): Promise<unknown> {
    return this.#calls.call(method, params, options);
  }

  async stop(): Promise<StopOutcome> {
    const ended = this.#ended;
    this.#stopping.abort();
    if (ended !== undefined) {
      const result = await ended;
      if (!isPoolError(result)) return result;
      // Given up meanwhile is as good as stopped, unless the process is still there.
      if (this.#isStuck) throw result;
    }
    if (this.#state.kind === 'gaveUp') this.#become({ kind: 'stopped' });
    return 'not-running';
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.stop();
    } finally {
      this.#rpc.close();
      this.#calls.close();
      this.#events.removeAllListeners();
    }
  }

  #become(state: SupervisorState): void {
    const previous = this.#state;
    if (previous.kind === state.kind && pidOf(previous) === pidOf(state)) return;
    this.#state = state;
    if (state.kind === 'ready') this.#log.info({ pid: state.pid }, 'the node is ready');
    if (state.kind === 'stopping') {
      // A node does not end as long as a connection is kept open.
      this.#calls.close();
      if (!this.#isClosed) this.#calls = this.#makeRpc();
    }
    this.#events.safeEmit('state', { state, previous });
    this.#settleWaiters(state);
  }

  #settleWaiters(state: SupervisorState): void {
    for (const waiter of [...this.#waiters]) {
      if (state.kind === 'ready') waiter.resolve();
      else if (state.kind === 'gaveUp') waiter.reject(state.error);
      else if (state.kind === 'stopped' || state.kind === 'stopping') {
        waiter.reject(new PoolError('closed', `${this.name} was stopped`));
      }
    }
  }
}

function pidOf(state: SupervisorState): number | undefined {
  return 'pid' in state ? state.pid : undefined;
}

function aborted(name: string): PoolError {
  return new PoolError('aborted', `nobody waits any more for ${name} to be ready`);
}
