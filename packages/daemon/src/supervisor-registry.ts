import { errorMessage, type Logger, PoolError, silentLogger } from '@headframe/primitives';
import { createDaemonSupervisor, type SupervisorModules } from './supervisor.js';
import type { SupervisorOptions } from './supervisor-options.js';
import type { DaemonSupervisor } from './supervisor-types.js';

/** Supervised nodes by name. */
export interface DaemonRegistry {
  /**
   * Makes the supervisor of a node and keeps it. It is not started.
   * @throws PoolError `conflict` when there is one of that name, `invalid_argument` as {@link createDaemonSupervisor}
   */
  add(options: SupervisorOptions): DaemonSupervisor;
  /** @throws PoolError `not_found` when there is none of that name */
  get(name: string): DaemonSupervisor;
  has(name: string): boolean;
  /** All of them, in the order they were added. */
  list(): readonly DaemonSupervisor[];
  /** Starts them all. @throws PoolError of the first that cannot be started; the others are started all the same */
  start(): Promise<void>;
  /** Ends and closes them all at the same time. Never rejects: what fails is logged. Idempotent. */
  close(): Promise<void>;
}

/** Makes an empty registry; `modules` are those of its supervisors. */
export function createDaemonRegistry(modules: SupervisorModules = {}): DaemonRegistry {
  return new NamedSupervisors(modules);
}

class NamedSupervisors implements DaemonRegistry {
  readonly #modules: SupervisorModules;
  readonly #log: Logger;
  readonly #supervisors = new Map<string, DaemonSupervisor>();

  constructor(modules: SupervisorModules) {
    this.#modules = modules;
    this.#log = modules.log ?? silentLogger;
  }

  add(options: SupervisorOptions): DaemonSupervisor {
    const supervisor = createDaemonSupervisor(options, this.#modules);
    if (this.#supervisors.has(supervisor.name)) {
      throw new PoolError('conflict', `there is a node "${supervisor.name}" already; give each its own name`);
    }
    this.#supervisors.set(supervisor.name, supervisor);
    return supervisor;
  }

  get(name: string): DaemonSupervisor {
    const found = this.#supervisors.get(name);
    if (found !== undefined) return found;
    const names = [...this.#supervisors.keys()].join(', ');
    throw new PoolError('not_found', `no node "${name}" (there ${names === '' ? 'is none' : `are ${names}`})`);
  }

  has(name: string): boolean {
    return this.#supervisors.has(name);
  }

  list(): readonly DaemonSupervisor[] {
    return [...this.#supervisors.values()];
  }

  async start(): Promise<void> {
    const results = await Promise.allSettled(this.list().map((supervisor) => supervisor.start()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.list().map((supervisor) =>
        supervisor.close().catch((error: unknown) => {
          this.#log.error({ daemon: supervisor.name, error: errorMessage(error) }, 'the node was not stopped');
        }),
      ),
    );
  }
}
