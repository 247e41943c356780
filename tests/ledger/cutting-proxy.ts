import { connect, createServer, type Server, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly port: number;
  /** The next COMMIT reaches the server, and its answer reaches nobody: both connections are cut. */
  cutAfterCommit(): void;
  /** Connections cut so far. */
  readonly cuts: number;
  close(): Promise<void>;
}

/** A simple query in PostgreSQL's protocol: `Q`, length, text, NUL. */
const COMMIT = Buffer.from('Q\0\0\0\u000bCOMMIT\0', 'latin1');

/** Stands between a client and PostgreSQL and loses acknowledgements on request. */
export async function startCuttingProxy(targetPort: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let isArmed = false;
  let cuts = 0;
  const server: Server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1');
    let isCutting = false;
    const end = (): void => {
      client.destroy();
      target.destroy();
    };
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', end).on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (bytes) => {
      if (isArmed && bytes.includes(COMMIT)) {
        isArmed = false;
        isCutting = true;
      }
      target.write(bytes);
    });
    target.on('data', (bytes) => {
      if (!isCutting) {
        client.write(bytes);
        return;
      }
      cuts++;
      end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port');
  return {
    port: address.port,
    cutAfterCommit: () => {
      isArmed = true;
    },
    get cuts() {
      return cuts;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
