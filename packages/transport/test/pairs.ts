import { createSecureContext } from 'node:tls';
import type { FakeClock } from '@headframe/primitives/testing';
import { type Connection, connectTcp, type ListenOptions, listenTcp } from '@headframe/transport';
import type { TransportPair } from '@headframe/transport/compliance';
import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { SocketConnection } from '../src/socket-connection.js';

/** A connected pair over loopback. */
export async function tcpPair(
  clock?: FakeClock,
  options: Partial<ListenOptions> & { tls?: boolean } = {},
): Promise<TransportPair> {
  let accepted: (connection: Connection) => void = () => {};
  const serverSide = new Promise<Connection>((resolve) => {
    accepted = resolve;
  });
  const time = clock === undefined ? {} : { clock };
  const listener = await listenTcp({ host: '127.0.0.1', port: 0, ...time, ...options }, (connection) => {
    if (options.tls === true && connection instanceof SocketConnection) {
      connection.startTls(createSecureContext(TEST_CERTIFICATE), new Uint8Array(0));
    }
    accepted(connection);
  });
  const client = await connectTcp({
    ...listener.address,
    ...time,
    ...(options.tls === true ? { tls: { ca: TEST_CERTIFICATE.cert, servername: 'localhost' } } : {}),
  });
  return { client, server: await serverSide, close: () => listener.close() };
}
