import { silentLogger } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { createMemoryPair, type MemoryPairOptions } from '@headframe/transport/testing';
import type { ControlSecrets } from '../../src/control/guard.js';
import { ControlMethods } from '../../src/control/methods.js';
import { ControlServer } from '../../src/control/server.js';

export const TOKEN = 'a-token-of-the-tests-0123';

export interface Peer {
  /** Everything received. */
  text: string;
  closed: boolean;
  raw(text: string): void;
  send(...messages: unknown[]): void;
  /** Complete lines received so far, parsed. */
  lines(): Record<string, unknown>[];
  /** Waits for so many lines. */
  answers(count: number): Promise<Record<string, unknown>[]>;
  end(): void;
  freeze(): void;
}

export interface Harness {
  readonly clock: FakeClock;
  readonly methods: ControlMethods;
  readonly server: ControlServer;
  connect(options?: MemoryPairOptions): Peer;
  close(): Promise<void>;
}

/** A control server without sockets; `add` adds two numbers, `echo` gives its params back, `who` tells who calls. */
export function createHarness(secrets: ControlSecrets = { token: TOKEN }): Harness {
  const clock = new FakeClock();
  const methods = new ControlMethods(100);
  methods.expose('echo', undefined, (params) => params);
  methods.expose('who', undefined, (_params, call) => call.address);
  const server = new ControlServer(
    { host: '127.0.0.1', port: undefined, socket: undefined, secrets },
    { methods, clock, log: silentLogger },
  );
  return {
    clock,
    methods,
    server,
    connect(options) {
      const pair = createMemoryPair({ clock, clientAddress: '127.0.0.1', ...options });
      const peer: Peer = {
        text: '',
        closed: false,
        raw: (text) => pair.client.write(text),
        send: (...messages) => pair.client.write(messages.map((message) => `${JSON.stringify(message)}\n`).join('')),
        lines: () =>
          peer.text
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line) as Record<string, unknown>),
        answers: async (count) => {
          await until(`${count} answers`, () => peer.text.split('\n').length > count);
          return peer.lines();
        },
        end: () => pair.client.end(),
        freeze: () => pair.client.freeze(),
      };
      pair.client.start({
        data: (chunk) => {
          peer.text += Buffer.from(chunk).toString('latin1');
        },
        drain: () => {},
        ended: () => pair.client.end(),
        closed: () => {
          peer.closed = true;
        },
      });
      server.attach(pair.server);
      return peer;
    },
    async close() {
      const closing = server.close(1000);
      await clock.advanceAsync(10_000);
      await closing;
    },
  };
}

/** A request over HTTP. */
export function post(body: unknown, headers: Readonly<Record<string, string>> = {}): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const all = { Host: 'pool', 'Content-Length': String(Buffer.byteLength(text)), ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST / HTTP/1.1\r\n${head.join('')}\r\n${text}`;
}

/** Lets the machine work until something is so; passwords are hashed in threads, which no fake clock hurries. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 20_000) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, turn < 100 ? 0 : 1));
  }
}

export { settle };
