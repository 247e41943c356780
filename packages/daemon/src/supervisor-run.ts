import { type Clock, errorMessage, isPoolError, type Logger, PoolError } from '@headframe/primitives';
import { rpcCodeOf } from './node.js';
import { pause } from './pause.js';
import type { RpcClient } from './rpc-client.js';
import { RPC_CODE } from './rpc-response.js';
import type { SupervisedCommand } from './supervisor-command.js';
import { exitError } from './supervisor-exit.js';
import type { SupervisorOptions } from './supervisor-options.js';
import { NodeOutput, type OutputStream } from './supervisor-output.js';
import type { DaemonProcess, SpawnDaemon } from './supervisor-process.js';
import type { StopOutcome, SupervisorExit, SupervisorState } from './supervisor-types.js';

/** Between two tries to reach a node that starts: often at first, for a small one is there in half a second. */
const FIRST_PROBE_MS = 100;
const MAX_PROBE_MS = 1000;
/** For one such try, and for the call `stop`, which is answered before the node begins to stop. */
const CALL_TIMEOUT_MS = 5000;
/** A process that survives SIGKILL for this long hangs in the kernel. */
const KILLED_TIMEOUT_MS = 10_000;

export const DEFAULT_STOP_TIMEOUT_MS = 120_000;
export const DEFAULT_KILL_TIMEOUT_MS = 10_000;
const DEFAULT_START_TIMEOUT_MS = 120_000;

export interface RunRequest {
  readonly binary: string;
  readonly command: SupervisedCommand;
  readonly options: SupervisorOptions;
  /** Aborted when the node is to be stopped. */
  readonly stop: AbortSignal;
}

export interface RunModules {
  readonly clock: Clock;
  readonly log: Logger;
  readonly rpc: RpcClient;
  readonly spawn: SpawnDaemon;
  readonly onState: (state: SupervisorState) => void;
  readonly onLine: (stream: OutputStream, line: string) => void;
  readonly onExit: (exit: SupervisorExit) => void;
}

/** What became of one process. */
export type RunResult =
  | { readonly kind: 'stopped'; readonly outcome: StopOutcome }
  | {
      readonly kind: 'failed';
      readonly error: PoolError;
      /** How long the node was ready. */
      readonly readyForMs: number;
      /** The process is still there: another one must not be started. */
      readonly isStuck: boolean;
    };

/** One process from its start to its end. Never rejects. */
export async function runOnce(request: RunRequest, modules: RunModules): Promise<RunResult> {
  const { command, options, stop } = request;
  const { clock, log, onState } = modules;
  const output = new NodeOutput({ log, clock, secrets: command.secrets, onLine: modules.onLine });
  const killTimeoutMs = options.killTimeoutMs ?? DEFAULT_KILL_TIMEOUT_MS;
  const stopTimeoutMs = options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS;
  let child: DaemonProcess;
  try {
    child = await modules.spawn({
      binary: request.binary,
      args: command.args,
      env: command.env,
      orphanSeconds: stopTimeoutMs / 1000,
      onOutput: (stream, bytes) => output.write(stream, bytes),
    });
  } catch (error) {
    const failure = isPoolError(error) ? error : new PoolError('worker_failed', errorMessage(error), { cause: error });
    return { kind: 'failed', error: failure, readyForMs: 0, isStuck: false };
  }
  const { pid } = child;
  log.info({ pid, program: request.binary }, 'the node was started');
  const gone = new AbortController();
  let isExpected = false;
  const exited = child.exited.then((exit) => {
    output.end();
    gone.abort();
    modules.onExit({ ...exit, pid, isExpected });
    return exit;
  });
  onState({ kind: 'starting', pid });

  const over = AbortSignal.any([gone.signal, stop]);
  const failure = await becomeReady(request, over, modules);
  const readyAtMs = clock.monotonic();
  let readyForMs = 0;
  if (failure === undefined && !over.aborted) {
    onState({ kind: 'ready', pid });
    await new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true }));
    readyForMs = clock.monotonic() - readyAtMs;
  }
  if (gone.signal.aborted && !stop.aborted) {
    return {
      kind: 'failed',
      error: exitError(command.name, await exited, output.lastLines),
      readyForMs,
      isStuck: false,
    };
  }

  isExpected = true;
  if (stop.aborted) onState({ kind: 'stopping', pid });
  else log.warn({ pid, reason: failure }, 'the node does not answer; it is ended');
  const end = new EndOfProcess(child, gone.signal, modules);
  const outcome = stop.aborted
    ? await end.gently(command.definition.stopMethod, stopTimeoutMs, killTimeoutMs)
    : await end.bySignal(killTimeoutMs);
  if (outcome === undefined) {
    const error = new PoolError(
      'request_timeout',
      `${command.name} (process ${pid}) does not end, not even by SIGKILL`,
    );
    log.error({ pid }, error.message);
    return { kind: 'failed', error, readyForMs, isStuck: true };
  }
  const exit = await exited;
  if (stop.aborted) {
    log.info({ pid, outcome, code: exit.code, signal: exit.signal }, 'the node was stopped');
    return { kind: 'stopped', outcome };
  }
  const error = new PoolError('request_timeout', `${command.name} did not answer in time: ${failure ?? 'no reason'}`);
  return { kind: 'failed', error, readyForMs, isStuck: false };
}

/** Waits until the node answers or `signal`; the reason when it takes too long. */
async function becomeReady(
  { command, options }: RunRequest,
  signal: AbortSignal,
  { clock, log, rpc }: RunModules,
): Promise<string | undefined> {
  const timeoutMs = options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS;
  let aliveAtMs = clock.monotonic();
  let delayMs = FIRST_PROBE_MS;
  let told = '';
  while (!signal.aborted) {
    let reason: string;
    try {
      await rpc.call(command.definition.readyMethod, [], { timeoutMs: CALL_TIMEOUT_MS, signal, connection: 'own' });
      return undefined;
    } catch (error) {
      reason = errorMessage(error);
      const code = rpcCodeOf(error);
      // Any answer but "warming up" is that of a node at work.
      if (code !== undefined && code !== RPC_CODE.warmingUp) return undefined;
      // It may verify or index its chain for hours, and says so: ending it would begin that anew.
      if (code === RPC_CODE.warmingUp) {
        aliveAtMs = clock.monotonic();
        if (reason !== told) log.info({ reason }, 'the node is warming up');
        told = reason;
      }
    }
    if (clock.monotonic() - aliveAtMs >= timeoutMs) return reason;
    await pause(clock, delayMs, signal);
    delayMs = Math.min(delayMs * 2, MAX_PROBE_MS);
  }
  return undefined;
}

/** The ways to end a process, each with its time. */
class EndOfProcess {
  readonly #child: DaemonProcess;
  readonly #gone: AbortSignal;
  readonly #modules: RunModules;

  constructor(child: DaemonProcess, gone: AbortSignal, modules: RunModules) {
    this.#child = child;
    this.#gone = gone;
    this.#modules = modules;
  }

  /** The call `stop`, then signals. A node that cannot be called has the same time after SIGTERM. */
  async gently(method: string, stopTimeoutMs: number, killTimeoutMs: number): Promise<StopOutcome | undefined> {
    const { rpc, log } = this.#modules;
    try {
      const call = { timeoutMs: CALL_TIMEOUT_MS, signal: this.#gone, connection: 'own', idempotent: false } as const;
      await rpc.call(method, [], call);
    } catch (error) {
      // A node may end before its answer arrives.
      if (this.#gone.aborted) return 'graceful';
      log.info({ error: errorMessage(error) }, 'the node could not be called to stop');
      return this.bySignal(stopTimeoutMs);
    }
    if (await this.#within(stopTimeoutMs)) return 'graceful';
    log.warn({ stopTimeoutMs }, 'the node does not stop when called to');
    return this.bySignal(killTimeoutMs);
  }

  /** SIGTERM, then SIGKILL; undefined when neither helped. */
  async bySignal(termTimeoutMs: number): Promise<StopOutcome | undefined> {
    this.#child.kill('SIGTERM');
    if (await this.#within(termTimeoutMs)) return 'terminated';
    this.#modules.log.warn({ pid: this.#child.pid, termTimeoutMs }, 'the node does not stop: it is killed');
    this.#child.kill('SIGKILL');
    return (await this.#within(KILLED_TIMEOUT_MS)) ? 'killed' : undefined;
  }

  async #within(ms: number): Promise<boolean> {
    await pause(this.#modules.clock, ms, this.#gone);
    return this.#gone.aborted;
  }
}
