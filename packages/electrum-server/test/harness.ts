import { FakeClock, settle } from '@headframe/primitives/testing';
import type { ListenerInfo } from '@headframe/sessions';
import { createMemoryPair, type MemoryPairOptions } from '@headframe/transport/testing';
import { createElectrumFramework, type ElectrumFramework, type ElectrumFrameworkOptions } from '../src/index.js';

const LISTENER: ListenerInfo = { index: 0, host: 'memory', port: 50_001, tls: false };

export interface Peer {
  /** Everything received. */
  text: string;
  closed: boolean;
  send(...messages: unknown[]): void;
  raw(text: string): void;
  /** Lines received so far, parsed. */
  lines(): unknown[];
  /** Sends one request and waits for its line. */
  ask(method: string, params?: unknown): Promise<Record<string, unknown>>;
  connection: ReturnType<typeof createMemoryPair>['client'];
}

export interface FrameworkHarness {
  readonly clock: FakeClock;
  readonly server: ElectrumFramework;
  /** Why sessions ended, in order. */
  readonly ends: string[];
  connect(options?: MemoryPairOptions): Peer;
  close(): Promise<void>;
}

/** A framework over memory connections from a foreign address, so that every limit holds. */
export function createHarness(options: ElectrumFrameworkOptions = {}): FrameworkHarness {
  const clock = new FakeClock();
  const server = createElectrumFramework(options, { clock });
  const ends: string[] = [];
  server.on('closed', ({ reason }) => ends.push(reason));
  return {
    clock,
    server,
    ends,
    connect: (pairOptions) => {
      const pair = createMemoryPair({ clock, clientAddress: '192.0.2.77', ...pairOptions });
      const peer = createPeer(pair.client);
      server.attach(pair.server, LISTENER);
      return peer;
    },
    close: async () => {
      const closing = server.close({ drainMs: 1000 });
      await clock.advanceAsync(10_000);
      await closing;
    },
  };
}

function createPeer(connection: Peer['connection']): Peer {
  let nextId = 1000;
  const peer: Peer = {
    connection,
    text: '',
    closed: false,
    send: (...messages) => peer.raw(messages.map((message) => `${JSON.stringify(message)}\n`).join('')),
    raw: (text) => {
      connection.write(text);
    },
    lines: () =>
      peer.text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as unknown),
    ask: async (method, params) => {
      const id = nextId++;
      peer.send({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });
      for (let turn = 0; turn < 20; turn++) {
        await settle();
        const found = peer.lines().find((line) => isRecord(line) && line.id === id);
        if (isRecord(found)) return found;
      }
      throw new Error(`no answer to ${method}; received ${peer.text}`);
    },
  };
  connection.start({
    data: (chunk) => {
      peer.text += Buffer.from(chunk).toString('latin1');
    },
    drain: () => {},
    ended: () => connection.end(),
    closed: () => {
      peer.closed = true;
    },
  });
  return peer;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
