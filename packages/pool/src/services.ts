import { type Clock, errorMessage, type Logger, PoolError, type Timer } from '@headframe/primitives';

/** Name of the service that serves what `api` of the configuration says. */
export const API_SERVICE = 'http';

/** Something that lives as long as a pool: an HTTP server, a watcher ... */
export interface PoolService {
  /** For the log. */
  readonly name: string;
  /** Called when the listeners are open; a rejection ends the start of the pool. */
  start(): Promise<void>;
  /** Called first when the pool closes, also when `start` failed or never ran. Must be idempotent. */
  close(): Promise<void>;
}

/** The services of one pool, started in the order they came and closed in reverse. */
export class Services {
  readonly #log: Logger;
  readonly #all: PoolService[] = [];
  #started = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @throws PoolError `closed` once the pool listens: a service added then would not be started. */
  add(service: PoolService): void {
    if (this.#started) throw new PoolError('closed', `the service ${service.name} comes too late: the pool listens`);
    this.#all.push(service);
  }

  async start(): Promise<void> {
    this.#started = true;
    for (const service of this.#all) await service.start();
  }

  has(name: string): boolean {
    return this.#all.some((service) => service.name === name);
  }

  /** Closes all, each within the time; never rejects. */
  async close(withinMs: number, clock: Clock): Promise<void> {
    this.#started = true;
    for (const service of [...this.#all].reverse()) {
      const failed = (reason: string): void =>
        this.#log.error({ service: service.name, reason }, 'a service did not close');
      let timer: Timer | undefined;
      const late = new Promise<void>((resolve) => {
        timer = clock.setTimeout(() => {
          failed(`not within ${withinMs} ms`);
          resolve();
        }, withinMs);
      });
      const closed = service.close().catch((error: unknown) => failed(errorMessage(error)));
      await Promise.race([closed, late]);
      timer?.cancel();
    }
  }
}
