import { type Clock, type Logger, PoolError } from '@headframe/primitives';
import {
  createSessionServer,
  type ListenerInfo,
  type ProtocolDefinition,
  type SessionServer,
} from '@headframe/sessions';
import { type Connection, type Detector, httpDetector, type Listener, listenUnix } from '@headframe/transport';
import { ControlConnection } from './connection.js';
import { Dispatcher } from './dispatcher.js';
import { ControlGuard, type ControlSecrets } from './guard.js';
import { HttpWire } from './http-wire.js';
import { JsonWire } from './json-wire.js';
import { CONTROL_LIMITS } from './limits.js';
import type { ControlMethods } from './methods.js';
import type { ControlWire } from './wire.js';

/** Where a control server listens, and for whom. */
export interface ControlServerOptions {
  readonly host: string;
  /** Undefined: no TCP. 0 lets the system pick one. */
  readonly port: number | undefined;
  /** Path of a UNIX socket, whose permissions are its secret. */
  readonly socket: string | undefined;
  readonly secrets: ControlSecrets;
}

interface ControlServerModules {
  readonly methods: ControlMethods;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An object or a list; whatever space is before it. */
const jsonDetector: Detector = {
  name: 'control-json',
  detect(prefix, length) {
    for (let at = 0; at < length; at++) {
      const byte = prefix[at];
      if (byte === 0x7b || byte === 0x5b) return 'yes';
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return 'no';
    }
    return 'more';
  },
};

/** JSON-RPC 2.0 for the operator: bare and over HTTP on one port, and on a UNIX socket. */
export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #modules: ControlServerModules;
  readonly #sessions: SessionServer;
  readonly #guard: ControlGuard;
  #unix: Listener | undefined = undefined;
  #tcp: ListenerInfo | undefined = undefined;

  constructor(options: ControlServerOptions, modules: ControlServerModules) {
    checkSecrets(options);
    this.#options = options;
    this.#modules = modules;
    const { clock, log, methods } = modules;
    const { port, host } = options;
    const guard = new ControlGuard(options.secrets, clock);
    this.#guard = guard;
    const dispatcher = new Dispatcher({ methods, guard, clock, log });
    const protocol = (detector: Detector, makeWire: () => ControlWire): ProtocolDefinition => ({
      name: detector.name,
      detector,
      create: (session) => new ControlConnection(session, makeWire(), dispatcher),
    });
    const limits = CONTROL_LIMITS;
    this.#sessions = createSessionServer(
      {
        listeners: port === undefined ? [] : [{ host, port }],
        limits: {
          connections: limits.connections,
          connectionsPerAddress: limits.connectionsPerAddress,
          unauthorizedPerAddress: limits.connectionsPerAddress,
          connectsPerSecondPerAddress: limits.requestsPerSecond,
          connectBurstPerAddress: limits.requestBurst,
          rememberedAddresses: limits.rememberedAddresses,
          authorizeTimeoutMs: limits.authorizeTimeoutMs,
          detectTimeoutMs: limits.authorizeTimeoutMs,
          idleTimeoutMs: limits.idleTimeoutMs,
          requestsPerSecond: limits.requestsPerSecond,
          requestBurst: limits.requestBurst,
          unsentBytes: limits.replyBytes * 2,
          // When miners are turned away because the loop is late, the operator must still get in.
          overloadDelayMs: Number.POSITIVE_INFINITY,
        },
        // The machine itself is limited too, and nobody is banned: the operator comes from the same address.
        bans: { enabled: false, allow: [] },
      },
      {
        protocols: [
          protocol(jsonDetector, () => new JsonWire()),
          protocol(
            { name: 'control-http', detect: (prefix, length) => httpDetector.detect(prefix, length) },
            () => new HttpWire(),
          ),
        ],
        clock,
        log,
      },
    );
  }

  /** Where TCP is listened on; undefined before {@link start} and without it. */
  get address(): { readonly host: string; readonly port: number } | undefined {
    return this.#tcp === undefined ? undefined : { host: this.#tcp.host, port: this.#tcp.port };
  }
  /** Connections open. */
  get connections(): number {
    return this.#sessions.sessionCount;
  }
  /** Passwords hashed since the start: what an attack on the secret costs. */
  get passwordHashes(): number {
    return this.#guard.hashes;
  }

  /** @throws PoolError `listen_failed`; nothing stays open then */
  async start(): Promise<void> {
    const { socket } = this.#options;
    const { clock, log } = this.#modules;
    try {
      [this.#tcp] = await this.#sessions.listen();
      if (socket === undefined) return;
      this.#unix = await listenUnix({ path: socket, clock, log }, (connection) => this.attach(connection, socket));
      log.info({ socket }, 'control socket is open');
    } catch (error) {
      await this.close(0);
      throw error;
    }
  }

  /** Takes over a connection: of the UNIX socket where its `remoteAddress` is empty, else like any of TCP. */
  attach(connection: Connection, host = ''): void {
    this.#sessions.attach(connection, { index: -1, host, port: 0, tls: false });
  }

  /** Lets calls under way end within the time, then closes. Idempotent. */
  async close(drainMs: number): Promise<void> {
    await this.#unix?.close();
    await this.#sessions.close({ drainMs });
  }
}

/** @throws PoolError `invalid_config` for a port without any secret */
function checkSecrets({ port, secrets }: ControlServerOptions): void {
  if (port === undefined) return;
  if (secrets.token === undefined && secrets.password === undefined && secrets.legacySha256 === undefined) {
    throw new PoolError('invalid_config', 'the control port needs a token or password');
  }
}
