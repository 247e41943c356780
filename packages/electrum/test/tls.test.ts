import { X509Certificate } from 'node:crypto';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { ElectrumClient, type ElectrumClientOptions } from '../src/index.js';
import { failureOf } from './support.js';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** A server that knows `server.version` only; answers with its port. */
async function serve(secure: boolean): Promise<number> {
  const answer = (socket: NodeJS.ReadWriteStream): void => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write('{"jsonrpc":"2.0","id":1,"result":["tls test","1.4"]}\n'));
    socket.once('end', () => socket.end());
  };
  const server = secure ? createTlsServer(TEST_CERTIFICATE, answer) : createTcpServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function reach(secure: boolean, tls?: ElectrumClientOptions['tls']): Promise<string | undefined> {
  const port = await serve(secure);
  const client = new ElectrumClient({
    server: `${secure ? 'ssl' : 'tcp'}://127.0.0.1:${port}`,
    reconnect: false,
    ...(tls !== undefined && { tls }),
  });
  try {
    await client.connect();
    return client.version;
  } finally {
    await client.close();
  }
}

const fingerprint256 = new X509Certificate(TEST_CERTIFICATE.cert).fingerprint256;

describe('TCP and TLS', () => {
  it('connects by TCP', async () => {
    expect(await reach(false)).toBe('1.4');
  });
  it('refuses a certificate that nobody signed, by default', async () => {
    expect((await failureOf(reach(true))).code).toBe('connection_refused');
  });
  it('takes it with the authority given', async () => {
    expect(await reach(true, { ca: TEST_CERTIFICATE.cert })).toBe('1.4');
  });
  it('takes it when it is pinned, and no other', async () => {
    expect(await reach(true, { fingerprint256 })).toBe('1.4');
    const other = fingerprint256.startsWith('00') ? `11${fingerprint256.slice(2)}` : `00${fingerprint256.slice(2)}`;
    expect((await failureOf(reach(true, { fingerprint256: other }))).code).toBe('connection_refused');
  });
  it('takes it when self-signed ones are allowed', async () => {
    expect(await reach(true, { allowSelfSigned: true })).toBe('1.4');
  });
});
