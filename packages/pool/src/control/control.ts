import { readFileSync } from 'node:fs';
import { type Clock, errorMessage, type Logger, PoolError } from '@headframe/primitives';
import type { Connection } from '@headframe/transport';
import type { PoolConfig } from '../config/schema.js';
import { CONTROL_LIMITS } from './limits.js';
import { type ControlHandler, ControlMethods, type ControlSchema, type ExposeOptions } from './methods.js';
import { parsePasswordHash } from './password.js';
import { ControlServer, type ControlServerOptions } from './server.js';

type ControlConfig = NonNullable<PoolConfig['control']>;

interface Modules {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The control RPC of a pool. Methods can be exposed at any time; it listens where `control` of the configuration says
 * so.
 */
export class PoolControl {
  /** @internal */
  readonly methods = new ControlMethods(CONTROL_LIMITS.methods);
  readonly #server: ControlServer | undefined;

  /** @throws PoolError `invalid_config` when a secret cannot be read */
  constructor(config: ControlConfig | undefined, modules: Modules) {
    if (config !== undefined) {
      this.#server = new ControlServer(serverOptions(config), { methods: this.methods, ...modules });
    }
  }

  /**
   * Adds a method of your own, or replaces a built-in one. `schema` is any Standard Schema of the params (an object, or a
   * list where they come as one); undefined: they come unchecked. The handler answers with a value or a promise of one,
   * or refuses by `reject`. Returns the function that takes it back.
   * @throws PoolError `invalid_argument` for a name that is none, `queue_full` when there are too many
   * @example
   * pool.control.expose('rigs.count', z.object({ account: z.string() }), ({ account }) => rigs.count(account));
   */
  expose<Params>(
    name: string,
    schema: ControlSchema<Params> | undefined,
    handler: ControlHandler<Params>,
    options?: ExposeOptions,
  ): () => void {
    return this.methods.expose(name, schema, handler, options);
  }

  /** Names that can be called. */
  get names(): string[] {
    return this.methods.list().map(({ name }) => name);
  }

  /** Where it listens by TCP; undefined before `listen` and without a port. */
  get address(): { readonly host: string; readonly port: number } | undefined {
    return this.#server?.address;
  }

  /**
   * Takes over an open connection as one of the control port: a memory transport in tests, a tunnel of your own. One
   * with an empty `remoteAddress` needs no secret, like the UNIX socket.
   * @throws PoolError `not_supported` without `control` in the configuration
   */
  attach(connection: Connection): void {
    if (this.#server === undefined) throw new PoolError('not_supported', 'there is no control in the configuration');
    this.#server.attach(connection);
  }

  /** @internal */
  async start(): Promise<void> {
    await this.#server?.start();
  }

  /** @internal */
  async close(drainMs: number): Promise<void> {
    await this.#server?.close(drainMs);
  }
}

function serverOptions(config: ControlConfig): ControlServerOptions {
  const { host, port, socket, passwordHash, legacyPasswordSha256 } = config;
  return {
    host,
    port,
    socket,
    secrets: {
      token: config.token ?? readToken(config.tokenFile),
      password: passwordHash === undefined ? undefined : parsePasswordHash(passwordHash),
      legacySha256: legacyPasswordSha256,
    },
  };
}

const MIN_TOKEN_LENGTH = 16;

/** @throws PoolError `invalid_config` */
function readToken(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new PoolError('invalid_config', `control.tokenFile cannot be read: ${errorMessage(error)}`);
  }
  if (token.length >= MIN_TOKEN_LENGTH && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new PoolError(
    'invalid_config',
    `control.tokenFile must hold at least ${MIN_TOKEN_LENGTH} printable ASCII characters`,
  );
}
