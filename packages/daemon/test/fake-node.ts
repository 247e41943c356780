import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** How the fake answers one call. */
export type Answer = AnswerNow | Promise<AnswerNow>;

type AnswerNow =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string }; readonly status?: number }
  | { readonly raw: string; readonly status?: number; readonly headers?: Record<string, string> }
  | 'hang'
  | 'drop'
  | 'cut';

export type MethodScript = (params: readonly unknown[], call: RecordedCall) => Answer;

export interface RecordedCall {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly authorization: string | undefined;
}

/** A coin node's RPC port that does what the test says. Unknown methods answer -32601 with HTTP 404, as Core does. */
export class FakeNode {
  readonly calls: RecordedCall[] = [];
  readonly methods = new Map<string, MethodScript>();
  /** Authorization header that is let in; undefined lets everybody in. */
  authorization: string | undefined;
  /** Answers with HTTP 200 also in case of an error, as bcoin does. */
  errorsWith200 = false;
  connections = 0;
  #server: Server;
  #sockets = new Set<Socket>();
  #port = 0;

  constructor() {
    this.#server = this.#make();
  }

  #make(): Server {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on('connection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Listens; a second time on the same port, like a node that was restarted. */
  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Dies at once: connections break, the port is closed. `listen` brings it back. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = this.#make();
    this.dropConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  on(method: string, script: MethodScript | Answer): this {
    this.methods.set(method, typeof script === 'function' ? script : () => script);
    return this;
  }

  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  paramsOf(method: string): (readonly unknown[])[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.params);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (this.authorization !== undefined && request.headers.authorization !== this.authorization) {
      response.writeHead(401).end();
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body | Body[];
    if (Array.isArray(body)) {
      const answers = await Promise.all(body.map((item) => this.#answer(item, request)));
      const items = answers.map((answer, index) => ({ id: body[index]?.id, ...itemOf(answer) }));
      // Answers of a batch may come in any order.
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(items.reverse()));
      return;
    }
    const answer = await this.#answer(body, request);
    if (answer === 'hang') return;
    if (answer === 'drop') {
      request.socket.destroy();
      return;
    }
    if (answer === 'cut') {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"result":', () => request.socket.destroy());
      return;
    }
    if ('raw' in answer) {
      response.writeHead(answer.status ?? 200, answer.headers).end(answer.raw);
      return;
    }
    let status = 200;
    if ('error' in answer && !this.errorsWith200) {
      status = answer.status ?? (answer.error.code === -32601 ? 404 : 500);
    }
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ id: body.id, ...itemOf(answer) }));
  }

  async #answer(body: Body, request: IncomingMessage): Promise<AnswerNow> {
    const call = { method: body.method, params: body.params ?? [], authorization: request.headers.authorization };
    this.calls.push(call);
    const script = this.methods.get(body.method);
    if (script === undefined) return { error: { code: -32601, message: 'Method not found' } };
    return await script(call.params, call);
  }
}

interface Body {
  readonly id: unknown;
  readonly method: string;
  readonly params?: readonly unknown[];
}

function itemOf(answer: AnswerNow): object {
  if (typeof answer === 'string' || 'raw' in answer) return { result: null, error: { code: -1, message: 'scripted' } };
  return 'error' in answer ? { result: null, error: answer.error } : { result: answer.result, error: null };
}
