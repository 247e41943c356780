import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PoolError } from '@headframe/primitives';
import { FakeClock, RecordingLogger } from '@headframe/primitives/testing';
import {
  createDaemonSupervisor,
  type DaemonProcess,
  type DaemonSupervisor,
  type ProcessExit,
  type RpcClient,
  type SpawnRequest,
  type SupervisorExit,
  type SupervisorOptions,
} from '../src/index.js';

/** A process that ends when a test says so. */
export class FakeProcess implements DaemonProcess {
  readonly pid: number;
  readonly request: SpawnRequest;
  readonly signals: string[] = [];
  readonly exited: Promise<ProcessExit>;
  /** What a signal does; default nothing. */
  onSignal: (signal: string) => void = () => {};
  #resolve: (exit: ProcessExit) => void = () => {};

  constructor(pid: number, request: SpawnRequest) {
    this.pid = pid;
    this.request = request;
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
    this.onSignal(signal);
  }
  end(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.#resolve({ code, signal });
  }
  say(text: string): void {
    this.request.onOutput('stderr', Buffer.from(`${text}\n`));
  }
}

/** A supervisor among fakes: its time, its processes and what its node answers belong to the test. */
export class SupervisorBench {
  readonly clock = new FakeClock();
  readonly log = new RecordingLogger();
  readonly processes: FakeProcess[] = [];
  readonly states: string[] = [];
  readonly exits: SupervisorExit[] = [];
  readonly calls: string[] = [];
  readonly dataDir: string = mkdtempSync(join(tmpdir(), 'headframe-supervisor-'));
  /** Answers of the node; default: it is not there. */
  answer: (method: string, process: FakeProcess | undefined) => unknown = () => {
    throw new PoolError('rpc_unavailable', 'connection refused');
  };
  /** Run before a process is started; may throw. */
  beforeSpawn: (count: number) => void = () => {};

  make(options: Partial<SupervisorOptions> = {}): DaemonSupervisor {
    let own: FakeProcess | undefined;
    const rpc: RpcClient = {
      url: 'http://fake/',
      call: async (method) => {
        this.calls.push(method);
        return this.answer(method, own);
      },
      batch: async () => [],
      close: () => this.calls.push('close'),
    };
    const supervisor = createDaemonSupervisor(
      {
        daemon: 'litecoind',
        network: 'regtest',
        dataDir: this.dataDir,
        binary: process.execPath,
        rpc: { port: 1 },
        ...options,
      },
      {
        clock: this.clock,
        log: this.log,
        env: { PATH: '/nowhere' },
        createRpc: () => rpc,
        spawn: async (request) => {
          this.beforeSpawn(this.processes.length);
          const started = new FakeProcess(1000 + this.processes.length, request);
          this.processes.push(started);
          own = started;
          return started;
        },
      },
    );
    supervisor.on('state', ({ state }) => {
      const pid = 'pid' in state && state.pid !== undefined ? ` ${state.pid}` : '';
      this.states.push(`${state.kind}${pid}${state.kind === 'waiting' ? ` ${state.delayMs}` : ''}`);
    });
    supervisor.on('exit', (exit) => this.exits.push(exit));
    return supervisor;
  }

  /** Answers of a healthy node; `stop` ends its process. */
  healthy(): void {
    this.answer = (method, process) => {
      if (method === 'stop') process?.end(0);
      return 0;
    };
  }

  /** Turns the clock until the condition holds. */
  async until(condition: () => boolean, what: string, stepMs = 100): Promise<void> {
    for (let i = 0; i < 5000; i++) {
      if (condition()) return;
      // Files and sockets of the start need real turns of the loop.
      for (let turn = 0; turn < 5 && !condition(); turn++) await new Promise<void>((resolve) => setImmediate(resolve));
      if (!condition()) this.clock.advance(stepMs);
    }
    throw new Error(`did not happen: ${what}; states ${this.states.join(', ')}`);
  }

  close(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
