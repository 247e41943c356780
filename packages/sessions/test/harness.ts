import { type Clock, type MaybePromise, silentLogger, TypedEmitter } from '@headframe/primitives';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { jsonDetector } from '@headframe/transport';
import { createMemoryPair, type MemoryConnection, type MemoryPairOptions } from '@headframe/transport/testing';
import {
  CallContext,
  createSessionHooks,
  createSessionServer,
  JsonRpcProtocol,
  type JsonRpcSettings,
  type ListenerInfo,
  MethodRegistry,
  type ProtocolDefinition,
  type SessionEvents,
  type SessionServer,
  type SessionServerModules,
  type SessionServerOptions,
} from '../src/index.js';

export const LISTENER: ListenerInfo = { index: 0, host: 'memory', port: 3333, tls: false };

/** A second state per session, to see that the layer above can keep one. */
export interface TestState {
  seen: number;
}

export type TestProtocol = JsonRpcProtocol<CallContext, TestState>;
export type TestSettings = JsonRpcSettings<CallContext, TestState>;

export interface TestPeer {
  readonly connection: MemoryConnection;
  /** Everything received. */
  text: string;
  /** One entry per chunk received, i.e. per write of the server. */
  readonly writes: string[];
  closed: boolean;
  ended: boolean;
  send(...lines: unknown[]): void;
  raw(text: string): void;
  /** Complete lines received so far, parsed. */
  lines(): Record<string, unknown>[];
  /** Ids of the responses received so far, in order. */
  ids(): unknown[];
}

export interface Harness {
  readonly clock: FakeClock;
  readonly server: SessionServer<CallContext>;
  readonly methods: MethodRegistry<CallContext>;
  readonly events: TypedEmitter<SessionEvents>;
  readonly hooks: SessionServer<CallContext>['hooks'];
  readonly protocols: TestProtocol[];
  /** What was closed, and why. */
  readonly ends: string[];
  /** Errors that listeners threw. */
  readonly listenerErrors: unknown[];
  connect(options?: MemoryPairOptions): TestPeer;
  close(): Promise<void>;
}

/** A reject as the tests want it on the wire. */
function encodeError(idText: string, code: string, reason: string | undefined): string {
  return `{"id":${idText},"result":null,"error":[${JSON.stringify(code)},${JSON.stringify(reason ?? '')},null]}\n`;
}

export interface HarnessOptions extends SessionServerOptions {
  readonly settings?: Partial<TestSettings>;
  readonly modules?: Partial<SessionServerModules<CallContext>>;
  readonly clock?: Clock;
}

/** A protocol with an `echo`, a `login` and a `subscribe` method, for servers under test. */
export function createTestProtocol(
  methods: MethodRegistry<CallContext>,
  hooks: SessionServer<CallContext>['hooks'],
  overrides: Partial<TestSettings>,
  made: TestProtocol[],
): ProtocolDefinition {
  const settings: TestSettings = {
    name: 'test',
    methods,
    onRequest: hooks.list('onRequest'),
    beforeReply: hooks.list('beforeReply'),
    createState: () => ({ seen: 0 }),
    createContext: (protocol, request) =>
      new CallContext(protocol.session, request.method, request.params, request.wantsReply),
    encodeError,
    ...overrides,
  };
  return {
    name: 'test',
    detector: jsonDetector,
    create(session) {
      const protocol = new JsonRpcProtocol(session, settings);
      made.push(protocol);
      return protocol;
    },
  };
}

export function createHarness(options: HarnessOptions = {}): Harness {
  const clock = new FakeClock();
  const listenerErrors: unknown[] = [];
  const events = new TypedEmitter<SessionEvents>((error) => listenerErrors.push(error));
  const hooks = createSessionHooks<CallContext>(silentLogger, events);
  const methods = new MethodRegistry<CallContext>();
  methods.register('echo', { handler: ({ params }) => params });
  methods.register('subscribe', {
    changesPhase: true,
    handler: ({ session }) => {
      protocolOf(session).session.markSubscribed();
      return 'subscribed';
    },
  });
  methods.register('login', {
    changesPhase: true,
    handler: ({ session }) => {
      protocolOf(session).session.markAuthorized();
      return true;
    },
  });
  const protocols: TestProtocol[] = [];
  function protocolOf(session: unknown): TestProtocol {
    const found = protocols.find((protocol) => protocol.session === session);
    if (!found) throw new Error('no such session');
    return found;
  }
  const ends: string[] = [];
  events.on('closed', ({ reason }) => ends.push(reason));
  const definition = createTestProtocol(methods, hooks, options.settings ?? {}, protocols);
  const server = createSessionServer<CallContext>(options, {
    clock,
    events,
    hooks,
    protocols: [definition],
    loopDelay: { sample: () => 0, close: () => {} },
    ...options.modules,
  });
  return {
    clock,
    server,
    methods,
    events,
    hooks,
    protocols,
    ends,
    listenerErrors,
    connect(pairOptions) {
      const pair = createMemoryPair({ clock, clientAddress: '192.0.2.77', ...pairOptions });
      const peer = createPeer(pair.client);
      server.attach(pair.server, LISTENER);
      return peer;
    },
    async close() {
      const closing = server.close({ drainMs: 1000 });
      await clock.advanceAsync(10_000);
      await closing;
    },
  };
}

export function createPeer(connection: MemoryConnection): TestPeer {
  const writes: string[] = [];
  const peer: TestPeer = {
    connection,
    text: '',
    writes,
    closed: false,
    ended: false,
    send(...lines) {
      peer.raw(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    },
    raw(text) {
      connection.write(text);
    },
    lines() {
      return peer.text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    ids() {
      return peer
        .lines()
        .filter((line) => !('method' in line))
        .map((line) => line.id);
    },
  };
  connection.start({
    data(chunk) {
      const text = Buffer.from(chunk).toString('latin1');
      peer.text += text;
      writes.push(text);
    },
    drain() {},
    ended() {
      peer.ended = true;
      connection.end();
    },
    closed() {
      peer.closed = true;
    },
  });
  return peer;
}

/** A promise and its ends. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function defer<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

export type { MaybePromise };
export { settle };
