import type { Clock } from '@headframe/primitives';
import type { Connection } from '@headframe/transport';
import { createMemoryPair } from '@headframe/transport/testing';

export interface PoolRequest {
  readonly id: unknown;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: unknown;
}

/** Answers a method: the value is the result; a thrown value is the error. `undefined` stays silent. */
export type PoolMethod = (params: readonly unknown[], session: PoolSession) => unknown;

/** The pool's end of one connection. */
export class PoolSession {
  readonly connection: Connection;
  readonly received: PoolRequest[] = [];
  #text = '';

  constructor(connection: Connection, methods: Map<string, PoolMethod>) {
    this.connection = connection;
    connection.start({
      data: (chunk) => {
        this.#text += Buffer.from(chunk).toString('latin1');
        for (let at = this.#text.indexOf('\n'); at >= 0; at = this.#text.indexOf('\n')) {
          const message: PoolRequest = JSON.parse(this.#text.slice(0, at));
          this.#text = this.#text.slice(at + 1);
          this.received.push(message);
          if (message.method !== undefined) this.#answer(message, methods);
        }
      },
      drain: () => {},
      closed: () => {},
    });
  }

  send(...messages: readonly object[]): void {
    this.connection.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  }

  push(method: string, params: unknown): void {
    this.send({ id: null, method, params });
  }

  /** Requests of one method. */
  calls(method: string): readonly PoolRequest[] {
    return this.received.filter((message) => message.method === method);
  }

  #answer(message: PoolRequest, methods: Map<string, PoolMethod>): void {
    const method = methods.get(message.method ?? '');
    if (message.id === null || message.id === undefined) return;
    if (method === undefined) {
      this.send({ id: message.id, result: null, error: [20, 'Not supported.', null] });
      return;
    }
    try {
      const result = method(message.params ?? [], this);
      if (result !== undefined) this.send({ id: message.id, result, error: null });
    } catch (error) {
      this.send({ id: message.id, result: null, error });
    }
  }
}

export const NOTIFY = [
  '6abc0001',
  '4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000',
  '01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff20020862062f503253482f04b8864e5008',
  '072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988ac00000000',
  [],
  '20000000',
  '207fffff',
  '504e86b9',
  true,
] as const;

export interface FakePoolOptions {
  readonly clock?: Clock;
}

/** A pool in memory that answers the handshake; tests replace what they need. */
export class FakePool {
  readonly sessions: PoolSession[] = [];
  readonly methods = new Map<string, PoolMethod>();
  refuse = false;
  readonly #options: FakePoolOptions;

  constructor(options: FakePoolOptions = {}) {
    this.#options = options;
    this.methods.set('mining.configure', () => ({ 'version-rolling': true, 'version-rolling.mask': '1fffe000' }));
    this.methods.set('mining.subscribe', (params) => [
      [['mining.notify', 'ab'.repeat(16)]],
      params[1] === 'ab'.repeat(16) ? '0c7ab001' : `0c7ab0${(this.sessions.length + 0x10).toString(16)}`,
      8,
    ]);
    this.methods.set('mining.authorize', (_params, session) => {
      queueMicrotask(() => {
        session.push('mining.set_difficulty', [0.001]);
        session.push('mining.notify', NOTIFY);
      });
      return true;
    });
    this.methods.set('mining.extranonce.subscribe', () => true);
    this.methods.set('mining.submit', () => true);
  }

  readonly connect = (): Promise<Connection> => {
    if (this.refuse) return Promise.reject(new Error('refused'));
    const { client, server } = createMemoryPair(this.#options);
    this.sessions.push(new PoolSession(server, this.methods));
    return Promise.resolve(client);
  };

  /** The connection made last. */
  get session(): PoolSession {
    const last = this.sessions.at(-1);
    if (last === undefined) throw new Error('nobody connected');
    return last;
  }
}
