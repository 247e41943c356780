import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type Clock, type Logger, PoolError, silentLogger, systemClock, type Timer } from '@headframe/primitives';
import type { ListenerInfo } from '@headframe/sessions';
import { type Connection, normalizeAddress } from '@headframe/transport';
import { PollConnection } from './poll-connection.js';

/** What takes the sessions of clients that poll: an Electrum server, its framework, or a mining server. */
export interface PollTarget {
  attach(connection: Connection, listener: ListenerInfo): void;
}

export interface HttpPollingOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** PEM texts: HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Sessions at once; more are turned away with 503. Default 1,000. */
  readonly maxSessions?: number;
  /** Connections of HTTP at once. Default 1,000. */
  readonly maxConnections?: number;
  /** Most bytes of one request. Default 2 MiB. */
  readonly maxBodyBytes?: number;
  /** A session without a request for so long is forgotten. Default 120,000. */
  readonly sessionMs?: number;
  /** Longest wait for answers; those that come later are fetched by the next request. Default 30,000. */
  readonly answerMs?: number;
  readonly clock?: Clock;
  readonly log?: Logger;
}

export interface HttpPolling {
  readonly address: { readonly host: string; readonly port: number };
  readonly sessions: number;
  /** Stops accepting and ends all sessions. Idempotent. */
  close(): Promise<void>;
}

const COOKIE = /(?:^|;\s*)SESSION=([0-9a-f]{32})(?:;|$)/;

interface PollSession {
  readonly id: string;
  readonly connection: PollConnection;
  /** A request of it is under way. */
  isBusy: boolean;
  timer: Timer | undefined;
}

/** How many lines answer `body`: one for a request or a batch with one, none for notifications, one for nonsense. */
function answersTo(body: string): number {
  try {
    const value: unknown = JSON.parse(body);
    const entries = Array.isArray(value) ? value : [value];
    return entries.some((entry) => typeof entry !== 'object' || entry === null || 'id' in entry) ? 1 : 0;
  } catch {
    return 1;
  }
}

const isAnswer = (line: string): boolean => line.startsWith('[') || !('method' in Object(JSON.parse(line)));

/**
 * Electrum's way through HTTP, from its first days: a session is a cookie. A POST carries a request or a batch and gets the
 * answer; whatever came for the session meanwhile comes with it, as one list. A GET, or an empty POST, fetches what waits.
 * Everything behind is as over TCP: methods, limits, subscriptions, bans by address.
 * @throws PoolError `listen_failed`
 * @example
 * const polling = await listenHttpPolling({ port: 8081 }, server);
 */
export async function listenHttpPolling(options: HttpPollingOptions, target: PollTarget): Promise<HttpPolling> {
  const polling = new Polling(options, target);
  await polling.listen();
  return polling;
}

class Polling implements HttpPolling {
  readonly #options: HttpPollingOptions;
  readonly #target: PollTarget;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #server: Server;
  readonly #sessions = new Map<string, PollSession>();
  #address = { host: '', port: 0 };
  #closing: Promise<void> | undefined = undefined;

  constructor(options: HttpPollingOptions, target: PollTarget) {
    this.#options = options;
    this.#target = target;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    const limits = { maxHeaderSize: 8192, headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 30_000 };
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      this.#serve(request, response).catch((error: unknown) => {
        this.#log.debug({ err: error }, 'a request of a client that polls failed');
        if (!response.headersSent) this.#refuse(response, 500);
        else response.destroy();
      });
    };
    this.#server =
      options.tls === undefined
        ? createServer(limits, onRequest)
        : createTlsServer({ ...limits, ...options.tls }, onRequest);
    this.#server.maxConnections = options.maxConnections ?? 1000;
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }
  get sessions(): number {
    return this.#sessions.size;
  }

  listen(): Promise<void> {
    const { host = '127.0.0.1', port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => reject(new PoolError('listen_failed', `${host}:${port}`, { cause })));
      this.#server.listen(port, host, () => {
        const bound = this.#server.address();
        this.#address = { host, port: typeof bound === 'object' && bound !== null ? bound.port : port };
        this.#server.on('error', (error) => this.#log.warn({ err: error }, 'HTTP polling'));
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      for (const session of [...this.#sessions.values()]) this.#forget(session);
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    return this.#closing;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'POST') return this.#refuse(response, 405);
    const body = request.method === 'GET' ? '' : await this.#read(request);
    if (body === undefined) return this.#refuse(response, 413);
    const session = this.#find(request) ?? this.#open(request);
    if (session === undefined) return this.#refuse(response, 503);
    if (session.isBusy) return this.#refuse(response, 409);
    session.isBusy = true;
    session.timer?.cancel();
    try {
      if (body !== '') {
        session.connection.give(Buffer.from(`${body}\n`));
        await this.#answered(session.connection, answersTo(body), response);
      }
      this.#answer(response, session, body !== '' && !body.startsWith('['));
    } finally {
      session.isBusy = false;
      if (session.connection.closing || this.#closing !== undefined) this.#forget(session);
      else session.timer = this.#clock.setTimeout(() => this.#forget(session), this.#options.sessionMs ?? 120_000);
    }
  }

  /** The body without line breaks, which JSON allows between values and the protocol does not; undefined: too large. */
  async #read(request: IncomingMessage): Promise<string | undefined> {
    const bound = this.#options.maxBodyBytes ?? 2 * 1024 * 1024;
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bound) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks)
      .toString('utf8')
      .replaceAll(/[\r\n]+/g, ' ')
      .trim();
  }

  #find(request: IncomingMessage): PollSession | undefined {
    const id = COOKIE.exec(request.headers.cookie ?? '')?.[1];
    const session = id === undefined ? undefined : this.#sessions.get(id);
    // The cookie is of whoever got it: an address may change, a wallet behind it does not come from two at once.
    return session?.connection.closing === true && session.connection.waiting === '' ? undefined : session;
  }

  #open(request: IncomingMessage): PollSession | undefined {
    if (this.#closing !== undefined || this.#sessions.size >= (this.#options.maxSessions ?? 1000)) return undefined;
    const { socket } = request;
    const secure = this.#options.tls !== undefined;
    const connection = new PollConnection({
      remoteAddress: normalizeAddress(socket.remoteAddress ?? ''),
      remotePort: socket.remotePort ?? 0,
      localPort: socket.localPort ?? 0,
      secure,
    });
    const session = { id: randomBytes(16).toString('hex'), connection, isBusy: false, timer: undefined };
    this.#sessions.set(session.id, session);
    this.#target.attach(connection, { index: -1, ...this.#address, tls: secure });
    return session;
  }

  #forget(session: PollSession): void {
    session.timer?.cancel();
    this.#sessions.delete(session.id);
    session.connection.destroy();
  }

  /** Resolves when so many answers wait, the session has ended, the client has gone, or the time is over. */
  #answered(connection: PollConnection, count: number, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        connection.onChange = () => {};
        response.off('close', done);
        resolve();
      };
      let answers = 0;
      let seen = 0;
      const look = (): void => {
        const { waiting } = connection;
        for (let end = waiting.indexOf('\n', seen); end >= 0; end = waiting.indexOf('\n', seen)) {
          if (isAnswer(waiting.slice(seen, end))) answers++;
          seen = end + 1;
        }
        if (connection.closing || answers >= count) done();
      };
      const timer = this.#clock.setTimeout(done, this.#options.answerMs ?? 30_000);
      connection.onChange = look;
      response.once('close', done);
      look();
    });
  }

  #answer(response: ServerResponse, session: PollSession, isSingle: boolean): void {
    // Of a client that has gone: it fetches them with its next request.
    if (response.destroyed) return;
    const lines = session.connection.take();
    const [only = ''] = lines;
    const items = lines.map((line) => (line.startsWith('[') ? line.slice(1, -1) : line)).filter((line) => line !== '');
    const text = isSingle && lines.length === 1 ? only : `[${items.join(',')}]`;
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'set-cookie': `SESSION=${session.id}; Path=/; HttpOnly; SameSite=Strict${session.connection.secure ? '; Secure' : ''}`,
    });
    response.end(text);
  }

  #refuse(response: ServerResponse, status: number): void {
    // The rest of a body that is too large is not read.
    response.writeHead(status, {
      'content-length': 0,
      connection: 'close',
      ...(status === 405 && { allow: 'GET, POST' }),
    });
    response.end();
  }
}
