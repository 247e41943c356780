import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { silentLogger, systemClock } from '@headframe/primitives';
import { jsonDetector, type Listener, listenTcp, openConnection } from '@headframe/transport';
import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { connectStratum, MiningClient } from '../src/index.js';
import { FakePool, PoolSession } from './fake-pool.js';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function listen(pool: FakePool, secure: boolean): Promise<Listener> {
  const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (connection) => {
    const context = createSecureContext(TEST_CERTIFICATE);
    openConnection(
      connection,
      {
        clock: systemClock,
        log: silentLogger,
        detectors: [jsonDetector],
        ...(secure && { tls: { mode: 'required', context } }),
      },
      (result) => {
        if (result.ok) pool.sessions.push(new PoolSession(result.connection, pool.methods));
      },
    );
  });
  stops.push(() => listener.close());
  return listener;
}

describe('over the network', () => {
  it.each([
    ['stratum+tcp', false],
    ['stratum+ssl', true],
  ])('mines through %s', async (scheme, secure) => {
    const pool = new FakePool();
    const { address } = await listen(pool, secure);
    const client = new MiningClient({
      url: `${scheme}://127.0.0.1:${address.port}`,
      workers: [{ username: 'w' }],
      tls: { ca: TEST_CERTIFICATE.cert },
    });
    stops.unshift(() => client.close());
    await client.start();
    expect(client.connection?.connection.secure).toBe(secure);
    expect(client.subscription?.extranonce2Size).toBe(8);
    await client.submit({ jobId: '1', extranonce2: new Uint8Array(8), ntime: 1, nonce: 1, versionBits: 0 });
    expect(pool.session.calls('mining.submit').length).toBe(1);
  });

  it('does not take a certificate nobody signed, unless told to', async () => {
    const { address } = await listen(new FakePool(), true);
    const url = `stratum+tls://127.0.0.1:${address.port}`;
    await expect(connectStratum({ url })).rejects.toMatchObject({ code: 'connection_refused' });
    const client = await connectStratum({ url, tls: { allowSelfSigned: true } });
    await client.close();
  });

  it('takes exactly the certificate that is pinned, whoever signed it', async () => {
    const { address } = await listen(new FakePool(), true);
    const url = `stratum+tls://127.0.0.1:${address.port}`;
    const fingerprint256 = new X509Certificate(TEST_CERTIFICATE.cert).fingerprint256;
    const client = await connectStratum({ url, tls: { fingerprint256 } });
    await client.close();
    const other = `00${fingerprint256.slice(2)}`;
    await expect(connectStratum({ url, tls: { fingerprint256: other } })).rejects.toMatchObject({
      code: 'connection_refused',
      message: expect.stringContaining('not the pinned one'),
    });
    // A pin is looked at even where self-signed certificates are welcome.
    const both = { fingerprint256: other, allowSelfSigned: true };
    await expect(connectStratum({ url, tls: both })).rejects.toMatchObject({ code: 'connection_refused' });
  });

  it('does not take a certificate of another name, though its authority is trusted', async () => {
    const { address } = await listen(new FakePool(), true);
    const url = `stratum+tls://127.0.0.1:${address.port}`;
    const tls = { ca: TEST_CERTIFICATE.cert, servername: 'pool.elsewhere.example' };
    await expect(connectStratum({ url, tls })).rejects.toMatchObject({
      code: 'connection_refused',
      message: expect.stringMatching(/altname|does not match/i),
    });
  });

  it('gives up on TLS that is never answered', async () => {
    const listener = await listenTcp({ host: '127.0.0.1', port: 0 }, (connection) =>
      connection.start({ data: () => {}, drain: () => {}, closed: () => {} }),
    );
    stops.push(() => listener.close());
    const url = `stratum+tls://127.0.0.1:${listener.address.port}`;
    await expect(connectStratum({ url, connectTimeoutMs: 200 })).rejects.toMatchObject({ code: 'request_timeout' });
    const abort = new AbortController();
    const connecting = connectStratum({ url, signal: abort.signal });
    abort.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'aborted' });
  });

  it('says when nobody listens', async () => {
    const listener = await listen(new FakePool(), false);
    const { port } = listener.address;
    await listener.close();
    await expect(connectStratum({ url: `127.0.0.1:${port}` })).rejects.toMatchObject({ code: 'connection_refused' });
  });
});
