import type { Clock } from '@headframe/primitives';
import type { Connection } from '@headframe/transport';
import { createMemoryPair } from '@headframe/transport/testing';

export interface RawRequest {
  readonly id: unknown;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
}

/** The pool's end of a connection: says whatever a test wants. */
export interface RawSession {
  readonly received: RawRequest[];
  readonly connection: Connection;
  push(method: string, params: unknown): void;
  send(line: string): void;
}

/** A job whose hashes nobody has to meet. */
export function notifyParams(
  jobId: string,
  changes: { readonly coinbase2?: string; readonly bits?: string; readonly clean?: boolean } = {},
): readonly unknown[] {
  return [
    jobId,
    '4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000',
    '01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff20020862062f503253482f04b8864e5008',
    changes.coinbase2 ??
      '072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988ac00000000',
    [],
    '20000000',
    changes.bits ?? '1702c4e4',
    '504e86b9',
    changes.clean ?? true,
  ];
}

/** A pool without sense: every method is what the test says, the rest is refused. */
export class RawPool {
  readonly sessions: RawSession[] = [];
  readonly methods = new Map<string, (params: readonly unknown[], session: RawSession) => unknown>();
  extranonce2Size: unknown = 8;
  difficulty: unknown = 8e-8;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.methods.set('mining.configure', () => ({ 'version-rolling': true, 'version-rolling.mask': '1fffe000' }));
    this.methods.set('mining.subscribe', () => [
      [['mining.notify', 'ab']],
      `0c7a${(0x1000 + this.sessions.length).toString(16)}`,
      this.extranonce2Size,
    ]);
    this.methods.set('mining.authorize', (_params, session) => {
      queueMicrotask(() => {
        session.push('mining.set_difficulty', [this.difficulty]);
        session.push('mining.notify', notifyParams('a1'));
      });
      return true;
    });
    this.methods.set('mining.extranonce.subscribe', () => true);
    this.methods.set('mining.submit', () => true);
  }

  connect(): Promise<Connection> {
    const { client, server } = createMemoryPair({ clock: this.#clock });
    const received: RawRequest[] = [];
    const session: RawSession = {
      received,
      connection: server,
      send: (line) => {
        if (!server.closing) server.write(line);
      },
      push: (method, params) => session.send(`${JSON.stringify({ id: null, method, params })}\n`),
    };
    this.sessions.push(session);
    let text = '';
    server.start({
      data: (chunk) => {
        text += Buffer.from(chunk).toString('latin1');
        for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
          const message: RawRequest = JSON.parse(text.slice(0, at));
          text = text.slice(at + 1);
          received.push(message);
          this.#answer(session, message);
        }
      },
      drain: () => {},
      closed: () => {},
    });
    return Promise.resolve(client);
  }

  /** The connection made last. */
  get session(): RawSession {
    const last = this.sessions.at(-1);
    if (last === undefined) throw new Error('nobody connected');
    return last;
  }

  #answer(session: RawSession, { id, method, params }: RawRequest): void {
    if (method === undefined || id === null || id === undefined) return;
    const handler = this.methods.get(method);
    const reply = (result: unknown, error: unknown): void => session.send(`${JSON.stringify({ id, result, error })}\n`);
    if (handler === undefined) {
      reply(null, [-3, 'Method not found', null]);
      return;
    }
    try {
      const result = handler(params ?? [], session);
      if (result !== undefined) reply(result, null);
    } catch (error) {
      reply(null, error);
    }
  }
}
