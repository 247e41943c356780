import { FakeClock, settle } from '@headframe/primitives/testing';
import type { Connection } from '@headframe/transport';
import { createMemoryPair, type MemoryConnection } from '@headframe/transport/testing';
import {
  type ElectrumDialect,
  ElectrumError,
  encodeElectrumError,
  encodeElectrumNotification,
  encodeElectrumResult,
  parseElectrumMessage,
  toElectrumError,
} from '../src/index.js';

export { FakeClock, settle };

/** Answer of a scripted server: a value, an error to throw, or this for no answer at all. */
export const SILENCE = Symbol('silence');

export type Script = (method: string, params: readonly unknown[], server: ScriptedServer) => unknown;

export const GENESIS_HEADER =
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000';
/** Of Bitcoin's regtest. */
export const GENESIS_HASH = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206';

/** A server in memory that answers what its script says. It counts what it was asked. */
export class ScriptedServer {
  readonly calls: { readonly method: string; readonly params: readonly unknown[] }[] = [];
  readonly lines: string[] = [];
  readonly connections: MemoryConnection[] = [];
  dialect: ElectrumDialect = 'modern';
  /** Refuse new connections. */
  down = false;
  chunkBytes: number | undefined = undefined;
  script: Script;
  readonly clock: FakeClock;

  constructor(clock: FakeClock, script: Script = modernScript()) {
    this.clock = clock;
    this.script = script;
  }

  readonly connect = (): Promise<Connection> => {
    if (this.down) return Promise.reject(new Error('refused'));
    const { client, server } = createMemoryPair({
      clock: this.clock,
      windowBytes: 10_000_000,
      ...(this.chunkBytes !== undefined && { chunkBytes: this.chunkBytes }),
    });
    this.connections.push(server);
    let text = '';
    server.start({
      data: (chunk) => {
        text += Buffer.from(chunk).toString('latin1');
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          this.#line(server, text.slice(0, end));
          text = text.slice(end + 1);
        }
      },
      drain: () => {},
      closed: () => {},
    });
    return Promise.resolve(client);
  };

  get open(): MemoryConnection | undefined {
    return this.connections.filter(({ closing }) => !closing).at(-1);
  }
  get opens(): number {
    return this.connections.filter(({ closing }) => !closing).length;
  }
  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  /** Sends raw text on the newest connection. */
  raw(text: string): void {
    this.open?.write(text);
  }
  notify(method: string, ...params: unknown[]): void {
    this.raw(`${encodeElectrumNotification(method, params, this.dialect)}\n`);
  }
  /** Hangs up on everybody. */
  hangUp(): void {
    for (const connection of this.connections) connection.destroy();
  }

  #line(connection: MemoryConnection, line: string): void {
    this.lines.push(line);
    const packet = parseElectrumMessage(line);
    const messages = packet.kind === 'batch' ? packet.messages : [packet];
    const answers = messages.flatMap((message) => {
      if (message.kind !== 'request') return [];
      const params = Array.isArray(message.params) ? (message.params as readonly unknown[]) : [];
      this.calls.push({ method: message.method, params });
      try {
        const result = this.script(message.method, params, this);
        return result === SILENCE ? [] : [encodeElectrumResult(message.idText, result, this.dialect)];
      } catch (error) {
        return [encodeElectrumError(message.idText, toElectrumError(error), this.dialect)];
      }
    });
    if (packet.kind === 'batch') connection.write(`[${answers.join(',')}]\n`);
    else for (const answer of answers) connection.write(`${answer}\n`);
  }
}

/** A modern server at height 0; `overrides` answer before it. */
export function modernScript(overrides: Readonly<Record<string, unknown>> = {}, version = '1.4.2'): Script {
  const answers: Readonly<Record<string, unknown>> = {
    'server.version': ['scripted 1.0', version],
    'server.ping': null,
    'server.banner': 'welcome',
    'server.donation_address': '',
    'server.features': {
      genesis_hash: GENESIS_HASH,
      hosts: {},
      protocol_min: '1.4',
      protocol_max: '1.6',
      server_version: 'scripted 1.0',
      hash_function: 'sha256',
      pruning: null,
    },
    'blockchain.headers.subscribe': { height: 0, hex: GENESIS_HEADER },
    'blockchain.block.header': GENESIS_HEADER,
    'blockchain.scripthash.subscribe': null,
    'blockchain.scripthash.unsubscribe': true,
    ...overrides,
  };
  return (method, params, server) => {
    if (!Object.hasOwn(answers, method)) throw new ElectrumError(-32601, `unknown method ${method}`);
    const answer = answers[method];
    return typeof answer === 'function' ? (answer as Script)(method, params, server) : answer;
  };
}

/** The error a promise rejects with; fails when it resolves. */
export async function failureOf(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`rejected with ${String(error)}`);
  }
  throw new Error('resolved where a failure was expected');
}
