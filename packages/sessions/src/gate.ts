import { hostname } from 'node:os';
import { createSecureContext, type SecureContext } from 'node:tls';
import {
  errorMessage,
  isPromiseLike,
  isReject,
  type MaybePromise,
  PoolError,
  type Reject,
  type Timer,
} from '@headframe/primitives';
import {
  type AddressMatcher,
  type Connection,
  createAddressMatcher,
  type Detector,
  httpDetector,
  httpProbeAnswer,
  type Listener,
  listenTcp,
  type OpenOptions,
  type OpenResult,
  openConnection,
} from '@headframe/transport';
import { addressKey } from './address.js';
import type { AddressEntry } from './addresses.js';
import type { ListenerOptions } from './options.js';
import type { ProtocolDefinition } from './protocol.js';
import type { SessionServer } from './server.js';
import { SessionCore } from './session.js';
import { STRIKES } from './session-host.js';
import type { AdmitHandler, CloseReason, ListenerInfo, MethodContext } from './types.js';

/** What the gate knows of a listener. */
interface Port {
  readonly info: ListenerInfo;
  readonly open: OpenOptions;
  readonly trusted: AddressMatcher | undefined;
  readonly stratumUrl: string | undefined;
}

/** A connection on its way to becoming a session. */
class Opening {
  readonly connection: Connection;
  readonly port: Port;
  /** The address it is counted under; undefined while a trusted proxy has not said for whom it speaks. */
  entry: AddressEntry | undefined;

  constructor(connection: Connection, port: Port, entry: AddressEntry | undefined) {
    this.connection = connection;
    this.port = port;
    this.entry = entry;
  }
}

/** Lets connections in: limits and bans, PROXY header, TLS, protocol, `admit`. What passes becomes a session. */
export class Gate<Context extends MethodContext> {
  readonly #server: SessionServer<Context>;
  readonly #admit: AdmitHandler | undefined;
  readonly #openings = new Set<Opening>();
  #listeners: Listener[] = [];
  #lastSessionId = 0;
  #accepted = 0;
  #closed = false;
  #listening = false;

  constructor(server: SessionServer<Context>, admit: AdmitHandler | undefined) {
    this.#server = server;
    this.#admit = admit;
  }

  /** Connections that have not become a session yet. */
  get opening(): number {
    return this.#openings.size;
  }

  /** Connections let in. */
  get accepted(): number {
    return this.#accepted;
  }

  /** @throws PoolError `listen_failed` or `invalid_config`; then nothing stays open. */
  async listen(options: readonly ListenerOptions[]): Promise<readonly ListenerInfo[]> {
    if (this.#listening) throw new PoolError('invalid_argument', 'the server is listening already');
    this.#listening = true;
    const ports = options.map((one, index) => this.#port(one, index));
    const infos: ListenerInfo[] = [];
    try {
      for (const [index, { make, host, port, tls }] of ports.entries()) {
        let ready: Port | undefined;
        const listener = await listenTcp(
          {
            host,
            port,
            clock: this.#server.clock,
            log: this.#server.log,
            accept: (address) => ready !== undefined && this.#lets(address, ready),
          },
          (connection) => {
            if (ready) this.#begin(connection, ready, undefined);
          },
        );
        this.#listeners.push(listener);
        ready = make({ index, host: listener.address.host, port: listener.address.port, tls });
        infos.push(ready.info);
        this.#server.log.info({ ...ready.info }, 'listening');
        if (this.#closed) throw new PoolError('closed', 'the server was closed while it opened its listeners');
      }
    } catch (error) {
      this.#listening = false;
      await this.#closeListeners();
      throw error;
    }
    return infos;
  }

  /** Takes a connection that is open already. */
  accept(connection: Connection, info: ListenerInfo, protocol: string | undefined): void {
    const port: Port = { info, open: this.#openOptions(undefined), trusted: undefined, stratumUrl: undefined };
    if (this.#lets(connection.remoteAddress, port)) this.#begin(connection, port, protocol);
    else connection.destroy();
  }

  /** Stops listening and drops what is no session yet. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const opening of [...this.#openings]) this.#drop(opening, 'shutdown');
    await this.#closeListeners();
  }

  async #closeListeners(): Promise<void> {
    const listeners = this.#listeners;
    this.#listeners = [];
    await Promise.allSettled(listeners.map((listener) => listener.close()));
  }

  // --- listeners

  #port(options: ListenerOptions, index: number) {
    const where = `listeners[${index}]`;
    const host = options.host ?? '0.0.0.0';
    const { proxyProtocol, tls } = options;
    let context: SecureContext | undefined;
    let trusted: AddressMatcher | undefined;
    try {
      if (tls) context = createSecureContext({ key: tls.key, cert: tls.cert });
      if (proxyProtocol) trusted = createAddressMatcher(proxyProtocol.trusted);
    } catch (cause) {
      throw new PoolError('invalid_config', `${where}: ${errorMessage(cause)}`, { cause });
    }
    for (const name of options.protocols ?? []) {
      if (!this.#server.protocols.some((protocol) => protocol.name === name)) {
        throw new PoolError('invalid_config', `${where}.protocols: there is no protocol '${name}'`);
      }
    }
    const open: OpenOptions = {
      ...this.#openOptions(options.protocols),
      ...(proxyProtocol && trusted ? { proxy: { mode: proxyProtocol.mode, trusted } } : {}),
      ...(tls && context ? { tls: { mode: tls.required ? 'required' : 'auto', context } } : {}),
    };
    const make = (info: ListenerInfo): Port => ({ info, open, trusted, stratumUrl: options.stratumUrl });
    return { make, host, port: options.port, tls: tls !== undefined };
  }

  #openOptions(names: readonly string[] | undefined): OpenOptions {
    const detectors: Detector[] = [];
    for (const protocol of this.#server.protocols) {
      if (!names || names.includes(protocol.name)) detectors.push(protocol.detector);
    }
    detectors.push(httpDetector);
    const { clock, limits, log } = this.#server;
    return { clock, log, detectors, timeoutMs: limits.detectTimeoutMs };
  }

  // --- limits

  /** True when a new connection from this address may come in; counts why not. */
  #lets(address: string, port: Port): boolean {
    const { limits } = this.#server;
    let refusal: CloseReason | undefined;
    if (this.#closed) refusal = 'shutdown';
    else if (this.#server.sessionCount + this.#openings.size >= limits.connections) refusal = 'too-many-connections';
    else if (this.#server.busy) refusal = 'overloaded';
    // The address of a trusted proxy says nothing; the one in its header is looked at later.
    else if (!port.trusted?.matches(address)) refusal = this.#addressRefusal(address);
    if (refusal === undefined) return true;
    this.#server.countRefused(refusal);
    this.#server.log.debug({ address, reason: refusal }, 'connection refused');
    return false;
  }

  #addressRefusal(address: string): CloseReason | undefined {
    const { addresses, bans, clock, limits } = this.#server;
    if (bans.allow.matches(address)) return undefined;
    if (bans.findAddress(address)) return 'banned';
    const nowMs = clock.monotonic();
    const entry = addresses.entry(addressKey(address), nowMs);
    const mayConnect = entry.takeConnect(nowMs, limits);
    addresses.park(entry);
    if (!mayConnect) return 'rate-limited';
    if (entry.sessions >= limits.connectionsPerAddress) return 'too-many-connections';
    if (entry.sessions - entry.authorized >= limits.unauthorizedPerAddress) return 'too-many-connections';
    return undefined;
  }

  // --- from connection to session

  #begin(connection: Connection, port: Port, protocol: string | undefined): void {
    const { addresses, clock } = this.#server;
    let entry: AddressEntry | undefined;
    if (!port.trusted?.matches(connection.remoteAddress)) {
      entry = addresses.entry(addressKey(connection.remoteAddress), clock.monotonic());
      addresses.enter(entry);
    }
    this.#accepted++;
    const opening = new Opening(connection, port, entry);
    this.#openings.add(opening);
    if (protocol === undefined) {
      openConnection(connection, port.open, (result) => this.#opened(opening, result));
      return;
    }
    const definition = this.#server.protocols.find((candidate) => candidate.name === protocol);
    if (definition) this.#identified(opening, definition, connection.remoteAddress, connection.remotePort);
    else this.#drop(opening, 'unknown-protocol');
  }

  #opened(opening: Opening, result: OpenResult): void {
    if (!this.#openings.has(opening)) return;
    if (!result.ok) {
      if (result.detail !== undefined) {
        const address = opening.connection.remoteAddress;
        this.#server.log.debug({ address, reason: result.reason, detail: result.detail }, 'connection not opened');
      }
      this.#drop(opening, result.reason);
      return;
    }
    if (result.protocol === httpDetector.name) {
      this.#answerHttp(opening);
      return;
    }
    const definition = this.#server.protocols.find((candidate) => candidate.detector.name === result.protocol);
    if (definition) this.#identified(opening, definition, result.remoteAddress, result.remotePort);
    else this.#drop(opening, 'unknown-protocol');
  }

  #answerHttp(opening: Opening): void {
    const { connection, port } = opening;
    const stratumUrl = port.stratumUrl ?? guessUrl(port.info);
    this.#leave(opening);
    this.#server.count('http-probe');
    connection.start(NOBODY);
    connection.write(httpProbeAnswer({ stratumUrl, now: this.#server.clock.now() }));
    connection.end();
  }

  #identified(opening: Opening, definition: ProtocolDefinition, remoteAddress: string, remotePort: number): void {
    const { addresses, bans, clock } = this.#server;
    let exempt = bans.allow.matches(remoteAddress);
    if (!opening.entry) {
      const spokenFor = remoteAddress !== opening.connection.remoteAddress;
      // A trusted proxy that speaks for itself (health checks) is not limited either.
      exempt ||= !spokenFor;
      const refusal = spokenFor ? this.#addressRefusal(remoteAddress) : undefined;
      if (refusal) {
        this.#drop(opening, refusal);
        return;
      }
      opening.entry = addresses.entry(addressKey(remoteAddress), clock.monotonic());
      addresses.enter(opening.entry);
    }
    if (!this.#admit) {
      this.#pass(opening, definition, { remoteAddress, remotePort, exempt });
      return;
    }
    const peer = { remoteAddress, remotePort, secure: opening.connection.secure, listener: opening.port.info };
    let answer: MaybePromise<Reject | boolean | undefined>;
    try {
      answer = this.#admit(peer);
    } catch (error) {
      this.#server.report(error, 'admit');
      this.#drop(opening, 'internal-error');
      return;
    }
    if (isPromiseLike(answer)) this.#admitLater(opening, definition, { remoteAddress, remotePort, exempt }, answer);
    else if (isRefusal(answer)) this.#drop(opening, 'refused');
    else this.#pass(opening, definition, { remoteAddress, remotePort, exempt });
  }

  #admitLater(opening: Opening, definition: ProtocolDefinition, peer: Peer, answer: PromiseLike<unknown>): void {
    const { connection } = opening;
    connection.pause();
    const { clock, limits } = this.#server;
    let timer: Timer | undefined;
    if (Number.isFinite(limits.handlerTimeoutMs)) {
      timer = clock.setTimeout(() => {
        this.#server.log.warn({ address: peer.remoteAddress }, 'admit took too long');
        this.#drop(opening, 'internal-error');
      }, limits.handlerTimeoutMs);
    }
    answer.then(
      (admitted) => {
        timer?.cancel();
        if (!this.#openings.has(opening)) return;
        if (isRefusal(admitted)) this.#drop(opening, 'refused');
        else {
          const session = this.#pass(opening, definition, peer);
          if (!session.paused) connection.resume();
        }
      },
      (error: unknown) => {
        timer?.cancel();
        this.#server.report(error, 'admit');
        this.#drop(opening, 'internal-error');
      },
    );
  }

  #pass(opening: Opening, definition: ProtocolDefinition, peer: Peer): SessionCore {
    const { addresses, clock } = this.#server;
    this.#openings.delete(opening);
    this.#lastSessionId++;
    const session = new SessionCore(this.#server, opening.connection, {
      id: this.#lastSessionId,
      listener: opening.port.info,
      protocol: definition.name,
      // The place taken when the connection came in goes over to the session.
      address: opening.entry ?? addresses.entry(addressKey(peer.remoteAddress), clock.monotonic()),
      ...peer,
    });
    this.#server.open(session, definition);
    return session;
  }

  /** Takes a connection off the books. */
  #leave(opening: Opening): boolean {
    if (!this.#openings.delete(opening)) return false;
    if (opening.entry) this.#server.addresses.leave(opening.entry);
    return true;
  }

  #drop(opening: Opening, reason: CloseReason): void {
    if (!this.#leave(opening)) return;
    this.#server.count(reason);
    opening.connection.destroy();
    const { entry, connection } = opening;
    if (entry && STRIKES.has(reason)) {
      const exempt = this.#server.bans.allow.matches(connection.remoteAddress);
      this.#server.bans.strike({ id: 0, address: entry, exempt, score: undefined }, reason);
    }
  }
}

interface Peer {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly exempt: boolean;
}

/** The address that is listened on, or the machine's name where that is all of them. */
function guessUrl({ host, port }: ListenerInfo): string {
  const any = host === '0.0.0.0' || host === '::';
  return `stratum+tcp://${any ? hostname() : host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isRefusal(answer: unknown): boolean {
  return answer === false || isReject(answer);
}

/** Takes what still comes on a connection that was answered and ended. */
const NOBODY = { data(): void {}, drain(): void {}, closed(): void {} };
