import { createHash } from 'node:crypto';
import { bytesToHex, errorMessage, type Logger, PoolError, reverseBytes, silentLogger } from '@headframe/primitives';
import type { ZmqEndpoints } from './node.js';

/** The part of a zeromq SUB socket that is used here. */
export interface ZmqSocket extends AsyncIterable<readonly Uint8Array[]> {
  connect(endpoint: string): void;
  subscribe(...topics: string[]): void;
  close(): void;
}

/** Makes a SUB socket; loads the optional package. Replaced in tests that need no broker. */
export type ZmqLoader = () => Promise<ZmqSocket>;

export interface ZmqSubscriberModules {
  readonly log?: Logger;
  readonly load?: ZmqLoader;
}

/**
 * Block announcements of one node over ZeroMQ. A hint only: messages can get lost, so polling goes on beside it.
 * zeromq reconnects by itself when the node restarts.
 */
export interface ZmqSubscriber {
  /** Announcements that got lost, by the sequence numbers of the node. */
  readonly missed: number;
  close(): void;
}

/** Takes the display hex of the new tip. */
type OnBlock = (hash: string) => void;

/** The package is loaded only when an endpoint is configured. */
const loadZeromq: ZmqLoader = async () => {
  let zeromq: typeof import('zeromq');
  try {
    zeromq = await import('zeromq');
  } catch (error) {
    throw new PoolError(
      'not_supported',
      'ZMQ is configured, but the optional package "zeromq" cannot be loaded; run: npm install zeromq',
      { cause: error },
    );
  }
  return new zeromq.Subscriber({
    linger: 0,
    // A node publishes a few messages per block; with more than this unread something is wrong, and one suffices.
    receiveHighWaterMark: 100,
    // Notices a vanished publisher: otherwise a silent connection looks like a chain without blocks.
    tcpKeepalive: 1,
    tcpKeepaliveIdle: 60,
    reconnectMaxInterval: 10_000,
  });
};

/**
 * Subscribes to `hashblock` and `rawblock` as configured.
 * @throws PoolError `not_supported` as a rejection when the package is missing; `invalid_argument` on a bad endpoint.
 */
export async function subscribeZmq(
  endpoints: ZmqEndpoints,
  onBlock: OnBlock,
  modules: ZmqSubscriberModules = {},
): Promise<ZmqSubscriber> {
  const socket = await (modules.load ?? loadZeromq)();
  const subscriber = new BlockSubscriber(socket, onBlock, modules.log ?? silentLogger);
  try {
    for (const topic of ['hashblock', 'rawblock'] as const) {
      const endpoint = endpoints[topic];
      if (endpoint === undefined) continue;
      socket.subscribe(topic);
      socket.connect(endpoint);
    }
  } catch (error) {
    socket.close();
    throw new PoolError('invalid_argument', `cannot subscribe to ZMQ: ${errorMessage(error)}`);
  }
  void subscriber.run();
  return subscriber;
}

class BlockSubscriber implements ZmqSubscriber {
  missed = 0;
  readonly #socket: ZmqSocket;
  readonly #onBlock: OnBlock;
  readonly #log: Logger;
  readonly #sequences = new Map<string, number>();
  #closed = false;

  constructor(socket: ZmqSocket, onBlock: OnBlock, log: Logger) {
    this.#socket = socket;
    this.#onBlock = onBlock;
    this.#log = log;
  }

  async run(): Promise<void> {
    try {
      for await (const frames of this.#socket) {
        if (this.#closed) return;
        this.#receive(frames);
      }
    } catch (error) {
      if (!this.#closed) this.#log.error({ error: errorMessage(error) }, 'ZMQ subscription ended; polling goes on');
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  #receive([topicFrame, body, sequenceFrame]: readonly Uint8Array[]): void {
    if (topicFrame === undefined || body === undefined) return;
    const topic = Buffer.from(topicFrame).toString('latin1');
    const hash =
      topic === 'hashblock' ? hashOfHashblock(body) : topic === 'rawblock' ? hashOfRawblock(body) : undefined;
    if (hash === undefined) {
      this.#log.debug({ topic: JSON.stringify(topic), bytes: body.length }, 'ignored a ZMQ message');
      return;
    }
    if (sequenceFrame?.length === 4) this.#count(topic, Buffer.from(sequenceFrame).readUInt32LE(0));
    this.#onBlock(hash);
  }

  #count(topic: string, sequence: number): void {
    const last = this.#sequences.get(topic);
    this.#sequences.set(topic, sequence);
    // Lower than before: the node restarted and counts from 0 again.
    if (last === undefined || sequence <= last || sequence === last + 1) return;
    this.missed += sequence - last - 1;
    this.#log.debug({ topic, missed: sequence - last - 1 }, 'ZMQ messages were lost');
  }
}

/** The node sends the hash in display order. */
function hashOfHashblock(body: Uint8Array): string | undefined {
  return body.length === 32 ? bytesToHex(body) : undefined;
}

/** Block id of the chains known here: SHA-256d of the 80-byte header. */
function hashOfRawblock(body: Uint8Array): string | undefined {
  if (body.length < 81) return undefined;
  const once = createHash('sha256').update(body.subarray(0, 80)).digest();
  return bytesToHex(reverseBytes(createHash('sha256').update(once).digest()));
}
