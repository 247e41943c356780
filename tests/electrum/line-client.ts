import { createConnection, type Socket } from 'node:net';
import { waitFor } from '../support/wait.js';

export interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: unknown;
  readonly [member: string]: unknown;
}

/** A client of the tests' own: lines out, lines in, nothing checked. */
export class LineClient {
  readonly socket: Socket;
  readonly messages: Message[] = [];
  closed = false;
  #rest = '';
  #nextId = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.messages.push(JSON.parse(line) as Message);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static connect(port: number): Promise<LineClient> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(port, '127.0.0.1');
      const client = new LineClient(socket);
      socket.once('error', reject);
      socket.once('connect', () => resolve(client));
    });
  }

  /** Sends a request and waits for its answer. */
  async ask(method: string, params?: readonly unknown[]): Promise<Message> {
    const id = this.#nextId++;
    this.send({ id, method, ...(params === undefined ? {} : { params }) });
    return waitFor(`the answer to ${method}`, () =>
      this.messages.find((message) => message.id === id && message.method === undefined),
    );
  }

  /** The result of a request. */
  async get(method: string, params?: readonly unknown[]): Promise<unknown> {
    const { result, error } = await this.ask(method, params);
    if (error !== undefined) throw new Error(JSON.stringify(error));
    return result;
  }

  send(message: unknown): void {
    this.socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Notifications of one method so far. */
  notifications(method: string): readonly Message[] {
    return this.messages.filter((message) => message.method === method);
  }

  close(): void {
    this.socket.destroy();
  }
}
